"""``benchmarker artifacts`` as a user types it."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from benchmarker.cli.artifacts_classify import share
from benchmarker.cli.main import main
from tests.hosts.radiance.conftest import network_file as network_file  # noqa: PLC0414 (a fixture)
from tests.hosts.radiance.conftest import write_fields, write_network
from tests.hosts.radiance.science_files import data_bytes, require_verified

# the keyword's value from the header's bytes, and a comparison by bc, as a pipeline does it
ONE_LINER = """
rfi=$(head -c 28800 "$1" | fold -w 80 | awk '/^RFI     =/ {print $3; exit}')
[ "$(echo "$rfi > $2" | bc)" = 1 ]
"""


@pytest.fixture
def here(tmp_path, monkeypatch, network_file):
    """A folder with five images, a labelled list of them, and a network."""
    monkeypatch.chdir(tmp_path)
    write_fields(tmp_path / "fields")
    lines = [f"fields/f{number}.fits,{number % 4},\n" for number in range(5)]
    (tmp_path / "list.csv").write_text("".join(lines))
    shutil.copy(network_file, tmp_path / "w.safetensors")
    return tmp_path


def classify(*words, network="w.safetensors"):
    return main(["artifacts", "classify", *words, "-m", network, "-o", "found"])


def table(folder="found"):
    return list(csv.DictReader(Path(folder, "probabilities.csv").read_text("utf-8").splitlines()))


def test_a_list_is_classified_into_headers_tables_and_statistics(here, capsys):
    before = [data_bytes(here / "fields" / f"f{number}.fits") for number in range(5)]
    assert classify("list.csv", "--stats", "1") == 0
    said = capsys.readouterr()
    assert said.out.startswith("5 images: ")
    assert "% as labelled" in said.out
    assert "found/test_losses.txt" in said.out
    rows = table()
    assert [row["path"] for row in rows] == [f"fields/f{number}.fits" for number in range(5)]
    for number, row in enumerate(rows):
        path = here / row["path"]
        assert data_bytes(path) == before[number]
        require_verified(path)
        header = fits.getheader(path)
        assert f"{header['RFI']:.8f}" == row["rfi"]
        assert header["CNNCLASS"] == row["predicted"]
    assert len((here / "found" / "test_losses.txt").read_text().splitlines()) == 5
    assert {path.name for path in (here / "fields").iterdir()} == {f"f{n}.fits" for n in range(5)}


def test_a_one_liner_of_the_shell_reads_the_header(here):
    if shutil.which("bc") is None:
        pytest.skip("bc is not installed")
    assert classify("list.csv") == 0
    for row in table():
        for limit in (float(row["rfi"]) - 1e-6, float(row["rfi"]) + 1e-6):
            done = subprocess.run(
                ["bash", "-c", ONE_LINER, "-", row["path"], f"{limit:.8f}"], check=False
            )
            assert (done.returncode == 0) == (float(row["rfi"]) > limit)


def test_the_exit_code_tells_a_job_what_was_found(here, capsys):
    assert classify("list.csv") == 0
    largest = max(float(row["rfisum"]) for row in table())
    words = ("list.csv", "--no-header", "--fail-on", "rfi", "--threshold")
    assert classify(*words, f"{largest + 1e-6:.8f}") == 0
    assert "0 images with rfi above" in capsys.readouterr().out
    assert classify(*words, f"{largest - 1e-6:.8f}") == 3
    assert "1 images with rfi above" in capsys.readouterr().out


def test_broken_files_are_told_and_the_others_done(here, capsys):
    (here / "fields" / "f1.fits").write_text("broken")
    (here / "fields" / "f3.fits").chmod(0o444)
    assert classify("list.csv", "--fail-on", "any", "--threshold", "0", "--json") == 2
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert said.err.count("failed: ") == 2
    assert told["failed"] == 2
    assert told["exit_code"] == 2
    assert [image["written"] for image in told["images"]] == [
        *("header", None, "header", None, "header")
    ]
    assert "f3.fits is read-only" in table()[3]["error"]
    assert table()[3]["predicted"]
    assert not table()[1]["predicted"]
    assert classify("fields/f3.fits", "--force-read-only") == 0


@pytest.mark.parametrize("word", ["--no-header", "--sidecar"])
def test_images_may_stay_as_they_are(here, word):
    before = [path.read_bytes() for path in sorted((here / "fields").iterdir())]
    assert classify("list.csv", word) == 0
    assert [p.read_bytes() for p in sorted((here / "fields").glob("*.fits"))] == before
    beside = sorted((here / "fields").glob("*.cards.txt"))
    assert len(beside) == (5 if word == "--sidecar" else 0)


def test_images_may_be_named_and_lists_have_no_labels(here, capsys):
    (here / "bare.csv").write_text("path\nfields/f2.fits\n")
    assert classify("fields/f0.fits", "bare.csv", "--stats", "1") == 0
    assert "as labelled" not in capsys.readouterr().out
    assert [row["path"] for row in table()] == ["fields/f0.fits", "fields/f2.fits"]
    assert not (here / "found" / "test_losses.txt").exists()


def test_compressed_images_have_cards_in_both_headers_or_one(here):
    hdu = fits.CompImageHDU(np.random.default_rng(1).normal(size=(32, 32)).astype(np.float32))
    for name in ("a.fits.fz", "b.fits.fz"):
        hdu.writeto(here / name, checksum=True)
    assert classify("a.fits.fz") == 0
    assert classify("b.fits.fz", "--no-primary") == 0
    found = [
        ["RFI" in fits.getheader(here / f"{name}.fits.fz", number) for number in (0, 1)]
        for name in "ab"
    ]
    assert found == [[True, True], [False, True]]


def test_parts_of_a_list_make_up_the_whole(here):
    rows = []
    for part in (1, 2, 3):
        assert classify("list.csv", "--no-header", "--part", f"{part}/3") == 0
        rows += [row["path"] for row in table()]
    assert rows == [f"fields/f{number}.fits" for number in range(5)]
    bounds = [share(2, part, 5) for part in range(1, 6)]
    assert sorted(end - begin for begin, end in bounds) == [0, 0, 0, 1, 1]
    assert classify("fields/f0.fits", "--part", "1/5") == 0
    assert table() == []


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["gone.csv"], "cannot read the list gone.csv"),
        (["w.safetensors"], "no text in UTF-8"),
        (["labels.csv"], "label 'goood' (did you mean good?), expected one of 0 good"),
        (["list.csv", "-m", "gone.safetensors"], "no run folder and no file of weights"),
        (["list.csv", "-m", "other.safetensors"], "expected a network for good, rfi, sis, rfisis"),
        (["list.csv", "-o", "list.csv"], "a part of the path is a file"),
    ],
)
def test_mistakes_are_told_in_words(here, capsys, words, text):
    (here / "labels.csv").write_text("fields/f0.fits,goood\n")
    write_network(here / "other.safetensors", classes=("a", "b"))
    base = ["artifacts", "classify", "-m", "w.safetensors", "-o", "found"]
    assert main([*base, *words]) == 1
    said = capsys.readouterr()
    assert text in said.err
    assert "Traceback" not in said.err
    assert "RFI" not in fits.getheader(here / "fields" / "f0.fits")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--part", "3/2"], "expected e.g. 2/10"),
        (["--threshold", "1.5"], "not a number"),
        (["--fail-on", "rfis"], "invalid choice"),
        (["--no-header", "--sidecar"], "not allowed with"),
        (["--stats", "2"], "invalid choice"),
    ],
)
def test_wrong_options(here, capsys, words, text):
    with pytest.raises(SystemExit) as stopped:
        classify("list.csv", *words)
    assert stopped.value.code == 1
    assert text in capsys.readouterr().err


def test_the_verb_alone_says_what_to_do(capsys):
    assert main(["artifacts"]) == 1
    assert "artifacts --help" in capsys.readouterr().err


def test_a_job_script_classifies(here, capsys):
    words = ["--array", "2", "--fail-on", "any", "--threshold", "0", "--stats", "1"]
    words += ["--account", "mwasci"]
    command = ["artifacts", "slurm", "list.csv", "-m", "w.safetensors", "-o", "job.sh"]
    assert main([*command, *words]) == 0
    assert "start it with 'sbatch job.sh'" in capsys.readouterr().out
    assert os.access("job.sh", os.X_OK)
    subprocess.run(["bash", "-n", "job.sh"], check=True)
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        ["bash", here / "job.sh"],
        cwd="/", env={**environment, "SLURM_ARRAY_TASK_ID": "2"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    rows = table("job-results/part-2")
    assert [row["path"].rsplit("/")[-1] for row in rows] == ["f2.fits", "f3.fits", "f4.fits"]
    assert (here / "job-results/part-2/test_acc.txt").is_file()
    assert ["RFI" in fits.getheader(here / f"fields/f{n}.fits") for n in range(5)] == [
        *(False, False, True, True, True)
    ]


def test_the_job_of_nothing_is_refused(here, capsys):
    words = ["artifacts", "slurm", "gone.csv", "-m", "gone", "-o", "job.sh"]
    assert main(words) == 1
    assert "has 2 faults" in capsys.readouterr().err
    assert not (here / "job.sh").exists()


def test_help_starts_without_the_numerical_library():
    code = (
        "from benchmarker.cli.main import main\nimport sys\n"
        "try: main(['artifacts', 'classify', '--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'tensorflow', 'keras', 'astropy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

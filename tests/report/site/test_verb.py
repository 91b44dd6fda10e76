"""The command ``benchmarker report``."""

import json
import subprocess
import sys

import pytest

from benchmarker.cli.main import main
from benchmarker.cli.verb_report import known_network
from benchmarker.core.records import read_record
from benchmarker.networks import registry
from tests.report.factory import make_run


def test_it_says_where_the_page_is(few, capsys):
    site = few.parent / "site"
    assert main(["report", "--results", str(few), "-o", str(site)]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == str(site / "index.html")
    assert said.err == ""
    assert (site / "index.html").is_file()


def test_what_is_left_out_is_told(few, capsys):
    (few / "runs" / "foreign").mkdir()
    (few / "runs" / "foreign" / "thing").write_text("x")
    site = few.parent / "site"
    assert main(["report", "--results", str(few), "-o", str(site), "--json"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (found["networks"], found["runs"]) == (1, 2)
    assert "foreign" in found["left_out"][0]
    assert said.err.startswith("left out: ")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--results", "nothing"], "run one first"),
        (["--results", "results", "-o", "full"], "no report wrote"),
    ],
)
def test_faults_of_the_user(few, capsys, monkeypatch, words, text):
    monkeypatch.chdir(few.parent)
    (few.parent / "full").mkdir()
    (few.parent / "full" / "thesis.tex").write_text("x")
    assert main(["report", *words]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert text in said
    assert "Traceback" not in said


def test_no_keras_and_no_plots_are_loaded(few):
    words = ["report", "--results", str(few), "-o", str(few.parent / "site")]
    code = (
        "import sys\n"
        "from benchmarker.cli.main import main\n"
        f"assert main({words!r}) == 0\n"
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'pandas', 'sklearn', 'astropy'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_what_the_registry_knows_of_a_network(tmp_path):
    entry = registry.find("mcrgnet")
    own = {"network_digest": entry.digest, "settings": {"size": [64, 64]}}
    record = read_record(make_run(tmp_path, "mcrgnet", 1, **own))
    known = known_network(record)
    assert known["reference"]["parameters"] == 213_916
    assert known["reference"]["input_shape"] == [300, 300, 1]
    assert known["paper"] == entry.paper
    assert "description" not in known  # other parameters than the record's
    record.run["network"]["parameters"] = 17_308
    assert known_network(record)["description"]["parameters"] == 17_308


@pytest.mark.parametrize("name", ["mcrgnet", "gone"])
def test_a_name_that_means_something_else_here_is_not_known(tmp_path, name):
    assert known_network(read_record(make_run(tmp_path, name, 1))) == {}


def test_a_python_network_is_not_built(tmp_path):
    entry = registry.find("agcnn")
    record = read_record(make_run(tmp_path, "agcnn", 1, network_digest=entry.digest))
    known = known_network(record)
    assert known["reference"]["parameters"] == entry.python.parameters
    assert "description" not in known

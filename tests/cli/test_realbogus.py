import json

import h5py
import pytest

from benchmarker.cli.main import main
from tests.hosts.realbogus.stamp_files import write_lists
from tests.report.factory import make_run


def test_lists_to_a_set_that_the_harness_opens(tmp_path, capsys):
    good, bad = write_lists(tmp_path)
    path = tmp_path / "set.h5"
    command = ["realbogus", "dataset", "--good", str(good), "--bad", str(bad), "-o", str(path)]
    assert main([*command, "--extent", "10", "--skew", "3", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert sum(sum(counts.values()) for counts in said["rows"].values()) == 48
    assert main(["data", "split", str(path), "--json"]) == 0
    split = json.loads(capsys.readouterr().out)
    assert split["rule"] == "published"
    assert split["test"]["n"] == sum(said["rows"]["test"].values())
    assert main([*command, "--legacy", "-N", "rescale", "-m", "none", "-r", "--skew", "all"]) == 0
    assert "objects train and test" in capsys.readouterr().err
    with h5py.File(path) as file:
        assert (file.attrs["magic"], file.attrs["normalisation"]) == ("none", "rescale")
        assert abs(file["X"][()]).max() == 1


def test_a_list_without_labels(tmp_path, capsys):
    good, _ = write_lists(tmp_path)
    path = tmp_path / "set.h5"
    assert main(["realbogus", "dataset", "--good", str(good), "-o", str(path), "--float32"]) == 0
    assert "set.h5 written" in capsys.readouterr().out
    with h5py.File(path) as file:
        assert sorted(name for name in file if "_" not in name) == ["X", "images"]
        assert file["X"].dtype == "float32"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--extent", "0"], "0"),
        (["--skew", "none"], "--skew"),
        (["-N", "spm"], "no normalisation 'spm'"),
        (["-m", "x"], "no pixel value"),
        (["--extent", "13"], "too small for extent 13"),
        (["-E", "3"], "extension 3"),
    ],
)
def test_wrong_options_are_told(tmp_path, capsys, change, words):
    good, bad = write_lists(tmp_path)
    path = tmp_path / "set.h5"
    command = ["realbogus", "dataset", "--good", str(good), "--bad", str(bad), "-o", str(path)]
    try:
        code = main([*command, *change])
    except SystemExit as left:
        code = left.code
    assert code == 1
    assert words in capsys.readouterr().err
    assert not path.exists()


def test_missing_stamps_stop_before_anything_is_read(tmp_path, capsys):
    good, bad = write_lists(tmp_path)
    for path in sorted((tmp_path / "good").iterdir())[:2]:
        path.unlink()
    command = ["realbogus", "dataset", "--good", str(good), "--bad", str(bad)]
    assert main([*command, "-o", str(tmp_path / "set.h5")]) == 1
    assert "2 of 12 stamps are not there" in capsys.readouterr().err


def test_scores_rates_and_plots_of_a_run(tmp_path, capsys):
    folder = make_run(tmp_path, "psat_d", classes=("bogus", "real"))
    table = tmp_path / "scores.csv"
    assert main(["realbogus", "scores", str(folder), "-o", str(table)]) == 0
    assert len(table.read_text().splitlines()) == 40
    assert main(["realbogus", "rates", str(table), str(folder), "--json"]) == 0
    out = capsys.readouterr().out
    values = json.loads(out[out.index("[") :])
    assert [value["members"] for value in values] == [20, 20]
    assert values[0]["auc"] == pytest.approx(values[1]["auc"])
    assert len(values[0]["stepped"]["false_at_missed"]) == len(values[0]["false_at_missed"]) == 8
    picture = tmp_path / "output.png"
    assert main(["realbogus", "plot", str(table), str(table), "-o", str(picture)]) == 0
    assert "scores (2): " in capsys.readouterr().out
    assert picture.is_file()
    for figure in ("roc", "completeness", "histogram"):
        path = tmp_path / f"{figure}.png"
        assert main(["realbogus", "plot", str(table), "--figure", figure, "-o", str(path)]) == 0
        assert path.is_file()


def test_a_plot_by_kind_from_a_table(tmp_path, capsys):
    rows = [(f"{n}.fits", n % 2, (n % 7) / 7) for n in range(40)]
    table, facts = tmp_path / "s.csv", tmp_path / "facts.csv"
    table.write_text("".join(f"{name},{label},{score:.6f}\n" for name, label, score in rows))
    facts.write_text("file,kind\n" + "".join(f"{name},k{label}\n" for name, label, _ in rows))
    command = ["realbogus", "plot", str(table), "--by", "kind", "-o", str(tmp_path / "k.png")]
    assert main(command) == 1
    assert "nothing is known of 'kind'" in capsys.readouterr().err
    assert main([*command, "--facts", str(facts), "--threshold", "0.5"]) == 0
    assert (tmp_path / "k.png").is_file()
    assert main([*command[:3], *command[2:]]) == 1
    assert "drawn of one set" in capsys.readouterr().err


def test_undefined_rates_are_words(tmp_path, capsys):
    table = tmp_path / "s.csv"
    table.write_text("a.fits,0,0.5\nb.fits,0,0.25\n")
    assert main(["realbogus", "rates", str(table)]) == 0
    out = capsys.readouterr().out
    assert "area under the curve undefined" in out
    assert "no source of the class" in out
    assert main(["realbogus", "plot", str(table), "-o", str(tmp_path / "a.png")]) == 1
    assert "no real stamp among 2" in capsys.readouterr().err


def test_without_a_sub_verb(capsys):
    assert main(["realbogus"]) == 1
    assert "which of the realbogus verbs" in capsys.readouterr().err

"""``benchmarker learning-curve`` as a user types it."""

import json
from argparse import ArgumentParser

import pytest

from benchmarker.cli.main import main
from benchmarker.cli.verb_learning_curve import _entries, _plan, add_arguments
from benchmarker.core.records import find_records, read_record
from benchmarker.core.seeds import PAPER_SEEDS
from benchmarker.data.fewer_labels import MARK
from benchmarker.report.curves import _FEWER
from benchmarker.runs import resolve
from benchmarker.runs.resolve import open_images, split_of, stated_settings
from benchmarker.runs.run_list import read_run_list
from benchmarker.runs.session import Request
from tests.runs.toy import CLASSES, write_toy

SIZES = "4,9,all"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("curve")
    write_toy(folder / "toy.npz", size=16)
    (folder / "list.txt").write_text("mcrgnet,1e-3,1,recipe=none,batch=16\n")
    return folder


@pytest.fixture(autouse=True)
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    resolve._images.cache_clear()  # other tests have a toy.npz in another folder


@pytest.fixture(scope="module")
def ran(place):
    """The code and the output of the first command."""
    import contextlib
    import io

    said = io.StringIO()
    with contextlib.chdir(place), contextlib.redirect_stdout(said):
        words = ["-a", "list.txt", "--sizes", SIZES, "-d", "toy.npz", "--plot", "curve.svg"]
        code = main(["learning-curve", *words, "--json"])
    return code, json.loads(said.getvalue())


def test_every_size_is_a_run_like_all_others_on_one_test_set(ran, place):
    code, said = ran
    assert code == 0
    records = [read_record(folder) for folder in said["runs"]]
    assert [record.split["train"] for record in records[:2]] == [16, 36]
    assert len({record.split["digests"]["test"] for record in records}) == 1
    assert len({record.split["digests"]["validation"] for record in records}) == 1
    assert {record.seed for record in records} == {PAPER_SEEDS[0]}
    parts = []
    for record in records:
        settings = stated_settings(record)
        split = split_of(settings, open_images(settings))
        assert split.digest == record.split["digest"]  # it can be made again from the record
        parts.append(set(split.train))
    assert parts[0] < parts[1] < parts[2]
    assert (place / "curve.svg").stat().st_size > 1000


def test_the_curve_holds_what_the_records_say(ran):
    _, said = ran
    (curve,) = said["curves"]
    records = [read_record(folder) for folder in said["runs"]]
    assert curve["sizes"][:2] == [4, 9]
    assert curve["whole"] == [False, False, True]
    assert curve["mean"] == [record.metrics["best"]["accuracy"]["value"] for record in records]
    assert curve["n_seeds"] == [1, 1, 1]


def test_what_is_complete_is_skipped_and_the_table_printed(ran, capsys):
    before = {r.folder.name: r.run["finished"] for r in find_records("results")}
    assert main(["learning-curve", "-a", "list.txt", "--sizes", SIZES, "-d", "toy.npz"]) == 0
    said = capsys.readouterr()
    assert said.err.count("complete already") == 3
    assert "mcrgnet on toy, best model" in said.out
    assert {r.folder.name: r.run["finished"] for r in find_records("results")} == before


def test_the_rule_is_the_one_that_the_curves_know(ran):
    rules = [read_record(folder).split["rule"] for folder in ran[1]["runs"]]
    assert [_FEWER.search(rule) is not None for rule in rules] == [True, True, False]
    assert MARK in rules[0]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--sizes", "4,99,all"], "class TOP has"),
        (["--sizes", "4"], "at least two different sizes"),
        (["--sizes", "4,4"], "at least two different sizes"),
        (["--sizes", "0,4"], "at least two different sizes"),
        (["--sizes", "4,few"], "at least two different sizes"),
        (["--sizes", "4,9", "-t", "3", "-v", "3"], "-t has no meaning here"),
        (["--sizes", "4,9", "--only-test"], "--only-test has no meaning here"),
        (["--sizes", "4,9", "--plot", "curve.txt"], "expected a name ending in"),
        (["--sizes", "4,9", "-a", "agcnn"], "agcnn has no line in architectures.txt"),
        (["--sizes", "4,9", "-a", "quota.txt"], "train and validation: --sizes decides"),
        (["--sizes", "4,9", "--learning-rate", "0"], "not a number above 0"),
    ],
)
def test_refusals_come_before_anything_runs(words, text, place, capsys):
    (place / "quota.txt").write_text("mcrgnet,1e-3,1,train=3,validation=3\n")
    listed = [] if "-a" in words else ["-a", "list.txt"]
    command = ["learning-curve", *listed, "-d", "toy.npz", "-p", "refused", *words]
    try:
        code = main(command)
    except SystemExit as ended:
        code = ended.code
    assert code == 1
    assert text in capsys.readouterr().err
    assert not (place / "refused").exists()


def test_faults_of_all_sizes_and_classes_are_told_at_once(capsys):
    words = ["-d", "toy.npz", "-p", "refused", "--sizes", "99,100"]
    assert main(["learning-curve", "-a", "list.txt", *words]) == 1
    said = capsys.readouterr().err
    for name in CLASSES:
        assert said.count(f"class {name} has 15 to train") == 2


def test_as_many_as_there_are_is_the_run_on_all_of_them():
    entries = read_run_list("list.txt")
    request = Request(entries, [1, 2], {"data": "toy.npz"})
    assert len(_plan(request, [4, 9, None])) == 6
    runs = _plan(request, [4, 15, None])
    assert len(runs) == 4
    assert [len(run.split.train) for run in runs] == [16, 16, 60, 60]


def test_a_network_brings_its_line_of_the_list_and_options_win(place):
    parser = ArgumentParser()
    add_arguments(parser)
    words = ["-a", "simple", "--sizes", "4,9"]
    (entry,) = _entries(parser.parse_args(words))
    assert (entry.network, entry.learning_rate, entry.epochs) == ("simple", 1e-4, 16)
    (entry,) = _entries(parser.parse_args([*words, "--epochs", "3", "--learning-rate", "0.01"]))
    assert (entry.learning_rate, entry.epochs) == (0.01, 3)
    words = ["-a", "agcnn", "--sizes", "4,9", "--epochs", "3", "--learning-rate", "0.01"]
    (entry,) = _entries(parser.parse_args(words))
    assert (entry.network, entry.epochs) == ("agcnn", 3)

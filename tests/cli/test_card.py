"""``benchmarker card`` as a user types it."""

import os
import subprocess
import sys

import pytest

from benchmarker.cli.main import main
from tests.report.factory import make_failed, make_run


@pytest.fixture
def results(tmp_path):
    for seed in (8901, 1826):
        make_run(tmp_path, seed=seed)
    make_run(tmp_path, data="mine")
    return tmp_path


def test_a_network_a_data_set_of_it_and_a_run(results, capsys):
    options = ["--results", str(results)]
    assert main(["card", "convXpress", *options]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# Model card: convXpress\n")
    assert "records of 3 runs" in text
    assert main(["card", "convXpress", "--data", "first", *options]) == 0
    assert "records of 2 runs" in capsys.readouterr().out
    run = min((results / "runs").glob("*-first-s8901-*"))
    assert main(["card", str(run)]) == 0
    assert "records of 1 run." in capsys.readouterr().out


def test_a_data_set_into_a_file(results, tmp_path, capsys):
    path = tmp_path / "first.md"
    assert main(["card", "--data", "first", "--results", str(results), "-o", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    text = path.read_text()
    assert text.startswith("# Data card: first\n")
    assert "| convXpress | 2 |" in text


def test_damaged_runs_are_named_and_left_out(results, capsys):
    broken = min((results / "runs").glob("*-first-s8901-*"))
    (broken / "metrics.json").write_text("{")
    assert main(["card", "convXpress", "--results", str(results)]) == 0
    said = capsys.readouterr()
    assert "records of 2 runs" in said.out
    assert "left out: " in said.err
    assert "metrics.json" in said.err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "which card? expected a run folder"),
        (["convXpres"], "did you mean convXpress?"),
        (["convXpress", "--data", "other"], "no complete run of 'convXpress' on other"),
        (["--data", "furst"], "did you mean first"),
    ],
)
def test_mistakes_are_told_in_words(results, capsys, words, text):
    assert main(["card", *words, "--results", str(results)]) == 1
    assert text in capsys.readouterr().err


def test_a_failed_run_has_no_card(tmp_path, capsys):
    assert main(["card", str(make_failed(tmp_path))]) == 1
    assert "is not complete (it is failed)" in capsys.readouterr().err


def test_the_verb_needs_no_keras(results):
    code = (
        "import sys; from benchmarker.cli.main import main; "
        f"main(['card', 'convXpress', '--results', {str(results)!r}]); "
        "sys.exit(str({'tensorflow', 'keras', 'matplotlib', 'pandas'} & set(sys.modules) or 0))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.strip() == "0"

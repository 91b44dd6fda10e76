import json
import subprocess
import sys

import pytest

from benchmarker.cli.main import main
from tests.report.factory import make_run
from tests.report.test_ranking import SEEDS, many


@pytest.fixture
def results(tmp_path):
    many(tmp_path, {"good": 4.0, "bad": 0.8}, seeds=SEEDS[:2])
    return tmp_path


def test_a_comparison_is_printed(results, capsys):
    assert main(["compare", "good", "bad", "--results", str(results), "--data", "first"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for part in ("good is better", "P(good better)", "Power: ", "recall of", "95 %"):
        assert part in text


def test_json_alone_is_on_stdout(results, capsys):
    assert main(["compare", "good", "bad", "--results", str(results), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pairs"][0]["verdict"] == "good is better"
    assert [one["seeds"] for one in found["networks"]] == [list(SEEDS[:2])] * 2


def test_unlike_seeds_leave_with_3_unless_allowed(results, capsys):
    many(results, {"few": 2.0}, seeds=SEEDS[:1])
    words = ["compare", "good", "few", "--results", str(results)]
    assert main(words) == 3
    assert "few: missing seed 4915 (expected 1826, 4915)" in capsys.readouterr().err
    assert main([*words, "--allow-unlike"]) == 0
    assert "few: missing seed 4915" in capsys.readouterr().out
    assert main([*words, "--allow-unlike", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["allow_unlike"] is True
    assert main(["compare", "good", "bad", "--results", str(results), "--seeds", "1826"]) == 3
    assert main(["compare", "good", "bad", "--results", str(results), "--seeds", "x"]) == 1


def test_damaged_runs_are_named_and_left_out(results, capsys):
    folder = next(iter(sorted((results / "runs").glob("bad-*"))))
    (folder / "predictions.csv").write_text("half a li")
    assert main(["compare", "good", "bad", "--results", str(results)]) == 3
    error = capsys.readouterr().err
    assert "left out: " in error
    assert f"{folder.name}/predictions.csv was changed after the run" in error
    assert "bad: missing seed" in error


def test_one_name_is_not_enough(results, capsys):
    assert main(["compare", "good", "--results", str(results)]) == 1
    assert "expected two or more" in capsys.readouterr().err
    assert main(["compare", "good", "god", "--results", str(results)]) == 1
    assert "did you mean good?" in capsys.readouterr().err


def test_it_starts_without_heavy_imports(tmp_path):
    folders = [str(make_run(tmp_path, name)) for name in ("a", "b")]
    code = (
        "import sys; from benchmarker.cli.main import main; "
        f"main(['compare', *{folders!r}]); "
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'pandas', 'sklearn', 'scipy.stats'}; "
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "McNemar" in done.stdout

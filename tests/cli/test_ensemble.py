import json
import subprocess
import sys

import pytest

from benchmarker.cli.main import main
from tests.report.factory import make_run


@pytest.fixture
def results(tmp_path):
    for seed in (8901, 1826, 4915):
        make_run(tmp_path, seed=seed, validated=True, skill=1.2)
    return tmp_path


def test_a_network_is_all_its_seeds(results, capsys):
    assert main(["ensemble", "convXpress", "--results", str(results)]) == 0
    out = capsys.readouterr().out
    assert "3 runs on first, best weights" in out
    assert "over mean member" in out


def test_json_is_alone_on_stdout_and_the_file_is_written(results, tmp_path, capsys):
    folders = sorted(map(str, (results / "runs").iterdir()))[:2]
    path = tmp_path / "predictions.csv"
    words = ["ensemble", *folders, "--json", "--how", "vote", "--model", "final", "-o", str(path)]
    assert main(words) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert (found["how"], found["model"], len(found["members"])) == ("vote", "final", 2)
    assert f"written: {path}" in captured.err
    assert len(path.read_text().splitlines()) == 1 + 2 * 40


def test_runs_that_are_not_alike_are_a_failed_check(results, capsys):
    other = make_run(results, data="radio")
    words = ["ensemble", str(other), "convXpress", "--data", "first", "--results", str(results)]
    assert main(words) == 3
    assert "data digest differs" in capsys.readouterr().err
    assert main(["ensemble", "none", "--results", str(results)]) == 1


def test_it_starts_without_the_training_libraries(results):
    code = (
        "import sys; from benchmarker.cli.main import main; "
        f"main(['ensemble', 'convXpress', '--results', {str(results)!r}]); "
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'pandas', 'sklearn', 'astropy'}; "
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

import json
import os
import subprocess
import sys
import time

import pytest

from benchmarker.cli.main import main
from tests.report.factory import make_failed, make_run


@pytest.fixture
def results(tmp_path):
    for seed in (8901, 1826):
        make_run(tmp_path, seed=seed)
    return tmp_path


def test_leaderboard_prints_the_mean_and_writes_the_files(results, capsys):
    assert main(["leaderboard", "--results", str(results)]) == 0
    out = capsys.readouterr().out
    assert "convXpress" in out
    assert "±" in out
    assert (results / "leaderboard.csv").is_file()
    assert (results / "convXpress_final.csv").is_file()


def test_json_is_a_list_of_rows_alone_on_stdout(results, capsys):
    make_failed(results, "simple", 1)
    assert main(["leaderboard", "--results", str(results), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["state"] for row in rows] == ["complete", "failed"]
    assert rows[0]["seeds"] == [1826, 8901]
    assert rows[0]["model"] == "best"
    assert main(["leaderboard", "--results", str(results), "--json", "--model", "final"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["model"] == "final"


def test_no_records_is_explained(tmp_path, capsys):
    assert main(["leaderboard", "--results", str(tmp_path / "none")]) == 1
    error = capsys.readouterr().err
    assert "no finished run below" in error
    assert "python quickstart.py -a convxpress.txt" in error
    assert not (tmp_path / "none").exists()


def test_one_data_set_can_be_chosen(results, capsys):
    make_run(results, data="simulated")
    assert main(["leaderboard", "--results", str(results), "--json", "--data", "simulated"]) == 0
    assert [row["data"] for row in json.loads(capsys.readouterr().out)] == ["simulated"]
    assert main(["leaderboard", "--results", str(results), "--data", "simulatd"]) == 1
    assert "did you mean simulated?" in capsys.readouterr().err


def test_seeds_that_are_not_the_expected_ones_are_an_error(results, capsys):
    options = ["leaderboard", "--results", str(results), "--seeds"]
    assert main([*options, "8901,1826"]) == 0
    assert main([*options, "8901,1826,4915"]) == 3
    assert "convXpress on first: missing seed 4915" in capsys.readouterr().err
    assert main([*options, "8901,x"]) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_still_shown(results, capsys):
    results.chmod(0o555)
    try:
        assert main(["leaderboard", "--results", str(results)]) == 0
    finally:
        results.chmod(0o755)
    captured = capsys.readouterr()
    assert "convXpress" in captured.out
    assert "leaderboard.csv was left as it is" in captured.err


def test_check_passes_sound_runs(results, capsys):
    assert main(["check", str(results)]) == 0
    assert "2 run folders checked, none with faults" in capsys.readouterr().out


def test_check_names_an_edited_file_and_leaves_with_3(results, capsys):
    folder = min((results / "runs").iterdir())
    with (folder / "history.csv").open("a") as stream:
        stream.write("4,0,0,1,0,1,0,0,0\n")
    assert main(["check", str(results)]) == 3
    out = capsys.readouterr().out
    assert f"{folder}: 3 faults" in out
    assert "history.csv was changed after the run" in out
    assert "2 run folders checked, 1 with faults" in out
    assert main(["check", str(folder), "--json"]) == 3
    (report,) = json.loads(capsys.readouterr().out)
    assert report["folder"] == str(folder)
    assert (report["sound"], report["edited"]) == (False, ["history.csv"])
    assert len(report["faults"]) == 3


def test_check_of_a_folder_that_never_began_says_so(results, capsys):
    (results / "runs" / "empty").mkdir()
    (results / "runs" / "empty" / "best.safetensors").write_bytes(b"weights")
    assert main(["check", str(results)]) == 3
    assert "there is no run.json in it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "text"), [("none", "does not exist"), ("", "holds no run folder")]
)
def test_check_of_nothing_is_an_input_error(tmp_path, capsys, name, text):
    assert main(["check", str(tmp_path / name)]) == 1
    assert text in capsys.readouterr().err


def test_the_table_starts_without_heavy_imports(results):
    code = (
        "import sys; from benchmarker.cli.main import main; "
        f"main(['leaderboard', '--results', {str(results)!r}, '--json']); "
        f"main(['check', {str(results)!r}]); "
        # of scipy only the special functions, for Student's distribution
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'pandas', 'sklearn', 'astropy'}; "
        "heavy |= {'scipy.stats', 'scipy.optimize'}; "
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert time.perf_counter() - start < 5


def test_check_passes_over_a_run_that_was_refused_before_it_began(results, capsys):
    refused = results / "runs" / "refused"
    refused.mkdir()
    (refused / ".lock").touch()
    (refused / "log.txt").write_text("failed: the parts of the split share images")
    assert main(["check", str(results)]) == 0
    assert "refused" not in capsys.readouterr().out


def test_the_leaderboard_is_drawn_on_request(results, capsys):
    path = results / "board.png"
    assert main(["leaderboard", "--results", str(results), "--plot", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    assert "MPCA" in capsys.readouterr().out
    assert main(["leaderboard", "--results", str(results), "--plot", "board.txt"]) == 1
    assert "expected a name ending in .png" in capsys.readouterr().err

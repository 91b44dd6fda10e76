import json
import subprocess
import sys

import pytest

from benchmarker.cli import main as cli
from benchmarker.core.errors import RunFailedError


def test_help_lists_every_verb(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for verb in ("run", "list", "show", "data", "leaderboard", "check"):
        assert f"\n    {verb}" in text


def test_no_verb_prints_the_help(capsys):
    assert cli.main([]) == 1
    assert "verbs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["run", "--sead", "3"], "did you mean --seed"),
        (["run", "-s", "many"], "not a list of whole numbers"),
        (["run", "-t", "0"], "at least 1"),
        (["run", "-i", "big"], "expected e.g. 150 or 150x200"),
        (["run", "--schedule", "plato"], "invalid choice: 'plato'"),
        (["lisst"], "invalid choice: 'lisst'"),
    ],
)
def test_a_wrong_option_is_explained(words, text, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 1
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["run", "-a", "convexpress.txt"], "did you mean convxpress"),
        (["run", "-a", "convxpress.txt", "-d", "nowhere.npz"], "nowhere.npz"),
        (["run", "-a", "convxpress.txt", "-s", "1,1"], "seed 1 is given twice"),
        (["run", "-a", "convxpress.txt", "-t", "5"], "-t and -v go together"),
        (["run", "-a", "convxpress.txt", "-i", "300"], "never enlarged"),
        (["run", "-a", "convxpress.txt", "-c", "7"], "-c asks for 7"),
        (["run", "-a", "convxpress.txt", "--recipe", "rotation24"], "did you mean rotations24"),
        (["run", "-a", "convxpress.txt", "-t", "500", "-v", "1"], "none is left to test"),
        (["run", "-a", "architectures.txt"], "cannot run on simulated"),
        (["show", "convexpress"], "convXpress"),
        (["data"], "which of the data verbs"),
    ],
)
def test_a_mistake_is_one_text_and_code_1(words, text, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 1
    captured = capsys.readouterr()
    assert text in captured.err
    assert captured.err.startswith("error: ")
    assert captured.out == ""
    assert not (tmp_path / "results" / "runs").exists()


def test_debug_shows_the_traceback():
    with pytest.raises(Exception, match="seed 1 is given twice"):
        cli.main(["run", "-a", "convxpress.txt", "-s", "1,1", "--debug"])


def test_errors_carry_their_exit_codes(capsys):
    def fail(arguments):
        message = "it broke"
        raise RunFailedError(message)

    class Chosen:
        debug = False
        run = staticmethod(fail)

    assert cli.run_guarded(Chosen()) == 2
    assert capsys.readouterr().err == "error: it broke\n"


def test_classic_modes_describe_without_training(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["run", "-a", "convxpress.txt", "--test", "parameters", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"] == 4567944


def test_the_command_starts_without_heavy_modules():
    code = (
        "import sys; from benchmarker.cli.main import parser; parser();"
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'astropy', 'albumentations', 'pandas',"
        "'sklearn', 'scipy', 'jax', 'cv2', 'rich'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_closed_pipe_is_no_fault():
    words = [sys.executable, "-m", "benchmarker", "list", "networks", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert "Traceback" not in process.stderr.read().decode()


def test_near_names_are_for_options_that_do_not_exist(capsys):
    with pytest.raises(SystemExit):
        cli.main(["run", "--batch", "0"])
    assert "did you mean" not in capsys.readouterr().err


def test_what_the_system_refuses_is_told_without_a_traceback(capsys):
    def refuse(_):
        raise OSError(5, "Input/output error", "results")

    chosen = cli.argparse.Namespace(run=refuse, debug=False)
    assert cli.run_guarded(chosen) == 1
    assert "error: [Errno 5] Input/output error: 'results'" in capsys.readouterr().err
    with pytest.raises(OSError, match="Input/output"):
        cli.run_guarded(cli.argparse.Namespace(run=refuse, debug=True))

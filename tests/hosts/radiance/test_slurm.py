"""The job script: what the shell says of it, and what runs when it is started."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.hosts.radiance.slurm import Job, check_inputs, script


def job(**words):
    values = {"images": ("list.csv",), "network": "RUN", "results": Path("found")} | words
    return Job(**values)


def parsed(text, tmp_path):
    path = tmp_path / "job.sh"
    path.write_text(text)
    subprocess.run(["bash", "-n", path], check=True)
    return path


def started(text, tmp_path, **environment):
    """The words with which the command is started; the interpreter is one that prints them."""
    echo = tmp_path / "python with blank"
    echo.write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
    echo.chmod(0o755)
    import shlex

    text = text.replace(shlex.quote(sys.executable), shlex.quote(str(echo)))
    done = subprocess.run(
        ["bash", parsed(text, tmp_path)],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_placeholders_stay_comments_until_they_are_filled_in(tmp_path):
    text = script(job())
    assert text.startswith("#!/bin/bash\n#SBATCH --job-name=artifacts\n##SBATCH --account=NAME\n")
    assert "##SBATCH --partition=NAME\n" in text
    assert "set -euo pipefail\n" in text
    assert "array" not in text
    text = script(job(account="mwasci", partition="gpuq", gpus=1, cpus=2, array=10, time="30"))
    for line in ("account=mwasci", "partition=gpuq", "gpus-per-node=1", "cpus-per-task=2"):
        assert f"\n#SBATCH --{line}\n" in text
    assert "\n#SBATCH --array=1-10\n" in text
    parsed(text, tmp_path)


def test_paths_are_absolute_and_survive_blanks_and_dollars(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one = job(images=("my $list.csv", "it's.csv"), results=Path("out put"), words=("--crop",))
    code, words, error = started(script(one), tmp_path)
    assert (code, error) == (0, "")
    assert words == [
        *("-m", "benchmarker", "artifacts", "classify"),
        *(str(tmp_path / "my $list.csv"), str(tmp_path / "it's.csv")),
        *("-m", str(tmp_path / "RUN"), "--crop", "-o", str(tmp_path / "out put")),
    ]


def test_jobs_of_an_array_take_their_parts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, words, _ = started(script(job(array=4)), tmp_path, SLURM_ARRAY_TASK_ID="3")
    assert code == 0
    assert words[-4:] == ["--part", "3/4", "-o", str(tmp_path / "found/part-3")]
    code, words, error = started(script(job(array=4)), tmp_path)
    assert code != 0
    assert words == []
    assert "start it with sbatch" in error


def test_the_exit_code_is_that_of_the_classification(tmp_path):
    text = script(job()).replace("exec ", "exec bash -c 'exit 3' ")
    assert started(text, tmp_path)[0] == 3


@pytest.mark.parametrize("words", [{"account": "a b"}, {"partition": "x\n#"}, {"time": ""}])
def test_words_that_slurm_would_misread_are_refused(words):
    with pytest.raises(SettingsError, match="expected letters, digits"):
        job(**words)


def test_what_is_not_there_is_told_before_a_job_waits(tmp_path):
    (tmp_path / "list.csv").touch()
    check_inputs([str(tmp_path / "list.csv")], str(tmp_path))
    with pytest.raises(SettingsError, match="2 faults") as told:
        check_inputs([str(tmp_path / "gone.csv")], str(tmp_path / "w"))
    assert "gone.csv is not there" in str(told.value)

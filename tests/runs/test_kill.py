"""SIGKILL at every kind of moment, and the digests of an undisturbed run all the same."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarker.core.errors import InputFileError
from benchmarker.runs import executor
from benchmarker.runs.determinism import environment
from benchmarker.runs.resolve import resolve
from benchmarker.runs.settings import RunSettings
from benchmarker.runs.spec import Spec
from tests.runs.commands import digests, only_record
from tests.runs.toy import write_toy

THREADS = 2
# One sitting each: which moment ends it. The last one runs to the end.
MOMENTS = (
    ("before", 1),  # the first file of the image cache
    ("after", 4),
    ("before", 7),
    ("batch", 2),
    ("after", 2),
    ("batch", 9),
    ("before", 3),
    ("after", 5),
    ("before", 9),
)


def spec(folder, results):
    settings = RunSettings("mcrgnet", 1e-3, 3, data=str(folder / "toy.npz"), recipe="d4", batch=16)
    resolved = resolve(settings)
    return Spec(
        settings=settings.as_dict(),
        identity=resolved.identity["digest"],
        name=resolved.name,
        results=str(folder / results),
        cache=str(folder / f"{results}-cache"),
        threads=THREADS,
    )


def test_killed_nine_times_gives_the_same_digests(tmp_path):
    write_toy(tmp_path / "toy.npz")
    (outcome,) = executor.execute([spec(tmp_path, "calm")], 1)
    assert outcome.complete, outcome.text
    killed = spec(tmp_path, "killed")
    killed.write(tmp_path / "spec.json")
    reached = []
    for what, number in MOMENTS:
        done = subprocess.run(
            [sys.executable, Path(__file__).with_name("kill_worker.py"),
             tmp_path / "spec.json", what, str(number)],
            env=environment(THREADS),
            capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
        record = killed.folder.read()
        reached.append(record["status"]["state"] if record else "nothing")
    assert "running" in reached
    (outcome,) = executor.execute([killed], 1)
    assert outcome.complete, outcome.text
    assert digests(only_record(tmp_path / "killed")) == digests(only_record(tmp_path / "calm"))
    assert not list((tmp_path / "killed").rglob(".part-*"))
    assert not killed.folder.checkpoint.exists()


def test_killed_child_is_reported_and_resumable(tmp_path):
    write_toy(tmp_path / "toy.npz")
    asked = spec(tmp_path, "results")
    asked.write(tmp_path / "spec.json")

    started = executor._start(asked)
    started.popen.kill()
    started.popen.wait()
    outcome = executor._outcome(started)
    assert outcome.code == 2
    assert "killed by SIGKILL, often a sign of too little memory" in outcome.text
    assert not started.spec_file.exists()


@pytest.mark.parametrize("content", ["", "{", '{"format": 1}'])
def test_a_broken_run_json_names_itself(tmp_path, content):
    write_toy(tmp_path / "toy.npz")
    asked = spec(tmp_path, "results")
    asked.folder.path.mkdir(parents=True)
    (asked.folder.path / "run.json").write_text(content)
    with pytest.raises(InputFileError, match=r"run\.json.*--again"):
        _ = asked.folder.state

"""How the end of a process becomes the outcome of its run."""

import signal
from types import SimpleNamespace

import pytest

from benchmarker.runs import executor
from benchmarker.runs.executor import _Process
from benchmarker.runs.folder import RunFolder
from benchmarker.runs.spec import REASON, Spec


@pytest.fixture
def process(tmp_path):
    """A function that makes an ended process of a run that was begun."""

    def make(code, noise="", state="running", **options):
        spec = Spec({}, "abc", "run-s1-abc", str(tmp_path / "results"), "cache", 2, **options)
        spec.folder.begin({"digest": "abc"}, {"threads": 2}, {})
        spec.folder.change(status={"state": state})
        (tmp_path / "spec.json").touch()
        (tmp_path / "noise.txt").write_text(noise)
        popen = SimpleNamespace(returncode=code)
        return _Process(spec, popen, tmp_path / "spec.json", tmp_path / "noise.txt")

    return make


def state(process):
    return process.spec.folder.state


def test_the_reason_is_what_follows_the_mark(process):
    ended = process(1, f"a library's word\n{REASON}first line\nsecond line\n")
    assert executor._outcome(ended).text == "first line\nsecond line"
    assert "a library's word\nfirst line" in ended.spec.folder.log.read_text()


def test_a_killed_run_is_failed_but_goes_on_later(process):
    ended = process(-signal.SIGKILL)
    outcome = executor._outcome(ended)
    assert outcome.code == 2
    assert ended.spec.folder.read()["status"]["reason"] == outcome.text
    assert ended.spec.folder.read()["status"]["final"] is False


def test_a_run_stopped_before_it_listens_counts_as_interrupted(process):
    ended = process(-signal.SIGTERM)
    assert executor._outcome(ended, stopped=True).code == 130
    assert state(ended) == "running"


@pytest.mark.parametrize("options", [{}, {"test_only": True}])
def test_a_complete_record_stays_complete_when_its_test_is_killed(process, options):
    ended = process(-signal.SIGKILL, state="complete", **options)
    executor._outcome(ended)
    assert state(ended) == "complete"


def test_a_full_disk_at_the_end_of_one_run_does_not_end_the_command(process, monkeypatch):
    ended = process(-signal.SIGKILL, "noise")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RunFolder, "change", full)
    assert executor._outcome(ended).code == 2


@pytest.mark.parametrize(("codes", "expected"), [([3, 0], 3), ([3, 1], 1), ([3, 2], 2)])
def test_a_failed_check_has_its_own_code(codes, expected):
    outcomes = [executor.Outcome(None, code, "") for code in codes]
    assert executor.exit_code(outcomes) == expected

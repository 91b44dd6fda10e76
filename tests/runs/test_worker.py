"""How a run's process explains its end, and that one end does not touch the next."""

import resource
import signal
import sys
import time

import pytest

from benchmarker.runs import executor, worker
from benchmarker.runs.determinism import differences, environment
from benchmarker.runs.spec import Spec, StopRequest
from tests.runs.commands import command, records, start, wait_for
from tests.runs.toy import write_toy

GRAPH = """Graph execution error:

Detected at node model/up_3/Resize defined at (most recent call last):
  File "training.py", line 1, in train

Node: 'model/up_3/Resize'
{}
\t [[{{{{node model/up_3/Resize}}}}]] [Op:__inference_function_12]"""


class ResourceExhaustedError(Exception):
    """Named as TensorFlow's."""


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (MemoryError(), "out of memory: choose a smaller batch or size"),
        (ResourceExhaustedError("OOM when allocating"), "out of memory: choose a smaller batch"),
        (ResourceExhaustedError("Graph execution error:\nat node x\nOOM when allocating 9 GB"),
         "(OOM when allocating 9 GB)"),
        (RuntimeError("Deterministic kernel of op X is not there\nat layer up_3"),
         "has no deterministic form here: Deterministic kernel of op X"),
        (ValueError("shapes differ\nmore"), "ValueError: shapes differ"),
        (ValueError(), "ValueError: "),
        (ResourceExhaustedError(GRAPH.format("OOM when allocating")),
         "(OOM when allocating (Node: 'model/up_3/Resize'))"),
        (RuntimeError(GRAPH.format("A deterministic kernel is not there")),
         "here: A deterministic kernel is not there (Node: 'model/up_3/Resize'); use another"),
    ],
)  # fmt: skip
def test_reasons_are_one_sentence(error, text):
    assert text in worker._explain(error)
    assert "\n" not in worker._explain(error)


def test_a_gentle_stop_asks_and_a_second_one_interrupts():
    stop = StopRequest(gentle=True)
    stop._receive(signal.SIGINT, None)
    assert stop.asked()
    with pytest.raises(KeyboardInterrupt):
        stop._receive(signal.SIGINT, None)


def test_outside_training_a_signal_interrupts_at_once():
    with pytest.raises(KeyboardInterrupt):
        StopRequest()._receive(signal.SIGTERM, None)


def test_spec_goes_through_its_file(tmp_path):
    spec = Spec({"network": "simple"}, "abc", "name", "results", "cache", 2, label="s1")
    spec.write(tmp_path / "spec.json")
    assert Spec.read(str(tmp_path / "spec.json")) == spec


def test_differences_name_both_sides():
    recorded = {"threads": 2, "python": "3.11.1", "packages": {"keras": "3.15.1"}}
    here = {"threads": 1, "python": "3.11.1", "packages": {"keras": "3.16.0"}}
    assert differences(recorded, recorded) == []
    assert differences(recorded, here) == [
        "packages: {'keras': '3.15.1'} recorded, {'keras': '3.16.0'} here",
        "threads: 2 recorded, 1 here",
    ]


def test_environment_is_set_before_keras_is_imported(monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("XLA_FLAGS", "--mine=1")
    made = environment(3)
    assert made["OMP_NUM_THREADS"] == "3"
    assert made["KERAS_BACKEND"] == "tensorflow"
    assert made["XLA_FLAGS"].startswith("--mine=1 ")
    assert made["NVIDIA_TF32_OVERRIDE"] == "0"


@pytest.mark.parametrize(
    ("runs", "cores", "processes", "threads"),
    [(1, 2, 1, 2), (3, 2, 1, 2), (3, 16, 3, 5), (9, 4, 2, 2), (2, 1, 1, 1)],
)
def test_cores_are_shared_out(monkeypatch, runs, cores, processes, threads):
    monkeypatch.setattr(executor, "cores", lambda: cores)
    assert executor.side_by_side(runs) == processes
    assert executor.threads_each(processes) == threads


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([0, 0], 0), ([0, 75], 0), ([0, 2, 0], 2), ([1, 0], 1), ([2, 130], 130), ([], 0)],
)
def test_the_worst_run_decides_the_exit_code(tmp_path, codes, expected):
    outcomes = [executor.Outcome(None, code, "") for code in codes]
    assert executor.exit_code(outcomes) == expected


def test_a_complete_record_keeps_its_state(tmp_path):
    spec = Spec({}, "abc", "run-s1-abc", str(tmp_path), "cache", 2)
    spec.folder.begin({"digest": "abc"}, {"threads": 2}, {})
    assert not worker._end(spec, "interrupted", "stopped by the user")
    assert spec.folder.state == "interrupted"
    spec.folder.change(status={"state": "complete"})
    assert worker._end(spec, "interrupted", "stopped by the user")
    assert spec.folder.state == "complete"


def test_the_reason_survives_a_record_that_cannot_be_written(tmp_path):
    spec = Spec({}, "abc", "run-s1-abc", str(tmp_path), "cache", 2)
    spec.folder.path.mkdir(parents=True)
    (spec.folder.path / "run.json").write_text("{")
    assert not worker._end(spec, "failed", "the disk is full")


def test_what_another_command_completed_meanwhile_is_not_made_again(tmp_path, monkeypatch):
    spec = Spec({}, "abc", "run-s1-abc", str(tmp_path), "cache", 2)
    spec.folder.begin({"digest": "abc"}, {"threads": 2}, {})
    spec.folder.change(status={"state": "complete"})

    def run(*_):
        message = "it was begun again"
        raise AssertionError(message)

    monkeypatch.setattr(worker, "_run", run)
    assert worker._guarded(spec, StopRequest()) == 0
    assert spec.folder.state == "complete"


def test_sigterm_saves_like_ctrl_c(tmp_path):
    write_toy(tmp_path / "toy.npz")
    (tmp_path / "list.txt").write_text("mcrgnet,1e-3,200,recipe=d4,batch=16\n")
    log = tmp_path / "log.txt"
    process = start("-a", "list.txt", "-d", "toy.npz", cwd=tmp_path, log=log)
    wait_for("epoch 2/200", log, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 130
    (record,) = records(tmp_path / "results").values()
    assert record["status"]["state"] == "interrupted"
    assert record["status"]["epochs_done"] >= 2


def test_a_run_ends_with_its_killed_command(tmp_path):
    write_toy(tmp_path / "toy.npz")
    (tmp_path / "list.txt").write_text("mcrgnet,1e-3,200,recipe=d4,batch=16\n")
    log = tmp_path / "log.txt"
    process = start("-a", "list.txt", "-d", "toy.npz", cwd=tmp_path, log=log)
    wait_for("epoch 2/200", log, process)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        (record,) = records(tmp_path / "results").values()
        if record["status"]["state"] == "interrupted":
            break
        time.sleep(0.2)
    assert record["status"]["state"] == "interrupted"


def test_unwritable_results_are_explained(tmp_path):
    write_toy(tmp_path / "toy.npz")
    (tmp_path / "list.txt").write_text("mcrgnet,1e-3,1,recipe=none\n")
    (tmp_path / "results").write_text("a file, not a folder")
    done = command("-a", "list.txt", "-d", "toy.npz", cwd=tmp_path)
    assert done.returncode == 1
    assert "a part of the path is a file, not a folder" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory as Linux does")
def test_out_of_memory_ends_one_run_and_the_next_goes_on(tmp_path):
    """The memory of the command is limited; cosmodeep at 160 px holds 105 million weights."""
    write_toy(tmp_path / "toy.npz", count=40, size=160)
    (tmp_path / "list.txt").write_text("cosmodeep,1e-4,1,recipe=none\nmcrgnet,1e-3,1,recipe=none\n")
    limit = 5 * 2**29  # 2.5 GB

    def limited():
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    done = command("-a", "list.txt", "-d", "toy.npz", cwd=tmp_path, preexec_fn=limited)
    assert done.returncode == 2
    status = {r["identity"]["network"]: r["status"] for r in records(tmp_path / "results").values()}
    assert status["mcrgnet"]["state"] == "complete"
    # killed before it began (no record), or told by the library: it never counts as complete
    if "cosmodeep" in status:
        assert status["cosmodeep"]["state"] == "failed"
        assert "memory" in status["cosmodeep"]["reason"]


def test_a_network_that_wakes_the_library_while_it_is_looked_at(tmp_path):
    """The gates of AG-CNN go image by image, in a loop: drawing it starts TensorFlow."""
    write_toy(tmp_path / "toy.npz", count=40)
    line = "agcnn,1e-3,1,recipe=none,batch=16,gates=1,maps_over=image\n"
    (tmp_path / "list.txt").write_text(line)
    done = command("-a", "list.txt", "-d", "toy.npz", "--threads", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (record,) = records(tmp_path / "results").values()
    assert record["fingerprint"]["threads"] == 1

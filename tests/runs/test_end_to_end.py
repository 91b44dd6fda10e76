"""The classic command on a toy data set, as a user types it."""

import csv
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from benchmarker.core.files import lock
from benchmarker.metrics.temperature import fit_temperature
from tests.runs.commands import (
    ROOT,
    command,
    digests,
    interrupt,
    only_record,
    records,
    start,
    wait_for,
)
from tests.runs.toy import CLASSES, write_toy

LIST = "mcrgnet,1e-3,3,recipe=d4,batch=16\n"


def table(path):
    return list(csv.DictReader(path.read_text().splitlines()))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the toy data, a run list, and one finished run in ``results``."""
    folder = tmp_path_factory.mktemp("user place")  # a blank in the path on purpose
    write_toy(folder / "toy.npz")
    (folder / "list.txt").write_text(LIST)
    return folder


@pytest.fixture(scope="module")
def first(place):
    return command("-a", "list.txt", "-s", "8901", "-d", "toy.npz", cwd=place)


@pytest.fixture(scope="module")
def record(place, first):
    assert first.returncode == 0, first.stderr
    return only_record(place / "results")


def test_record_is_whole(place, record):
    (folder,) = (place / "results" / "runs").iterdir()
    assert folder.name.startswith("mcrgnet-toy-s8901-")
    assert folder.name.endswith(record["identity"]["digest"][:8])
    names = {path.name for path in folder.iterdir() if path.name != ".lock"}
    assert names == {
        "run.json", "history.csv", "predictions.csv", "metrics.json", "best.safetensors",
        "final.safetensors", "rotation.csv", "rotation.npz", "plots", "log.txt", "mistakes.npz",
        "network.json", "validation.csv",
    }  # fmt: skip
    assert record["status"] == {**record["status"], "state": "complete", "epochs_done": 3}
    assert record["identity"]["split"]["rule"].startswith("published")
    assert record["network"]["parameters"] > 1000


def test_history_separates_the_penalty(place, record):
    (path,) = (place / "results" / "runs").glob("*/history.csv")
    rows = table(path)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert all(float(row["penalty"]) == 0.0 for row in rows)  # mcrgnet has no regulariser
    assert float(rows[-1]["cross_entropy"]) < float(rows[0]["cross_entropy"])


def test_predictions_hold_both_models(place, record):
    (path,) = (place / "results" / "runs").glob("*/predictions.csv")
    rows = table(path)
    assert {row["model"] for row in rows} == {"best", "final"}
    assert len(rows) == 2 * record["identity"]["split"]["test"]
    for row in rows:
        assert sum(float(row[f"p_{name}"]) for name in CLASSES) == pytest.approx(1)


def test_validation_predictions_give_the_temperature_that_is_recorded(place, record):
    (path,) = (place / "results" / "runs").glob("*/validation.csv")
    rows = table(path)
    assert len(rows) == 2 * record["identity"]["split"]["validation"]
    assert not {row["source"] for row in rows} & {
        row["source"] for row in table(path.with_name("predictions.csv"))
    }
    metrics = json.loads(path.with_name("metrics.json").read_text())
    best = [row for row in rows if row["model"] == "best"]
    labels = np.array([CLASSES.index(row["label"]) for row in best])
    scores = np.array([[float(row[f"s_{name}"]) for name in CLASSES] for row in best])
    accuracy = np.mean(scores.argmax(axis=1) == labels)
    assert metrics["validation_best"]["accuracy"] == pytest.approx(accuracy)
    stated = metrics["best"]["temperature"]
    assert stated["n"] == len(best)
    assert stated["value"] == pytest.approx(fit_temperature(labels, scores), rel=1e-9)


def test_final_table_is_the_last_thing_on_stdout(first):
    tail = first.stdout.strip().splitlines()[-5:]
    assert any("MPCA" in line for line in tail)
    assert tail[-1].split()[:2] == ["1", "mcrgnet"]
    assert "batch" not in first.stdout  # progress goes to stderr
    assert "epoch 3/3: cross-entropy" in first.stderr
    assert "Traceback" not in first.stderr


def test_leaderboard_and_classic_table(place, record):
    rows = table(place / "results" / "leaderboard.csv")
    assert [row["model"] for row in rows] == ["best", "final"]
    assert {(row["network"], row["n_seeds"]) for row in rows} == {("mcrgnet", "1")}
    classic = table(place / "results" / "mcrgnet.csv")
    assert classic[0]["Architectures"] == "mcrgnet"
    assert (place / "results" / "mcrgnet_final.csv").is_file()


def test_running_again_skips_what_is_complete(place, record):
    (path,) = (place / "results" / "runs").glob("*/run.json")
    before = path.stat().st_mtime_ns
    again = command("-a", "list.txt", "-s", "8901", "-d", "toy.npz", cwd=place)
    assert again.returncode == 0
    assert "complete already" in again.stderr
    assert path.stat().st_mtime_ns == before
    assert "MPCA" in again.stdout


@pytest.mark.parametrize("workers", [0, 4])
def test_loader_workers_change_no_bit(place, record, workers):
    words = ("-a", "list.txt", "-s", "8901", "-d", "toy.npz", "-p", f"w{workers}")
    done = command(*words, "--workers", workers, "--cache", f"cache{workers}", cwd=place)
    assert done.returncode == 0, done.stderr
    assert digests(only_record(place / f"w{workers}")) == digests(record)


def test_order_of_the_list_and_other_networks_change_no_bit(place, record):
    (place / "two.txt").write_text("simple,1e-3,1,recipe=none,batch=16\n" + LIST)
    done = command("-a", "two.txt", "-s", "4915,8901", "-d", "toy.npz", "-p", "two", cwd=place)
    assert done.returncode == 0, done.stderr
    made = records(place / "two")
    assert len(made) == 4
    (same,) = [r for name, r in made.items() if name.startswith("mcrgnet-toy-s8901")]
    (other,) = [r for name, r in made.items() if name.startswith("mcrgnet-toy-s4915")]
    assert digests(same) == digests(record)
    assert all(digests(other)[key] != value for key, value in digests(record).items())
    (row,) = [
        row
        for row in table(place / "two" / "leaderboard.csv")
        if (row["network"], row["model"]) == ("mcrgnet", "best")
    ]
    assert row["n_seeds"] == "2"


def test_ctrl_c_saves_and_the_same_command_goes_on(place, record):
    words = ("-a", "list.txt", "-s", "8901", "-d", "toy.npz", "-p", "stopped")
    log = place / "stopped.log"
    process = start(*words, cwd=place, log=log)
    wait_for("epoch 1/3", log, process)
    assert interrupt(process) == 130
    assert only_record(place / "stopped")["status"]["state"] == "interrupted"
    assert "goes on from here" in log.read_text()
    other = command(*words, "--threads", 7, cwd=place)
    assert other.returncode == 1
    assert "cannot be continued exactly here" in other.stderr
    assert "threads:" in other.stderr
    done = command(*words, cwd=place)
    assert done.returncode == 0, done.stderr
    assert digests(only_record(place / "stopped")) == digests(record)


def test_accepted_differences_are_marked(place, record):
    words = ("-a", "list.txt", "-s", "8901", "-d", "toy.npz", "-p", "marked")
    log = place / "marked.log"
    process = start(*words, "--threads", 1, cwd=place, log=log)
    wait_for("epoch 1/3", log, process)
    interrupt(process)
    done = command(*words, "--threads", 2, "--accept-differences", cwd=place)
    assert done.returncode == 0, done.stderr
    (mark,) = only_record(place / "marked")["status"]["marks"]
    assert mark == "resumed elsewhere: threads: 1 recorded, 2 here"


def test_a_failing_run_ends_alone(place, record):
    (place / "nan.txt").write_text("mcrgnet,1e30,2,recipe=d4,batch=16\n" + LIST)
    done = command("-a", "nan.txt", "-s", "8901", "-d", "toy.npz", "-p", "failing", cwd=place)
    assert done.returncode == 2
    states = {
        r["identity"]["settings"]["learning_rate"]: r["status"]
        for r in records(place / "failing").values()
    }
    assert states[1e30]["state"] == "failed"
    assert "in epoch" in states[1e30]["reason"]
    assert states[1e-3]["state"] == "complete"
    rows = table(place / "failing" / "leaderboard.csv")
    assert {row["state"].split(":")[0] for row in rows} == {"complete", "failed"}


def test_a_run_made_elsewhere_is_left_alone(place, record):
    (folder,) = (place / "results" / "runs").iterdir()
    (place / "held" / "runs" / folder.name).mkdir(parents=True)
    with lock(place / "held" / "runs" / folder.name / ".lock"):
        done = command("-a", "list.txt", "-s", "8901", "-d", "toy.npz", "-p", "held", cwd=place)
    assert "another process is making this run" in done.stderr
    assert records(place / "held") == {}


def test_only_test_repeats_the_predictions(place, record):
    done = command("-a", "list.txt", "-s", "8901", "-d", "toy.npz", "-o", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "bit-identical to the record" in done.stderr
    missing = command("-a", "list.txt", "-s", "77", "-d", "toy.npz", "-o", cwd=place)
    assert missing.returncode == 1
    assert "no complete run to test" in missing.stderr


def test_classic_copies_and_quotas(place, record):
    words = ("-a", "list.txt", "-s", "8901", "-d", "toy.npz", "-p", "quota", "-m", "models")
    done = command(*words, "-t", 10, "-v", 4, "-r", 90, "-i", 28, "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    made = only_record(place / "quota")
    assert made["identity"]["split"]["train"] == 40
    assert made["identity"]["settings"]["size"] == [28, 28]
    assert len(made["identity"]["recipe"]["expansion"]) == 4
    assert sorted(path.name for path in (place / "models").iterdir()) == [
        "mcrgnet_8901_0.001_3.safetensors",
        "mcrgnet_8901_0.001_3_final.safetensors",
    ]
    assert json.loads(done.stdout)["leaderboard"][0]["network"] == "mcrgnet"


def test_legacy_protocol(place, record):
    words = ("-a", "list.txt", "-s", "8901", "-d", "toy.npz", "-p", "legacy", "--legacy", "--quick")
    done = command(*words, "-t", 10, "-v", 4, cwd=place)
    assert done.returncode == 0, done.stderr
    made = only_record(place / "legacy")
    assert made["identity"]["protocol"] == "legacy"
    assert made["identity"]["settings"]["monitor"] == "total"
    assert made["identity"]["settings"]["epochs"] == 2


def test_a_renamed_file_is_the_same_run(place, record):
    shutil.copy(place / "toy.npz", place / "renamed.npz")
    again = command("-a", "list.txt", "-s", "8901", "-d", "renamed.npz", cwd=place)
    assert again.returncode == 0, again.stderr
    assert "complete already" in again.stderr
    assert len(list((place / "results" / "runs").iterdir())) == 1


def test_broken_images_are_left_out_only_within_the_budget(place):
    words = ["data", "simulate", "--output", "fits", "--count", "8", "--size", "64"]
    made = subprocess.run(
        [sys.executable, "-m", "benchmarker", *words],
        cwd=place, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    broken = min((place / "fits" / "FRI").glob("*.fits"))
    broken.write_bytes(broken.read_bytes()[:3000])
    words = ("-a", "list.txt", "-d", "fits", "-p", "skipping", "-t", "4", "-v", "1", "--quick")
    refused = command(*words, cwd=place)
    assert refused.returncode == 1
    assert broken.name in refused.stderr
    assert "Traceback" not in refused.stderr
    done = command(*words, "--skip", "1", cwd=place)
    assert done.returncode == 0, done.stderr
    assert only_record(place / "skipping")["identity"]["split"]["test"] == 8 * 4 - 4 * 5 - 1

"""``benchmarker evaluate`` as a user types it."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from benchmarker.cli.main import main
from benchmarker.core.record_check import check_record
from tests.hosts.evaluation.conftest import place as place  # noqa: PLC0414 (a fixture)
from tests.hosts.evaluation.conftest import run_folder as run_folder  # noqa: PLC0414
from tests.hosts.evaluation.conftest import write_weights
from tests.runs.commands import ROOT


def test_the_own_test(run_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in run_folder.iterdir()}
    assert main(["evaluate", str(run_folder), "--passes", "3"]) == 0
    said = capsys.readouterr().out
    assert "mcrgnet, seed 8901 on toy, 12 sources: % (95 % interval over sources)" in said
    assert "pooled over 3 passes" in said
    folder = run_folder / "evaluations" / "toy-test"
    assert json.loads((folder / "metrics.json").read_text())["augmented"]["passes"] == 3
    after = {path.name: path.stat().st_mtime_ns for path in run_folder.iterdir()}
    assert {name: after[name] for name in before if name != "evaluations"} == {
        name: time_ns for name, time_ns in before.items() if name != "evaluations"
    }
    assert check_record(run_folder) == []


def test_a_table_of_sets_as_json(run_folder, place, tmp_path, capsys):
    words = ["evaluate", str(place / "results"), "--passes", "2", "--json"]
    words += ["--on", str(place / "toy.npz"), "--on", str(place / "other.npz")]
    assert main([*words, "--output", str(tmp_path / "out")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["tested_on"] for row in found["table"]] == ["toy", "other"]
    assert [one["tested_on"]["own_split"] for one in found["evaluations"]] == [True, False]
    left_out = found["evaluations"][1]["left_out"]
    assert left_out["by_pixels"] == left_out["sources"] == len(left_out["names"]) > 0
    folders = {path.name for path in (tmp_path / "out" / run_folder.name).iterdir()}
    assert folders == {"toy-test", "other-test"}


def test_a_table_of_sets_in_words(run_folder, place, tmp_path, capsys):
    words = ["evaluate", str(run_folder), "--passes", "0", "--output", str(tmp_path / "out")]
    assert main([*words, "--on", str(place / "toy.npz"), "--on", str(place / "other.npz")]) == 0
    said = capsys.readouterr().out
    assert "mcrgnet trained on toy, 1 run" in said
    assert "left out" in said
    assert "toy has no positions" in said


def test_weights_alone(place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_weights("w.safetensors")
    other = str(place / "other.npz")
    assert main(["evaluate", "w.safetensors", "--on", other, "--passes", "0"]) == 0
    assert "Unchecked: nothing could be left out" in capsys.readouterr().out
    assert (tmp_path / "evaluations" / "w" / "other-test" / "metrics.json").is_file()
    words = ["evaluate", "w.safetensors", "--on", other, "--passes", "0"]
    assert main([*words, "--trained-on", str(place / "toy.npz")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "of 40 test sources of other left out" in said
    assert "Unchecked" not in said
    assert main(["evaluate", "w.safetensors"]) == 1
    assert "expected --on DATA, or --trained-on DATA" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["gone"], "no run folder and no file of weights gone"),
        (["RUN", "--on", "gone"], "no data set 'gone'"),
        (["RUN", "--part", "all"], "would test on sources that trained the network"),
        (["RUN", "--output", "PLACE"], "which no evaluation wrote"),
        (["RUN", "--recipe", "afine"], "did you mean affine"),
    ],
)
def test_mistakes_are_told_in_words(run_folder, place, capsys, words, text):
    names = {"RUN": str(run_folder), "PLACE": str(place)}
    assert main(["evaluate", *(names.get(word, word) for word in words)]) == 1
    assert text in capsys.readouterr().err


def test_stopped_it_leaves_nothing(run_folder, tmp_path):
    command = [sys.executable, "-m", "benchmarker", "evaluate", str(run_folder)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--passes", "100000", "--output", str(tmp_path / "out")],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            # tests started in the background by a script inherit a SIGINT that is ignored
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )
    end = time.monotonic() + 120
    while b"augmented passes" not in (tmp_path / "log").read_bytes():
        assert process.poll() is None, (tmp_path / "log").read_text()
        assert time.monotonic() < end
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    try:
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert out == b""
    log = (tmp_path / "log").read_text()
    assert log.rstrip().endswith("stopped")
    assert "Traceback" not in log
    assert [path.name for path in tmp_path.iterdir()] == ["log"]

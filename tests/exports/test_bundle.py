"""One file that works anywhere, with the probabilities of the record."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.core.records import read_record
from benchmarker.exports.bundle import write_bundle
from benchmarker.exports.source import open_source
from benchmarker.runs.trained import open_trained
from tests.runs.commands import ROOT, command
from tests.runs.toy import CLASSES, toy_arrays, write_toy
from tests.runs.toy_run import toy_run


def predict(place, *words):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarker", "predict", *words],
        cwd=place, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def write_test_part(path, arrays):
    """The test images of a toy set, as a set without a split."""
    rows = arrays["split"] == 2
    kept = {k: arrays[k][rows] for k in ("images", "labels", "sources")}
    np.savez(path, **kept, label_names=arrays["label_names"])


def probabilities(rows):
    return {row["source"]: [float(row[f"p_{name}"]) for name in CLASSES] for row in rows}


def test_predict_takes_it_anywhere(tmp_path):
    """Another folder, no results, no data set card: the same probabilities as the record."""
    write_bundle(open_source(toy_run()), tmp_path / "net.safetensors")
    write_test_part(tmp_path / "images.npz", toy_arrays())
    found = probabilities(predict(tmp_path, "net.safetensors", "images.npz"))
    table = read_record(toy_run()).predictions("best")
    assert set(found) == set(table.sources)
    expected = np.array([found[name] for name in table.sources])
    np.testing.assert_allclose(expected, table.probabilities, rtol=0, atol=1e-7)


def test_a_network_of_the_users_own_comes_along(tmp_path):
    """Its layer list stands in a folder that is not there where the bundle is used."""
    place, away = tmp_path / "home", tmp_path / "away"
    (place / "architectures" / "layers").mkdir(parents=True)
    away.mkdir()
    text = "mine | own | own | | | C4k3s2S:tanh BN C4k3s2S:tanh F Dn:softmax\n"
    (place / "architectures" / "layers" / "mine.txt").write_text(text)
    write_toy(place / "toy.npz")
    (place / "list.txt").write_text("mine,1e-3,1,recipe=none,batch=16,preparation=pad40\n")
    done = command("-a", "list.txt", "-d", "toy.npz", "--threads", "1", cwd=place)
    assert done.returncode == 0, done.stderr
    (run,) = (place / "results" / "runs").iterdir()
    table = read_record(run).predictions("best")
    words = ["export", str(run), "--bundle", str(away / "net.safetensors")]
    made = subprocess.run(
        [sys.executable, "-m", "benchmarker", *words],
        cwd=place, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    shutil.rmtree(place)
    write_test_part(away / "images.npz", toy_arrays())
    found = probabilities(predict(away, "net.safetensors", "images.npz"))
    expected = np.array([found[name] for name in table.sources])
    np.testing.assert_allclose(expected, table.probabilities, rtol=0, atol=1e-7)


def test_it_holds_all_that_is_known_and_no_path(tmp_path):
    record = read_record(toy_run())
    path = write_bundle(open_source(toy_run(), "final"), tmp_path / "net.safetensors", "final")
    trained = open_trained(path)
    facts = trained.facts
    assert trained.record is None
    assert trained.definition == open_trained(toy_run(), model="final").definition
    assert trained.preparation == open_trained(toy_run()).preparation
    assert facts["metrics"]["accuracy"] == record.metrics["final"]["accuracy"]
    assert facts["temperature"] == record.metrics["final"]["temperature"]
    assert facts["data"]["digest"] == record.data["digest"]
    assert facts["split"]["digests"] == record.split["digests"]
    assert facts["fingerprint"] == record.run["fingerprint"]
    assert facts["weights"] == record.run["digests"]["final_weights"]
    assert (facts["decision"], facts["thresholds"]) == ("the class of highest probability", None)
    assert str(record.folder.parent.parent.parent) not in json.dumps(facts)
    assert trained.layers.encode() in path.read_bytes()


def test_equal_records_make_equal_bundles(tmp_path):
    files = [write_bundle(open_source(toy_run()), tmp_path / f"{n}.safetensors") for n in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_bundle_of_a_bundle_is_refused(tmp_path):
    path = write_bundle(open_source(toy_run()), tmp_path / "net.safetensors")
    with pytest.raises(SettingsError, match="is no run: a bundle holds what the record"):
        write_bundle(open_source(path), tmp_path / "again.safetensors")
    with pytest.raises(SettingsError, match=r"expected a name that ends in \.safetensors"):
        write_bundle(open_source(toy_run()), tmp_path / "net.bin")

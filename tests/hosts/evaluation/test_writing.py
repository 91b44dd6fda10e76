"""Evaluations as files: whole folders, never in the way of anything else."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from benchmarker.core.errors import SettingsError
from benchmarker.core.record_check import check_record
from benchmarker.hosts.evaluation import writing
from benchmarker.hosts.evaluation.tested import Wanted
from benchmarker.hosts.evaluation.testing import evaluate_on
from benchmarker.hosts.evaluation.training_sets import training_set
from benchmarker.hosts.evaluation.writing import write_evaluation


@pytest.fixture(scope="module")
def tested(run_folder):
    from benchmarker.runs.trained import open_trained

    trained = open_trained(run_folder)
    found = evaluate_on(trained, training_set(trained), None, Wanted(passes=2, dropout_passes=2))
    # one source wrong in both passes, so that there is something to draw
    passes = np.array(found.passes)
    passes[:, 0] = -np.eye(4)[found.labels[0]]
    return replace(found, passes=passes)


def table(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_the_folder_holds_tables_numbers_and_pictures(tested, tmp_path):
    folder = write_evaluation(tested, tmp_path / "one")
    assert {path.name for path in folder.iterdir()} == set(writing.FILES)
    found = json.loads((folder / "metrics.json").read_text())
    assert found["tested_on"] == {"name": "toy", "part": "test", "sources": 12, "own_split": True}
    assert found["left_out"] is None
    rows = table(folder / "predictions.csv")
    assert [row["source"] for row in rows] == list(tested.sources)
    assert float(rows[3]["s_LEFT"]) == tested.scores[3, 2]
    right = np.mean([row["label"] == row["predicted"] for row in rows])
    assert right == found["plain"]["accuracy"]["value"]
    augmented = table(folder / "augmented.csv")
    assert augmented[0]["wrong"] == augmented[0]["passes"] == "2"
    with np.load(folder / "augmented.npz") as stored:
        np.testing.assert_allclose(stored["scores"], tested.passes, rtol=1e-6)
    wrong = table(folder / "wrong.csv")
    assert tested.sources[0] in [row["source"] for row in wrong]
    with Image.open(folder / "wrong.png") as picture:
        assert picture.size[0] > 600


def test_an_evaluation_replaces_itself_and_nothing_else(tested, tmp_path):
    folder = tmp_path / "mine"
    write_evaluation(replace(tested, dropout=None), folder)
    assert not (folder / "dropout.csv").exists()
    write_evaluation(tested, folder)
    assert (folder / "dropout.csv").is_file()
    (folder / "notes.txt").write_text("my own")
    with pytest.raises(SettingsError, match=r"holds notes.txt, which no evaluation wrote"):
        write_evaluation(tested, folder)
    assert (folder / "notes.txt").read_text() == "my own"
    (tmp_path / "file").write_text("x")
    with pytest.raises(SettingsError, match="file holds file"):
        write_evaluation(tested, tmp_path / "file")


def test_stopped_while_writing_leaves_the_earlier_one(tested, tmp_path, monkeypatch):
    folder = write_evaluation(tested, tmp_path / "kept")
    before = (folder / "metrics.json").read_bytes()

    def stop(*_words):
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "_write_wrong", stop)
    with pytest.raises(KeyboardInterrupt):
        write_evaluation(replace(tested, part="validation"), folder)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (folder / "metrics.json").read_bytes() == before


def test_a_run_with_evaluations_is_still_sound(tested, run_folder):
    folder = writing.folder_of(tested.trained) / writing.name_of(tested)
    assert folder == run_folder / "evaluations" / "toy-test"
    write_evaluation(tested, folder)
    assert check_record(run_folder) == []


def test_a_network_with_gates_has_its_maps_drawn():
    from benchmarker.hosts.evaluation.figures import attention_maps
    from benchmarker.networks import registry

    images = np.random.default_rng(2).random((3, 32, 32, 1)).astype(np.float32)
    maps = attention_maps(registry.build("agcnn", (32, 32, 1), 2, seed=1, gates=2), images)
    assert maps.shape == (3, 32, 32)
    np.testing.assert_allclose(maps.reshape(3, -1).min(axis=1), 0.0)
    np.testing.assert_allclose(maps.reshape(3, -1).max(axis=1), 1.0)
    assert attention_maps(registry.build("mcrgnet", (32, 32, 1), 2, seed=1), images) is None

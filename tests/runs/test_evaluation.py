"""What is measured on the test images goes into metrics and tables as it was computed."""

import numpy as np
import pytest

from benchmarker.core.record_tables import read_augmented, read_rotation
from benchmarker.data.preparation import Preparation
from benchmarker.data.recipes import load_recipe
from benchmarker.networks import registry
from benchmarker.runs.evaluation import Asked, augmented_rows, groups_of, measure
from benchmarker.runs.folder import RunFolder
from benchmarker.runs.trained import PreparedInMemory

CLASSES = ("FRI", "FRII")
NAMES = (
    "100_162.947+055.386_0.0739_0250.34",
    "110_162.947+055.386_0.0739_0250.34b",
    "200_020.485-000.490_0.4364_0052.49",
    "210_020.485-000.490_0.4364_0052.49b",
)


@pytest.fixture(scope="module")
def measured():
    values = np.random.default_rng(1).random((4, 28, 28, 1), "float32")
    prepared = PreparedInMemory(values, NAMES, np.array([0, 0, 1, 1]), Preparation())
    model = registry.build("mcrgnet", (28, 28, 1), 2, seed=1)
    asked = Asked(CLASSES, seed=3, passes=5, recipe=load_recipe("affine"))
    return measure(model, prepared, asked)


def test_every_part_is_there(measured):
    assert measured.metrics["auc_from"] == "scores"
    assert measured.metrics["augmented"]["passes"] == 5
    assert measured.metrics["augmented"]["recipe"] == "affine"
    assert sum(map(sum, measured.metrics["augmented"]["pooled"]["confusion_matrix"])) == 20
    assert measured.metrics["rotation"]["angles"] == 24
    assert set(measured.metrics["groups"]) >= {"certain", "uncertain"}


def test_wrong_passes_are_counted_per_source(measured):
    rows = augmented_rows(measured, "best", CLASSES)
    by_hand = (measured.passes.argmax(axis=2) != measured.labels).sum(axis=0)
    assert [row[4] for row in rows] == by_hand.tolist()
    assert 0 < by_hand.sum() < 20


def test_the_tables_read_back(measured, tmp_path):
    RunFolder(tmp_path).write_measured({"best": measured, "final": measured}, CLASSES)
    augmented = read_augmented(tmp_path / "augmented.csv", CLASSES)["final"]
    assert np.array_equal(augmented.scores, measured.passes.mean(axis=0))
    assert np.allclose(augmented.probabilities.sum(axis=1), 1)
    rotation = read_rotation(tmp_path / "rotation.csv", CLASSES)["best"]
    assert np.array_equal(rotation.agreement, measured.rotation.agreement)
    with np.load(tmp_path / "rotation.npz") as stored:
        assert np.allclose(stored["best"], measured.turns)


def test_groups_only_where_names_tell_both_kinds():
    assert groups_of(NAMES) == ["certain", "uncertain", "certain", "uncertain"]
    assert groups_of(NAMES[::2]) is None
    assert groups_of(("a", "b")) is None

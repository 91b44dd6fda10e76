"""Scores apart by words and by ranges of numbers."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, recall_score

from benchmarker.core.errors import RunFailedError
from benchmarker.metrics.by_fact import shares_by
from benchmarker.metrics.intervals import wilson

RNG = np.random.default_rng(4)
LABELS = RNG.integers(0, 3, 300)
PREDICTED = np.where(RNG.uniform(size=300) < 0.7, LABELS, RNG.integers(0, 3, 300))
CLASSES = ("a", "b", "c")


def test_words_have_a_row_each_and_agree_with_scikit_learn():
    bands = np.array(["072-080", "", "223-231"])[RNG.integers(0, 3, 300)]
    found = shares_by(bands, LABELS, PREDICTED, CLASSES)
    assert [share.name for share in found] == ["072-080", "223-231"]
    for share in found:
        own = bands == share.name
        assert share.n == own.sum()
        assert share.accuracy == pytest.approx(accuracy_score(LABELS[own], PREDICTED[own]))
        recall = recall_score(LABELS[own], PREDICTED[own], average=None)
        assert list(share.recall.values()) == pytest.approx(recall.tolist())
        assert share.bounds == wilson(round(share.accuracy * share.n), share.n)


def test_numbers_are_cut_into_ranges_with_equally_many():
    strength = RNG.lognormal(size=300)
    strength[:12] = np.nan
    found = shares_by(strength, LABELS, PREDICTED, CLASSES, ranges=6)
    assert [share.n for share in found] == [48] * 6
    assert found[0].low == np.nanmin(strength)
    assert found[-1].high == np.nanmax(strength)
    inside = (strength >= found[2].low) & (strength < found[2].high)
    assert found[2].accuracy == pytest.approx(accuracy_score(LABELS[inside], PREDICTED[inside]))


def test_words_that_are_numbers_count_as_numbers_and_few_of_them_stand_alone():
    steps = np.array(["9.5", "10", "2"])[RNG.integers(0, 3, 300)]
    found = shares_by(steps, LABELS, PREDICTED, CLASSES)
    assert [share.name for share in found] == ["2", "9.5", "10"]


def test_a_class_that_is_absent_has_no_recall():
    found = shares_by(["x"] * 3, np.array([0, 0, 1]), np.array([0, 1, 1]), CLASSES)
    assert found[0].recall == {"a": 0.5, "b": 1.0, "c": None}


def test_names_and_unknown_values_give_nothing():
    assert shares_by([f"s{n}" for n in range(300)], LABELS, PREDICTED, CLASSES) == []
    assert shares_by([""] * 300, LABELS, PREDICTED, CLASSES) == []
    assert shares_by([np.nan] * 300, LABELS, PREDICTED, CLASSES) == []


def test_lengths_that_differ_are_refused():
    with pytest.raises(RunFailedError, match="2 values, 300 labels, 300 predictions"):
        shares_by(["a", "b"], LABELS, PREDICTED, CLASSES)

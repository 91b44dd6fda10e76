"""Calibration against scikit-learn and scipy."""

import json

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from benchmarker.metrics.calibration import calibration, tempered
from benchmarker.metrics.shares import rescaled


def sample(count=400, classes=4, seed=1, true_temperature=1.0):
    """Labels drawn from the softmax of scores, and those scores times a temperature."""
    draw = np.random.default_rng(seed)
    scores = draw.normal(0, 2, (count, classes))
    shares = softmax(scores, axis=1)
    labels = (draw.random((count, 1)) > shares.cumsum(axis=1)).sum(axis=1)
    return labels, true_temperature * scores


@pytest.mark.parametrize("classes", [2, 4, 9])
def test_bins_are_those_of_scikit_learn(classes):
    labels, scores = sample(classes=classes, true_temperature=2.0)
    shares = softmax(scores, axis=1)
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == labels
    accuracy, mean = calibration_curve(right, confidence, n_bins=15, strategy="uniform")
    found = calibration(labels, shares)
    full = [entry for entry in found["bins"] if entry["n"]]
    assert [entry["accuracy"] for entry in full] == pytest.approx(accuracy, abs=1e-12)
    assert [entry["confidence"] for entry in full] == pytest.approx(mean, abs=1e-12)
    counts = np.histogram(confidence, bins=15, range=(0, 1))[0]
    assert [entry["n"] for entry in found["bins"]] == counts.tolist()
    shares_of_bins = counts[counts > 0] / len(labels)
    error = (shares_of_bins * np.abs(accuracy - mean)).sum()
    assert found["expected_calibration_error"] == pytest.approx(error, abs=1e-12)


def test_brier_score_sums_over_all_classes():
    labels, scores = sample(classes=3)
    shares = softmax(scores, axis=1)
    expected = brier_score_loss(labels, shares, scale_by_half=False)
    assert calibration(labels, shares)["brier"] == pytest.approx(expected, abs=1e-14)
    two, scores = sample(classes=2)
    shares = softmax(scores, axis=1)
    expected = 2 * brier_score_loss(two, shares[:, 1])
    assert calibration(two, shares)["brier"] == pytest.approx(expected, abs=1e-14)
    assert calibration(np.array([0]), [[0.0, 1.0]])["brier"] == 2


def test_edges_and_empty_bins():
    found = calibration(np.array([0, 0, 1]), [[0.5, 0.5], [1.0, 0.0], [0.2, 0.8]], bins=4)
    assert [entry["n"] for entry in found["bins"]] == [0, 0, 1, 2]
    assert found["bins"][0] == {
        "low": 0.0, "high": 0.25, "n": 0, "confidence": None, "accuracy": None,
    }  # fmt: skip
    assert found["bins"][3]["confidence"] == pytest.approx(0.9)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_no_image_is_undefined_not_zero():
    found = calibration(np.empty(0, int), np.empty((0, 3)))
    assert found["n"] == 0
    assert found["expected_calibration_error"] is None
    assert found["brier"] is None


def test_rows_are_rescaled_and_a_row_of_zeros_is_uniform():
    assert rescaled([[2.0, 6.0], [0.0, 0.0]]).tolist() == [[0.25, 0.75], [0.5, 0.5]]


def test_tempered_is_the_softmax_of_cooled_scores():
    scores = np.array([[1000.0, 0.0, -5.0], [0.3, 0.2, 0.1]])
    assert tempered(scores, 2.5) == pytest.approx(softmax(scores / 2.5, axis=1), abs=1e-15)

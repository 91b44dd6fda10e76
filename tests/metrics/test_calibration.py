"""Calibration against scikit-learn and scipy, and the temperature against what made the data."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import log_softmax, softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from benchmarker.metrics.calibration import (
    TEMPERATURES,
    calibrated,
    calibration,
    fit_temperature,
    rescaled,
    temperature,
    tempered,
)


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


@pytest.mark.parametrize("true", [0.4, 1.0, 3.0])
def test_the_temperature_that_made_the_scores_is_found(true):
    labels, scores = sample(count=4000, true_temperature=true)
    found = temperature(labels, scores)
    assert found.value == pytest.approx(true, rel=0.08)
    assert found.low < true < found.high
    assert (found.n, found.bound, found.reason) == (4000, None, None)


def test_the_temperature_is_the_root_of_scipys_gradient():
    labels, scores = sample(count=150, seed=5, true_temperature=1.7)
    rows = np.arange(len(labels))

    def slope(inverse):
        shares = softmax(inverse * scores, axis=1)
        return ((shares * scores).sum(axis=1) - scores[rows, labels]).mean()

    assert fit_temperature(labels, scores) == pytest.approx(1 / brentq(slope, 0.01, 10), rel=1e-6)
    assert fit_temperature(labels, scores) == fit_temperature(labels, scores)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 5.0))
def test_no_other_temperature_has_a_lower_cross_entropy(seed, true):
    labels, scores = sample(count=60, seed=seed, true_temperature=true)
    value = fit_temperature(labels, scores)
    best = log_loss(labels, tempered(scores, value), labels=range(4))
    for other in (0.5, 0.9, 1.1, 2.0):
        assert log_loss(labels, tempered(scores, value * other), labels=range(4)) > best


def test_the_interval_is_that_of_the_bootstrap():
    labels, scores = sample(count=300, seed=2, true_temperature=2.0)
    found = temperature(labels, scores)
    draw = np.random.default_rng(0)
    values = []
    for _ in range(300):
        rows = draw.integers(0, 300, 300)
        values.append(fit_temperature(labels[rows], scores[rows]))
    low, high = np.quantile(values, [0.025, 0.975])
    assert found.low == pytest.approx(low, rel=0.06)
    assert found.high == pytest.approx(high, rel=0.06)


def test_where_all_are_right_there_is_no_temperature():
    scores = np.array([[2.0, 0.0], [0.0, 1.0], [3.0, 2.9]])
    found = temperature(np.array([0, 1, 0]), scores)
    assert found.value is None
    assert found.bound == TEMPERATURES[0]
    assert "all 3 validation images are right" in found.reason
    assert "still at T = 0.01" in found.reason


def test_scores_worse_than_chance_have_no_temperature():
    found = temperature(np.array([1, 0, 0]), np.array([[2.0, 0.0], [0.0, 1.0], [3.0, 2.9]]))
    assert (found.value, found.bound) == (None, TEMPERATURES[1])
    assert "still falls at T = 100" in found.reason


def test_nothing_to_fit_on_is_said():
    assert temperature(np.empty(0, int), np.empty((0, 2))).reason == "there is no validation image"
    found = temperature(np.array([0, 1]), np.full((2, 3), 7.0))
    assert found.value is None
    assert found.reason == "all scores of each validation image are equal"


def test_large_scores_do_not_overflow():
    labels, scores = sample(count=200, true_temperature=1.0)
    value = fit_temperature(labels, scores)
    assert fit_temperature(labels, 50 * scores + 1e4) == pytest.approx(50 * value, rel=1e-4)


def test_scores_after_tempering_are_those_of_the_test_images():
    labels, scores = sample(count=500, true_temperature=3.0)
    fitted = temperature(labels[:200], scores[:200])
    found = calibrated(fitted, labels[200:], scores[200:], seed=4, resamples=200)
    shares = softmax(scores[200:] / fitted.value, axis=1)
    log_shares = log_softmax(scores[200:] / fitted.value, axis=1)
    expected = {
        "cross_entropy": -log_shares[np.arange(300), labels[200:]].mean(),
        "calibration_error": calibration(labels[200:], shares)["expected_calibration_error"],
        "brier": brier_score_loss(labels[200:], shares, scale_by_half=False),
    }
    for name, value in expected.items():
        assert found[name]["value"] == pytest.approx(value, abs=1e-9), name
        assert found[name]["low"] < found[name]["high"]
    before = calibration(labels[200:], softmax(scores[200:], axis=1))
    assert found["calibration_error"]["value"] < before["expected_calibration_error"] / 2
    assert found["fitted_on"] == "validation"
    assert found["n"] == 200
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_without_a_temperature_nothing_after_tempering_is_defined():
    labels, scores = sample(count=20)
    found = calibrated(temperature(labels[:0], scores[:0]), labels, scores)
    assert found["value"] is None
    assert found["brier"] == {"value": None, "low": None, "high": None}

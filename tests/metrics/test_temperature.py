"""The temperature against scipy, scikit-learn and the one that made the data."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import log_softmax, softmax
from sklearn.metrics import brier_score_loss, log_loss

from benchmarker.metrics.calibration import calibration, tempered
from benchmarker.metrics.temperature import (
    TEMPERATURES,
    calibrated,
    fit_temperature,
    temperature,
)
from tests.metrics.test_calibration import sample


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

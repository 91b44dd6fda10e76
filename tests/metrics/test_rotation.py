"""Steadiness while the image turns, by hand."""

import json
import math

import numpy as np
import pytest

from benchmarker.core.errors import RunFailedError
from benchmarker.metrics.rotation import entropy, rotation_robustness


def test_agreement_entropy_and_changes_by_hand():
    # four angles, three sources: always a; a a b b; a b a b
    scores = np.zeros((4, 3, 2))
    scores[:, 0, 0] = 2.0
    scores[:2, 1, 0] = scores[2:, 1, 1] = 2.0
    scores[::2, 2, 0] = scores[1::2, 2, 1] = 2.0
    found = rotation_robustness(scores)
    assert found.angles == 4
    assert found.agreement.tolist() == [1.0, 0.5, 0.5]
    assert found.entropy == pytest.approx([0.0, math.log(2), math.log(2)])
    assert found.changes.tolist() == [0, 2, 4]
    high, low = 1 / (1 + math.exp(-2)), 1 / (1 + math.exp(2))
    assert found.spread == pytest.approx([0.0, (high - low) / 2, (high - low) / 2])
    steady = -(high * math.log(high) + low * math.log(low))
    assert found.mean_entropy == pytest.approx([steady, math.log(2), math.log(2)])
    summary = found.summary
    assert summary["agreement"]["value"] == pytest.approx(2 / 3)
    assert summary["steady_share"]["value"] == pytest.approx(1 / 3)
    assert (summary["angles"], summary["n"]) == (4, 3)
    json.dumps(summary, allow_nan=False)


def test_three_classes_and_one_angle():
    scores = np.random.default_rng(4).normal(size=(9, 50, 3))
    found = rotation_robustness(scores)
    votes = scores.argmax(axis=-1)
    for row in range(50):
        counts = np.bincount(votes[:, row], minlength=3)
        assert found.agreement[row] == counts.max() / 9
        kept = counts[counts > 0] / 9
        assert found.entropy[row] == pytest.approx(-(kept * np.log(kept)).sum())
    alone = rotation_robustness(scores[:1])
    assert (alone.agreement == 1).all()
    assert not alone.changes.any()


def test_intervals_are_over_sources_whatever_the_number_of_angles():
    scores = np.random.default_rng(4).normal(size=(6, 40, 2))
    few = rotation_robustness(scores, seed=3, resamples=200).summary
    many = rotation_robustness(np.repeat(scores, 30, axis=0), seed=3, resamples=200).summary
    assert many["agreement"] == pytest.approx(few["agreement"])
    assert few["agreement"]["low"] < few["agreement"]["value"] < few["agreement"]["high"]
    none = rotation_robustness(scores, resamples=0).summary["agreement"]
    assert none["low"] is None


def test_scores_of_any_size_give_finite_numbers():
    scores = np.array([[[5000.0, -5000.0]], [[-5000.0, 5000.0]]])
    found = rotation_robustness(scores)
    assert found.spread == pytest.approx([0.5])
    assert found.mean_entropy == pytest.approx([math.log(2)])


def test_entropy_of_certainty_is_zero():
    assert entropy(np.array([[0.0, 1.0], [0.5, 0.5]])) == pytest.approx([0, math.log(2)])


@pytest.mark.parametrize("shape", [(3, 2), (0, 4, 2), (3, 0, 2)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(RunFailedError, match="expected finite"):
        rotation_robustness(np.zeros(shape))

import numpy as np
import pytest
from sklearn import metrics as sk

from benchmarker.metrics.roc import RankedScores, log_odds, roc_curve


def test_tied_scores_make_one_step():
    false_rate, true_rate = roc_curve(np.array([1, 0, 1, 0]) > 0, np.array([0.9, 0.5, 0.5, 0.1]))
    assert false_rate.tolist() == [0, 0, 0.5, 1]
    assert true_rate.tolist() == [0, 0.5, 1, 1]


def test_curve_and_area_agree_with_scikit_learn_with_many_ties():
    draw = np.random.default_rng(3)
    positive = draw.random(300) < 0.3
    scores = np.round(draw.normal(size=300) + positive, 1)
    false_rate, true_rate = roc_curve(positive, scores)
    expected = sk.roc_curve(positive, scores, drop_intermediate=False)
    assert np.allclose(false_rate, expected[0])
    assert np.allclose(true_rate, expected[1])
    weights = draw.integers(0, 4, (2, 300)).astype(float)
    areas = RankedScores.of(positive, scores).area(weights)
    for weight, area in zip(weights, areas, strict=True):
        wanted = sk.roc_auc_score(positive, scores, sample_weight=weight)
        assert area == pytest.approx(wanted, abs=1e-12)


def test_no_curve_without_both_kinds():
    assert roc_curve(np.ones(3, dtype=bool), np.arange(3.0))[0].size == 0
    area = RankedScores.of(np.zeros(3, dtype=bool), np.arange(3.0)).area(np.ones((1, 3)))
    assert np.isnan(area).all()


def test_log_odds_of_two_classes_are_the_difference_of_the_scores():
    scores = np.array([[3.0, 5.5], [4000.0, -4000.0]])
    assert log_odds(scores).tolist() == [[-2.5, 2.5], [8000.0, -8000.0]]


def test_log_odds_agree_with_the_softmax():
    scores = np.random.default_rng(2).normal(size=(2, 5, 4))
    shares = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    assert np.allclose(log_odds(scores), np.log(shares / (1 - shares)))


def test_a_single_class_keeps_its_score():
    assert log_odds(np.array([[2.0]])).tolist() == [[2.0]]

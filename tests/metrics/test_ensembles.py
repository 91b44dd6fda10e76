import json

import numpy as np
import pytest
from scipy.special import logsumexp, softmax
from sklearn.metrics import accuracy_score, balanced_accuracy_score, brier_score_loss, log_loss

from benchmarker.metrics.ensembles import GAINS, combined, diversity, gains


def members(count=300, classes=3, number=4, seed=1):
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, classes, count)
    scores = draw.normal(0, 1.5, (number, count, classes)) + 1.5 * np.eye(classes)[labels]
    return labels, scores, softmax(scores, axis=-1)


def test_the_mean_of_probabilities_and_its_logarithms():
    _, scores, shares = members()
    found, logs = combined(shares, scores)
    assert found == pytest.approx(shares.mean(axis=0), abs=1e-14)
    expected = logsumexp(scores - logsumexp(scores, axis=2, keepdims=True), axis=0) - np.log(4)
    assert logs == pytest.approx(expected, abs=1e-12)
    plain, none = combined(shares)
    assert none is None
    assert plain == pytest.approx(found, abs=1e-14)


def test_saturated_members_keep_their_order_in_the_scores():
    scores = np.array([[[800.0, 0.0], [900.0, 0.0]], [[850.0, 0.0], [950.0, 0.0]]])
    shares, logs = combined(softmax(scores, axis=-1), scores)
    assert (shares[:, 0] == 1).all()
    assert logs[0, 1] > logs[1, 1]
    assert np.isfinite(logs).all()


def test_most_votes_win_and_ties_go_to_the_higher_mean():
    shares = np.array(
        [
            [[0.6, 0.4, 0.0], [0.9, 0.05, 0.05], [0.5, 0.3, 0.2]],
            [[0.6, 0.4, 0.0], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3]],
            [[0.0, 1.0, 0.0], [0.0, 0.1, 0.9], [0.2, 0.3, 0.5]],
        ]
    )
    found, scores = combined(shares, how="vote")
    # two votes beat the higher mean; of one vote each the highest mean, then the lowest index
    assert combined(shares)[0].argmax(axis=1).tolist() == [1, 2, 1]
    assert found.argmax(axis=1).tolist() == [0, 2, 1]
    assert found[0] == pytest.approx([(2 + 0.4) / 4, (1 + 0.6) / 4, 0])
    assert found.sum(axis=1) == pytest.approx(1)
    assert scores is None


def test_votes_are_a_majority_on_random_members():
    _, _, shares = members(number=5)
    found = combined(shares, how="vote")[0].argmax(axis=1)
    for row, chosen in enumerate(found):
        votes = np.bincount(shares[:, row].argmax(axis=1), minlength=3)
        leaders = np.flatnonzero(votes == votes.max())
        assert chosen == leaders[shares[:, row].mean(axis=0)[leaders].argmax()]


def test_rows_that_do_not_sum_to_one_weigh_no_more():
    shares = np.array([[[10.0, 0.0]], [[0.4, 0.6]]])
    assert combined(shares)[0].tolist() == [[0.7, 0.3]]


def test_scores_and_gains_are_those_of_scikit_learn():
    labels, _, shares = members()
    together = combined(shares)[0]
    found = gains(labels, together, shares, seed=2, resamples=200)
    metrics = {
        "accuracy": lambda p: accuracy_score(labels, p.argmax(axis=1)),
        "mpca": lambda p: balanced_accuracy_score(labels, p.argmax(axis=1)),
        "cross_entropy": lambda p: -log_loss(labels, p),
        "brier": lambda p: -brier_score_loss(labels, p, scale_by_half=False),
    }
    for name, score in metrics.items():
        sign = -1 if name in ("cross_entropy", "brier") else 1
        single = np.array([score(one) for one in shares])
        entry = found[name]
        assert sign * entry["ensemble"]["value"] == pytest.approx(score(together))
        assert [sign * one["value"] for one in entry["members"]] == pytest.approx(single)
        assert entry["over_mean"]["value"] == pytest.approx(score(together) - single.mean())
        assert entry["over_best"]["value"] == pytest.approx(score(together) - single.max())
        assert entry["best"] == single.argmax()
        assert entry["over_mean"]["low"] > 0  # four unlike members gain
    assert set(found) == set(GAINS)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_gain_is_paired():
    labels, _, shares = members(number=2)
    same = gains(labels, shares[0], np.stack([shares[0], shares[0]]), resamples=100)
    assert same["accuracy"]["over_best"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert same["accuracy"]["ensemble"]["low"] < same["accuracy"]["ensemble"]["high"]


def test_the_interval_of_the_gain_is_that_of_drawn_images():
    labels, _, shares = members(count=150)
    together = combined(shares)[0]
    found = gains(labels, together, shares, resamples=800)["accuracy"]["over_mean"]
    right = together.argmax(axis=1) == labels
    gained = right - (shares.argmax(axis=2) == labels).mean(axis=0)
    draw = np.random.default_rng(3)
    values = []
    for _ in range(2000):
        rows = np.concatenate(
            [draw.choice(np.flatnonzero(labels == k), (labels == k).sum()) for k in range(3)]
        )
        values.append(gained[rows].mean())
    assert found["low"] == pytest.approx(np.quantile(values, 0.025), abs=0.01)
    assert found["high"] == pytest.approx(np.quantile(values, 0.975), abs=0.01)


def test_the_spread_is_the_gain_in_brier_score():
    labels, _, shares = members()
    found = gains(labels, combined(shares)[0], shares, resamples=0)["brier"]["over_mean"]
    spread = diversity(labels, shares, resamples=0)["spread"]
    assert found["value"] == pytest.approx(spread["value"], abs=1e-12)
    assert spread["low"] is None


def test_diversity_by_hand():
    labels = np.array([0, 0, 1, 1])
    shares = np.eye(2)[np.array([[0, 0, 1, 0], [0, 1, 1, 0], [0, 1, 0, 0]])]
    found = diversity(labels, shares, resamples=50)
    assert found["disagreement"]["value"] == pytest.approx((1 / 4 + 2 / 4 + 1 / 4) / 3)
    assert [pair["disagreement"] for pair in found["pairs"]] == [0.25, 0.5, 0.25]
    assert [pair["members"] for pair in found["pairs"]] == [[0, 1], [0, 2], [1, 2]]
    assert found["unanimous"]["value"] == 0.5
    assert found["all_wrong"]["value"] == 0.25
    assert found["some_right"]["value"] == 0.75

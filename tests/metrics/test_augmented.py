"""Predictions over passes: numbers by hand, and intervals that are over sources."""

import json

import numpy as np
import pytest
from sklearn import metrics as sk

from benchmarker.core.errors import RunFailedError
from benchmarker.metrics.augmented import always_wrong, evaluate_passes, per_source
from benchmarker.metrics.classification import evaluate
from benchmarker.metrics.intervals import wilson

CLASSES = ("FRI", "FRII")


def as_scores(difference):
    """Scores of two classes from FRII minus FRI."""
    half = np.asarray(difference, dtype=float) / 2
    return np.stack([-half, half], axis=-1)


def drawn(passes, labels, seed=5, skill=1.0):
    draw = np.random.default_rng(seed)
    source = draw.normal(size=len(labels)) + skill * (2 * labels - 1)
    return as_scores(source + 0.5 * draw.normal(size=(passes, len(labels))))


def softmax(scores):
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def test_pooled_numbers_by_hand():
    labels = np.array([0, 0, 1])
    # source 1 is wrong in one of four passes, source 2 in three
    scores = as_scores([[-1, -1, 2], [-1, -2, -1], [-3, 1, -1], [-1, -1, -2]])
    found = evaluate_passes(labels, scores, CLASSES, resamples=0)
    pooled = found["pooled"]
    assert pooled["confusion_matrix"] == [[7, 1], [3, 1]]
    assert pooled["accuracy"]["value"] == pytest.approx(8 / 12)
    assert pooled["per_class"]["FRI"]["recall"]["value"] == pytest.approx(7 / 8)
    assert pooled["per_class"]["FRI"]["precision"]["value"] == pytest.approx(7 / 10)
    assert pooled["per_class"]["FRII"]["precision"]["value"] == pytest.approx(1 / 2)
    assert pooled["per_class"]["FRII"]["f1"]["value"] == pytest.approx(2 * 0.5 * 0.25 / 0.75)
    assert pooled["per_class"]["FRII"]["support"] == 4
    assert found["wrong_rate"] == [0.0, 0.25, 0.75]
    assert (found["n"], found["passes"]) == (3, 4)
    # the accuracies of single passes: 1, 2/3, 1/3, 2/3
    assert found["over_passes"]["accuracy"]["mean"] == pytest.approx(2 / 3)
    assert found["over_passes"]["accuracy"]["sd"] == pytest.approx(np.std([3, 2, 1, 2], ddof=1) / 3)
    low, high = wilson(2.0, 3)
    assert found["accuracy_wilson"] == {"low": low, "high": high}
    json.dumps(found, allow_nan=False)


def test_pooled_numbers_agree_with_scikit_learn():
    labels = np.arange(30) % 3
    draw = np.random.default_rng(8)
    scores = draw.normal(size=(7, 30, 3)) + 1.2 * np.eye(3)[labels]
    pooled = evaluate_passes(labels, scores, "abc", resamples=0)["pooled"]
    truth, flat = np.tile(labels, 7), softmax(scores).reshape(-1, 3)
    guess = flat.argmax(axis=1)
    assert pooled["confusion_matrix"] == sk.confusion_matrix(truth, guess).tolist()
    assert pooled["macro_f1"]["value"] == pytest.approx(sk.f1_score(truth, guess, average="macro"))
    areas = [sk.roc_auc_score(truth == k, flat[:, k]) for k in range(3)]
    assert pooled["auc"]["value"] == pytest.approx(np.mean(areas))


def test_one_pass_is_the_plain_evaluation():
    labels = np.arange(40) % 2
    scores = drawn(1, labels)
    found = evaluate_passes(labels, scores, CLASSES, seed=4, resamples=100)
    plain = evaluate(labels, softmax(scores[0]), CLASSES, seed=4, resamples=100, scores=scores[0])
    for name in ("accuracy", "mpca", "macro_f1", "auc"):
        for end in ("value", "low", "high"):
            expected = pytest.approx(plain[name][end], abs=1e-12)
            assert found["pooled"][name][end] == expected, name
            assert found["averaged"][name][end] == expected, name
    assert found["over_passes"]["accuracy"]["sd"] is None


def test_showing_a_source_more_often_makes_no_interval_narrower():
    labels = np.arange(60) % 2
    scores = drawn(2, labels)
    few = evaluate_passes(labels, scores, CLASSES, resamples=200)
    many = evaluate_passes(labels, np.tile(scores, (50, 1, 1)), CLASSES, resamples=200)
    for name in ("accuracy", "macro_f1", "auc"):
        assert many["pooled"][name] == pytest.approx(few["pooled"][name])
    assert many["accuracy_wilson"] == pytest.approx(few["accuracy_wilson"])
    low, high = few["accuracy_wilson"].values()
    assert high - low > 0.1


def test_averaged_probability_is_one_prediction_per_source():
    labels = np.array([0, 1, 1])
    scores = as_scores([[-4, 3, -1], [1, 3, -1], [1, 3, 6]])
    found = evaluate_passes(labels, scores, CLASSES, resamples=0)
    # two passes of three are wrong about the first and the last, their means are not
    assert found["averaged"]["confusion_matrix"] == [[1, 0], [0, 2]]
    means = per_source(labels, scores)
    assert np.allclose(means.probabilities, softmax(scores).mean(axis=0))
    assert np.allclose(means.log_probabilities, np.log(means.probabilities))
    assert np.allclose(means.scores, scores.mean(axis=0))
    assert means.wrong.tolist() == [2, 0, 2]


def test_means_keep_their_order_where_every_pass_is_saturated():
    labels = np.array([0, 0, 1, 1])
    scores = np.tile(as_scores([-900, 1000, 2000, 3000]), (3, 1, 1))
    found = evaluate_passes(labels, scores, CLASSES, resamples=0)
    assert found["averaged"]["auc"]["value"] == 1.0
    assert found["pooled"]["auc"]["value"] == 1.0


def test_sources_that_are_always_wrong():
    assert always_wrong(np.array([0.2, 0.95, 1.0, 0.94])).tolist() == [1, 2]
    assert always_wrong(np.array([0.2, 0.5]), threshold=0.5).tolist() == [1]
    labels = np.array([0, 1])
    found = evaluate_passes(labels, as_scores([[1, 1], [1, -1]]), CLASSES, resamples=0)
    assert found["always_wrong"] == {"at_least": 0.95, "sources": 1}


def test_unusable_passes_are_refused():
    labels = np.array([0, 1])
    with pytest.raises(
        RunFailedError, match=r"scores \(2, 2\), expected \(n,\) and \(passes, n, 2"
    ):
        evaluate_passes(labels, np.zeros((2, 2)), CLASSES)
    with pytest.raises(RunFailedError, match="no pass"):
        evaluate_passes(labels, np.zeros((0, 2, 2)), CLASSES)
    bad = np.zeros((3, 2, 2))
    bad[2, 1] = np.nan
    with pytest.raises(RunFailedError, match="pass 2, row 1"):
        evaluate_passes(labels, bad, CLASSES)

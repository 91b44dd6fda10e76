"""Coverage, completeness and purity by hand, by brute force and against scikit-learn."""

import itertools
import json

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import precision_recall_curve

from benchmarker.metrics.classification import evaluate
from benchmarker.metrics.selection import completeness_purity, coverage

CLASSES = ("FRI", "FRII", "Bent")
# confidence .9 right, .8 wrong, .7 right, .6 right
LABELS = np.array([0, 1, 0, 1])
SHARES = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.4, 0.6]])


def sample(count=200, classes=3, digits=9, seed=3):
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, classes, count)
    scores = draw.normal(0, 1, (count, classes)) + 1.5 * np.eye(classes)[labels]
    return labels, np.round(softmax(scores, axis=1), digits)


def mean_accuracy(right):
    return np.mean(np.cumsum(right) / np.arange(1, len(right) + 1))


def test_coverage_by_hand():
    found = coverage(LABELS, SHARES, at=(0.25, 0.5, 0.8, 1.0))
    assert found["coverage"] == [0.25, 0.5, 0.75, 1.0]
    assert found["accuracy"] == pytest.approx([1, 1 / 2, 2 / 3, 3 / 4])
    assert found["area"] == pytest.approx((1 + 1 / 2 + 2 / 3 + 3 / 4) / 4)
    assert found["ideal_area"] == pytest.approx((1 + 1 + 1 + 3 / 4) / 4)
    # 3.2 images: 2 right of 3, and a fifth of the right one that comes next
    expected = [1, 1 / 2, 2.2 / 3.2, 3 / 4]
    assert [entry["accuracy"] for entry in found["at"]] == pytest.approx(expected)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_ties_count_the_mean_over_all_orders():
    # one image of 0.9 (wrong), then four of 0.7 (two right)
    labels = np.array([1, 0, 0, 1, 1])
    shares = np.array([[0.9, 0.1], *[[0.7, 0.3]] * 4])
    found = coverage(labels, shares)
    assert found["coverage"] == [0.2, 1.0]
    assert found["accuracy"] == [0.0, 0.4]
    orders = [mean_accuracy([0, *order]) for order in itertools.permutations([1, 1, 0, 0])]
    assert found["area"] == pytest.approx(np.mean(orders))


def test_the_order_of_images_changes_nothing():
    labels, shares = sample(digits=1)
    shares = shares + 0.01
    order = np.random.default_rng(1).permutation(len(labels))
    first, second = coverage(labels, shares), coverage(labels[order], shares[order])
    for name in ("coverage", "accuracy", "area", "ideal_area"):
        assert second[name] == pytest.approx(first[name], abs=1e-12)


def test_scores_order_what_probabilities_leave_tied():
    scores = np.array([[60.0, 0.0], [50.0, 0.0], [45.0, 0.0]])
    shares = softmax(scores, axis=1)
    assert (shares[:, 0] == 1).all()
    labels = np.array([0, 0, 1])
    assert coverage(labels, shares)["coverage"] == [1.0]
    assert coverage(labels, shares, scores=scores)["accuracy"] == pytest.approx([1, 1, 2 / 3])


def test_no_image_has_no_area():
    found = coverage(np.empty(0, int), np.empty((0, 2)), at=(0.5,))
    assert (found["area"], found["coverage"]) == (None, [])
    assert found["at"] == [{"coverage": 0.5, "accuracy": None}]


def test_the_interval_of_the_area_is_that_of_drawn_images():
    labels, shares = sample(count=120, digits=2)
    shares = shares + 1e-3
    found = evaluate(labels, shares, CLASSES, seed=3, resamples=600)["coverage_area"]
    assert found["value"] == pytest.approx(coverage(labels, shares)["area"], abs=1e-12)
    draw = np.random.default_rng(5)
    areas = []
    for _ in range(400):
        rows = np.concatenate(
            [draw.choice(np.flatnonzero(labels == k), (labels == k).sum()) for k in range(3)]
        )
        areas.append(coverage(labels[rows], shares[rows])["area"])
    low, high = np.quantile(areas, [0.025, 0.975])
    assert found["low"] == pytest.approx(low, abs=0.01)
    assert found["high"] == pytest.approx(high, abs=0.01)


@pytest.mark.parametrize("digits", [1, 2, 9])
def test_completeness_and_purity_are_scikit_learns_recall_and_precision(digits):
    labels, shares = sample(digits=digits)
    found = completeness_purity(labels, shares, CLASSES)
    for index, name in enumerate(CLASSES):
        purity, completeness, thresholds = precision_recall_curve(labels == index, shares[:, index])
        entry = found[name]
        assert entry["threshold"] == pytest.approx(thresholds)
        assert entry["purity"] == pytest.approx(purity[:-1])
        assert entry["completeness"] == pytest.approx(completeness[:-1])
        assert entry["undefined"] == []
        assert entry["n"] == (labels == index).sum()


def test_thresholds_can_be_asked_for():
    found = completeness_purity(LABELS, SHARES, ("FRI", "FRII"), thresholds=(0.95, 0.0, 0.7))
    assert found["FRI"] == {
        "n": 2,
        "threshold": [0.0, 0.7, 0.95],
        "selected": [4, 3, 0],
        "completeness": [1.0, 1.0, 0.0],
        "purity": [0.5, 2 / 3, None],
        "undefined": ["purity of FRI is undefined at 0.95: no source has that probability"],
    }
    assert found["FRII"]["purity"] == [0.5, None, None]
    (reason,) = found["FRII"]["undefined"]
    assert reason == (
        "purity of FRII is undefined at 0.7 and above: no source has that probability"
    )


def test_an_absent_class_has_no_completeness_and_a_purity_of_zero():
    labels, shares = np.array([0, 1]), np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])
    entry = completeness_purity(labels, shares, CLASSES)["Bent"]
    assert entry["completeness"] == [None, None]
    assert entry["purity"] == [0.0, 0.0]
    assert entry["undefined"] == [
        "completeness of Bent is undefined: no source of it is in the truth"
    ]


def test_no_source_at_all_leaves_everything_undefined():
    found = completeness_purity(np.empty(0, int), np.empty((0, 3)), CLASSES, thresholds=[0.5])
    assert found["FRI"]["completeness"] == [None]
    assert found["FRI"]["purity"] == [None]
    assert len(found["FRI"]["undefined"]) == 2

"""Golden numbers worked out by hand on ten samples, and agreement with scikit-learn."""

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from benchmarker.core.errors import RunFailedError
from benchmarker.metrics.classification import PER_CLASS, SCALARS, evaluate

CLASSES = ("Compact", "FRI", "FRII")
# truth: 5 Compact, 3 FRI, 2 FRII; predictions by argmax: see CONFUSION
LABELS = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2])
PROBABILITIES = np.array(
    [
        [0.8, 0.1, 0.1],
        [0.7, 0.2, 0.1],
        [0.6, 0.3, 0.1],
        [0.5, 0.3, 0.2],
        [0.3, 0.6, 0.1],
        [0.2, 0.7, 0.1],
        [0.1, 0.8, 0.1],
        [0.5, 0.4, 0.1],
        [0.1, 0.2, 0.7],
        [0.2, 0.5, 0.3],
    ]
)
CONFUSION = [[4, 1, 0], [1, 2, 0], [0, 1, 1]]


def random_predictions(count, num_classes, seed=7, skill=1.0):
    draw = np.random.default_rng(seed)
    labels = np.r_[np.arange(num_classes), draw.integers(0, num_classes, count - num_classes)]
    logits = draw.normal(size=(count, num_classes)) + skill * np.eye(num_classes)[labels]
    shares = np.exp(logits)
    return labels, shares / shares.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def golden():
    return evaluate(LABELS, PROBABILITIES, CLASSES, seed=1)


def test_confusion_and_rates_by_hand(golden):
    assert golden["n"] == 10
    assert golden["confusion_matrix"] == CONFUSION
    assert np.allclose(
        golden["normalised_confusion_matrix"],
        [[4 / 5, 1 / 5, 0], [1 / 3, 2 / 3, 0], [0, 1 / 2, 1 / 2]],
    )
    assert golden["accuracy"]["value"] == pytest.approx(0.7)
    assert golden["mpca"]["value"] == pytest.approx((4 / 5 + 2 / 3 + 1 / 2) / 3)


def test_per_class_by_hand(golden):
    expected = {
        "Compact": (4 / 5, 4 / 5, 5),
        "FRI": (2 / 4, 2 / 3, 3),
        "FRII": (1, 1 / 2, 2),
    }
    for name, (precision, recall, support) in expected.items():
        entry = golden["per_class"][name]
        assert entry["precision"]["value"] == pytest.approx(precision)
        assert entry["recall"]["value"] == pytest.approx(recall)
        assert entry["f1"]["value"] == pytest.approx(2 * precision * recall / (precision + recall))
        assert entry["support"] == support
    assert golden["macro_f1"]["value"] == pytest.approx((4 / 5 + 4 / 7 + 2 / 3) / 3)


def test_balanced_values_come_from_the_normalised_matrix(golden):
    entry = golden["per_class"]["FRI"]
    precision = (2 / 3) / (1 / 5 + 2 / 3 + 1 / 2)
    assert entry["balanced_precision"]["value"] == pytest.approx(precision)
    f1 = 2 * precision * (2 / 3) / (precision + 2 / 3)
    assert entry["balanced_f1"]["value"] == pytest.approx(f1)


def test_auc_by_hand_counts_ties_one_half(golden):
    # Compact: positives .8 .7 .6 .5 .3, negatives .2 .1 .5 .1 .2: of 25 pairs .3 loses to .5,
    # .5 ties with .5
    assert golden["per_class"]["Compact"]["auc"]["value"] == pytest.approx(23.5 / 25)
    # FRI: positives .7 .8 .4, negatives .1 .2 .3 .3 .6 .2 .5: .4 loses to .6 and .5
    assert golden["per_class"]["FRI"]["auc"]["value"] == pytest.approx(19 / 21)
    # FRII: positives .7 .3, negatives at most .2
    assert golden["per_class"]["FRII"]["auc"]["value"] == pytest.approx(1.0)
    assert golden["auc"]["value"] == pytest.approx((23.5 / 25 + 19 / 21 + 1) / 3)


def test_cross_entropy_and_calibration_by_hand(golden):
    true_shares = [0.8, 0.7, 0.6, 0.5, 0.3, 0.7, 0.8, 0.4, 0.7, 0.3]
    assert golden["cross_entropy"]["value"] == pytest.approx(-np.mean(np.log(true_shares)))
    # bins of 1/15: .5 (right, wrong, wrong), .6 (right, wrong), .7 x3 and .8 x2 all right
    gaps = [abs(1 - 1.5), abs(1 - 1.2), abs(3 - 2.1), abs(2 - 1.6)]
    assert golden["calibration_error"]["value"] == pytest.approx(sum(gaps) / 10)


@pytest.mark.parametrize(
    ("count", "num_classes", "skill"), [(40, 2, 0.5), (200, 4, 1), (90, 10, 2)]
)
def test_agrees_with_scikit_learn(count, num_classes, skill):
    labels, shares = random_predictions(count, num_classes, skill=1.5)
    shares = np.round(shares, 2) + 1e-3  # coarse scores make ties
    shares /= shares.sum(axis=1, keepdims=True)
    found = evaluate(labels, shares, [f"class {i}" for i in range(num_classes)], resamples=0)
    predicted = shares.argmax(axis=1)
    every = range(num_classes)
    assert found["confusion_matrix"] == sk.confusion_matrix(labels, predicted).tolist()
    expected = {
        "accuracy": sk.accuracy_score(labels, predicted),
        "mpca": sk.balanced_accuracy_score(labels, predicted),
        "macro_f1": sk.f1_score(labels, predicted, average="macro", zero_division=0),
        "cross_entropy": sk.log_loss(labels, shares, labels=every),
        "auc": np.mean([sk.roc_auc_score(labels == i, shares[:, i]) for i in every]),
        "brier": sk.brier_score_loss(labels, shares, labels=every, scale_by_half=False),
    }
    for name, value in expected.items():
        assert found[name]["value"] == pytest.approx(value, abs=1e-12), name
    table = sk.precision_recall_fscore_support(labels, predicted, labels=every, zero_division=0)
    for index, entry in enumerate(found["per_class"].values()):
        assert entry["precision"]["value"] == pytest.approx(table[0][index])
        assert entry["recall"]["value"] == pytest.approx(table[1][index])
        assert entry["f1"]["value"] == pytest.approx(table[2][index])


def test_never_predicted_class_has_no_precision_and_a_flag():
    shares = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])
    found = evaluate(np.array([0, 0, 1]), shares, ("FRI", "FRII"))
    entry = found["per_class"]["FRII"]
    for metric in ("precision", "balanced_precision"):
        assert entry[metric] == {"value": None, "low": None, "high": None}
    for metric in ("f1", "balanced_f1", "recall"):
        assert entry[metric]["value"] == 0
    assert found["macro_f1"]["value"] == pytest.approx(0.8 / 2)
    assert found["flags"] == ["FRII is never predicted: its precision is undefined, its F1 0"]
    assert found["undefined"] == [
        "per_class.FRII.precision", "per_class.FRII.balanced_precision",
    ]  # fmt: skip


def test_absent_class_is_undefined_and_left_out_of_means():
    labels, shares = LABELS[:8], PROBABILITIES[:8]
    found = evaluate(labels, shares, CLASSES)
    assert found["normalised_confusion_matrix"][2] is None
    entry = found["per_class"]["FRII"]
    assert entry["recall"] == {"value": None, "low": None, "high": None}
    assert entry["support"] == 0
    assert found["mpca"]["value"] == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert "per_class.FRII.recall" in found["undefined"]
    assert any("FRII is absent from the truth" in flag for flag in found["flags"])
    assert any("the 2 present of 3 classes" in flag for flag in found["flags"])
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text) == found


def test_absent_class_that_is_predicted_has_precision_zero():
    shares = np.array([[0.2, 0.8], [0.9, 0.1]])
    found = evaluate(np.array([0, 0]), shares, ("FRI", "FRII"))
    assert found["per_class"]["FRII"]["precision"]["value"] == 0
    assert found["per_class"]["FRI"]["auc"]["value"] is None
    assert {"auc", "per_class.FRI.auc"} <= set(found["undefined"])


def test_constant_scores_have_auc_one_half_and_lowest_index_wins():
    shares = np.full((6, 3), 1 / 3)
    found = evaluate(np.array([0, 0, 1, 1, 2, 2]), shares, CLASSES)
    assert found["auc"]["value"] == 0.5
    assert [row[0] for row in found["confusion_matrix"]] == [2, 2, 2]


def test_scores_that_do_not_sum_to_one_are_rescaled_for_the_cross_entropy():
    sigmoid = PROBABILITIES * np.linspace(0.1, 1.4, 10)[:, np.newaxis]
    sigmoid[0] = 0.0
    found = evaluate(LABELS, sigmoid, CLASSES, resamples=0)
    shares = [1 / 3, 0.7, 0.6, 0.5, 0.3, 0.7, 0.8, 0.4, 0.7, 0.3]
    assert found["cross_entropy"]["value"] == pytest.approx(-np.mean(np.log(shares)))


def test_certain_and_wrong_stays_finite():
    found = evaluate(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]), ("FRI", "FRII"))
    assert found["cross_entropy"]["value"] == pytest.approx(-np.log(1e-7) / 2)


def test_intervals_hold_the_value_and_depend_only_on_the_seed(golden):
    for name in SCALARS:
        entry = golden[name]
        assert entry["low"] <= entry["value"] <= entry["high"]
    again = evaluate(LABELS, PROBABILITIES, CLASSES, seed=1)
    other = evaluate(LABELS, PROBABILITIES, CLASSES, seed=2)
    assert again == golden
    assert other["cross_entropy"]["low"] != golden["cross_entropy"]["low"]
    assert other["cross_entropy"]["value"] == golden["cross_entropy"]["value"]


def test_stratified_interval_of_mpca_matches_the_spread_of_binomials():
    # two classes of 100: recalls 0.8 and 0.6, so the variance of their mean is known
    labels = np.repeat([0, 1], 100)
    right = np.r_[np.arange(100) < 80, np.arange(100) < 60]
    shares = np.where((labels == 0) == right, 0.9, 0.1)
    found = evaluate(labels, np.c_[shares, 1 - shares], ("FRI", "FRII"), resamples=4000)
    half = 1.96 * np.sqrt(0.8 * 0.2 / 100 + 0.6 * 0.4 / 100) / 2
    assert found["mpca"]["value"] == pytest.approx(0.7)
    assert found["mpca"]["low"] == pytest.approx(0.7 - half, abs=0.006)
    assert found["mpca"]["high"] == pytest.approx(0.7 + half, abs=0.006)


def test_perfect_predictions_have_a_wilson_interval_of_some_width():
    found = evaluate(np.array([0, 1, 0, 1]), np.eye(2)[[0, 1, 0, 1]], ("FRI", "FRII"))
    assert found["accuracy"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert found["accuracy_wilson"]["high"] == 1
    assert found["accuracy_wilson"]["low"] == pytest.approx(0.5101, abs=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 40))
def test_order_of_images_does_not_change_values(seed, count):
    labels, shares = random_predictions(count, 3, seed=seed)
    order = np.random.default_rng(seed).permutation(count)
    first = evaluate(labels, shares, CLASSES, resamples=0)
    second = evaluate(labels[order], shares[order], CLASSES, resamples=0)
    for name in SCALARS:
        assert second[name]["value"] == pytest.approx(first[name]["value"], abs=1e-12)
    for name in CLASSES:
        for metric in PER_CLASS:
            pair = [found["per_class"][name][metric]["value"] for found in (first, second)]
            assert pair[1] == pytest.approx(pair[0], abs=1e-12)


@pytest.mark.parametrize(
    ("labels", "shares", "text"),
    [
        ([], np.empty((0, 3)), "no image to evaluate"),
        ([0, 3], np.full((2, 3), 0.3), r"label 3 in row 1, expected 0\.\.2"),
        ([0, -1], np.full((2, 3), 0.3), "label -1 in row 1"),
        ([0, 1], [[0.2, np.nan, 0.1], [0.1, 0.2, 0.7]], "row 0, expected finite numbers"),
        ([0, 1], [[0.2, 0.1, 0.7], [np.inf, 0.2, 0.7]], "row 1, expected finite numbers"),
        ([0, 1], [[0.2, 0.1, 0.7], [-0.1, 0.2, 0.7]], "a negative probability in row 1"),
        ([0, 1], np.full((2, 4), 0.25), r"expected \(n,\) and \(n, 3\)"),
        ([0.0, 1.0], np.full((2, 3), 0.3), "labels are float64, expected whole numbers"),
    ],
)
def test_unusable_predictions_are_refused(labels, shares, text):
    labels = np.array(labels, dtype=None if labels else int)
    with pytest.raises(RunFailedError, match=text):
        evaluate(labels, np.asarray(shares), CLASSES)


def test_all_faults_are_listed_at_once():
    with pytest.raises(RunFailedError, match="prediction table has 3 faults"):
        evaluate(np.array([9, 0, 0]), [[np.nan, 1, 0], [-1, 1, 1], [1, 0, 0]], CLASSES)


def test_two_hundred_images_and_a_thousand_resamples_take_less_than_half_a_second():
    labels, shares = random_predictions(200, 4)
    start = time.process_time()
    evaluate(labels, shares, ("a", "b", "c", "d"))
    assert time.process_time() - start < 0.5


def saturated():
    """Labels, scores of 40 images, and their float32 softmax: much of it exactly 0 or 1."""
    draw = np.random.default_rng(3)
    labels = np.arange(40) % 2
    difference = draw.normal(0, 60, 40) + 80 * labels + 90
    scores = np.stack([-difference / 2, difference / 2], axis=1) + 500.0
    shares = np.exp((scores - scores.max(axis=1, keepdims=True)).astype(np.float32))
    return labels, scores, (shares / shares.sum(axis=1, keepdims=True)).astype(np.float64)


def test_scores_give_the_auc_that_saturated_probabilities_hide():
    labels, scores, shares = saturated()
    assert np.mean(np.isin(shares[:, 0], (0.0, 1.0))) > 0.3
    tied = evaluate(labels, shares, ("FRI", "FRII"), resamples=0)
    found = evaluate(labels, shares, ("FRI", "FRII"), resamples=0, scores=scores)
    expected = sk.roc_auc_score(labels, scores[:, 1] - scores[:, 0])
    assert found["auc"]["value"] == pytest.approx(expected, abs=1e-12)
    assert found["per_class"]["FRI"]["auc"] == found["per_class"]["FRII"]["auc"]
    assert tied["auc"]["value"] < expected - 0.02
    assert found["auc_from"] == "scores"
    assert "auc_from" not in tied
    for name in ("accuracy", "mpca", "macro_f1", "cross_entropy", "calibration_error"):
        assert found[name] == tied[name], name


def test_scores_that_are_not_saturated_order_as_their_probabilities():
    labels, shares = random_predictions(120, 4)
    logits = np.log(shares) + np.linspace(-900, 900, 120)[:, np.newaxis]
    found = evaluate(labels, shares, "abcd", resamples=20, scores=logits)
    expected = evaluate(labels, shares, "abcd", resamples=20)
    assert found["auc"]["value"] == pytest.approx(expected["auc"]["value"], abs=1e-12)
    assert found["auc"]["low"] == pytest.approx(expected["auc"]["low"], abs=1e-12)


def test_unusable_scores_are_refused():
    labels, shares = LABELS, PROBABILITIES
    with pytest.raises(RunFailedError, match=r"scores of shape \(10, 2\), expected that of"):
        evaluate(labels, shares, CLASSES, scores=shares[:, :2])
    bad = shares.copy()
    bad[4, 1] = np.inf
    with pytest.raises(RunFailedError, match=r"scores \[0.3, inf, 0.1\] in row 4"):
        evaluate(labels, shares, CLASSES, scores=bad)

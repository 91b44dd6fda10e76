import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from benchmarker.metrics.operating_points import (
    chosen_thresholds,
    false_at_missed,
    missed_at_false,
    score_rates,
    working_points,
)

PAIRS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0])), min_size=1
)
BOUNDS = st.sampled_from([0.0, 0.01, 0.04, 0.25, 0.5, 1.0])


def rates_at(inside, scores, threshold):
    taken = scores >= threshold
    return (~taken[inside]).mean(), taken[~inside].mean()


@given(pairs=PAIRS, most=BOUNDS)
def test_points_are_the_best_of_all_thresholds(pairs, most):
    inside = np.array([pair[0] for pair in pairs])
    scores = np.array([pair[1] for pair in pairs])
    rates = score_rates(inside, scores)
    false, missed = false_at_missed(rates, most), missed_at_false(rates, most)
    if inside.all() or not inside.any():
        assert false.rate is missed.rate is false.threshold is missed.threshold is None
        assert "no source" in false.reason
        return
    tried = [(*rates_at(inside, scores, h), h) for h in np.unique(scores)]
    assert false.rate == pytest.approx(min(f for m, f, _ in tried if m <= most))
    assert false.threshold == max(h for m, _, h in tried if m <= most)
    allowed = [(m, h) for m, f, h in tried if f <= most]
    if allowed:
        assert (missed.rate, missed.threshold) == (pytest.approx(min(allowed)[0]), min(allowed)[1])
    else:
        assert (missed.rate, missed.threshold) == (1.0, None)
        assert missed.reason


def test_shares_of_whole_numbers_are_not_lost_to_rounding():
    # 29 of 100 may be missed, though 0.29 * 100 is below 29
    scores = np.r_[np.arange(100), np.zeros(10)] / 100
    inside = np.r_[np.ones(100, bool), np.zeros(10, bool)]
    assert false_at_missed(score_rates(inside, scores), 0.29).threshold == 0.29


def test_area_and_points_of_many_scores():
    draw = np.random.default_rng(5)
    inside = draw.random(3000) < 0.3
    scores = np.round(draw.normal(inside * 1.5), 2)
    found = working_points(inside, scores)
    assert found["auc"] == pytest.approx(roc_auc_score(inside, scores))
    assert [point["asked"] for point in found["false_at_missed"]] == [0.01, 0.04]
    for point in found["missed_at_false"]:
        missed, false = rates_at(inside, scores, point["threshold"])
        assert missed == pytest.approx(point["rate"])
        assert false <= point["asked"]
    json.dumps(found, allow_nan=False)


def test_nothing_at_all_is_undefined():
    found = working_points(np.empty(0, bool), np.empty(0))
    assert found["auc"] is None
    assert found["false_at_missed"][0]["rate"] is None


def test_thresholds_are_chosen_on_validation_and_tried_on_the_test():
    def table(members, others):
        chances = np.r_[members, others]
        labels = np.r_[np.ones(len(members), int), np.zeros(len(others), int)]
        return labels, np.stack([1 - chances, chances], axis=1)

    validation = table([0.9, 0.8, 0.7, 0.6], [0.65, 0.2])
    test = table([0.95, 0.5], [0.7, 0.6, 0.1, 0.0])
    found = chosen_thresholds(("bogus", "real"), validation, test)
    assert (found["class"], found["n"], found["members"]) == ("real", 6, 4)
    point = found["false_at_missed"][0]
    assert (point["threshold"], point["rate"]) == (pytest.approx(0.6), 0.5)
    assert (point["test_missed"], point["test_false"]) == (0.5, 0.5)
    assert chosen_thresholds(("a", "b", "c"), validation, test) is None
    absent = chosen_thresholds(("bogus", "real"), table([], [0.1]), test)["false_at_missed"][0]
    assert absent["threshold"] is absent["test_missed"] is absent["test_false"] is None

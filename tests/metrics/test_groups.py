"""Certainty from names, and the numbers of each group."""

import numpy as np
import pytest

from benchmarker.core.errors import RunFailedError
from benchmarker.metrics.classification import evaluate
from benchmarker.metrics.groups import certainty_of, evaluate_groups


@pytest.mark.parametrize(
    ("name", "certainty"),
    [
        ("100_162.947+055.386_0.0739_0250.34", "certain"),
        ("./MiraBest_data/112_208.259-003.091_0.0610_0123.73.png", "uncertain"),
        ("210_208.259-003.091_0.0610_0123.73", "uncertain"),
        ("310_208.259-003.091_0.0610_0123.73", "uncertain"),
        ("data_batch_1-001", None),
        ("110", None),
        ("J110_2.png", None),
        ("410_208.259-003.091_0.0610_0123.73", None),
    ],
)
def test_certainty_of_names(name, certainty):
    assert certainty_of(name) == certainty


def test_certainty_of_the_released_names(real_data):
    with np.load(real_data / "mirabest.npz") as stored:
        names, codes = stored["filenames"].tolist(), stored["class_code"].tolist()
    found = [certainty_of(name) for name in names]
    assert found == [("certain", "uncertain")[int(code[1])] for code in codes]
    # Porter & Scaife 2023: 833 + 19 certain with hybrids, of 1256
    assert found.count("certain") == 833 + 19


def test_each_group_is_evaluated_apart():
    draw = np.random.default_rng(1)
    labels = np.arange(40) % 2
    scores = draw.normal(size=(40, 2)) + np.eye(2)[labels]
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    groups = ["certain" if row < 25 else "uncertain" for row in range(39)] + [None]
    found = evaluate_groups(labels, shares, "ab", groups, seed=2, resamples=50, scores=scores)
    assert list(found) == ["certain", "uncertain"]
    assert [entry["n"] for entry in found.values()] == [25, 14]
    rows = slice(25, 39)
    assert found["uncertain"] == evaluate(
        labels[rows], shares[rows], "ab", seed=2, resamples=50, scores=scores[rows]
    )


def test_no_group_gives_nothing_and_a_missing_one_is_refused():
    labels, shares = np.array([0, 1]), np.eye(2)
    assert evaluate_groups(labels, shares, "ab", [None, None]) == {}
    with pytest.raises(RunFailedError, match="groups of 1 sources, expected one for each of 2"):
        evaluate_groups(labels, shares, "ab", ["certain"])

import numpy as np
import pytest

from benchmarker.hosts.realbogus.rates import (
    stepped_false_at_missed,
    stepped_missed_at_false,
    stepped_precision_recall,
    stepped_rates,
)

SETS = ("a", "rounded", "hard", "nopos", "noneg")


@pytest.fixture(scope="module")
def vectors(specs):
    with np.load(specs / "psat_vectors.npz") as stored:
        return {name: stored[name] for name in stored.files if name.startswith("roc_")}


def of(vectors, name):
    return vectors[f"roc_{name}__y"], vectors[f"roc_{name}__p"]


def same(point, expected):
    """Whether a point equals [rate, threshold] of the vectors, or is undefined where they fail."""
    if expected.dtype.kind == "U":
        assert expected.item().startswith("ERROR")
        assert point.rate is point.threshold is None
        assert point.reason
    elif expected.ndim:
        np.testing.assert_allclose([point.rate, point.threshold], expected, rtol=0, atol=1e-12)
    else:
        assert point.rate == pytest.approx(expected.item(), abs=1e-12)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(
    ("step", "word", "closed"),
    [(0.01, "rocCurve_0.01", True), (0.001, "rocCurve_0.001", True), (1e-4, "plotROC", False)],
)
def test_curves_equal_the_vectors(vectors, name, step, word, closed):
    found = stepped_rates(*of(vectors, name), step=step, closed=closed)
    for array, key in ((found.false, "fpr"), (found.true, "tpr"), (found.thresholds, "thr")):
        np.testing.assert_allclose(array, vectors[f"roc_{name}__{word}_{key}"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", SETS)
def test_points_equal_the_vectors_or_are_undefined_where_the_original_fails(vectors, name):
    training = stepped_rates(*of(vectors, name), step=1e-3, closed=True)
    same(stepped_false_at_missed(training, 0.01), vectors[f"roc_{name}__one_percent_mdr"])
    same(stepped_missed_at_false(training, 0.01), vectors[f"roc_{name}__one_percent_fpr"])
    shown = stepped_rates(*of(vectors, name))
    for most in (0.01, 0.04, 0.1):
        same(stepped_false_at_missed(shown, most), vectors[f"roc_{name}__fpr_at_mdr_{most}"])
        same(stepped_missed_at_false(shown, most), vectors[f"roc_{name}__mdr_at_fpr_{most}"])


@pytest.mark.parametrize("name", SETS)
def test_precision_and_recall_equal_the_vectors_without_the_slip(vectors, name):
    found = stepped_precision_recall(*of(vectors, name))
    for array, key in zip(found, ("precision25", "recall25", "thr"), strict=True):
        np.testing.assert_allclose(array, vectors[f"roc_{name}__pr_{key}"], rtol=0, atol=1e-12)
    assert vectors[f"roc_{name}__pr_len_as_written"] == 2 * len(found[0])

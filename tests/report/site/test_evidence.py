"""The numbers behind the charts, against scikit-learn, SciPy and plain counting."""

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn import metrics as sk

from benchmarker.core.record_tables import Predictions
from benchmarker.core.records import find_records, read_record
from benchmarker.report.site import evidence
from benchmarker.report.site.evidence import RATES, SHARES, Reader, SeedTest, common_mistakes
from tests.report.factory import CLASSES, make_run


def one_test(seed=1, count=200, *, scores=False, labels=None):
    """A test of one seed with ties among its probabilities."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 4, count) if labels is None else labels
    raw = (draw.normal(size=(len(labels), 4)) + 1.5 * np.eye(4)[labels]).round(1)
    shares = np.exp(raw - logsumexp(raw, axis=1, keepdims=True))
    names = tuple(f"J{row}" for row in range(len(labels)))
    return SeedTest(None, Predictions(names, labels, shares, raw if scores else None))


@pytest.mark.parametrize("scores", [False, True])
def test_areas_are_those_of_scikit_learn(scores):
    tests = [one_test(seed, scores=scores) for seed in (1, 2)]
    for index, curve in enumerate(evidence.class_curves(tests, CLASSES)):
        expected = [
            sk.roc_auc_score(test.labels == index, test.ranking[:, index]) for test in tests
        ]
        np.testing.assert_allclose(curve.areas, expected, rtol=1e-12)


def test_curves_are_those_of_scikit_learn():
    test = one_test()
    (first, *_) = evidence.class_curves([test], CLASSES)
    false, true, _ = sk.roc_curve(test.labels == 0, test.ranking[:, 0], drop_intermediate=False)
    highest = {rate: true[false == rate].max() for rate in np.unique(false)}
    expected = np.interp(RATES, list(highest), list(highest.values()))
    np.testing.assert_allclose(first.true_rates[0], expected, atol=1e-12)
    # the same points as misses, from another function
    false, missed, _ = sk.det_curve(test.labels == 0, test.ranking[:, 0], drop_intermediate=False)
    for rate, miss in zip(false, missed, strict=True):
        lowest = missed[false == rate].min()
        at = 1 - np.interp(rate, list(highest), list(highest.values()))
        assert at == pytest.approx(lowest)
        assert miss >= lowest


def test_a_class_that_is_absent_has_no_curve():
    test = one_test(labels=np.arange(60) % 3)
    found = evidence.class_curves([test], CLASSES)
    assert found[3].areas == (None,)
    assert len(found[3].true_rates) == 0
    assert found[0].areas[0] is not None


def test_confusion_adds_up_the_seeds():
    tests = [one_test(1), one_test(2, 90)]
    expected = sum(
        sk.confusion_matrix(t.labels, t.said.probabilities.argmax(axis=1), labels=range(4))
        for t in tests
    )
    assert evidence.confusion_counts(tests, 4).tolist() == expected.tolist()


def test_calibration_pools_the_seeds():
    tests = [one_test(1), one_test(2, 90)]
    labels = np.concatenate([t.labels for t in tests])
    shares = np.concatenate([t.said.probabilities for t in tests])
    found = evidence.pooled_calibration(tests)
    sure, right = shares.max(axis=1), shares.argmax(axis=1) == labels
    edges = np.linspace(0, 1, 16)
    bins = np.clip(np.digitize(sure, edges) - 1, 0, 14)
    error = sum(
        abs(right[bins == b].mean() - sure[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    )
    assert found["expected_calibration_error"] == pytest.approx(error)
    assert found["n"] == 290
    for number, entry in enumerate(found["bins"]):
        assert entry["n"] == (bins == number).sum()


def test_coverage_is_the_accuracy_of_the_most_confident():
    test = one_test()
    sure, right = test.said.probabilities.max(axis=1), test.right
    (found,) = evidence.coverages([test])
    assert found[-1] == pytest.approx(right.mean())
    for share, value in zip(SHARES, found, strict=True):
        edge = np.sort(sure)[::-1][round(share * len(sure)) - 1]
        above, at = right[sure > edge], right[sure == edge]
        wanted = share * len(sure)
        # images of equal confidence count alike
        expected = (above.sum() + at.mean() * (wanted - len(above))) / wanted
        assert value == pytest.approx(expected)


def test_accuracy_at_each_angle(tmp_path):
    record = read_record(make_run(tmp_path, varied=True))
    found = evidence.turned_accuracy(record)
    scores = np.load(record.folder / "rotation.npz")["best"]
    truth = record.predictions("best").labels
    expected = [sk.accuracy_score(truth, one.argmax(axis=1)) for one in scores]
    np.testing.assert_allclose(found, expected)
    plain = read_record(make_run(tmp_path, seed=1826))
    assert evidence.turned_accuracy(plain) is None


def mistakes(*rows):
    """Arrays as a run keeps them, from (source, probability)."""
    count = len(rows)
    return {
        "sources": np.array([name for name, _ in rows]),
        "images": np.arange(count * 4, dtype=np.uint8).reshape(count, 2, 2),
        "labels": np.zeros(count, dtype=np.int64),
        "predicted": np.full(count, 2),
        "probability": np.array([sure for _, sure in rows]),
        "ra_deg": np.array([10.0, *[np.nan] * (count - 1)]),
        "dec_deg": np.zeros(count),
    }


def test_mistakes_of_most_seeds_come_first_then_the_surest(tmp_path):
    for seed in (1, 2):
        make_run(tmp_path, seed=seed)
    one, two = find_records(tmp_path)
    kept = [(one, mistakes(("a", 0.99), ("b", 0.6))), (two, mistakes(("b", 0.8), ("c", 0.7)))]
    found = common_mistakes(kept, CLASSES)
    assert [m.source for m in found] == ["b", "a", "c"]
    assert found[0].seeds == (1, 2)
    assert found[0].probability == 0.8
    assert found[0].image.tolist() == kept[1][1]["images"][0].tolist()
    assert (found[0].label, found[0].predicted) == (CLASSES[0], CLASSES[2])
    assert (found[0].ra_deg, found[0].dec_deg) == (10.0, 0.0)
    assert found[2].ra_deg is None
    many = mistakes(*((f"s{number}", 0.5) for number in range(16)))
    assert len(common_mistakes([*kept, (two, many)], CLASSES)) == 16


def test_damaged_files_are_named_and_left_out(tmp_path):
    for seed in (1, 2, 3):
        make_run(tmp_path, seed=seed)
    records = find_records(tmp_path)
    (records[0].folder / "predictions.csv").write_text("model,source\n")
    (records[1].folder / "history.csv").write_text("epoch,accuracy\n1,x\n")
    reader = Reader()
    assert [test.seed for test in reader.tested(records)] == [2, 3]
    assert list(reader.histories(records)) == [1, 3]
    assert len(reader.faults) == 2
    assert "predictions.csv" in reader.faults[0]
    assert "history.csv" in reader.faults[1]

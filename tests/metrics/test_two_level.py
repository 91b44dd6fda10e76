import numpy as np
import pytest
from scipy.stats import t as student
from sklearn.metrics import accuracy_score, balanced_accuracy_score, recall_score

from benchmarker.metrics.intervals import bootstrap_weights
from benchmarker.metrics.seeds import interquartile_mean
from benchmarker.metrics.two_level import (
    UNTESTED,
    Answers,
    Sampled,
    freedom,
    run_scores,
    student_quantile,
    variance_of,
)
from tests.metrics.answers import CLASSES, answers, truth


@pytest.fixture
def labels():
    return truth(120)


@pytest.fixture
def sampled(labels):
    draw = np.random.default_rng(3)
    given = [Answers(answers(draw, labels, seeds), name) for seeds, name in ((3, "a"), (5, "b"))]
    return Sampled(labels, given, CLASSES, resamples=400)


def test_scores_of_a_run_are_those_of_scikit_learn(labels, sampled):
    found = run_scores(labels, sampled.answers[1].predicted, CLASSES)
    for run, predicted in enumerate(sampled.answers[1].predicted):
        assert found.accuracy[run] == pytest.approx(accuracy_score(labels, predicted))
        assert found.mpca[run] == pytest.approx(balanced_accuracy_score(labels, predicted))
        expected = recall_score(labels, predicted, average=None)
        np.testing.assert_allclose(found.recall[run], expected)
        np.testing.assert_allclose(found.named("2")[run], expected[2])


def test_each_resample_is_the_score_of_the_drawn_images_and_seeds(labels, sampled):
    """One by one, with scikit-learn, from the same draws."""
    (weights,) = bootstrap_weights(labels, seed=0, resamples=400)
    for resample in (0, 7, 399):
        images = np.repeat(np.arange(len(labels)), weights[resample].astype(int))
        assert (np.bincount(labels[images]) == np.bincount(labels)).all()
        for network, given in enumerate(sampled.answers):
            drawn = given.predicted[sampled.picked[network][resample]][:, images]
            for name, score in (("accuracy", accuracy_score), ("mpca", balanced_accuracy_score)):
                expected = np.mean([score(labels[images], row) for row in drawn])
                assert sampled.field(name).draws[resample, network] == pytest.approx(expected)


def test_the_spread_is_that_of_an_independent_bootstrap(labels, sampled):
    draw = np.random.default_rng(8)
    given = sampled.answers[0].predicted
    members = [np.flatnonzero(labels == label) for label in range(CLASSES)]
    brute = np.empty(2000)
    for number in range(len(brute)):
        images = np.concatenate([draw.choice(rows, len(rows)) for rows in members])
        rows = given[draw.integers(0, len(given), len(given))][:, images]
        right = rows == labels[images]
        brute[number] = np.mean([right[:, labels[images] == c].mean() for c in range(CLASSES)])
    field = sampled.field("mpca")
    assert field.draws[:, 0].std() == pytest.approx(brute.std(), rel=0.1)
    assert field.draws[:, 0].mean() == pytest.approx(brute.mean(), abs=0.005)
    low, high = field.interval(0)
    plain = np.quantile(brute, [0.025, 0.975])
    assert low < plain[0] < field.values[0] < plain[1] < high


def test_one_seed_has_the_percentiles_over_its_images(labels):
    given = answers(np.random.default_rng(1), labels, 1)
    field = Sampled(labels, [Answers(given, "a")], CLASSES, resamples=500).field("accuracy")
    low, high = np.quantile(field.draws[:, 0], [0.025, 0.975])
    stretch = student.ppf(0.975, len(labels) - CLASSES) / 1.959964
    assert field.interval(0)[0] == pytest.approx(
        field.values[0] - stretch * (field.values[0] - low)
    )
    assert field.interval(0)[1] == pytest.approx(
        min(field.values[0] + stretch * (high - field.values[0]), 1.0)
    )
    assert field.seed_variance[0] == 0


def test_few_seeds_that_differ_widen_the_interval_as_student_asks(labels):
    right = np.tile(labels, (3, 1))
    for seed, wrong in enumerate((6, 24, 42)):
        right[seed, np.linspace(0, len(labels) - 1, wrong).astype(int)] += 1
    right %= CLASSES
    field = Sampled(labels, [Answers(right, "a")], CLASSES, resamples=800).field("accuracy")
    variance = field.draws[:, 0].var(ddof=1)
    # as Welch and Satterthwaite have it, but no fewer than those of three seeds
    degrees = max(variance**2 / (field.seed_variance[0] ** 2 / 2), 2)
    assert degrees < 5
    low, high = field.interval(0)
    plain = np.quantile(field.draws[:, 0], [0.025, 0.975])
    ratio = student.ppf(0.975, degrees) / 1.959964
    assert high - low == pytest.approx(min(ratio * (plain[1] - plain[0]), 1 - low), rel=0.02)


def test_the_interquartile_mean_is_resampled_too(sampled):
    field = sampled.field("mpca", middle=True)
    runs = sampled.runs.mpca
    assert field.values[1] == pytest.approx(interquartile_mean(runs[3:]))
    picked = sampled.picked[1][5]
    expected = interquartile_mean(sampled.draws.mpca[5, 3:][picked])
    assert field.draws[5, 1] == pytest.approx(expected)


def test_draws_depend_on_the_name_alone(labels):
    draw = np.random.default_rng(3)
    first, second = answers(draw, labels, 3), answers(draw, labels, 3)
    alone = Sampled(labels, [Answers(second, "b")], CLASSES, resamples=50).field("mpca")
    pair = Sampled(labels, [Answers(first, "a"), Answers(second, "b")], CLASSES, resamples=50)
    np.testing.assert_array_equal(pair.field("mpca").draws[:, 1], alone.draws[:, 0])
    assert (pair.picked[0] != pair.picked[1]).any()


def test_seeds_with_test_sets_of_their_own(labels):
    """A seed that has not an image is judged on the others; an absent class has no recall."""
    given = answers(np.random.default_rng(4), labels, 2)
    given[0, labels == 3] = UNTESTED
    given[1, ::2] = UNTESTED
    sampled = Sampled(labels, [Answers(given, "split")], CLASSES, resamples=60)
    for seed in range(2):
        tested = given[seed] != UNTESTED
        recalls = [(given[seed] == c)[tested & (labels == c)].mean() for c in range(3 + seed)]
        assert sampled.runs.mpca[seed] == pytest.approx(np.mean(recalls))
    assert np.isnan(sampled.runs.recall[0, 3])
    assert np.isfinite(sampled.field("mpca").draws).all()
    assert np.isnan(sampled.field("3").interval(0)).all()
    right = np.where(given == UNTESTED, np.nan, given == labels)
    tested = (given != UNTESTED).any(axis=0)
    np.testing.assert_allclose(sampled.correct[0][tested], np.nanmean(right[:, tested], axis=0))


def test_degrees_of_freedom_follow_welch_and_satterthwaite():
    # two samples of three and five values, their variances of the mean 4 and 1
    found = freedom(np.array(5.0), [(4.0, 3), (1.0, 5)], images=1000)
    assert found == pytest.approx(25 / (16 / 2 + 1 / 4))
    assert freedom(np.array(5.0), [(0.0, 1), (0.0, 1)], images=77) == 77
    assert freedom(np.array(0.01), [(4.0, 3), (1.0, 5)], images=77) == 2
    assert student_quantile(np.array(3.5)) == pytest.approx(student.ppf(0.975, 3.5))


def test_variance_leaves_out_what_is_undefined():
    draws = np.array([[1.0, np.nan, np.nan], [2.0, 5.0, np.nan], [6.0, 8.0, np.nan]])
    found = variance_of(draws)
    np.testing.assert_allclose(found[:2], [np.var([1, 2, 6], ddof=1), np.var([5, 8], ddof=1)])
    assert np.isnan(found[2])


def test_many_runs_are_counted_in_blocks(labels, monkeypatch, sampled):
    from benchmarker.metrics import two_level

    expected = sampled.field("mpca").draws
    monkeypatch.setattr(two_level, "CHUNK_ELEMENTS", 3 * len(labels))
    again = Sampled(labels, sampled.answers, CLASSES, resamples=400)
    np.testing.assert_array_equal(again.field("mpca").draws, expected)

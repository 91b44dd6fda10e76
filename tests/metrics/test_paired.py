import itertools

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_ind

from benchmarker.metrics.paired import Chance, chance_better, differences, mcnemar
from benchmarker.metrics.two_level import UNTESTED, Answers, Sampled
from tests.metrics.answers import CLASSES, answers, truth


def pair(labels, a, b, *, resamples=400, names=("a", "b")):
    given = [Answers(rows, name) for rows, name in zip((a, b), names, strict=True)]
    return Sampled(labels, given, CLASSES, resamples=resamples)


def compared(sampled, name="mpca", one=0, other=1):
    return differences(sampled.field(name), one, np.array([other]))


def test_the_difference_is_that_of_the_means_with_the_error_of_a_brute_bootstrap():
    labels, draw = truth(200), np.random.default_rng(2)
    hard = draw.normal(size=len(labels))
    a, b = (answers(draw, labels, 3, skill=skill, hard=hard) for skill in (2.2, 1.4))
    found = compared(pair(labels, a, b), "accuracy")
    right = [rows == labels for rows in (a, b)]
    assert found.value[0] == pytest.approx(right[0].mean() - right[1].mean())
    brute = np.empty(2000)
    members = [np.flatnonzero(labels == label) for label in range(CLASSES)]
    for number in range(len(brute)):
        images = np.concatenate([draw.choice(rows, len(rows)) for rows in members])
        means = [rows[draw.integers(0, 3, 3)][:, images].mean() for rows in right]
        brute[number] = means[0] - means[1]
    assert found.error[0] == pytest.approx(brute.std(), rel=0.1)
    half = (found.high - found.low)[0] / 2
    assert half > 1.96 * found.error[0]
    assert (found.low + found.high)[0] / 2 == pytest.approx(found.value[0])


def test_the_other_way_round_it_is_the_opposite():
    labels, draw = truth(100), np.random.default_rng(2)
    a, b = answers(draw, labels, 3), answers(draw, labels, 2, skill=1.0)
    sampled = pair(labels, a, b)
    there, back = compared(sampled), compared(sampled, one=1, other=0)
    assert there.value[0] == -back.value[0]
    assert (there.low[0], there.p[0]) == pytest.approx((-back.high[0], back.p[0]))
    forth, fro = chance_better(sampled, "mpca", 0, 1), chance_better(sampled, "mpca", 1, 0)
    assert forth.value == pytest.approx(1 - fro.value)
    assert forth.low == pytest.approx(1 - fro.high)


def test_p_is_below_the_level_where_the_interval_excludes_zero():
    labels = truth(100)
    seen = set()
    for trial in range(30):
        draw = np.random.default_rng(trial)
        a, b = answers(draw, labels, 3, skill=2.2), answers(draw, labels, 3)
        found = compared(pair(labels, a, b, resamples=200))
        excludes = not found.low[0] <= 0 <= found.high[0]
        assert excludes == (found.p[0] < 0.05)
        seen.add(excludes)
    assert seen == {True, False}


def test_without_difference_between_images_it_is_a_t_test_of_the_seeds():
    """On a very large test set only the seeds count: Welch's test of the seeds' scores."""
    labels, draw = truth(10_000), np.random.default_rng(6)
    a, b = (
        np.where(draw.random((6, len(labels))) < rates[:, np.newaxis], labels, 3 - labels)
        for rates in (draw.normal(level, 0.04, 6) for level in (0.85, 0.80))
    )
    sampled = pair(labels, a, b, resamples=1000)
    expected = ttest_ind(*((rows == labels).mean(axis=1) for rows in (a, b)), equal_var=False)
    found = compared(sampled, "accuracy")
    # the bootstrap of six seeds sees 5/6 of their variance
    statistic = found.value[0] / found.error[0] * np.sqrt(5 / 6)
    assert statistic == pytest.approx(expected.statistic, rel=0.1)


def test_equal_answers_cannot_be_told_apart():
    labels = truth(100)
    same = answers(np.random.default_rng(1), labels, 1)
    found = compared(pair(labels, same, same))
    assert (found.value[0], found.error[0], found.p[0]) == (0.0, 0.0, 1.0)
    assert chance_better(pair(labels, same, same), "mpca", 0, 1).value == 0.5


def test_few_unlike_images_are_no_proof():
    """Five images all in favour of A: the signs alone give 2 / 2^5."""
    labels = truth(1000)
    b = labels.copy()[np.newaxis]
    b[0, :5] = (labels[:5] + 1) % CLASSES
    found = compared(pair(labels, labels[np.newaxis], b), "accuracy")
    assert found.value[0] == pytest.approx(0.005)
    assert found.p[0] == pytest.approx(2 / 2**5)
    assert found.p[0] == pytest.approx(mcnemar(labels, labels, b[0]).p)


def test_a_vast_difference_has_a_tiny_p():
    labels = truth(300)
    wrong = (labels + 1) % CLASSES
    found = compared(pair(labels, labels[np.newaxis], wrong[np.newaxis]))
    assert found.value[0] == 1
    assert found.p[0] < 1e-80


@pytest.mark.slow
@pytest.mark.parametrize("spread", [(0.3, 0.05, 0.5), (0.3, 0.3, 0.5)])
def test_a_false_difference_is_as_rare_as_promised(spread):
    false, _ = error_rates(400, spread)
    assert 0 < false <= 0.065


def test_a_false_difference_is_rare_where_plain_percentiles_often_find_one():
    false, plain = error_rates(120, (0.1, 0.4, 0.2))
    assert false <= 0.08
    assert plain >= 0.09


def error_rates(trials, spread):
    """Share of pairs of equally good networks that are told apart: ours, and by percentiles."""
    labels, found, percentiles = truth(300), [], []
    for trial in range(trials):
        draw = np.random.default_rng(trial)
        hard = draw.normal(size=len(labels))
        a, b = (answers(draw, labels, 3, hard=hard, spread=spread) for _ in range(2))
        sampled = pair(labels, a, b, resamples=200)
        found.append(compared(sampled, "accuracy").p[0] < 0.05)
        draws = sampled.field("accuracy").draws
        low, high = np.quantile(draws[:, 0] - draws[:, 1], [0.025, 0.975])
        percentiles.append(not low <= 0 <= high)
    return np.mean(found), np.mean(percentiles)


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (1, 0), (3, 3), (12, 5), (90, 140)])
def test_mcnemar_is_the_binomial_test_of_the_unlike_images(only_a, only_b):
    labels = truth(400)
    a, b = labels.copy(), labels.copy()
    b[:only_a] = (labels[:only_a] + 1) % CLASSES
    a[only_a : only_a + only_b] = (labels[only_a : only_a + only_b] + 1) % CLASSES
    found = mcnemar(labels, a, b)
    assert (found.only_a, found.only_b) == (only_a, only_b)
    number = only_a + only_b
    expected = binomtest(only_a, number).pvalue if number else 1.0
    assert found.p == pytest.approx(expected)
    a[-50:] = UNTESTED
    assert mcnemar(labels, a, b) == found


def test_the_chance_is_the_share_of_pairs_of_runs():
    labels, draw = truth(150), np.random.default_rng(3)
    a, b = answers(draw, labels, 3, skill=2.0), answers(draw, labels, 4)
    sampled = pair(labels, a, b, resamples=100)
    draws = sampled.draws.mpca
    wins, resampled = [], []
    for number in range(100):
        left, right = draws[number, :3], draws[number, 3:]
        wins += [(x > y) + 0.5 * (x == y) for x, y in itertools.product(left, right)]
        left, right = left[sampled.picked[0][number]], right[sampled.picked[1][number]]
        pairs = [(x > y) + 0.5 * (x == y) for x, y in itertools.product(left, right)]
        resampled.append(np.mean(pairs))
    found = chance_better(sampled, "mpca", 0, 1)
    assert found.value == pytest.approx(np.mean(wins))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(resampled, [0.025, 0.975])))


def test_seeds_with_test_sets_of_their_own_are_compared_seed_by_seed():
    labels, draw = truth(200), np.random.default_rng(3)
    a, b = answers(draw, labels, 4, skill=2.0), answers(draw, labels, 4)
    for seed in range(4):
        hidden = draw.random(len(labels)) < 0.5
        a[seed, hidden] = b[seed, hidden] = UNTESTED
    sampled = pair(labels, a, b, resamples=100, names=("split", "split"))
    np.testing.assert_array_equal(*sampled.picked)
    draws = sampled.draws.accuracy
    expected = np.mean((draws[:, :4] > draws[:, 4:]) + 0.5 * (draws[:, :4] == draws[:, 4:]))
    assert chance_better(sampled, "accuracy", 0, 1).value == pytest.approx(expected)


def test_single_runs_have_no_interval_of_the_chance():
    labels, draw = truth(100), np.random.default_rng(3)
    sampled = pair(labels, answers(draw, labels, 1), answers(draw, labels, 3))
    found = chance_better(sampled, "mpca", 0, 1)
    assert (found.low, found.high, found.outcome) == (None, None, "undefined")
    assert 0 <= found.value <= 1


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.55, 0.9, "A"),
        (0.45, 0.9, "undecided"),
        (0.51, 0.7, "too small to matter"),
        (0.1, 0.4, "B"),
        (0.3, 0.49, "too small to matter"),
        (0.5, 1.0, "undecided"),
    ],
)
def test_the_bar_of_bouthillier(low, high, outcome):
    assert Chance((low + high) / 2, low, high).outcome == outcome

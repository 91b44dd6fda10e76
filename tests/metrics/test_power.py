import numpy as np
import pytest

from benchmarker.metrics.paired import differences
from benchmarker.metrics.power import (
    Components,
    _at,
    components,
    images_needed,
    power,
    seeds_needed,
)
from benchmarker.metrics.two_level import UNTESTED, Answers, Sampled
from tests.metrics.answers import CLASSES, answers, truth

SKILLS = (2.0, 1.75)


def drawn(draw, labels, seeds, spread, skills=SKILLS):
    hard = draw.normal(size=len(labels))
    return [answers(draw, labels, seeds, skill=s, hard=hard, spread=spread) for s in skills]


def true_parts(count, seeds, spread):
    """Parts of the variance and the difference, averaged over many test sets."""
    found, values = [], []
    for trial in range(60):
        labels = truth(count)
        a, b = drawn(np.random.default_rng(trial), labels, seeds, spread)
        found.append(components(labels, a, b, balanced=False))
        values.append((a == labels).mean() - (b == labels).mean())
    names = ("images", "seeds", "both")
    means = {name: float(np.mean([getattr(one, name) for one in found])) for name in names}
    return Components(**means, n_images=count, n_seeds=seeds), np.mean(values), np.var(values)


@pytest.mark.parametrize("spread", [(0.3, 0.15, 0.5), (0.5, 0.02, 0.3)])
def test_the_parts_add_up_to_the_variance_that_is_seen(spread):
    parts, _, variance = true_parts(300, 4, spread)
    assert parts.images + parts.seeds + parts.both == pytest.approx(variance, rel=0.35)


@pytest.mark.parametrize(
    ("spread", "by"), [((0.6, 0.05, 0.3), "images"), ((0.2, 0.15, 0.3), "seeds")]
)
def test_with_the_number_that_is_named_four_in_five_trials_see_the_difference(spread, by):
    parts, value, _ = true_parts(300, 4, spread)
    if by == "images":
        count, seeds = images_needed(parts, value), 4
    else:
        count, seeds = 300, seeds_needed(parts, value)
    assert 300 <= count <= 6000
    assert 4 <= seeds <= 60
    labels = truth(count)
    seen = []
    for trial in range(100):
        pair = drawn(np.random.default_rng(1000 + trial), labels, seeds, spread)
        given = [Answers(rows, name) for rows, name in zip(pair, "ab", strict=True)]
        field = Sampled(labels, given, CLASSES, resamples=100).field("accuracy")
        seen.append(differences(field, 0, np.array([1])).p[0] < 0.05)
    assert 0.68 <= np.mean(seen) <= 0.92


def test_more_images_do_not_help_where_the_seeds_differ_too_much():
    parts = Components(images=1e-4, seeds=1e-3, both=1e-5, n_images=400, n_seeds=3)
    assert images_needed(parts, 0.02) is None
    assert seeds_needed(parts, 0.05) > 3
    assert seeds_needed(parts, 0.001) is None
    assert seeds_needed(parts, 0.0) is None


def test_the_number_is_the_smallest_of_enough_power():
    parts = Components(images=4e-4, seeds=1e-5, both=1e-4, n_images=400, n_seeds=5)
    number = images_needed(parts, 0.05)
    assert power(parts, 0.05, images=number / 400) >= 0.8
    assert power(parts, 0.05, images=(number - 1) / 400) < 0.8
    number = seeds_needed(Components(1e-5, 5e-4, 1e-4, 400, 5), 0.05)
    assert power(Components(1e-5, 5e-4, 1e-4, 400, 5), 0.05, seeds=number / 5) >= 0.8


def test_without_difference_the_power_is_the_level():
    parts = Components(images=4e-4, seeds=None, both=None, n_images=400, n_seeds=1)
    assert power(parts, 0.0) == pytest.approx(0.05, abs=1e-6)
    assert power(parts, 10.0) == pytest.approx(1.0)
    assert power(Components(0.0, 0.0, 0.0, 10, 2), 0.1) == 1.0


def test_single_runs_tell_of_images_alone():
    labels = truth(300)
    a, b = drawn(np.random.default_rng(1), labels, 1, (0.3, 0.1, 0.3))
    parts = components(labels, a, b)
    assert (parts.seeds, parts.both, parts.n_seeds) == (None, None, 1)
    means = [(a == labels)[0] * 1.0 - (b == labels)[0]]
    expected = sum(means[0][labels == c].var(ddof=1) / (labels == c).sum() for c in range(CLASSES))
    assert parts.images == pytest.approx(expected / CLASSES**2)
    assert seeds_needed(parts, 0.05) is None
    assert images_needed(parts, 0.05) > 0


def test_what_cannot_be_taken_apart_is_none():
    labels = truth(300)
    a, b = drawn(np.random.default_rng(1), labels, 2, (0.3, 0.1, 0.3))
    a[0, 3] = UNTESTED
    assert components(labels, a, b) is None
    lonely = np.array([0, 0, 0, 1])
    assert components(lonely, lonely[np.newaxis], lonely[np.newaxis]) is None


def test_the_squared_error_is_what_the_bootstrap_finds():
    """Where runs of a network differ from image to image, that counts up to three times."""
    spread, seeds, labels = (0.0, 0.0, 1.5), 3, truth(200)
    parts, _, _ = true_parts(200, seeds, spread)
    assert parts.both > 2 * parts.images
    errors = []
    for trial in range(40):
        pair = drawn(np.random.default_rng(500 + trial), labels, seeds, spread)
        given = [Answers(rows, name) for rows, name in zip(pair, "ab", strict=True)]
        field = Sampled(labels, given, CLASSES, resamples=150).field("accuracy")
        errors.append(differences(field, 0, np.array([1])).error[0] ** 2)
    variance, squared, _ = _at(parts, 1.0, 1.0)
    assert squared == pytest.approx(np.mean(errors), rel=0.15)
    assert squared > 1.4 * variance

"""Whether one network is better than another on the same test images.

The difference of a score is that of the means over the seeds. Its error is the standard
deviation of the difference over resamples of images and seeds (`benchmarker.metrics.two_level`);
interval and p-value are Student's with that error, so that the interval excludes 0 exactly
where p is below 0.05. Two networks that differ on few images can be no further apart than the
signs of those images allow: p is at least 2^(1 - m) for m such images.

For two single runs McNemar's exact test asks the same of the images on which one run is right
and the other wrong.

P(A better than B) is the chance that one run of A beats one run of B on a test set like this
one, ties counting one half. Bouthillier et al. 2021 (MLSys 3, "Accounting for variance in machine
learning benchmarks") ask for more than significance: with a 95 % interval of that chance,
A is better if the interval lies above 0.5 and reaches above 0.75.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarker.metrics.intervals import percentile_interval
from benchmarker.metrics.two_level import (
    UNTESTED,
    Field,
    Sampled,
    freedom,
    student_quantile,
    variance_of,
)

BAR = 0.75
EVEN = 0.5


@dataclass(frozen=True)
class Differences:
    """Score of one network minus those of others, each float (others,).

    error : standard deviation over images and seeds
    degrees : of freedom of the error
    low, high : 95 % interval; NaN where undefined
    p : two-sided, of no difference
    """

    value: np.ndarray
    error: np.ndarray
    degrees: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray


@dataclass(frozen=True)
class Chance:
    """P(A better than B), its 95 % interval over images and seeds, and what follows.

    low, high : None where a network has a single run, which says nothing of other seeds
    """

    value: float
    low: float | None
    high: float | None

    @property
    def outcome(self) -> str:
        """``A``, ``B``, ``too small to matter``, ``undecided`` or ``undefined``."""
        if self.low is None or self.high is None:
            return "undefined"
        for name, low, high in (("A", self.low, self.high), ("B", 1 - self.high, 1 - self.low)):
            if low > EVEN:
                return name if high > BAR else "too small to matter"
        return "undecided"


@dataclass(frozen=True)
class McNemar:
    """Images on which only A is right, only B is right, and the exact two-sided p."""

    only_a: int
    only_b: int
    p: float


def differences(field: Field, one: int, others: np.ndarray) -> Differences:
    """The score of network `one` less that of each of the `others` (int, places in `field`)."""
    value = field.values[one] - field.values[others]
    variance = variance_of(field.draws[:, [one]] - field.draws[:, others])
    parts = [(field.seed_variance[k], field.seeds[k]) for k in (one, others)]
    degrees = freedom(variance, parts, field.images)
    error = np.sqrt(variance)
    reach = student_quantile(degrees) * error
    p = _two_sided(value, error, degrees)
    small = np.flatnonzero(p < EVEN)
    unlike = np.abs(field.correct[others[small]] - field.correct[one]) > 0
    p[small] = np.maximum(p[small], 2.0 ** (1 - np.maximum(unlike.sum(axis=1), 1)))
    return Differences(value, error, degrees, value - reach, value + reach, p)


def _two_sided(value: np.ndarray, error: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    from scipy.special import stdtr

    apart = np.abs(value) > 0
    endless = np.where(apart, np.inf, 0.0)
    distance = np.divide(np.abs(value), error, out=endless, where=error > 0)
    return np.where(np.isnan(error), np.nan, 2 * stdtr(degrees, -distance))


def chance_better(sampled: Sampled, name: str, a: int, b: int) -> Chance:
    """P(a run of network `a` beats one of network `b`) in a score, as `Sampled.field` names it.

    Runs are compared in all pairs, or where the networks are resampled in step (each seed
    has a test set of its own) seed by seed.
    """
    draws = sampled.draws.named(name)
    left, right = (draws[:, sampled.slices[k]] for k in (a, b))
    first, second = sampled.picked[a], sampled.picked[b]
    if sampled.answers[a].draw == sampled.answers[b].draw:
        ahead = _ahead(left, right)
        value, resampled = ahead.mean(), np.take_along_axis(ahead, first, axis=1).mean(axis=1)
    else:
        ahead = _ahead(left[:, :, np.newaxis], right[:, np.newaxis, :])
        rows = np.arange(len(ahead))[:, np.newaxis, np.newaxis]
        drawn = ahead[rows, first[:, :, np.newaxis], second[:, np.newaxis, :]]
        value, resampled = ahead.mean(), drawn.mean(axis=(1, 2))
    if min(left.shape[1], right.shape[1]) == 1:
        return Chance(float(value), None, None)
    low, high = percentile_interval(resampled)
    return Chance(float(value), float(low), float(high))


def _ahead(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return (left > right) + 0.5 * (left == right)


def mcnemar(labels: np.ndarray, predicted_a: np.ndarray, predicted_b: np.ndarray) -> McNemar:
    """McNemar's exact test of two single runs, each int (n,), on the images both tested."""
    from scipy.special import bdtr

    both = (predicted_a != UNTESTED) & (predicted_b != UNTESTED)
    right_a, right_b = predicted_a[both] == labels[both], predicted_b[both] == labels[both]
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    tail = float(bdtr(min(only_a, only_b), only_a + only_b, EVEN))
    return McNemar(only_a, only_b, min(1.0, 2 * tail))

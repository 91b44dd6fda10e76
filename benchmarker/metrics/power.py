"""How many test images, or how many seeds, it would take to tell two networks apart.

The variance of the difference of two networks' scores has three parts: what depends on the
image alone (V_i), on the seed alone (V_s), and what is peculiar to a seed on an image (V_e).
They are estimated from the runs by the analysis of variance of a crossed design (images
within classes, seeds within networks, both random; Searle, Casella & McCulloch 1992, ch. 4).
With k times the images and r times the seeds the variance is

    V(k, r) = V_i / k + V_s / r + V_e / (k r),

and the squared error that the bootstrap of `benchmarker.metrics.two_level` finds, which counts
the last part up to three times and sees S seeds spread by (S - 1) / S of their variance, is

    E(k, r) = V_i / k + s V_s / r + (1 + 2 s) V_e / (k r),   s = 1 - 1 / (r S).

The power to see a true difference d with the test of `benchmarker.metrics.paired` at 5 % is the
chance that a variable of the non-central t distribution with the non-centrality d / sqrt(V)
exceeds t_0.975 sqrt(E / V). The smallest k, or r, of power 0.8 is the answer. The difference
that was found stands in for the true one: read the numbers as an order of magnitude.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarker.metrics.two_level import UNTESTED, freedom, student_quantile

POWER = 0.8
MOST_SEEDS = 1000
MOST_IMAGES = 10_000_000


@dataclass(frozen=True)
class Components:
    """Parts of the variance of the difference of two mean scores.

    images, seeds, both : V_i, V_s, V_e with the present numbers; `seeds` and `both` are None
        where a network has a single run, and `images` then holds V_i + V_e
    n_images, n_seeds : the present numbers; of unlike numbers of seeds the smaller
    """

    images: float
    seeds: float | None
    both: float | None
    n_images: int
    n_seeds: int


def components(
    labels: np.ndarray, predicted_a: np.ndarray, predicted_b: np.ndarray, *, balanced: bool = True
) -> Components | None:
    """Parts of the variance of the difference in MPCA, or in accuracy if not `balanced`.

    Arguments
    ---------
    labels : int (n,), the truth
    predicted_a : int (seeds, n)
    predicted_b : int (seeds, n), of as many seeds or of another number of them
    balanced : whether every class counts alike

    None where the seeds have test sets of their own (the design is then not crossed), or a
    class has a single image.
    """
    sizes = np.bincount(labels)[np.unique(labels)]
    if (predicted_a == UNTESTED).any() or (predicted_b == UNTESTED).any() or sizes.min() < 2:
        return None
    shares = _shares(labels, balanced=balanced)
    right = [(predicted == labels).astype(np.float64) for predicted in (predicted_a, predicted_b)]
    means = [rows.mean(axis=0) for rows in right]
    between = sum(
        share**2 * (means[0] - means[1])[rows].var(ddof=1) / len(rows) for rows, share in shares
    )
    fewest = min(len(rows) for rows in right)
    if fewest == 1:
        return Components(float(between), None, None, len(labels), 1)
    both = [_interaction(rows, shares) for rows in right]
    seeds = [_seed_scores(rows, shares).var(ddof=1) / len(rows) for rows in right]
    return Components(
        images=max(float(between) - sum(both), 0.0),
        seeds=sum(max(float(s) - b, 0.0) for s, b in zip(seeds, both, strict=True)),
        both=sum(both),
        n_images=len(labels),
        n_seeds=fewest,
    )


def _shares(labels: np.ndarray, *, balanced: bool) -> list[tuple[np.ndarray, float]]:
    """Images of each class present, and the weight of its recall in the score."""
    present = np.unique(labels)
    members = [np.flatnonzero(labels == label) for label in present]
    return [(rows, 1 / len(present) if balanced else len(rows) / len(labels)) for rows in members]


def _seed_scores(right: np.ndarray, shares: list[tuple[np.ndarray, float]]) -> np.ndarray:
    return sum(share * right[:, rows].mean(axis=1) for rows, share in shares)


def _interaction(right: np.ndarray, shares: list[tuple[np.ndarray, float]]) -> float:
    """Variance of a network's score by what is peculiar to a seed on an image."""
    total = 0.0
    seeds = len(right)
    for rows, share in shares:
        block = right[:, rows]
        rest = block - block.mean(axis=0) - block.mean(axis=1, keepdims=True) + block.mean()
        square = (rest**2).sum() / ((seeds - 1) * (len(rows) - 1))
        total += share**2 * square / (len(rows) * seeds)
    return float(total)


def power(
    parts: Components, difference: float, *, images: float = 1.0, seeds: float = 1.0
) -> float:
    """Chance to see a true `difference` with `images` and `seeds` times the present numbers."""
    from scipy.special import nctdtr

    variance, error, degrees = _at(parts, images, seeds)
    if variance <= 0:
        return 1.0 if difference else 0.0
    critical = float(student_quantile(np.array(degrees))) * math.sqrt(error / variance)
    distance = abs(difference) / math.sqrt(variance)
    return float(1 - nctdtr(degrees, distance, critical) + nctdtr(degrees, distance, -critical))


def _at(parts: Components, images: float, seeds: float) -> tuple[float, float, float]:
    """Variance of the difference, squared error that the bootstrap finds, degrees of freedom."""
    of_images, of_seeds = parts.images / images, (parts.seeds or 0.0) / seeds
    of_both = (parts.both or 0.0) / (images * seeds)
    number = parts.n_seeds * seeds
    seen = 1 - 1 / number if parts.seeds is not None else 0.0
    error = of_images + seen * of_seeds + (1 + 2 * seen) * of_both
    # either network has about half of what stems from the seeds
    half = (of_seeds + of_both) / 2
    most = max(int(parts.n_images * images), 1)
    degrees = freedom(np.array(error), [(half, np.array(number))] * 2, most)
    return of_images + of_seeds + of_both, error, float(degrees)


def images_needed(parts: Components, difference: float) -> int | None:
    """Test images for a power of 0.8 with the present seeds; None if no number is enough.

    Of the same shares of the classes as the present ones.
    """
    number = parts.n_images
    return _smallest(
        lambda count: power(parts, difference, images=count / number), MOST_IMAGES, difference
    )


def seeds_needed(parts: Components, difference: float) -> int | None:
    """Seeds of each network for a power of 0.8 with the present images; None if none is enough.

    None also where a network has a single run: how much seeds differ is then not known.
    """
    if parts.seeds is None:
        return None
    number = parts.n_seeds
    return _smallest(
        lambda count: power(parts, difference, seeds=count / number), MOST_SEEDS, difference
    )


def _smallest(reached: Callable[[int], float], most: int, difference: float) -> int | None:
    """The smallest count from 2 on with enough power, by bisection; None beyond `most`."""
    if not difference or reached(most) < POWER:
        return None
    low, high = 1, 2
    while reached(high) < POWER:
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) >= POWER else (middle, high)
    return high

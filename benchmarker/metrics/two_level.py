"""Scores of many networks resampled over test images and over seeds, all alike.

A score of a network depends on which images happen to be in the test set and on which seeds
happened to be drawn. Each resample draws images with replacement, class by class, and seeds
with replacement, network by network, and takes the mean over the drawn seeds of the scores on
the drawn images. The images drawn are the same for all networks: what makes an image easy
or hard for all of them cancels in a difference.

Drawing both at once counts what is peculiar to one seed on one image up to three times
(Owen 2007, Ann. Appl. Stat. 1, 386): the intervals are, if anything, too wide. Percentiles of
a few seeds, on the other hand, are too narrow: three seeds say little about how much seeds
differ. Intervals are therefore widened by the ratio of Student's quantile to the normal one,
with the degrees of freedom that Welch and Satterthwaite give for the part of the variance
that stems from the seeds. `benchmarker.metrics.paired` tests with the same quantile. With
three to ten seeds this keeps a false difference below its nominal 5 %, where plain percentiles
of three seeds find one in up to 16 % of the cases (tests simulate it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarker.core.seeds import generator
from benchmarker.metrics.classification import mean_of_defined
from benchmarker.metrics.intervals import (
    CHUNK_ELEMENTS,
    LEVEL,
    NORMAL_QUANTILE,
    bootstrap_weights,
    percentile_interval,
)

RESAMPLES = 1000
UNTESTED = -1
SCORES = ("mpca", "accuracy")


@dataclass(frozen=True)
class Answers:
    """What the runs of one network answered, one run per seed.

    predicted : int (seeds, n), the class given to each image; `UNTESTED` where the test set
        of that seed has not this image (splits that are drawn by the seed)
    draw : name of the draws of seeds; networks of the same name are resampled in step, which
        is right where the seed chose the test set
    """

    predicted: np.ndarray
    draw: str


@dataclass(frozen=True)
class Scores:
    """Accuracy (..., runs) and recall (..., runs, classes), NaN where undefined."""

    accuracy: np.ndarray
    recall: np.ndarray

    @cached_property
    def mpca(self) -> np.ndarray:
        """Mean recall of the classes that are defined: (..., runs)."""
        flat = self.recall.reshape(-1, self.recall.shape[-1])
        return mean_of_defined(flat).reshape(self.accuracy.shape)

    def named(self, name: str) -> np.ndarray:
        """``mpca``, ``accuracy``, or the recall of a class by its number: (..., runs)."""
        return self.recall[..., int(name)] if name.isdigit() else getattr(self, name)


@dataclass(frozen=True)
class Field:
    """One score of several networks, resampled alike.

    values : float (networks,), mean over the seeds
    draws : float (resamples, networks), the same in each resample
    seed_variance : float (networks,), of the mean, as far as the seeds differ; 0 for one seed
    seeds : int (networks,), number of seeds
    images : degrees of freedom of the images, their number less that of the classes
    correct : float (networks, n), share of the seeds that are right on an image
    """

    values: np.ndarray
    draws: np.ndarray
    seed_variance: np.ndarray
    seeds: np.ndarray
    images: int
    correct: np.ndarray

    def interval(self, network: int) -> tuple[float, float]:
        """95 % interval of one network's score, within 0 and 1; NaN where undefined."""
        low, high = percentile_interval(self.draws[:, network])
        value, stretch = self.values[network], self._stretch(network)
        ends = (value - stretch * (value - low), value + stretch * (high - value))
        return float(np.clip(ends[0], 0.0, 1.0)), float(np.clip(ends[1], 0.0, 1.0))

    def _stretch(self, network: int) -> float:
        variance = variance_of(self.draws[:, [network]])
        parts = [(self.seed_variance[network], self.seeds[network])]
        return float(student_quantile(freedom(variance, parts, self.images))[0]) / NORMAL_QUANTILE


class Sampled:
    """The resampled scores of several networks on one test set.

    Arguments
    ---------
    labels : int (n,), the truth
    answers : of each network; all on the same n images
    num_classes : classes, present or not
    resamples : number of resamples; the draws are a function of `labels` and the names
    """

    def __init__(
        self,
        labels: np.ndarray,
        answers: Sequence[Answers],
        num_classes: int,
        resamples: int = RESAMPLES,
    ) -> None:
        self.labels, self.answers = labels, tuple(answers)
        predicted = np.concatenate([one.predicted for one in answers])
        ends = np.cumsum([len(one.predicted) for one in answers])
        self.slices = [slice(e - len(a.predicted), e) for e, a in zip(ends, answers, strict=True)]
        self.runs = run_scores(labels, predicted, num_classes)
        self.draws = _resampled(labels, predicted, num_classes, resamples)
        self.picked = [_seed_draws(one, resamples) for one in answers]
        present = len(np.unique(labels))
        self.images = max(len(labels) - present, 1)
        right = (predicted == labels).astype(np.float32)
        self.correct = np.stack([_mean_tested(right[s], predicted[s]) for s in self.slices])

    def field(self, name: str, *, middle: bool = False) -> Field:
        """One score of all networks: ``mpca``, ``accuracy`` or the number of a class.

        With `middle`, the interquartile mean over the seeds instead of the mean.
        """
        runs, draws = self.runs.named(name), self.draws.named(name)
        parts = list(zip(self.slices, self.picked, strict=True))
        of = _interquartile if middle else _mean
        return Field(
            values=np.array([of(runs[np.newaxis, rows])[0] for rows, _ in parts]),
            draws=np.stack([of(_picked(draws[:, rows], seeds)) for rows, seeds in parts], axis=1),
            seed_variance=np.array([_variance_of_mean(runs[rows]) for rows, _ in parts]),
            seeds=np.array([rows.stop - rows.start for rows, _ in parts]),
            images=self.images,
            correct=self.correct,
        )


def run_scores(labels: np.ndarray, predicted: np.ndarray, num_classes: int) -> Scores:
    """Scores of each run on the images it was tested on: `predicted` int (runs, n)."""
    found = _weighted(np.ones((1, len(labels))), labels, predicted, num_classes)
    return Scores(found.accuracy[0], found.recall[0])


def freedom(
    variance: np.ndarray, parts: Sequence[tuple[np.ndarray | float, np.ndarray | int]], images: int
) -> np.ndarray:
    """Degrees of freedom of a variance estimated from few seeds (Welch-Satterthwaite).

    Arguments
    ---------
    variance : of a mean, or of a difference of means, over seeds and images
    parts : for each network the part of it that stems from its seeds, and their number
    images : degrees of freedom where the seeds play no part

    Never below those of the fewest seeds, never above `images`.
    """
    uncertainty = np.zeros(np.shape(variance))
    fewest = np.full(np.shape(variance), float(images))
    for seed_variance, seeds in parts:
        several = np.asarray(seeds) > 1
        own = np.maximum(np.asarray(seeds) - 1, 1)
        uncertainty = uncertainty + np.where(several, np.square(seed_variance) / own, 0.0)
        fewest = np.minimum(fewest, np.where(several, own, float(images)))
    whole = np.full(np.shape(variance), float(images))
    degrees = np.divide(np.square(variance), uncertainty, out=whole, where=uncertainty > 0)
    return np.clip(degrees, fewest, float(images))


def variance_of(draws: np.ndarray) -> np.ndarray:
    """Sample variance down the columns over the draws that are defined; NaN below two."""
    defined = ~np.isnan(draws)
    number = defined.sum(axis=0)
    safe = np.where(defined, draws, 0.0)
    mean = safe.sum(axis=0) / np.maximum(number, 1)
    squares = (np.where(defined, draws - mean, 0.0) ** 2).sum(axis=0)
    return np.divide(squares, number - 1, out=np.full(number.shape, np.nan), where=number > 1)


def student_quantile(degrees: np.ndarray, share: float = (1 + LEVEL) / 2) -> np.ndarray:
    """Quantile of Student's distribution; the degrees of freedom need not be whole."""
    from scipy.special import stdtrit

    return stdtrit(degrees, share)


def _resampled(
    labels: np.ndarray, predicted: np.ndarray, num_classes: int, resamples: int
) -> Scores:
    """Scores of each run in each resample of the images: (resamples, runs[, classes])."""
    chunks = [
        _weighted(weights, labels, predicted, num_classes)
        for weights in bootstrap_weights(labels, seed=0, resamples=resamples)
    ]
    return Scores(
        np.concatenate([chunk.accuracy for chunk in chunks]),
        np.concatenate([chunk.recall for chunk in chunks]),
    )


def _weighted(
    weights: np.ndarray, labels: np.ndarray, predicted: np.ndarray, num_classes: int
) -> Scores:
    """Scores for weights (rows, n) of the images, in blocks of runs to bound the memory."""
    block = max(1, CHUNK_ELEMENTS // max(1, len(labels)))
    found = [
        _counted(weights, labels, predicted[first : first + block], num_classes)
        for first in range(0, len(predicted), block)
    ]
    hits = np.concatenate([one for one, _ in found], axis=1)
    support = np.concatenate([other for _, other in found], axis=1)
    recall = np.divide(hits, support, out=np.full(hits.shape, np.nan), where=support > 0)
    return Scores(hits.sum(axis=2) / support.sum(axis=2), recall)


def _counted(
    weights: np.ndarray, labels: np.ndarray, predicted: np.ndarray, num_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Images answered rightly and images tested: two float64 (rows, runs, classes)."""
    hits, support = np.zeros((2, len(weights), len(predicted), num_classes))
    everywhere = (predicted != UNTESTED).all()
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        drawn, given = weights[:, members], predicted[:, members]
        # whole numbers in float64: the sum is exact in whatever order the library adds
        hits[:, :, label] = drawn @ (given == label).T.astype(np.float64)
        if everywhere:
            support[:, :, label] = drawn.sum(axis=1, keepdims=True)
        else:
            support[:, :, label] = drawn @ (given != UNTESTED).T.astype(np.float64)
    return hits, support


def _seed_draws(answers: Answers, resamples: int) -> np.ndarray:
    """Which seeds each resample holds: int (resamples, seeds)."""
    seeds = len(answers.predicted)
    draw = generator("seeds", seeds, answers.draw)
    return draw.integers(0, seeds, (resamples, seeds))


def _picked(draws: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    return np.take_along_axis(draws, seeds, axis=1)


def _mean(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=1)


def _interquartile(values: np.ndarray) -> np.ndarray:
    """Interquartile mean along the second axis; see `benchmarker.metrics.seeds`."""
    cut = values.shape[1] // 4
    return np.sort(values, axis=1)[:, cut : values.shape[1] - cut].mean(axis=1)


def _variance_of_mean(values: np.ndarray) -> float:
    return float(np.var(values, ddof=1) / len(values)) if len(values) > 1 else 0.0


def _mean_tested(right: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    tested = predicted != UNTESTED
    number = tested.sum(axis=0)
    total = (right * tested).sum(axis=0)
    return np.divide(total, number, out=np.zeros(len(total), np.float32), where=number > 0)

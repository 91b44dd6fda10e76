"""Several classifiers asked together: their mean or their votes, and how unlike they are.

- *Mean*: the mean of the members' probabilities (Lakshminarayanan et al. 2017, NeurIPS,
  "deep ensembles"). Its scores are the logarithms of the mean, which order images also where
  probabilities are rounded to 1.
- *Vote*: the class that most members predict; where classes have equally many votes, the
  one of higher mean probability. Its probabilities are the shares of the votes, the mean of
  the members counting as one voter more, whose vote is divided among the classes.
- *Disagreement*: share of images on which two members predict different classes, mean over
  all pairs (Fort et al. 2019, arXiv:1912.02757).
- *Spread*: mean squared distance of the members' probabilities from their mean. It is what
  the mean gains in Brier score over its mean member, exactly (Krogh & Vedelsby 1995, NIPS).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarker.metrics.augmented import per_source
from benchmarker.metrics.calibration import Reliability
from benchmarker.metrics.classification import count_statistics, predicted_classes
from benchmarker.metrics.intervals import bootstrap_weights, with_interval
from benchmarker.metrics.shares import rescaled

MEAN, VOTE = "mean", "vote"
HOWS = (MEAN, VOTE)
HIGHER_IS_BETTER = ("accuracy", "mpca", "macro_f1")
LOWER_IS_BETTER = ("cross_entropy", "calibration_error", "brier")
GAINS = (*HIGHER_IS_BETTER, *LOWER_IS_BETTER)


def combined(
    probabilities: np.ndarray, scores: np.ndarray | None = None, *, how: str = MEAN
) -> tuple[np.ndarray, np.ndarray | None]:
    """Probabilities of the members together, and their scores where they have some.

    Arguments
    ---------
    probabilities : float (members, n, classes), not negative
    scores : float (members, n, classes) before the softmax, or None
    how : one of `HOWS`; votes have no scores

    Returns float64 (n, classes), rows of sum 1, and float64 (n, classes) or None.
    """
    shares = np.stack([rescaled(member) for member in probabilities])
    mean = shares.mean(axis=0)
    if how == VOTE:
        voted = np.stack([predicted_classes(member) for member in probabilities])
        votes = (voted[..., np.newaxis] == np.arange(mean.shape[1])).sum(axis=0)
        return (votes + mean) / (len(shares) + 1), None
    if scores is None:
        return mean, None
    found = per_source(np.zeros(mean.shape[0], dtype=np.int64), scores)
    return found.probabilities, found.log_probabilities


def gains(
    labels: np.ndarray,
    together: np.ndarray,
    members: np.ndarray,
    *,
    seed: int = 0,
    resamples: int = 1000,
) -> dict[str, dict[str, Any]]:
    """Scores of an ensemble and its members, and what it gains over them, for JSON.

    Arguments
    ---------
    labels : int (n,), the truth
    together : float (n, classes), probabilities of the ensemble
    members : float (members, n, classes), those of its members
    seed : of the bootstrap over images, stratified by class
    resamples : number of resamples; all are tested on the same drawn images (paired)

    Returns by score of `GAINS`: ``ensemble``, ``members`` (a list), ``over_mean`` and
    ``over_best``, each ``{"value", "low", "high"}``, and ``best``, the place of the best
    member. A gain is positive where the ensemble is better, also in scores of which less is
    better. The best member of each score is chosen on these very images, which flatters
    it; the interval of ``over_best`` is for that member.
    """
    labels = np.asarray(labels, dtype=np.int64)
    samples = [_Sample(labels, one) for one in (together, *members)]
    values = _all(samples, np.ones((1, len(labels))))
    weighted = [
        _all(samples, weights)
        for weights in bootstrap_weights(labels, seed=seed, resamples=resamples)
    ]
    draws = {
        name: np.concatenate([np.empty((0, len(samples))), *(draw[name] for draw in weighted)])
        for name in GAINS
    }
    return {name: _gain(name, values[name], draws[name]) for name in GAINS}


def _gain(name: str, values: np.ndarray, draws: np.ndarray) -> dict[str, Any]:
    """From (1, 1 + members) values and (resamples, 1 + members) draws, the ensemble first."""
    sign = 1.0 if name in HIGHER_IS_BETTER else -1.0
    first, *others = with_interval(values, [draws])
    best = int(np.argmax(sign * values[0, 1:]))

    def over(column: Any) -> dict[str, float | None]:
        gained, drawn = (sign * (array[:, 0] - column(array[:, 1:])) for array in (values, draws))
        return with_interval(gained, [drawn])[0]

    return {
        "ensemble": first,
        "members": others,
        "best": best,
        "over_mean": over(lambda scores: scores.mean(axis=1)),
        "over_best": over(lambda scores: scores[:, best]),
    }


class _Sample:
    """One set of predictions, ready to be weighted."""

    def __init__(self, labels: np.ndarray, probabilities: np.ndarray) -> None:
        self.classes = probabilities.shape[1]
        self.present = np.bincount(labels, minlength=self.classes) > 0
        cells = labels * self.classes + predicted_classes(probabilities)
        self.one_hot = (cells[:, np.newaxis] == np.arange(self.classes**2)).astype(np.float64)
        self.reliability = Reliability.of(labels, probabilities)

    def statistics(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        counts = (weights @ self.one_hot).reshape(-1, self.classes, self.classes)
        return count_statistics(counts, self.present) | self.reliability.statistics(weights)


def _all(samples: Sequence[_Sample], weights: np.ndarray) -> dict[str, np.ndarray]:
    """Each of `GAINS` as float (resamples, samples)."""
    found = [sample.statistics(weights) for sample in samples]
    return {name: np.stack([one[name] for one in found], axis=1) for name in GAINS}


def diversity(
    labels: np.ndarray, members: np.ndarray, *, seed: int = 0, resamples: int = 1000
) -> dict[str, Any]:
    """How unlike at least two members are, for JSON; all but ``pairs`` with intervals.

    Arguments
    ---------
    labels : int (n,), the truth
    members : float (members, n, classes), probabilities
    seed : of the bootstrap over images
    resamples : number of resamples

    Returns ``disagreement`` and ``spread`` as above; shares of the images on which all members
    predict one class (``unanimous``), on which none is right (``all_wrong``), and on which one
    or more is (``some_right``): what a perfect choice among the members would reach; and
    ``pairs``, a list of ``{"members", "disagreement"}``.
    """
    labels = np.asarray(labels, dtype=np.int64)
    predicted = np.stack([predicted_classes(member) for member in members])
    shares = np.stack([rescaled(member) for member in members])
    number = len(members)
    pairs = [(a, b) for a in range(number) for b in range(a + 1, number)]
    unlike = np.stack([predicted[a] != predicted[b] for a, b in pairs])
    right = (predicted == labels).any(axis=0)
    per_image = {
        "disagreement": unlike.mean(axis=0),
        "spread": ((shares - shares.mean(axis=0)) ** 2).sum(axis=2).mean(axis=0),
        "unanimous": ~unlike.any(axis=0),
        "all_wrong": ~right,
        "some_right": right,
    }
    table = np.stack(list(per_image.values()), axis=1).astype(np.float64)
    draws = [
        weights @ table / len(labels)
        for weights in bootstrap_weights(labels, seed=seed, resamples=resamples)
    ]
    entries = with_interval(table.mean(axis=0, keepdims=True), draws)
    return {
        **dict(zip(per_image, entries, strict=True)),
        "pairs": [
            {"members": list(pair), "disagreement": float(rate)}
            for pair, rate in zip(pairs, unlike.mean(axis=1), strict=True)
        ],
    }

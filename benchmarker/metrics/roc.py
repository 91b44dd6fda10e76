"""The ROC curve and the area under it, exact where scores are tied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RankedScores:
    """Scores of one class sorted once, so that many weightings are ranked cheaply.

    positive : bool (n,), in ascending order of score
    order : int (n,), the ascending order of the scores
    starts : int, where each run of equal scores begins in that order
    """

    positive: np.ndarray
    order: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, positive: np.ndarray, scores: np.ndarray) -> RankedScores:
        """Rank `scores` (n,) of which `positive` (bool, n) belong to the class."""
        order = np.argsort(scores, kind="stable")
        ascending = scores[order]
        starts = np.flatnonzero(np.r_[True, ascending[1:] != ascending[:-1]])
        return cls(positive=positive[order], order=order, starts=starts)

    def tallies(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weight of positives and of negatives at each distinct score, ascending."""
        ordered = weights[:, self.order]
        inside = np.add.reduceat(ordered * self.positive, self.starts, axis=1)
        outside = np.add.reduceat(ordered * ~self.positive, self.starts, axis=1)
        return inside, outside

    def area(self, weights: np.ndarray) -> np.ndarray:
        """Chance that a positive scores above a negative, ties counting one half.

        Arguments
        ---------
        weights : float (resamples, n), weight of each sample in the order given to `of`

        Returns float (resamples,) in [0, 1]; NaN without positives or without negatives.
        """
        inside, outside = self.tallies(weights)
        below = np.cumsum(outside, axis=1) - outside
        wins = (inside * (below + outside / 2)).sum(axis=1)
        pairs = inside.sum(axis=1) * outside.sum(axis=1)
        return np.divide(wins, pairs, out=np.full(len(wins), np.nan), where=pairs > 0)


def log_odds(scores: np.ndarray) -> np.ndarray:
    """Log of p / (1 - p) of each class, from the scores before the softmax.

    Arguments
    ---------
    scores : float (..., classes), finite

    Returns float64 of the same shape: s_k - log(sum over the others of exp(s_j)); for two
    classes the difference of the scores. It orders images as the probability does, also
    where that is rounded to 0 or 1. A single class keeps its score.
    """
    scores = np.asarray(scores, dtype=np.float64)
    number = scores.shape[-1]
    if number == 1:
        return scores
    others = np.stack([np.delete(scores, k, axis=-1) for k in range(number)], axis=-2)
    return scores - log_sum_exp(others, axis=-1)


def log_sum_exp(values: np.ndarray, axis: int) -> np.ndarray:
    """Log of the sum of exponentials along `axis`, safe for values of any size."""
    highest = values.max(axis=axis, keepdims=True)
    total = np.exp(values - highest).sum(axis=axis)
    return np.squeeze(highest, axis=axis) + np.log(total)


def roc_curve(positive: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rates of false and of true positives as the threshold falls through every score.

    Arguments
    ---------
    positive : bool (n,)
    scores : float (n,), finite; equal scores make one step of the curve

    Returns two arrays that begin at 0 and end at 1; both empty without positives or
    without negatives, where there is no curve.
    """
    positive = np.asarray(positive, dtype=bool)
    if positive.all() or not positive.any():
        return np.empty(0), np.empty(0)
    ranked = RankedScores.of(positive, np.asarray(scores))
    inside, outside = ranked.tallies(np.ones((1, len(positive))))
    true_rate = np.cumsum(inside[0][::-1]) / inside.sum()
    false_rate = np.cumsum(outside[0][::-1]) / outside.sum()
    return np.r_[0.0, false_rate], np.r_[0.0, true_rate]

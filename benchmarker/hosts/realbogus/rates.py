"""Rates as psat-ml's programs print them: on a grid of thresholds, slips and all.

`benchmarker.metrics.operating_points` is exact; these are for comparison with numbers of the
original. A stamp is real at threshold h where its score is at least h. Without real stamps the
true positive rate is 0 everywhere, without bogus ones the false positive rate is 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarker.metrics.operating_points import OperatingPoint

TRAINING_STEP = 1e-3
PLOT_STEP = 1e-4
PRECISION_STEP = 0.04
SHOWN = (0.01, 0.02, 0.03, 0.035, 0.04, 0.05, 0.1, 0.25)  # what plotROC prints


@dataclass(frozen=True)
class SteppedRates:
    """False and true positive rates on a grid.

    thresholds : float64 (k,), 0 to 1 without 1
    false, true : float64 (k,), or (k + 1,) where (0, 0) was appended
    """

    thresholds: np.ndarray
    false: np.ndarray
    true: np.ndarray


def stepped_rates(
    labels: np.ndarray, scores: np.ndarray, *, step: float = PLOT_STEP, closed: bool = False
) -> SteppedRates:
    """Rates at ``arange(0, 1, step)``; `closed` appends (0, 0) as the training program does.

    labels : (n,), 1 for real and 0 for bogus; scores : float (n,)
    """
    labels, scores = np.asarray(labels), np.asarray(scores, np.float64)
    thresholds = np.arange(0, 1, step)
    end = [0.0] if closed else []
    real = _shares_above(scores[labels == 1], thresholds, absent=0.0)
    bogus = _shares_above(scores[labels == 0], thresholds, absent=1.0)
    return SteppedRates(thresholds, np.r_[bogus, end], np.r_[real, end])


def _shares_above(scores: np.ndarray, thresholds: np.ndarray, *, absent: float) -> np.ndarray:
    """Share of scores of at least each threshold; `absent` where there are none."""
    if not scores.size:
        return np.full(len(thresholds), absent)
    below = np.searchsorted(np.sort(scores), thresholds, side="left")
    return (scores.size - below) / scores.size


def stepped_false_at_missed(rates: SteppedRates, most: float) -> OperatingPoint:
    """False positive rate at the largest threshold that misses at most `most`.

    Undefined where every threshold misses more; the original fails there.
    """
    return _point(rates, 1 - rates.true <= most, rates.false, most, last=True)


def stepped_missed_at_false(rates: SteppedRates, most: float) -> OperatingPoint:
    """Missed detection rate at the smallest threshold that lets at most `most` pass.

    Undefined where every threshold lets more pass; the original fails there.
    """
    return _point(rates, rates.false <= most, 1 - rates.true, most, last=False)


def _point(
    rates: SteppedRates, allowed: np.ndarray, values: np.ndarray, most: float, *, last: bool
) -> OperatingPoint:
    places = np.flatnonzero(allowed)
    if not places.size:
        bound = "misses" if last else "passes"
        return OperatingPoint(most, None, None, f"every threshold {bound} more than {most:g}")
    place = int(places[-1 if last else 0])
    inside = place < len(rates.thresholds)
    reason = "" if inside else "nothing is taken"
    threshold = float(rates.thresholds[place]) if inside else None
    return OperatingPoint(most, float(values[place]), threshold, reason)


def stepped_precision_recall(
    labels: np.ndarray, scores: np.ndarray, *, step: float = PRECISION_STEP
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision, recall and thresholds, each float64 (k,); a score must be above a threshold.

    Both are 0 where undefined, as in the original, which then appends k points (1, 0) for
    nothing; they are left out here.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, np.float64)
    thresholds = np.arange(0, 1, step)
    taken = scores[np.newaxis] > thresholds[:, np.newaxis]
    found = (taken & (labels == 1)).sum(axis=1).astype(np.float64)
    precision = np.divide(found, taken.sum(axis=1), out=np.zeros_like(found), where=found > 0)
    return precision, found / max(int((labels == 1).sum()), 1), thresholds

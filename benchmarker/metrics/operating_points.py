"""Working points of a score that tells one class from the rest: exact rates and thresholds.

A source is taken where its score is at least the threshold. *Missed detection rate*: the share of
the class that is not taken. *False positive rate*: the share of the others that is. Only the
scores themselves are thresholds, so nothing is lost to a grid, and tied scores fall together.

What cannot be defined is None, with the reason in words; it is never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarker.metrics.roc import RankedScores

MISSED = (0.01, 0.04)  # one in a hundred, and the point at which survey servers work
FALSE = (0.01, 0.04)
_ROUNDING = 1e-9  # of a count: 0.29 x 100 is 28.999999999999996


@dataclass(frozen=True)
class OperatingPoint:
    """One rate where the other is bounded.

    asked : the bound on the other rate
    rate : what is reached; None where undefined
    threshold : least score that is taken; None where nothing is taken, or undefined
    reason : why something is None, in words; empty else
    """

    asked: float
    rate: float | None
    threshold: float | None
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return dict(vars(self))


@dataclass(frozen=True)
class ScoreRates:
    """How many of the class and of the others are taken at each distinct score.

    thresholds : float64 (k,), distinct scores, ascending
    found, passed : int64 (k,), members of the class and others with at least that score
    members, others : how many there are
    """

    thresholds: np.ndarray
    found: np.ndarray
    passed: np.ndarray
    members: int
    others: int

    @property
    def missed(self) -> np.ndarray:
        """Missed detection rate at each threshold, at last above all: (k + 1,); NaN: undefined."""
        return _shares(self.members - np.r_[self.found, 0], self.members)

    @property
    def false(self) -> np.ndarray:
        """False positive rate likewise, (k + 1,)."""
        return _shares(np.r_[self.passed, 0], self.others)

    @property
    def purity(self) -> np.ndarray:
        """Share of what is taken that belongs to the class, at each threshold: (k,)."""
        return self.found / (self.found + self.passed)


def _shares(counts: np.ndarray, whole: int) -> np.ndarray:
    return counts / whole if whole else np.full(len(counts), np.nan)


def score_rates(inside: np.ndarray, scores: np.ndarray) -> ScoreRates:
    """Counts at every distinct score.

    Arguments
    ---------
    inside : bool (n,), whether each source belongs to the class
    scores : float (n,), finite

    Without a source all arrays are empty.
    """
    inside, scores = np.asarray(inside, bool), np.asarray(scores, np.float64)
    if not len(scores):
        return ScoreRates(*(np.empty(0) for _ in range(3)), 0, 0)
    members, others = RankedScores.of(inside, scores).tallies(np.ones((1, len(scores))))
    found, passed = (
        np.cumsum(tally[0][::-1])[::-1].astype(np.int64) for tally in (members, others)
    )
    return ScoreRates(np.unique(scores), found, passed, int(inside.sum()), int((~inside).sum()))


def false_at_missed(rates: ScoreRates, most: float) -> OperatingPoint:
    """Least false positive rate with a missed detection rate of at most `most`.

    The threshold is the largest that misses no more.
    """
    reason = _reason(rates)
    if reason:
        return OperatingPoint(most, None, None, reason)
    allowed = rates.members - rates.found <= most * rates.members + _ROUNDING
    place = int(np.flatnonzero(allowed)[-1])
    return OperatingPoint(most, float(rates.false[place]), float(rates.thresholds[place]))


def missed_at_false(rates: ScoreRates, most: float) -> OperatingPoint:
    """Least missed detection rate with a false positive rate of at most `most`.

    The threshold is the smallest that lets no more pass. Where tied scores leave no such
    threshold nothing is taken: all are missed, and the threshold is None.
    """
    reason = _reason(rates)
    if reason:
        return OperatingPoint(most, None, None, reason)
    allowed = np.flatnonzero(rates.passed <= most * rates.others + _ROUNDING)
    if not allowed.size:
        reason = f"every threshold lets more than {most:g} of the others pass"
        return OperatingPoint(most, 1.0, None, reason)
    place = int(allowed[0])
    return OperatingPoint(most, float(rates.missed[place]), float(rates.thresholds[place]))


def _reason(rates: ScoreRates) -> str:
    lacking = [word for word, n in (("class", rates.members), ("others", rates.others)) if not n]
    return f"undefined: no source of the {' and of the '.join(lacking)}" if lacking else ""


def working_points(
    inside: np.ndarray,
    scores: np.ndarray,
    *,
    missed: Sequence[float] = MISSED,
    false: Sequence[float] = FALSE,
) -> dict[str, Any]:
    """Area under the curve and exact working points, ready for JSON.

    Arguments
    ---------
    inside : bool (n,), whether each source belongs to the class
    scores : float (n,), finite
    missed : bounds on the missed detection rate
    false : bounds on the false positive rate

    Returns ``n``, ``members``, ``auc`` (None where undefined), ``false_at_missed`` and
    ``missed_at_false``, lists of points in the order asked for.
    """
    inside, scores = np.asarray(inside, bool), np.asarray(scores, np.float64)
    rates = score_rates(inside, scores)
    area = None
    if rates.members and rates.others:
        area = float(RankedScores.of(inside, scores).area(np.ones((1, len(scores))))[0])
    return {
        "n": len(scores),
        "members": rates.members,
        "auc": area,
        "false_at_missed": [false_at_missed(rates, most).as_dict() for most in missed],
        "missed_at_false": [missed_at_false(rates, most).as_dict() for most in false],
    }


def chosen_thresholds(
    classes: Sequence[str],
    validation: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
) -> dict[str, Any] | None:
    """Thresholds on the probability of the last of two classes, chosen before the test.

    Arguments
    ---------
    classes : names in label order; None is returned unless they are two
    validation : int labels (n,) and float probabilities (n, 2), on which thresholds are chosen
    test : the same of the test images, on which they are tried

    Returns, ready for JSON, ``class``, ``fitted_on``, ``n`` and ``members`` of the validation
    images, and lists ``false_at_missed`` and ``missed_at_false`` of points, each with the rates
    ``test_missed`` and ``test_false`` that its threshold gives, None where undefined.
    """
    if len(classes) != 2:
        return None
    inside, scores = validation[0] == 1, validation[1][:, 1]
    found = working_points(inside, scores)
    kept = {key: found[key] for key in ("n", "members")}
    lists = {
        key: [point | _tried(point["threshold"], test) for point in found[key]]
        for key in ("false_at_missed", "missed_at_false")
    }
    return {"class": classes[1], "fitted_on": "validation", **kept, **lists}


def _tried(threshold: float | None, test: tuple[np.ndarray, np.ndarray]) -> dict[str, float | None]:
    """Rates of the test images at a threshold."""
    inside, taken = np.asarray(test[0]) == 1, test[1][:, 1] >= (threshold or 0.0)
    known = threshold is not None
    return {
        "test_missed": float((~taken[inside]).mean()) if known and inside.any() else None,
        "test_false": float(taken[~inside].mean()) if known and not inside.all() else None,
    }

"""What is gained by looking at some images only: coverage, completeness and purity.

- *Accuracy against coverage*: images are taken in falling order of confidence; coverage is
  the share taken so far, accuracy the share of those that is right. Images of equal
  confidence are taken together; within them the expected value over all orders counts, so
  that the order of a table changes nothing.
- *Area*: the mean of that accuracy over the n coverages 1/n, 2/n, ... 1. One minus it is
  the area under the risk-coverage curve (Geifman, Uziel & El-Yaniv 2019, ICLR).
- *Completeness* of a class at a threshold: the share of its sources with at least that
  probability (recall). *Purity*: the share of all sources with at least that probability
  that belong to the class (precision). These are the words of source catalogues.

What cannot be defined is None, with the reason in words; it is never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarker.metrics.roc import RankedScores, log_odds
from benchmarker.metrics.shares import rescaled


@dataclass(frozen=True)
class RankedConfidence:
    """Images in falling order of confidence, sorted once for many weightings.

    order : int (n,), the images, most confident first
    starts : int, where each run of equal confidence begins in that order
    right : bool (n,), in that order
    """

    order: np.ndarray
    starts: np.ndarray
    right: np.ndarray

    @classmethod
    def of(cls, confidence: np.ndarray, right: np.ndarray) -> RankedConfidence:
        """From the confidence of each image and whether it is right, both (n,), n at least 1."""
        order = np.argsort(-confidence, kind="stable")
        falling = confidence[order]
        starts = np.flatnonzero(np.r_[True, falling[1:] != falling[:-1]])
        return cls(order=order, starts=starts, right=np.asarray(right, dtype=bool)[order])

    def tallies(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weight of all images and of right ones at each distinct confidence, falling."""
        ordered = weights[:, self.order]
        taken = np.add.reduceat(ordered, self.starts, axis=1)
        return taken, np.add.reduceat(ordered * self.right, self.starts, axis=1)

    def area(self, weights: np.ndarray) -> np.ndarray:
        """Mean accuracy over all coverages: float (resamples,).

        Arguments
        ---------
        weights : float (resamples, n), whole numbers: how often each image is there
        """
        taken, right = self.tallies(weights)
        taken_before = np.cumsum(taken, axis=1) - taken
        right_before = np.cumsum(right, axis=1) - right
        total = taken.sum(axis=1)
        harmonic = harmonic_numbers(int(total.max()))
        rate = np.divide(right, taken, out=np.zeros_like(taken), where=taken > 0)
        # sum over j = 1 .. taken of (right_before + rate j) / (taken_before + j)
        upper = harmonic[(taken_before + taken).astype(int)]
        steps = upper - harmonic[taken_before.astype(int)]
        return (right + (right_before - rate * taken_before) * steps).sum(axis=1) / total


def harmonic_numbers(highest: int) -> np.ndarray:
    """1 + 1/2 + ... + 1/k for k = 0 .. highest, float64 (highest + 1,)."""
    return np.r_[0.0, np.cumsum(1 / np.arange(1, highest + 1))]


def confidence_of(probabilities: np.ndarray, scores: np.ndarray | None = None) -> np.ndarray:
    """What orders images by confidence, float (n,): the probability of the predicted class.

    Where scores before the softmax are given, the log-odds of that class: in the same order,
    but not tied where probabilities are rounded to 1.
    """
    predicted = np.argmax(probabilities, axis=1)
    ranking = rescaled(probabilities) if scores is None else log_odds(scores)
    return ranking[np.arange(len(ranking)), predicted]


def coverage(
    labels: np.ndarray,
    probabilities: np.ndarray,
    *,
    scores: np.ndarray | None = None,
    at: Sequence[float] = (),
) -> dict[str, Any]:
    """Accuracy of the most confident images against their share of all, for JSON.

    Arguments
    ---------
    labels : int (n,), the truth
    probabilities : float (n, classes), not negative
    scores : float (n, classes), before the softmax; orders what probabilities leave tied
    at : coverages in (0, 1] at which the accuracy is asked for

    Returns ``n``; ``coverage`` and ``accuracy``, lists with one entry per distinct confidence,
    most confident first; ``area``; ``ideal_area``, that of an order with every right image
    before every wrong one; and ``at``, a list of ``{"coverage", "accuracy"}``. Without an image
    the lists are empty, and the areas and accuracies None.
    """
    labels = np.asarray(labels, dtype=np.int64)
    number = len(labels)
    if not number:
        nothing = [{"coverage": float(share), "accuracy": None} for share in at]
        none = {"area": None, "ideal_area": None, "at": nothing}
        return {"n": 0, "coverage": [], "accuracy": [], **none}
    right = np.asarray(probabilities).argmax(axis=1) == labels
    ranked = RankedConfidence.of(confidence_of(probabilities, scores), right)
    ones = np.ones((1, number))
    taken, hits = (np.cumsum(tally[0]) for tally in ranked.tallies(ones))
    best, hit = harmonic_numbers(number), int(right.sum())
    return {
        "n": number,
        "coverage": (taken / number).tolist(),
        "accuracy": (hits / taken).tolist(),
        "area": float(ranked.area(ones)[0]),
        "ideal_area": float((hit + hit * (best[number] - best[hit])) / number),
        "at": [
            {"coverage": float(share), "accuracy": _accuracy_at(share * number, taken, hits)}
            for share in at
        ],
    }


def _accuracy_at(wanted: float, taken: np.ndarray, hits: np.ndarray) -> float:
    return float(np.interp(wanted, np.r_[0, taken], np.r_[0, hits]) / wanted)


def completeness_purity(
    labels: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    *,
    thresholds: Sequence[float] | None = None,
) -> dict[str, dict[str, Any]]:
    """Completeness and purity of every class against a threshold on its probability.

    Arguments
    ---------
    labels : int (n,), the truth
    probabilities : float (n, classes), taken as they are
    classes : names in label order
    thresholds : at which both are given; every distinct probability of the class if None

    Returns by class ``n`` (sources of the class in the truth) and lists of equal length, by
    ascending threshold: ``threshold``, ``selected`` (sources with at least that probability),
    ``completeness`` and ``purity``, None where undefined; ``undefined`` says why, in words.
    """
    labels = np.asarray(labels, dtype=np.int64)
    probabilities = np.asarray(probabilities, dtype=np.float64)
    return {
        name: _of_class(name, labels == index, probabilities[:, index], thresholds)
        for index, name in enumerate(classes)
    }


def _of_class(
    name: str, inside: np.ndarray, shares: np.ndarray, thresholds: Sequence[float] | None
) -> dict[str, Any]:
    distinct = np.unique(shares)
    asked = distinct if thresholds is None else np.sort(np.asarray(thresholds, dtype=float))
    selected, found = np.zeros((2, len(asked)))
    if len(shares):
        members, others = RankedScores.of(inside, shares).tallies(np.ones((1, len(shares))))
        first = np.searchsorted(distinct, asked, side="left")
        found = _from(members[0])[first]
        selected = found + _from(others[0])[first]
    return {
        "n": int(inside.sum()),
        "threshold": asked.tolist(),
        "selected": selected.astype(int).tolist(),
        "completeness": _ratios(found, np.full(len(asked), inside.sum())),
        "purity": _ratios(found, selected),
        "undefined": _reasons(name, inside, asked[selected == 0]),
    }


def _from(tallies: np.ndarray) -> np.ndarray:
    """Sum of the tallies from each place to the end, and 0 beyond it."""
    return np.r_[np.cumsum(tallies[::-1])[::-1], 0.0]


def _ratios(upper: np.ndarray, lower: np.ndarray) -> list[float | None]:
    return [float(a / b) if b else None for a, b in zip(upper, lower, strict=True)]


def _reasons(name: str, inside: np.ndarray, empty: np.ndarray) -> list[str]:
    reasons = []
    if not inside.any():
        reasons.append(f"completeness of {name} is undefined: no source of it is in the truth")
    if empty.size:
        where = f"at {empty[0]:g}" + (" and above" if empty.size > 1 else "")
        reasons.append(f"purity of {name} is undefined {where}: no source has that probability")
    return reasons

"""Scores apart by what else is known of the sources: band, artefact strength, magnitude.

A fact of words gives a row for each word; a fact of numbers is cut into ranges with equally
many sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarker.core.errors import RunFailedError
from benchmarker.metrics.intervals import wilson

RANGES = 8
MOST_WORDS = 64
# so few numbers are steps of a setting (a sub-band's MHz), not a measurement
MOST_STEPS = 24


@dataclass(frozen=True)
class Share:
    """The accuracy over the sources with one word or range of a fact.

    Arguments
    ---------
    name : the word, or the range in words
    low, high : ends of the range; None for words
    n : sources
    accuracy : share classified rightly
    bounds : its 95 % Wilson interval
    recall : by class name: share of the sources of that class classified rightly, None where
        there are none
    """

    name: str
    low: float | None
    high: float | None
    n: int
    accuracy: float
    bounds: tuple[float, float]
    recall: dict[str, float | None]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        found = {"name": self.name, "n": self.n, "accuracy": self.accuracy}
        ends = {"low": self.low, "high": self.high}
        bounds = {"accuracy_low": self.bounds[0], "accuracy_high": self.bounds[1]}
        return {**found, **ends, **bounds, "recall": self.recall}


def shares_by(
    values: Sequence[Any],
    labels: np.ndarray,
    predicted: np.ndarray,
    classes: Sequence[str],
    *,
    ranges: int = RANGES,
) -> list[Share]:
    """Accuracy and recall for each word or range of a fact, in their natural order.

    Arguments
    ---------
    values : of n sources: words, or numbers; sources with an empty word or NaN are left out
    labels : int (n,), the truth
    predicted : int (n,)
    classes : class names in label order
    ranges : at most so many ranges of a fact of numbers, fewer where values repeat

    A fact of numbers with at most `MOST_STEPS` different values has a row for each. Returns
    nothing where no source has a value, or words are more than `MOST_WORDS`. Raises
    `RunFailedError` where the lengths differ.
    """
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    if not len(values) == len(labels) == len(predicted):
        lengths = f"{len(values)} values, {len(labels)} labels, {len(predicted)} predictions"
        message = f"{lengths}; expected as many of each"
        raise RunFailedError(message)
    numbers = as_numbers(values)
    groups = _words(values) if numbers is None else _ranges(numbers, ranges)
    return [_share(group, labels, predicted, classes) for group in groups]


def as_numbers(values: Sequence[Any]) -> np.ndarray | None:
    """float64 (n,) where every value that is there is a number (NaN: not there), else None."""
    try:
        numbers = np.array([float(v) if str(v) else np.nan for v in values], np.float64)
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).any() else None


_Group = tuple[str, float | None, float | None, np.ndarray]


def _words(values: Sequence[Any]) -> list[_Group]:
    words = np.array([str(value) for value in values])
    names = sorted(set(words) - {"", "nan"})
    if len(names) > MOST_WORDS:
        return []
    return [(name, None, None, np.flatnonzero(words == name)) for name in names]


def _ranges(numbers: np.ndarray, count: int) -> list[_Group]:
    known = numbers[np.isfinite(numbers)]
    steps = np.unique(known)
    if len(steps) <= MOST_STEPS:
        rows = [np.flatnonzero(numbers == step) for step in steps]
        found = zip(steps, rows, strict=True)
        return [(f"{step:g}", float(step), float(step), row) for step, row in found]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, count + 1)))
    place = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, len(edges) - 2)
    place = np.where(np.isfinite(numbers), place, -1)
    return [
        (f"{low:.3g} to {high:.3g}", float(low), float(high), np.flatnonzero(place == number))
        for number, (low, high) in enumerate(pairwise(edges))
    ]


def _share(
    group: _Group, labels: np.ndarray, predicted: np.ndarray, classes: Sequence[str]
) -> Share:
    name, low, high, rows = group
    right = labels[rows] == predicted[rows]
    recall = {
        word: float(right[own].mean()) if (own := labels[rows] == label).any() else None
        for label, word in enumerate(classes)
    }
    bounds = wilson(int(right.sum()), len(rows))
    return Share(name, low, high, len(rows), float(right.mean()), bounds, recall)

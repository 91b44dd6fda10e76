"""The part of a network's page that shows scores apart by what is known of the sources."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarker.metrics.by_fact import Share, shares_by
from benchmarker.metrics.intervals import wilson
from benchmarker.report.site import words
from benchmarker.report.site.charts import Chart, Curve, Point
from benchmarker.report.site.evidence import Reader, SeedTest
from benchmarker.report.site.scales import linear, logarithmic
from benchmarker.report.text import percent


def by_facts(
    tests: Sequence[SeedTest], classes: Sequence[str], reader: Reader
) -> list[dict[str, Any]]:
    """A table for each fact, and a chart where its values are numbers; in the set's order.

    Images of all seeds count together; the interval is that of one test set as large as
    theirs, because the same image in several runs is no new image.
    """
    known = [(test, reader.read(test.record.source_facts) or {}) for test in tests]
    names = dict.fromkeys(name for _, facts in known for name in facts)
    found = []
    for name in names:
        kept = [(test, facts[name]) for test, facts in known if name in facts]
        values = [value for _, own in kept for value in own]
        labels = np.concatenate([test.labels for test, _ in kept])
        predicted = np.concatenate([test.said.probabilities.argmax(axis=1) for test, _ in kept])
        shares = shares_by(values, labels, predicted, classes)
        if len(shares) > 1:
            found.append(_part(name.replace("_", " "), shares, len(kept), classes))
    return found


def _part(name: str, shares: Sequence[Share], seeds: int, classes: Sequence[str]) -> dict[str, Any]:
    bounds = [_bounds(share, seeds) for share in shares]
    rows = [
        {
            "name": share.name,
            "n": f"{share.n:,}",
            "cells": [
                words.share(share.accuracy),
                words.between(*ends),
                *(words.share(share.recall[one]) for one in classes),
            ],
        }
        for share, ends in zip(shares, bounds, strict=True)
    ]
    return {"name": name, "rows": rows, "chart": _chart(name, shares, bounds)}


def _bounds(share: Share, seeds: int) -> tuple[float, float]:
    images = share.n / seeds
    return wilson(share.accuracy * images, images)


def _chart(
    name: str, shares: Sequence[Share], bounds: Sequence[tuple[float, float]]
) -> dict[str, Any] | None:
    places = [_middle(share) for share in shares]
    if any(place is None or place <= 0 for place in places):
        return None
    points = [
        Point(
            x, share.accuracy, low=low, high=high, text=f"{share.name}: {percent(share.accuracy)} %"
        )
        for x, share, (low, high) in zip(places, shares, bounds, strict=True)
    ]
    recall = [
        Curve(
            places,
            [_number(s.recall[one]) for s in shares],
            style + 1,
            f"recall of {one}",
            marked=True,
        )
        for style, one in enumerate(shares[0].recall)
    ]
    accuracy = Curve(places, [share.accuracy for share in shares], 0, "accuracy")
    said = ", ".join(f"{share.name}: {percent(share.accuracy)} %" for share in shares)
    return Chart(
        title=f"Accuracy by {name}",
        description=f"Accuracy with its 95 % interval, and recall, by {name}: {said}.",
        x=logarithmic(name, places),
        y=linear("%", 0.0, 1.0, percent=True),
        curves=[accuracy, *recall],
        points=points,
    ).drawn()


def _middle(share: Share) -> float | None:
    """The place of a range on a logarithmic axis; None for words."""
    if share.low is None or share.high is None:
        return None
    inside = share.low > 0 and share.high > 0
    return math.sqrt(share.low * share.high) if inside else (share.low + share.high) / 2


def _number(value: float | None) -> float:
    return math.nan if value is None else value

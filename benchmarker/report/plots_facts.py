"""The picture of scores apart by what else is known of the sources."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarker.metrics.by_fact import Share
from benchmarker.report.canvas import BLACK, COLOURS, DASHES, new_figure, safe, write_figure

MARKERS = "os^Dv<>pX"
LONG_NAMES = 40  # letters of all names together that fit below the axis without turning


def by_fact(shares: Sequence[Share], fact: str, path: str | Path, *, title: str = "") -> Path:
    """Accuracy with its 95 % interval, and the recall of each class, by word or range of a fact.

    Below each place stands the number of its sources. Returns the path written.
    """
    figure = new_figure(max(5.2, 0.62 * len(shares) + 2.4), 3.9)
    axes = figure.subplots()
    places = np.arange(len(shares))
    accuracy = np.array([share.accuracy for share in shares])
    bounds = np.array([share.bounds for share in shares])
    reach = np.abs(bounds - accuracy[:, np.newaxis]).T
    axes.errorbar(
        places, 100 * accuracy, 100 * reach, color=BLACK, linewidth=1.8, capsize=3, label="accuracy"
    )
    for number, name in enumerate(shares[0].recall):
        recall = [np.nan if s.recall[name] is None else 100 * s.recall[name] for s in shares]
        axes.plot(
            places,
            recall,
            color=COLOURS[number % len(COLOURS)],
            linestyle=DASHES[number % len(DASHES)],
            marker=MARKERS[number % len(MARKERS)],
            markersize=4,
            linewidth=1,
            label=f"recall of {safe(name)}",
        )
    names = [f"{safe(share.name)}\n({share.n})" for share in shares]
    turned = sum(len(share.name) for share in shares) > LONG_NAMES
    angle = {"rotation": 35, "ha": "right"} if turned else {}
    axes.set_xticks(places, names, fontsize="x-small", **angle)
    axes.set_xlabel(f"{safe(fact.replace('_', ' '))} (sources)")
    axes.set_ylabel("%")
    axes.set_ylim(-3, 103)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize="x-small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return write_figure(figure, path, title)

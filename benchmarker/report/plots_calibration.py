"""Pictures of calibration and selection: what probabilities are worth, what a threshold gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.record_tables import Predictions
from benchmarker.metrics.calibration import calibration, tempered
from benchmarker.metrics.intervals import wilson
from benchmarker.metrics.selection import completeness_purity, coverage
from benchmarker.report.canvas import (
    BLUE,
    COLOURS,
    DASHES,
    GREEN,
    GREY,
    RED,
    new_figure,
    safe,
    write_figure,
)

LEGEND_COLUMNS = 6
LOWEST_ACCURACY = 0.05  # what an axis of accuracies shows below the lowest line


def reliability(
    found: Predictions,
    path: str | Path,
    *,
    temperature: Mapping[str, Any] | None = None,
    title: str = "",
) -> Path:
    """Accuracy against confidence in bins, with 95 % Wilson intervals, over their counts.

    Arguments
    ---------
    found : predictions of test images
    path : where to write
    temperature : entry of metrics.json; where it has a value and there are scores, a second
        series shows the tempered probabilities; where it has a reason, that is written
    title : above the panels
    """
    series = [("as trained", calibration(found.labels, found.probabilities), BLUE, "o")]
    value = None if temperature is None else temperature["value"]
    if value is not None and found.scores is not None:
        cooled = calibration(found.labels, tempered(found.scores, value))
        series.append((f"T = {value:.3g}, from validation", cooled, RED, "s"))
    figure = new_figure(5.2, 5.8)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 100], [0, 100], color=GREY, linewidth=1, linestyle=(0, (2, 4)))
    for number, (name, entry, colour, marker) in enumerate(series):
        error = entry["expected_calibration_error"]
        said = "undefined" if error is None else f"{100 * error:.1f} %"
        style = {"color": colour, "marker": marker, "label": f"{name}: error {said}"}
        _bins(upper, entry["bins"], style)
        _counts(lower, entry["bins"], colour, filled=number == 0)
    upper.set_ylim(-3, 103)
    upper.set_ylabel("accuracy (%)")
    # above the panel, where no error bar runs through it
    upper.legend(frameon=False, fontsize="small", loc="lower left", bbox_to_anchor=(0, 1))
    lower.set_xlim(0, 102)
    lower.set_xlabel("confidence: probability of the predicted class (%)")
    lower.set_ylabel("images")
    if temperature is not None and temperature["reason"]:
        note = f"no temperature: {temperature['reason']}"
        figure.supxlabel(safe(note), fontsize="x-small", color=GREY, wrap=True)
    for axes in (upper, lower):
        axes.grid(alpha=0.25)
    return write_figure(figure, path, title)


def _bins(axes: Any, bins: Sequence[Mapping[str, Any]], style: Mapping[str, Any]) -> None:
    full = [entry for entry in bins if entry["n"]]
    accuracy = 100 * np.array([entry["accuracy"] for entry in full])
    ends = [wilson(round(entry["accuracy"] * entry["n"]), entry["n"]) for entry in full]
    low, high = 100 * np.array(ends).reshape(-1, 2).T
    axes.errorbar(
        [100 * entry["confidence"] for entry in full],
        accuracy,
        yerr=[np.maximum(accuracy - low, 0), np.maximum(high - accuracy, 0)],
        linewidth=1.2,
        elinewidth=0.8,
        capsize=2,
        markersize=4.5,
        **style,
    )


def _counts(axes: Any, bins: Sequence[Mapping[str, Any]], colour: str, *, filled: bool) -> None:
    edges = [100 * entry["low"] for entry in bins] + [100.0]
    counts = [entry["n"] for entry in bins]
    axes.stairs(counts, edges, color=colour, linewidth=1)
    if filled:
        axes.stairs(counts, edges, fill=True, alpha=0.35, color=colour)


def selection(
    found: Predictions, classes: Sequence[str], path: str | Path, *, title: str = ""
) -> Path:
    """Accuracy against coverage; completeness and purity of each class against the threshold.

    The dotted line of the first panel is the accuracy over all images, the dashed one the
    best order there could be. Where purity is undefined, its line ends.
    """
    figure = new_figure(11.4, 4.2)
    first, second, third = figure.subplots(1, 3)
    _coverage(first, found)
    lines = completeness_purity(found.labels, found.probabilities, classes)
    for index, name in enumerate(classes):
        entry = lines[name]
        style = {
            "color": COLOURS[index % len(COLOURS)],
            "linestyle": DASHES[index % len(DASHES)],
            "linewidth": 1.6,
            "drawstyle": "steps-pre",
        }
        threshold = 100 * np.array(entry["threshold"])
        label = f"{safe(name)} ({entry['n']})"
        for axes, what in ((second, "completeness"), (third, "purity")):
            values = [np.nan if value is None else 100 * value for value in entry[what]]
            axes.plot(threshold, values, label=label if axes is second else None, **style)
    for axes, what in ((second, "completeness"), (third, "purity")):
        axes.set_xlim(0, 100)
        axes.set_ylim(-2, 102)
        axes.set_xlabel("threshold on the probability of the class (%)")
        axes.set_ylabel(f"{what} (%)")
        axes.grid(alpha=0.25)
    figure.legend(loc="outside lower center", ncols=LEGEND_COLUMNS, frameon=False, fontsize="small")
    return write_figure(figure, path, title)


def _coverage(axes: Any, found: Predictions) -> None:
    entry = coverage(found.labels, found.probabilities, scores=found.scores)
    if entry["n"]:
        share, accuracy = (np.array(entry[name]) for name in ("coverage", "accuracy"))
        hit = accuracy[-1]
        ideal = hit / np.maximum(share, hit) if hit else np.zeros_like(share)
        axes.plot(100 * share, 100 * accuracy, color=BLUE, linewidth=1.8)
        axes.plot(100 * share, 100 * ideal, color=GREEN, linewidth=1.2, linestyle="--")
        axes.axhline(100 * hit, color=GREY, linewidth=0.9, linestyle=":")
        lowest = max(min(accuracy.min(), hit) - LOWEST_ACCURACY, 0)
        axes.set_ylim(100 * lowest, 100.5)
        text = f"mean accuracy over all coverages {100 * entry['area']:.1f} %"
        axes.set_title(text, fontsize="small")
    axes.set_xlim(0, 100)
    axes.set_xlabel("coverage: most confident images (%)")
    axes.set_ylabel("accuracy (%)")
    axes.grid(alpha=0.25)

"""Pictures of test sources shown many times: varied at random, or turned through a circle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.patches import Patch

from benchmarker.metrics.augmented import ALWAYS_WRONG
from benchmarker.metrics.roc import log_sum_exp
from benchmarker.report.canvas import (
    BLACK,
    BLUE,
    COLOURS,
    DASHES,
    GREEN,
    GREY,
    HATCHES,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    YELLOW,
    new_figure,
    safe,
    write_figure,
)

HISTOGRAM_BINS = 50  # as in experiment 1 of Bowles et al. 2021
LEAST_STEADY = 6  # sources whose curves are drawn
# for each class a dark colour, and a light one for its second group: also apart in grey
SHADES = ((BLUE, SKY), (RED, ORANGE), (GREEN, YELLOW), (BLACK, PURPLE))
LONGEST_NAME = 34  # letters of a source's name in a legend


@dataclass(frozen=True)
class Sources:
    """The test sources of a plot.

    names : n words; labels : int (n,); classes : names in label order
    groups : n words such as ``certain``, None where a source has none; or None for no groups
    """

    names: Sequence[str]
    labels: np.ndarray
    classes: Sequence[str]
    groups: Sequence[str | None] | None = None


def output_histogram(
    probabilities: np.ndarray, sources: Sources, path: str | Path, *, title: str = ""
) -> Path:
    """How often each output for the last class occurs over all passes, by true class.

    probabilities : float (passes, n), of the last class. Counts on a logarithmic scale, 50
    bins: most outputs of a trained network lie at the ends.
    """
    figure = new_figure(6.0, 3.8)
    axes = figure.subplots()
    number = len(sources.classes)
    parts = [probabilities[:, sources.labels == index].ravel() for index in range(number)]
    names = [f"true {safe(name)}" for name in sources.classes]
    # outlines, since filled bars on a logarithmic scale hide one another
    for index, (part, name) in enumerate(zip(parts, names, strict=True)):
        axes.hist(
            part,
            bins=HISTOGRAM_BINS,
            range=(0.0, 1.0),
            histtype="stepfilled",
            facecolor=(*_rgb(COLOURS[index % len(COLOURS)]), 0.25),
            edgecolor=COLOURS[index % len(COLOURS)],
            hatch=HATCHES[index % len(HATCHES)],
            linewidth=1.4,
            label=name,
        )
    axes.set_yscale("log")
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"probability of {safe(sources.classes[-1])}")
    axes.set_ylabel("predictions")
    figure.legend(loc="outside lower center", ncols=number, frameon=False, fontsize="small")
    return write_figure(figure, path, title)


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))


def wrong_rates(
    wrong_rate: np.ndarray,
    sources: Sources,
    path: str | Path,
    *,
    threshold: float = ALWAYS_WRONG,
    title: str = "",
) -> Path:
    """Share of the passes in which each source is wrong: as tested, sorted, and by group.

    wrong_rate : float (n,). Three panels of bars; the last is sorted within each true class,
    and within certain and uncertain sources where `sources` says which are. A line marks
    `threshold`, from which a source counts as always wrong (Bowles et al. 2021, exp. 5).
    """
    figure = new_figure(8.4, 6.6)
    panels = figure.subplots(3, 1, sharey=True)
    kinds, names, colours = _kinds(sources)
    falling = np.argsort(-wrong_rate, kind="stable")
    within = falling[np.argsort(kinds[falling], kind="stable")]
    orders = (
        ("in the order of the test set", np.arange(len(wrong_rate))),
        ("sorted", falling),
        ("sorted within each group", within),
    )
    for axes, (text, order) in zip(panels, orders, strict=True):
        places = np.arange(len(order))
        axes.bar(places, 100 * wrong_rate[order], width=0.9, color=colours[kinds[order]])
        axes.axhline(100 * threshold, color=BLACK, linestyle="--", linewidth=1.0)
        axes.set_xlabel(f"test sources, {text}")
        axes.set_xlim(-0.5, max(len(wrong_rate), 1) - 0.5)
        axes.set_ylim(0, 105)
        axes.set_xticks([])
    panels[1].set_ylabel("passes in which the source is wrong (%)")
    handles = [Patch(label=name, color=colour) for name, colour in zip(names, colours, strict=True)]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize="small"
    )
    return write_figure(figure, path, title)


def _kinds(sources: Sources) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Number of the class and group of each source, int (n,); names with counts; colours."""
    groups = [group or "" for group in sources.groups or [None] * len(sources.names)]
    pairs = list(zip(sources.labels.tolist(), groups, strict=True))
    found = sorted(set(pairs))
    names = [
        f"{safe(sources.classes[label])} {safe(group)}".strip()
        + f" ({pairs.count((label, group))})"
        for label, group in found
    ]
    order = sorted(set(groups))
    colours = [
        SHADES[label % len(SHADES)][min(order.index(group), len(SHADES[0]) - 1)]
        for label, group in found
    ]
    return np.array([found.index(pair) for pair in pairs], dtype=np.int64), names, np.array(colours)


def rotation(
    agreement: np.ndarray,
    entropy: np.ndarray,
    path: str | Path,
    *,
    title: str = "",
    curves: tuple[np.ndarray, Sources] | None = None,
) -> Path:
    """How steady predictions are while the image turns: agreement, entropy, least steady sources.

    Arguments
    ---------
    agreement : float (n,), share of the angles at which the most frequent class is predicted
    entropy : float (n,), of the shares of the predicted classes, nats
    path : where to write
    title : above the panels
    curves : scores, float (angles, n, classes) at equal steps through 360 degrees, with the
        sources; then a third panel shows the probability of the last class against the angle
        for the sources of lowest agreement
    """
    figure = new_figure(11.4 if curves else 7.0, 3.6)
    panels = figure.subplots(1, 3 if curves else 2, width_ratios=(1, 1, 1.6)[: 3 if curves else 2])
    for axes, values, label in (
        (panels[0], 100 * agreement, "agreement over the angles (%)"),
        (panels[1], entropy, "entropy over the angles (nats)"),
    ):
        axes.hist(values, bins=20, color=COLOURS[0], edgecolor="white", linewidth=0.5)
        axes.axvline(values.mean(), color=RED, linestyle="--", label=f"mean {values.mean():.3g}")
        axes.set_xlabel(label)
        axes.set_ylabel("test sources")
        axes.legend(frameon=False, fontsize="small")
    if curves is not None:
        _curves(panels[2], agreement, *curves)
    return write_figure(figure, path, title)


def _curves(axes: Any, agreement: np.ndarray, scores: np.ndarray, sources: Sources) -> None:
    shares = np.exp(scores[..., -1] - log_sum_exp(scores, axis=-1))
    # of equal agreement, the one whose probability varies most
    least = np.lexsort((-shares.std(axis=0), agreement))[:LEAST_STEADY]
    angles = np.arange(len(scores) + 1) * 360 / len(scores)
    for place, row in enumerate(least):
        axes.plot(
            angles,
            np.append(shares[:, row], shares[0, row]),
            color=COLOURS[place % len(COLOURS)],
            linestyle=DASHES[place % len(DASHES)],
            linewidth=1.4,
            label=f"{_short(sources.names[row])} ({safe(sources.classes[sources.labels[row]])})",
        )
    axes.axhline(0.5, color=GREY, linewidth=0.8, linestyle=(0, (2, 4)))
    axes.set_xlim(0, 360)
    axes.set_xticks(range(0, 361, 90))
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("angle (degrees)")
    axes.set_ylabel(f"probability of {safe(sources.classes[-1])}")
    axes.set_title("least steady sources (true class)", fontsize="small")
    axes.legend(
        frameon=False, fontsize="x-small", loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2
    )


def _short(name: str) -> str:
    text = safe(name)
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"

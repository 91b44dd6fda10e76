"""Pictures of curves over many runs: scores against training sources, and against damage."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import NullLocator

from benchmarker.report.canvas import COLOURS, DASHES, GREY, new_figure, safe, write_figure

MARKERS = "osD^vPX"
PANELS_IN_A_ROW = 3
LONGEST_UNIT = 32  # letters in a line below a panel
NAMES = {"accuracy": "accuracy (%)", "mpca": "MPCA (%)", "macro_f1": "F1 (%)", "auc": "AUC (%)"}


def learning_curves_plot(
    curves: Sequence[Mapping[str, Any]], path: str | Path, *, title: str = ""
) -> Path:
    """Scores against training sources per class, on a logarithmic axis; returns the path.

    Of each of the `curves` (`benchmarker.report.curves.learning_curves`): small points are
    runs, large ones means with their standard deviation. Where a power law is defined it is a
    line, and beyond the largest size, as dots in a grey field named so, its extrapolation.
    """
    figure = new_figure(6.8, 4.4)
    axes = figure.subplots()
    for number, curve in enumerate(curves):
        _draw_curve(axes, curve, number)
    _draw_beyond(axes, curves)
    axes.set_xscale("log")
    sizes = sorted({size for curve in curves for size in curve["sizes"]})
    beyond = {p["size"] for curve in curves for p in curve["fit"].get("extrapolation", ())}
    ticks = _apart([*sizes, *(size for size in sorted(beyond) if size > max(sizes))])
    axes.set_xticks(ticks, [f"{size:.4g}" for size in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("training sources per class")
    axes.set_ylabel(NAMES[curves[0]["metric"]])
    axes.grid(alpha=0.25)
    figure.legend(
        loc="outside lower center", ncols=2 if len(curves) > 1 else 1, frameon=False,
        fontsize="small",
    )  # fmt: skip
    return write_figure(figure, path, title)


def _style(number: int) -> dict[str, Any]:
    return {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}


def _percent(values: Sequence[float | None]) -> np.ndarray:
    return 100 * np.array([np.nan if value is None else value for value in values], np.float64)


def _draw_curve(axes: Any, curve: Mapping[str, Any], number: int) -> None:
    style, fit = _style(number), curve["fit"]
    for size, values in zip(curve["sizes"], curve["values"], strict=True):
        shown = _percent(values)
        axes.plot(np.full(len(shown), size), shown, linestyle="", markersize=3, alpha=0.5, **style)
    label = safe(curve["label"])
    if fit["defined"]:
        label += f" (error ~ n^-{fit['exponent']:.2f})"
        drawn = [(point["size"], 100 * point["accuracy"]) for point in fit["curve"]]
        dashes = DASHES[(number // len(COLOURS)) % len(DASHES)]
        axes.plot(*zip(*drawn, strict=True), color=style["color"], linestyle=dashes, linewidth=1.2)
    axes.errorbar(
        curve["sizes"],
        _percent(curve["mean"]),
        yerr=np.nan_to_num(_percent(curve["sd"])),
        linestyle="" if fit["defined"] else ":",
        linewidth=0.8,
        elinewidth=1.2,
        capsize=3,
        markersize=6,
        label=label,
        **style,
    )


def _draw_beyond(axes: Any, curves: Sequence[Mapping[str, Any]]) -> None:
    """Extrapolations, each with the interval of its curve, in a field that says what they are."""
    fits = [(number, curve) for number, curve in enumerate(curves) if curve["fit"]["defined"]]
    if not fits:
        return
    begin = max(max(curve["sizes"]) for _, curve in fits)
    end = max(curve["fit"]["extrapolation"][-1]["size"] for _, curve in fits)
    for number, curve in fits:
        points = [curve["fit"]["curve"][-1], *curve["fit"]["extrapolation"]]
        sizes = [point["size"] for point in points]
        low, middle, high = (
            [100 * point[key] for point in points] for key in ("low", "accuracy", "high")
        )
        colour = _style(number)["color"]
        axes.plot(sizes, middle, color=colour, linestyle=":", linewidth=1.4)
        axes.fill_between(sizes, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.axvspan(begin, end * 1.1, color=GREY, alpha=0.1, linewidth=0)
    axes.annotate(
        "extrapolated, not measured",
        (np.sqrt(begin * end * 1.1), 0.02),
        xycoords=("data", "axes fraction"),
        ha="center",
        fontsize="small",
        color=GREY,
    )


def _apart(sizes: Sequence[float]) -> list[float]:
    """Those sizes whose labels do not cover one another on a logarithmic axis."""
    kept: list[float] = []
    for size in sizes:
        if not kept or size > 1.25 * kept[-1]:
            kept.append(size)
    return kept


def corruption_plot(
    curves: Sequence[Mapping[str, Any]], path: str | Path, *, title: str = ""
) -> Path:
    """Scores against the strength of damage, one panel for each kind; returns the path.

    Of `benchmarker.report.curves.corruption_curves`; bars are standard deviations over
    seeds, and below each strength stands how much it is.
    """
    kinds = list(dict.fromkeys(curve["corruption"] for curve in curves))
    names = list(dict.fromkeys(curve["label"] for curve in curves))
    columns = min(PANELS_IN_A_ROW, len(kinds))
    rows = -(-len(kinds) // columns)
    figure = new_figure(max(2.9 * columns, 4.5), 2.6 * rows + 0.4)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes, kind in zip(panels.flat, kinds, strict=False):
        for curve in curves:
            if curve["corruption"] == kind:
                _draw_damage(axes, curve, names.index(curve["label"]))
        axes.set_title(safe(kind), fontsize="medium")
        axes.grid(alpha=0.25)
        _name_strengths(axes, [curve for curve in curves if curve["corruption"] == kind])
    for axes in panels.flat[len(kinds) :]:
        axes.set_axis_off()
    for axes in panels[:, 0]:
        axes.set_ylabel(NAMES[curves[0]["metric"]])
    handles = {}
    for axes in panels.flat:
        found, words = axes.get_legend_handles_labels()
        handles |= dict(zip(words, found, strict=True))
    figure.legend(
        handles.values(), handles, loc="outside lower center", ncols=2, frameon=False,
        fontsize="small",
    )  # fmt: skip
    return write_figure(figure, path, title)


def _draw_damage(axes: Any, curve: Mapping[str, Any], number: int) -> None:
    axes.errorbar(
        curve["strengths"],
        _percent(curve["mean"]),
        yerr=np.nan_to_num(_percent(curve["sd"])),
        linestyle=DASHES[number % len(DASHES)],
        linewidth=1.2,
        elinewidth=1.0,
        capsize=2,
        markersize=4,
        label=safe(curve["label"]),
        **_style(number),
    )


def _name_strengths(axes: Any, curves: Sequence[Mapping[str, Any]]) -> None:
    amounts: dict[int, float] = {}
    for curve in curves:
        amounts |= dict(zip(curve["strengths"], curve["amounts"], strict=True))
    texts = ["none" if strength == 0 else f"{amounts[strength]:g}" for strength in sorted(amounts)]
    axes.set_xticks(sorted(amounts), texts)
    axes.tick_params(axis="x", labelsize="small")
    lines = textwrap.wrap(safe(curves[0]["unit"]), LONGEST_UNIT)
    axes.set_xlabel("\n".join(lines), fontsize="small")

"""Pictures of scores: error trade-off, ROC, completeness and purity, histogram.

The error trade-off and the histogram follow psat-ml's plotResults, plotROC and plotHistogram in
axes, limits and marks; all rates are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import SettingsError
from benchmarker.hosts.realbogus.scores_csv import StampScores
from benchmarker.metrics.operating_points import ScoreRates, false_at_missed, score_rates
from benchmarker.metrics.roc import roc_curve
from benchmarker.report.canvas import (
    BLACK,
    COLOURS,
    DASHES,
    GREEN,
    GREY,
    RED,
    new_figure,
    safe,
    write_figure,
)

WORKING_POINT = 0.04
BINS = 40
TICK_SIZE, LABEL_SIZE = 12, 18


@dataclass(frozen=True)
class Look:
    """What psat-ml's plots let one choose.

    xlim, ylim : upper ends of the axes; mdr : missed detection rate of the marked point
    threshold : marked in the histogram; log : logarithmic numbers there
    telescope, title : above the picture; panel_label : in its upper left corner
    """

    xlim: float = 1.0
    ylim: float = 1.0
    mdr: float = WORKING_POINT
    threshold: float | None = None
    log: bool = False
    telescope: str = ""
    title: str = ""
    panel_label: str = ""

    def __post_init__(self) -> None:
        ends = {"xlim": self.xlim, "ylim": self.ylim, "mdr": self.mdr}
        for name, value in ends.items():
            if not 0 < value <= 1:
                message = f"{name} is {value:g}, expected a rate above 0, at most 1"
                raise SettingsError(message)

    @property
    def full_title(self) -> str:
        """Title with the telescope behind it."""
        telescope = f"({self.telescope})" if self.telescope else ""
        return " ".join(filter(None, [self.title, telescope]))


def trade_off(sets: Sequence[StampScores], path: str | Path, look: Look) -> Path:
    """Missed detections against false positives, with the working point of each set marked.

    Raises `SettingsError` naming a set without real or without bogus stamps.
    """
    figure = new_figure(7.0, 6.4)
    axes = figure.subplots()
    for number, (found, rates) in enumerate(_all_rates(sets)):
        line = _trade_off_line(axes, rates, number)
        point = false_at_missed(rates, look.mdr)
        name = safe(found.name)
        line.set_label(f"{name}: {100 * point.rate:.2f} % at {100 * look.mdr:g} % missed")
        _lead_lines(axes, look.mdr, point.rate)
    _rate_axes(axes, look)
    axes.legend(frameon=False, fontsize="small", loc="upper right")
    return _finish(figure, axes, path, look)


def _all_rates(sets: Sequence[StampScores]) -> list[tuple[StampScores, ScoreRates]]:
    found = [(one, score_rates(one.labels == 1, one.scores)) for one in sets]
    for one, rates in found:
        if not rates.members or not rates.others:
            word = "bogus" if rates.members else "real"
            message = f"{one.name}: no {word} stamp among {len(one)}, expected both classes"
            raise SettingsError(message)
    return found


def _trade_off_line(axes: Any, rates: ScoreRates, number: int) -> Any:
    style = {"color": COLOURS[number % len(COLOURS)], "linestyle": DASHES[number % len(DASHES)]}
    # between two scores nothing changes: the curve has steps
    return axes.plot(rates.missed, rates.false, drawstyle="steps-post", linewidth=2, **style)[0]


def _lead_lines(axes: Any, mdr: float, rate: float) -> None:
    dashed = {"color": BLACK, "linestyle": "--", "linewidth": 1.0}
    axes.plot([mdr, mdr], [0, rate], **dashed)
    axes.plot([0, mdr], [rate, rate], **dashed)


def _rate_axes(axes: Any, look: Look) -> None:
    axes.set_xlim(0, look.xlim)
    axes.set_ylim(0, look.ylim)
    _label(axes, "Missed detection rate", "False positive rate")
    axes.grid(alpha=0.25)


def _label(axes: Any, x: str, y: str) -> None:
    font = {"family": "serif"}
    axes.set_xlabel(x, fontsize=LABEL_SIZE, **font)
    axes.set_ylabel(y, fontsize=LABEL_SIZE, **font)
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        text.set(fontsize=TICK_SIZE, **font)


def _finish(figure: Any, axes: Any, path: str | Path, look: Look) -> Path:
    if look.panel_label:
        words = safe(look.panel_label)
        axes.text(0.1, 0.95, words, transform=axes.transAxes, weight="bold", family="serif")
    return write_figure(figure, path, look.full_title)


def completeness_purity(sets: Sequence[StampScores], path: str | Path, look: Look) -> Path:
    """Two square panels: the error trade-off, and purity against completeness."""
    figure = new_figure(11.0, 5.6)
    errors, shares = figure.subplots(1, 2)
    for number, (found, rates) in enumerate(_all_rates(sets)):
        _trade_off_line(errors, rates, number).set(linewidth=3, label=safe(found.name))
        style = {"color": COLOURS[number % len(COLOURS)], "linestyle": DASHES[number % len(DASHES)]}
        shares.plot(1 - rates.missed[:-1], rates.purity, linewidth=3, **style)
    _rate_axes(errors, look)
    shares.set_xlim(0, 1)
    shares.set_ylim(0, 1.01)
    _label(shares, "Completeness (recall)", "Purity (precision)")
    shares.grid(alpha=0.25)
    for axes in (errors, shares):
        axes.set_box_aspect(1)
    errors.legend(frameon=False, fontsize="small")
    return _finish(figure, errors, path, look)


def roc(sets: Sequence[StampScores], path: str | Path, look: Look) -> Path:
    """False against true positive rate, with the area under each curve."""
    figure = new_figure(6.6, 6.4)
    axes = figure.subplots()
    _all_rates(sets)
    for number, found in enumerate(sets):
        false, true = roc_curve(found.labels == 1, found.scores)
        style = {"color": COLOURS[number % len(COLOURS)], "linestyle": DASHES[number % len(DASHES)]}
        area = f"{safe(found.name)} (area = {np.trapezoid(true, false):.4f})"
        axes.plot(false, true, linewidth=2, label=area, **style)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.005)
    axes.set_box_aspect(1)
    _label(axes, "False Positive Rate", "True Positive Rate")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize="small", loc="lower right")
    return _finish(figure, axes, path, look)


def histogram(found: StampScores, path: str | Path, look: Look) -> Path:
    """Numbers of bogus and real stamps in 40 bins of the score; a class may be absent."""
    figure = new_figure(7.0, 5.4)
    axes = figure.subplots()
    edges = np.linspace(0, 1, BINS + 1)
    for label, word, colour, alpha in ((0, "bogus", RED, 0.5), (1, "real", GREEN, 0.8)):
        scores = found.scores[found.labels == label]
        bars = {"color": colour, "alpha": alpha, "edgecolor": BLACK, "linewidth": 0.6}
        axes.hist(scores, bins=edges, label=f"{word} ({len(scores)})", **bars)
    if look.threshold is not None:
        axes.axvline(look.threshold, color=BLACK, linestyle="--", linewidth=1.2)
    if look.log:
        axes.set_yscale("log")
    axes.set_xlim(0, 1)
    _label(axes, "Realbogus Factor", "Number of Objects")
    axes.legend(edgecolor="white", framealpha=1.0, loc="upper center")
    return _finish(figure, axes, path, look)

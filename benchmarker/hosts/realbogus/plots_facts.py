"""Recall of real stamps, and bogus stamps that pass, by what else is known of them.

A fact of numbers (magnitude, signal to noise) is cut into ranges with equally many stamps; one of
words (kind, camera) has a row for each. Bars are 95 % Wilson intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import SettingsError, suggest
from benchmarker.hosts.realbogus.plots import Look
from benchmarker.hosts.realbogus.scores_csv import StampScores
from benchmarker.metrics.by_fact import Share, shares_by
from benchmarker.report.canvas import BLUE, GREY, RED, new_figure, safe, write_figure

CLASSES = ("bogus", "real")
SHOWN = ("real", "bogus")  # order of the panels
LOG_SPAN = 8.0  # facts that reach so many times their least value are drawn on a log axis
ROW_INCHES = 0.34


def taken_shares(found: StampScores, fact: str, threshold: float) -> dict[str, list[Share]]:
    """How many stamps of each class are taken at `threshold`, by word or range of `fact`.

    Returns ``real`` and ``bogus``: shares whose ``accuracy`` is the share with a score of at least
    the threshold: recall of the real, and of the bogus those that pass. A class of which the
    fact is not known has an empty list. Raises `SettingsError` for an unknown fact.
    """
    if fact not in found.facts:
        known = ", ".join(found.facts) or "nothing"
        near = suggest(fact, found.facts)
        message = f"nothing is known of {fact!r}{near} of {found.name}; known: {known}"
        raise SettingsError(message)
    taken = (found.scores >= threshold).astype(np.int64)
    shares = {}
    for label, word in enumerate(CLASSES):
        rows = np.flatnonzero(found.labels == label)
        values = [found.facts[fact][row] for row in rows]
        wanted = np.ones(len(rows), np.int64)  # "right" means taken, for both classes
        shares[word] = shares_by(values, wanted, taken[rows], CLASSES) if len(rows) else []
    return shares


def taken_by_fact(
    found: StampScores, fact: str, threshold: float, path: str | Path, look: Look
) -> Path:
    """Draw `taken_shares`: a panel for real stamps and one for bogus ones."""
    known = taken_shares(found, fact, threshold)
    shares = {word: known[word] for word in SHOWN if known[word]}
    if not shares:
        message = f"{fact!r} of {found.name} has no value, or too many different words to draw"
        raise SettingsError(message)
    numeric = all(row.low is not None for rows in shares.values() for row in rows)
    title = " ".join(filter(None, [look.full_title, f"score at least {threshold:.4f}"]))
    draw = _numbers if numeric else _words
    return write_figure(draw(shares, safe(fact.replace("_", " "))), path, title)


_LABELS = {"real": "real found (%)", "bogus": "bogus that pass (%)"}
_COLOURS = {"real": BLUE, "bogus": RED}


def _numbers(shares: dict[str, list[Share]], fact: str) -> Any:
    figure = new_figure(6.6, 1.0 + 2.7 * len(shares))
    panels = np.atleast_1d(figure.subplots(len(shares), 1, sharex=True))
    ends = [(row.low, row.high) for rows in shares.values() for row in rows]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    for axes, (word, rows) in zip(panels, shares.items(), strict=True):
        places = np.array([(row.low + row.high) / 2 for row in rows])
        widths = np.array([(row.high - row.low) / 2 for row in rows])
        if low > 0 and high > LOG_SPAN * low:
            axes.set_xscale("log")
            places = np.array([np.sqrt(row.low * row.high) for row in rows])
            widths = np.array(
                [(p - r.low, r.high - p) for p, r in zip(places, rows, strict=True)]
            ).T
        values, reach = _percent(rows)
        style = {"color": _COLOURS[word], "marker": "os"[word == "bogus"], "linestyle": "none"}
        axes.errorbar(places, values, yerr=reach, xerr=widths, capsize=2.5, **style)
        _percent_axis(axes.set_ylim, word, values, reach)
        axes.set_ylabel(f"{_LABELS[word]}\n({sum(row.n for row in rows)} stamps)")
        axes.grid(alpha=0.25)
    panels[-1].set_xlabel(fact)
    return figure


def _words(shares: dict[str, list[Share]], fact: str) -> Any:
    longest = max(len(rows) for rows in shares.values())
    figure = new_figure(4.6 * len(shares) + 1.4, 1.5 + ROW_INCHES * longest)
    panels = np.atleast_1d(figure.subplots(1, len(shares)))
    for axes, (word, rows) in zip(panels, shares.items(), strict=True):
        places = np.arange(len(rows))
        values, reach = _percent(rows)
        style = {"color": _COLOURS[word], "marker": "os"[word == "bogus"], "linestyle": "none"}
        axes.errorbar(values, places, xerr=reach, capsize=2.5, **style)
        axes.set_yticks(places, [f"{safe(row.name)} ({row.n})" for row in rows], fontsize="small")
        axes.set_ylim(len(rows) - 0.5, -0.5)
        _percent_axis(axes.set_xlim, word, values, reach)
        axes.set_xlabel(_LABELS[word])
        axes.grid(alpha=0.25)
        axes.axvline(100.0 if word == "real" else 0.0, color=GREY, linewidth=0.8)
    panels[0].set_ylabel(f"{fact} (stamps)")
    return figure


def _percent(rows: Sequence[Share]) -> tuple[np.ndarray, np.ndarray]:
    values = np.array([100 * row.accuracy for row in rows])
    bounds = 100 * np.array([row.bounds for row in rows])
    return values, np.abs(bounds - values[:, np.newaxis]).T


def _percent_axis(set_limits: Any, word: str, values: np.ndarray, reach: np.ndarray) -> None:
    """Recall is read from 100 % down, passing from 0 % up; small differences stay visible."""
    low = float((values - reach[0]).min()) if word == "real" else 0.0
    high = 100.0 if word == "real" else float((values + reach[1]).max())
    margin = 0.06 * max(high - low, 1.0)
    set_limits(low - margin, high + margin)

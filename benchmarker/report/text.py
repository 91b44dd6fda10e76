"""How tables become text: on a terminal, in a log file, in any encoding."""

from __future__ import annotations

import io
import os
import shutil
from typing import TextIO

from rich.console import Console, RenderableType
from rich.text import Text

NARROWEST = 40
FILE_WIDTH = 100
PLAIN = str.maketrans({"±": "~", "–": "-", "×": "x", "─": "-", "━": "-", "…": "."})


def show(renderable: RenderableType, stream: TextIO, *, width: int | None = None) -> None:
    """Print to `stream`, as wide as the terminal, or 100 characters into a file."""
    terminal = stream.isatty()
    text = io.StringIO()
    console = Console(
        file=text,
        width=width or width_of(stream),
        force_terminal=terminal,
        no_color=not terminal,
        highlight=False,
        legacy_windows=False,
    )
    console.print(renderable)
    encoding = stream.encoding or "utf-8"
    # no blanks at line ends: a log stays comparable
    found = "\n".join(line.rstrip() for line in text.getvalue().split("\n"))
    try:
        found.encode(encoding)
    except UnicodeEncodeError:
        found = found.translate(PLAIN).encode(encoding, "replace").decode(encoding)
    stream.write(found)


def width_of(stream: TextIO) -> int:
    """Characters in a line: those of the terminal, 100 in a file, COLUMNS if that is set."""
    fallback = (80, 24) if stream.isatty() else (FILE_WIDTH, 24)
    if not stream.isatty() and not os.environ.get("COLUMNS", "").isdigit():
        return FILE_WIDTH
    return max(shutil.get_terminal_size(fallback).columns, NARROWEST)


def percent(value: float | None) -> str:
    """``80.3`` for 0.803, ``-`` where undefined."""
    return "-" if value is None else f"{100 * value:.1f}"


def percent_with_sd(mean: float | None, sd: float | None) -> str:
    """``80.3 ± 1.2``; without the spread where there is one seed only."""
    return percent(mean) if sd is None else f"{percent(mean)} ± {percent(sd)}"


def short_number(value: float | None) -> str:
    """Three digits with a letter: ``4.57M``, ``779M``, ``213``."""
    if value is None:
        return "-"
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def interval(entry: dict[str, float | None]) -> str:
    """``80.3 (76.1-84.0)`` in percent."""
    if entry["low"] is None or entry["high"] is None:
        return percent(entry["value"])
    return f"{percent(entry['value'])} ({percent(entry['low'])}-{percent(entry['high'])})"


def bounds(low: float | None, high: float | None) -> str:
    """``76.1-84.0`` in percent, ``-`` where undefined."""
    return "-" if low is None or high is None else f"{percent(low)}-{percent(high)}"


def one_line(text: object) -> str:
    """Text without line breaks or repeated blanks, for a table cell."""
    return " ".join(str(text).split())


def sentence(text: str) -> Text:
    """Text below a table; brackets in it are no markup."""
    return Text(text, overflow="fold")


def duration(seconds: float) -> str:
    """``12.3 s``, ``4 min 10 s`` or ``2 h 5 min``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"

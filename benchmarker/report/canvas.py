"""Empty figures, colours and files: what every plot of the package shares.

Figures are drawn without pyplot, so that no global state of Matplotlib is touched, and
are written whole or not at all. Colours are those of Okabe and Ito, which people with
colour blindness tell apart; lines also differ in dash, points in shape, areas in hatching.
"""

from __future__ import annotations

import warnings
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarker.core.files import write_with
from benchmarker.report.text import one_line

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, BLACK = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#F0E442",
    "#000000",
)
COLOURS = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, BLACK)
DASHES = ("-", "--", "-.", ":")
HATCHES = ("", "///", "...", "xxx", "\\\\\\")
GREY = "#666666"
RESOLUTION = 150  # dots per inch
# the same figure gives the same file: no time in it
_UNDATED = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure in inches; its canvas needs no window."""
    figure = Figure(figsize=(width, height), dpi=RESOLUTION, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def safe(name: str) -> str:
    """A name as plain text: Matplotlib would read dollar signs as formulae."""
    return one_line(name).replace("$", r"\$")


def write_figure(figure: Figure, path: str | Path, title: str) -> Path:
    """Write a figure in the format that the ending of `path` names; returns the path."""
    path = Path(path)
    if title:
        figure.suptitle(safe(title), fontsize="medium")
    kind = path.suffix.removeprefix(".") or "png"
    undated = _UNDATED.get(kind.lower())
    with warnings.catch_warnings():
        # a name in a script that the font lacks is drawn as boxes, no reason to fail
        warnings.filterwarnings("ignore", message=r"Glyph .* missing", category=UserWarning)
        return write_with(
            path, lambda stream: figure.savefig(stream, format=kind, metadata=undated)
        )

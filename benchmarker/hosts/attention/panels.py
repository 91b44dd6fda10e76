"""Grids of panels, each a source or a map: what all figures of maps are made of.

Sources are dark on white with a square-root stretch, so that faint lobes show; maps are in
``magma``, whose brightness rises steadily and survives a grey print. Contours are white with
a dark rim, visible on either end of it. North is up: row 0 of an image is its lower edge,
unless the images say otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SOURCE_COLOURS, MAP_COLOURS = "gray_r", "magma"
SOURCE_LEVELS = (0.05, 0.15, 0.45)  # contours, as parts of the maximum of an image
BAR_LENGTHS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600)  # arcsec
SMALL = "small"
LONG_LABEL = 16  # letters that fit beside a panel in the usual size
LABEL_INCHES, BAR_INCHES = 0.35, 0.55
UNIT = (0.0, 1.0)
FORMATS = ("png", "pdf")


@dataclass(frozen=True)
class Look:
    """How figures are drawn, the same for all of one command.

    Arguments
    ---------
    origin : ``lower`` where row 0 of an image is its southern edge, else ``upper``
    pixel_arcsec : arcsec per pixel of the prepared images, for a scale bar; or None
    formats : endings of the files
    """

    origin: str = "lower"
    pixel_arcsec: float | None = None
    formats: tuple[str, ...] = ("png",)


@dataclass(frozen=True)
class Panel:
    """One picture of a grid.

    Arguments
    ---------
    values : float (height, width)
    is_source : a source, else a map
    over : image (height, width) whose contours are drawn on it; or None
    levels : of the contours, in the values of `over`
    limits : values at the two ends of the colours; None takes the extremes of the panel
    title, left, below : texts around it
    """

    values: np.ndarray
    is_source: bool = False
    over: np.ndarray | None = None
    levels: tuple[float, ...] = ()
    limits: tuple[float, float] | None = None
    title: str = ""
    left: str = ""
    below: str = ""


@dataclass(frozen=True)
class Grid:
    """Panels in rows and columns; None leaves a place empty.

    Arguments
    ---------
    rows : of panels, all rows of one length
    title : lines above all
    bars : ``each`` map has a colour bar, or there is ``one`` for all, or ``none``
    bar_label : what the colours mean, for ``one``
    side : of a panel in inches
    tiled : without gaps between the panels
    """

    rows: Sequence[Sequence[Panel | None]]
    title: str = ""
    bars: str = "each"
    bar_label: str = ""
    side: float = 1.9
    tiled: bool = False


def source_levels(image: np.ndarray) -> tuple[float, ...]:
    """Contours of a source, from the faint to the bright."""
    return tuple(float(image.max()) * level for level in SOURCE_LEVELS)


def source_panel(image: np.ndarray, **texts: str) -> Panel:
    """A source without anything on it."""
    return Panel(image, is_source=True, **texts)


def map_panel(values: np.ndarray, image: np.ndarray | None = None, **more: Any) -> Panel:
    """A map, with the contours of the source on it where `image` is given."""
    levels = () if image is None else source_levels(image)
    return Panel(values, **{"over": image, "levels": levels, **more})


def write_grid(grid: Grid, path: Path, look: Look) -> list[Path]:
    """Draw the grid and write it once for each format; `path` is without ending."""
    from benchmarker.report.canvas import write_figure

    figure = draw_grid(grid, look)
    # not with_suffix: names of sources have dots in them
    return [write_figure(figure, f"{path}.{ending}", "") for ending in look.formats]


def draw_grid(grid: Grid, look: Look) -> Any:
    """The grid as a Matplotlib figure."""
    from benchmarker.report.canvas import new_figure, safe

    columns = len(grid.rows[0])
    figure = new_figure(*_size(grid, columns))
    axes = figure.subplots(len(grid.rows), columns, squeeze=False)
    # panels keep their shape; without this what is left of the width would stand between them
    figure.set_layout_engine("compressed")
    if grid.tiled:
        figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.0, hspace=0.0)
    drawn = None
    for one, panel in zip(axes.flat, (p for row in grid.rows for p in row), strict=True):
        if panel is None:
            one.set_axis_off()
            continue
        found = _draw(one, panel, look)
        if not panel.is_source:
            drawn = found
            if grid.bars == "each":
                _bar(figure, found, one, "")
    if grid.bars == "one" and drawn is not None:
        _bar(figure, drawn, list(axes.flat), grid.bar_label)
    if grid.title:
        figure.suptitle("\n".join(safe(line) for line in grid.title.splitlines()), fontsize=10)
    return figure


def _size(grid: Grid, columns: int) -> tuple[float, float]:
    """Width and height in inches: panels, what stands around them, the title."""
    panels = [panel for row in grid.rows for panel in row if panel is not None]
    tall = 0.22 * max((panel.title.count("\n") + 1) * bool(panel.title) for panel in panels)
    below = 0.2 * any(panel.below for panel in panels)
    with_maps = sum(
        any(p and not p.is_source for p in column) for column in zip(*grid.rows, strict=True)
    )
    bars = BAR_INCHES * {"each": with_maps, "one": 1.6}.get(grid.bars, 0)
    left = (
        0.5
        * LABEL_INCHES
        * max(panel.left.count("\n") + 1 if panel.left else 0 for panel in panels)
    )
    width = columns * grid.side + bars + left + 0.2
    titled = sum(any(p is not None and p.title for p in row) for row in grid.rows) * tall
    height = len(grid.rows) * (grid.side + below) + titled
    lines = grid.title.count("\n") + 1 if grid.title else 0
    longest = max((len(line) for line in grid.title.splitlines()), default=0)
    return max(width, 0.085 * longest + 0.3), height + 0.22 * lines + 0.1


def _draw(axes: Any, panel: Panel, look: Look) -> Any:
    from matplotlib.colors import PowerNorm

    from benchmarker.report.canvas import safe

    low, high = panel.limits or _extremes(panel.values)
    if panel.is_source:
        style = {"cmap": SOURCE_COLOURS, "norm": PowerNorm(0.5, vmin=low, vmax=high)}
    else:
        style = {"cmap": MAP_COLOURS, "vmin": low, "vmax": high}
    drawn = axes.imshow(panel.values, origin=look.origin, interpolation="nearest", **style)
    axes.set_xticks([])
    axes.set_yticks([])
    if panel.over is not None:
        _contours(axes, panel.over, panel.levels, look)
    if panel.is_source and look.pixel_arcsec and panel.values.any():
        _scale_bar(axes, panel.values.shape[1], look)
    if panel.title:
        axes.set_title("\n".join(map(safe, panel.title.splitlines())), fontsize=SMALL)
    if panel.left:
        lines = panel.left.splitlines()
        size = SMALL if max(map(len, lines)) <= LONG_LABEL else 7
        axes.set_ylabel("\n".join(map(safe, lines)), fontsize=size)
    if panel.below:
        axes.set_xlabel(safe(panel.below), fontsize=SMALL)
    return drawn


def _extremes(values: np.ndarray) -> tuple[float, float]:
    """Ends of the colours; a flat picture has 0 at the lower end."""
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (min(low, 0.0), max(high, 1.0))


def _contours(axes: Any, image: np.ndarray, levels: Sequence[float], look: Look) -> None:
    from matplotlib.patheffects import withStroke

    low, high = float(image.min()), float(image.max())
    # a level that the image does not cross would be warned about
    crossed = sorted({level for level in levels if low < level < high})
    if not crossed:
        return
    found = axes.contour(image, crossed, origin=look.origin, colors="white", linewidths=0.7)
    found.set_path_effects([withStroke(linewidth=1.7, foreground="#303030")])


def _scale_bar(axes: Any, width: int, look: Look) -> None:
    """A bar of a round number of arcsec, at most a third of the width."""
    from matplotlib.patheffects import withStroke

    widest = width * look.pixel_arcsec / 3
    length = max((one for one in BAR_LENGTHS if one <= widest), default=0)
    if not length:
        return
    low, pixels = 0.05, length / look.pixel_arcsec / width
    rim = [withStroke(linewidth=3, foreground="white")]
    place = {"transform": axes.transAxes, "color": "black", "path_effects": rim}
    axes.plot([low, low + pixels], [low, low], linewidth=1.5, solid_capstyle="butt", **place)
    text = f"{length}″" if length < 60 else f"{length // 60}′"
    axes.text(low + pixels / 2, low + 0.02, text, ha="center", va="bottom", fontsize=7, **place)


def _bar(figure: Any, drawn: Any, axes: Any, label: str) -> None:
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    bar = figure.colorbar(drawn, ax=axes, fraction=0.046, pad=0.02, aspect=30 if label else 21)
    form = ScalarFormatter(useMathText=True)
    form.set_powerlimits((-2, 3))
    bar.ax.yaxis.set_major_locator(MaxNLocator(4))
    bar.ax.yaxis.set_major_formatter(form)
    bar.ax.yaxis.get_offset_text().set_fontsize(6)
    bar.ax.yaxis.set_offset_position("left")
    bar.ax.tick_params(labelsize=7)
    if label:
        bar.set_label(label, fontsize=SMALL)

"""Pictures of an evaluation: the sources that stay wrong, and how often each one is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.hosts.evaluation.tested import Tested
from benchmarker.hosts.evaluation.wrong_sources import WrongSource
from benchmarker.metrics.augmented import ALWAYS_WRONG
from benchmarker.report.canvas import GREEN, new_figure, safe, write_figure
from benchmarker.report.plots_varied import Sources, wrong_rates
from benchmarker.runs.evaluation import groups_of

MOST_DRAWN = 24
COLUMNS = 4
PAIRS = 3  # of an image and its map
CONTOUR = 0.1  # of the brightest pixel


def draw_wrong(tested: Tested, wrong: Sequence[WrongSource], path: Path) -> Path:
    """Panel of the sources that stay wrong, at most 24 of them; with their maps if gated."""
    shown = list(wrong[:MOST_DRAWN])
    rows = np.array([source.row for source in shown])
    images = tested.prepared.raw(rows)[..., 0]
    maps = attention_maps(tested.trained.model, tested.prepared.read(rows))
    across = 1 if maps is None else 2
    columns = min(COLUMNS if maps is None else PAIRS, len(shown))
    lines = -(-len(shown) // columns)
    figure = new_figure(max(2.5 * columns * across, 5.0), 3.05 * lines + 0.35)
    panels = figure.subplots(lines, columns * across, squeeze=False)
    for panel in panels.flat:
        panel.set_axis_off()
    for number, source in enumerate(shown):
        line, column = divmod(number, columns)
        place = panels[line, column * across]
        _draw_source(place, images[number], _origin(tested))
        place.set_title(_caption(number, source), fontsize=6.5, loc="left")
        if maps is not None:
            beside = panels[line, column * across + 1]
            _frame(beside)
            beside.imshow(maps[number], cmap="magma", origin=_origin(tested))
            _contour(beside, images[number], "white")
            beside.set_title("mean attention map", fontsize=6.5, loc="left")
    more = f", the first {len(shown)} of {len(wrong)}" if len(wrong) > len(shown) else ""
    text = f"wrong in at least {100 * ALWAYS_WRONG:.0f} % of {len(tested.passes)} passes{more}"
    return write_figure(figure, path, f"{tested.trained.network} on {tested.tested_on}: {text}")


def draw_rates(tested: Tested, path: Path) -> Path:
    """How often each source is wrong: in order, sorted, and by class and certainty."""
    rates = (tested.passes.argmax(axis=2) != tested.labels).mean(axis=0)
    groups = groups_of(tested.sources)
    sources = Sources(tested.sources, tested.labels, tested.trained.classes, groups)
    title = f"{tested.trained.network} on {tested.tested_on}, {len(tested.passes)} passes"
    return wrong_rates(rates, sources, path, title=title)


def attention_maps(model: Any, images: np.ndarray) -> np.ndarray | None:
    """Mean of the gates' maps at the size of the images, each stretched to 0-1, or None.

    `images` are float32 (n, height, width, channels) as the network sees them. Returns
    float32 (n, height, width); None for a network without gates.
    """
    from benchmarker.hosts.attention.maps import AttentionMaps, attention_gates, joined, stretched

    if not attention_gates(model):
        return None
    maker = AttentionMaps(model)
    starts = range(0, len(images), maker.batch)
    maps = joined([maker(images[first : first + maker.batch]) for first in starts])
    return np.stack([stretched(one) for one in maps.mean])


def _draw_source(panel: Any, image: np.ndarray, origin: str) -> None:
    _frame(panel)
    # the square root shows lobes a hundred times fainter than the core
    panel.imshow(np.sqrt(np.clip(image, 0, None)), cmap="gray_r", origin=origin)
    _contour(panel, image, GREEN)


def _frame(panel: Any) -> None:
    panel.set_axis_on()
    panel.set_xticks([])
    panel.set_yticks([])


def _contour(panel: Any, image: np.ndarray, colour: str) -> None:
    if image.max() > image.min():
        levels = [image.min() + CONTOUR * (image.max() - image.min())]
        panel.contour(image, levels=levels, colors=colour, linewidths=0.8)


def _caption(number: int, source: WrongSource) -> str:
    letter = chr(ord("A") + number)
    name = source.source if len(source.source) <= 36 else f"{source.source[:35]}…"
    said = f"{source.label} taken for {source.predicted}, {100 * source.rate:.0f} % wrong"
    return "\n".join(safe(text) for text in (f"{letter}  {name}", said, source.facts() or " "))


def _origin(tested: Tested) -> str:
    """FITS images and what was made of them begin at the bottom, PNG files at the top."""
    reader = tested.chosen.images.provenance.get("reader")
    return "upper" if reader in ("png-folder", "mnist") else "lower"

"""The figures of maps of single sources: each source, through training, over networks.

After figures 5 to 12 of Bowles et al. 2021. Every function gives grids; `panels` draws them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarker.hosts.attention.maps import ATTENTION, Maps, stretched
from benchmarker.hosts.attention.panels import UNIT, Grid, Panel, map_panel, source_panel

SHOWN_NAME = 24  # letters of a source's name beside a panel
STRETCHED = "map, each stretched to 0-1"
NORMALISATIONS = {
    "range_norm": "range",
    "std_mean_norm": "standardisation",
    "sigmoid": "sigmoid",
    "softmax": "softmax",
    "tanh": "tanh",
}
AGGREGATIONS = {
    "mean": "mean",
    "concat": "concatenation",
    "deep_sup": "deep supervised",
    "ft": "fine tuned",
}


@dataclass(frozen=True)
class Explained:
    """Some images with the maps of one network.

    Arguments
    ---------
    network : what a figure calls the network
    settings : of the network
    method : ``attention`` or ``grad-cam``
    images : float32 (n, height, width), as prepared but for the last scaling
    maps : of these images
    sources : n names
    truth : n names of classes; empty where unknown
    classes : of the network, in the order of its scores
    of_class : that Grad-CAM was asked about; None is the predicted one of each image
    """

    network: str
    settings: dict[str, Any]
    method: str
    images: np.ndarray
    maps: Maps
    sources: tuple[str, ...]
    truth: tuple[str, ...]
    classes: tuple[str, ...]
    of_class: str | None = None

    def verdict(self, row: int) -> str:
        """What is known and what the network says of one image."""
        predicted = int(self.maps.predicted[row])
        probability = self.maps.probabilities[row, predicted]
        said = f"predicted {self.classes[predicted]} ({probability:.2f})"
        return f"true {self.truth[row]}, {said}" if self.truth[row] else said

    def heading(self, row: int) -> str:
        """Class and name of a source, for beside a row or above a column of panels."""
        name = self.sources[row]
        short = name if len(name) <= SHOWN_NAME else name[: SHOWN_NAME - 1] + "…"
        return f"{self.truth[row]}\n{short}" if self.truth[row] else short

    @property
    def mean_name(self) -> str:
        """What the mean of the maps is called, for all images."""
        if self.method == ATTENTION:
            return "attention" if len(self.maps.names) == 1 else "mean attention"
        return f"Grad-CAM of {self.maps.names[0]} for {self.of_class or 'the predicted class'}"

    def map_name(self, row: int) -> str:
        """What the mean of the maps of one image is called."""
        if self.method == ATTENTION:
            return self.mean_name
        asked = self.of_class or self.classes[int(self.maps.predicted[row])]
        return f"Grad-CAM of {self.maps.names[0]} for {asked}"


def source_grid(found: Explained, row: int) -> Grid:
    """One image: the source, the map with its contours, and the map of every gate."""
    image, maps = found.images[row], found.maps
    panels = [
        source_panel(image, title="source"),
        map_panel(maps.mean[row], image, title=found.map_name(row)),
    ]
    if len(maps.names) > 1:
        panels += [
            map_panel(own[row], title=f"{name}: {own.shape[1]} × {own.shape[2]}")
            for name, own in zip(maps.names, maps.own, strict=True)
        ]
    return Grid([panels], title=f"{found.sources[row]}\n{found.verdict(row)}")


def epochs_grid(epochs: Sequence[int], found: Sequence[Explained]) -> Grid:
    """Rows sources, columns the source and then its map after each epoch."""
    first = found[0]
    rows = [
        [
            source_panel(image, title="" if row else "source", left=first.heading(row)),
            *(
                _stretched_panel(one, row, title="" if row else f"epoch {epoch}")
                for epoch, one in zip(epochs, found, strict=True)
            ),
        ]
        for row, image in enumerate(first.images)
    ]
    title = f"{first.mean_name} of {first.network} through training"
    return Grid(rows, title=title, bars="one", bar_label=STRETCHED, side=1.6)


def gates_grid(found: Sequence[Explained]) -> Grid:
    """Rows networks, fewest gates first, columns sources: the mean map of each."""
    ordered = sorted(found, key=lambda one: (one.method != ATTENTION, len(one.maps.names)))
    first = ordered[0]
    sources = [
        source_panel(image, title=first.heading(row), left="" if row else "source")
        for row, image in enumerate(first.images)
    ]
    rows = [
        [
            _stretched_panel(one, row, left="" if row else _gates(one, ordered))
            for row in range(len(one.images))
        ]
        for one in ordered
    ]
    title = "Mean map by number of gates"
    return Grid([sources, *rows], title=title, bars="one", bar_label=STRETCHED, side=1.7)


def array_grids(found: Sequence[Explained], row: int) -> dict[str, Grid]:
    """Several networks and one source: with a colour bar each, and tiled.

    Rows are normalisations and columns aggregations where every network has one of each of
    its own; else the networks stand in a plain grid under their names.
    """
    image, truth = found[0].images[row], found[0].truth[row]
    title = f"{truth}: {found[0].sources[row]}" if truth else found[0].sources[row]
    cells = array_cells(found)
    plain = cells is None
    layout = _plain_layout(len(found)) if cells is None else cells

    def panel(place: tuple[int, int], *, tiled: bool) -> Panel | None:
        number = layout.numbers.get(place)
        if number is None:
            return None
        one = found[number]
        above = _wrapped(one.network) if plain else "" if place[0] else layout.columns[place[1]]
        left = "" if plain or place[1] else layout.rows[place[0]]
        values, limits = one.maps.mean[row], None
        if tiled:
            values, limits = stretched(values), UNIT
        return map_panel(values, image, limits=limits, title=above, left=left)

    def rows(*, tiled: bool) -> list[list[Panel | None]]:
        return [
            [panel((y, x), tiled=tiled) for x in range(len(layout.columns))]
            for y in range(len(layout.rows))
        ]

    return {
        "array": Grid(rows(tiled=False), title=title),
        "array_tiled": Grid(
            rows(tiled=True),
            title=title,
            bars="one",
            bar_label=STRETCHED,
            tiled=not plain,
            side=1.7,
        ),
    }


@dataclass(frozen=True)
class Layout:
    """Which network stands where: names of rows and columns, number of a network by place."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    numbers: dict[tuple[int, int], int]


def array_cells(found: Sequence[Explained]) -> Layout | None:
    """Normalisations by aggregations; None unless every network has its own pair of them."""
    pairs = [(one.settings.get("normalisation"), one.settings.get("aggregation")) for one in found]
    gated = all(one.method == ATTENTION for one in found)
    if not gated or len(set(pairs)) < len(pairs):
        return None
    if any(row not in NORMALISATIONS or column not in AGGREGATIONS for row, column in pairs):
        return None
    rows = [name for name in NORMALISATIONS if any(pair[0] == name for pair in pairs)]
    columns = [name for name in AGGREGATIONS if any(pair[1] == name for pair in pairs)]
    return Layout(
        tuple(NORMALISATIONS[name] for name in rows),
        tuple(AGGREGATIONS[name] for name in columns),
        {(rows.index(r), columns.index(c)): n for n, (r, c) in enumerate(pairs)},
    )


def _plain_layout(count: int) -> Layout:
    width = int(np.ceil(np.sqrt(count)))
    height = -(-count // width)
    numbers = {divmod(number, width): number for number in range(count)}
    return Layout(("",) * height, ("",) * width, numbers)


def _stretched_panel(found: Explained, row: int, **texts: str) -> Panel:
    values = stretched(found.maps.mean[row])
    return map_panel(values, found.images[row], limits=UNIT, **texts)


def _gates(found: Explained, others: Sequence[Explained]) -> str:
    """The number of gates, or the network where that does not tell the rows apart."""
    count = len(found.maps.names)
    alike = [one for one in others if one.method == ATTENTION and len(one.maps.names) == count]
    if found.method != ATTENTION or len(alike) > 1:
        return _wrapped(found.network)
    return f"{count} gate{'s' if count > 1 else ''}"


def _wrapped(text: str) -> str:
    """In lines that fit above or beside a panel."""
    return "\n".join(textwrap.wrap(text, SHOWN_NAME))

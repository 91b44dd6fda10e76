"""From numbers to the geometry of a chart; templates draw it as SVG.

Lines that stand for different things differ in colour, in dash and in the shape of their
markers, so that no colour must be seen to tell them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarker.report.site.scales import Scale

STYLES = 6  # colours, dashes and shapes in style.css and in the templates
LEFT, RIGHT, TOP, BOTTOM = 50.0, 12.0, 12.0, 42.0
MARKERS = 4  # on a line that has some
LETTER = 6.2  # mean width of a letter of a label, in units of the drawing


@dataclass(frozen=True)
class Curve:
    """One line: `x` and `y` are (n,) in units of the axes; points that are not finite part it.

    Arguments
    ---------
    style : number of the colour; equal numbers stand for one thing
    name : its entry in the legend; without one it has none
    dash : number of the dash, 0 is solid; None for that of the style
    faint : one of many lines behind the one that counts
    marked : whether the shape of the style stands on it, at a few places
    """

    x: Sequence[float] | np.ndarray
    y: Sequence[float] | np.ndarray
    style: int = 0
    name: str = ""
    dash: int | None = None
    faint: bool = False
    marked: bool = False


@dataclass(frozen=True)
class Point:
    """One marker with, where known, an interval of its height.

    `name` is written beside it where there is room, `text` is what it says when pointed at,
    `row` the row of the table that it stands for.
    """

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    style: int = 0
    name: str = ""
    text: str = ""
    row: str = ""
    size: float = 1.0


@dataclass(frozen=True)
class Bar:
    """A column from the lower end of the chart up to `y`, from `low` to `high` across."""

    low: float
    high: float
    y: float
    text: str = ""


@dataclass(frozen=True)
class Chart:
    """A chart before it is drawn; `description` says in words what it shows."""

    title: str
    description: str
    x: Scale
    y: Scale
    curves: Sequence[Curve] = ()
    points: Sequence[Point] = ()
    bars: Sequence[Bar] = ()
    size: tuple[int, int] = (400, 300)
    wide: bool = False
    keys: Sequence[tuple[str, int, int | None]] = field(default_factory=tuple)

    def drawn(self) -> dict[str, Any]:
        """Everything that the template needs, places in units of the drawing."""
        frame = _Frame(self.x, self.y, self.size)
        return {
            "title": self.title,
            "description": self.description,
            "wide": self.wide,
            "size": self.size,
            "frame": frame.box,
            "x": _axis(self.x, frame.across(self.x.ticks)),
            "y": _axis(self.y, frame.up(self.y.ticks)),
            "bars": [frame.bar(bar) for bar in self.bars],
            "curves": [frame.curve(curve) for curve in self.curves],
            "points": _with_names([frame.point(point) for point in self.points], frame),
            "legend": [_key(*key) for key in self.keys]
            + [_key(c.name, c.style, c.dash, marked=c.marked) for c in self.curves if c.name],
        }


@dataclass(frozen=True)
class _Frame:
    """The part of the drawing inside the axes."""

    x: Scale
    y: Scale
    size: tuple[int, int]

    @property
    def box(self) -> dict[str, float]:
        width, height = self.size
        return {"left": LEFT, "right": width - RIGHT, "top": TOP, "bottom": height - BOTTOM}

    def horizontal(self, values: Sequence[float] | np.ndarray) -> np.ndarray:
        left, right = self.box["left"], self.box["right"]
        return left + (right - left) * self.x.place(values)

    def vertical(self, values: Sequence[float] | np.ndarray) -> np.ndarray:
        top, bottom = self.box["top"], self.box["bottom"]
        return bottom - (bottom - top) * self.y.place(values)

    def across(self, ticks: Sequence[tuple[float, str]]) -> np.ndarray:
        return self.horizontal([value for value, _ in ticks])

    def up(self, ticks: Sequence[tuple[float, str]]) -> np.ndarray:
        return self.vertical([value for value, _ in ticks])

    def curve(self, curve: Curve) -> dict[str, Any]:
        places = np.column_stack([self.horizontal(curve.x), self.vertical(curve.y)])
        known = np.isfinite(places).all(axis=1)
        markers = _spread(places[known], curve.style) if curve.marked else []
        return {
            "path": _path(places, known),
            "style": curve.style % STYLES,
            "dash": _dash_of(curve) % STYLES,
            "shape": _shape(curve.style),
            "faint": curve.faint,
            "markers": [(_round(x), _round(y)) for x, y in markers],
        }

    def point(self, point: Point) -> dict[str, Any]:
        found = {
            "x": _round(self.horizontal([point.x])[0]),
            "y": _round(self.vertical([point.y])[0]),
            "style": point.style % STYLES,
            "shape": _shape(point.style),
            "size": round(point.size, 2),
            **{name: getattr(point, name) for name in ("name", "text", "row")},
            "ends": None,
        }
        if point.low is not None and point.high is not None:
            found["ends"] = [_round(end) for end in self.vertical([point.low, point.high])]
        return found

    def bar(self, bar: Bar) -> dict[str, Any]:
        left, right = self.horizontal([bar.low, bar.high])
        top = self.vertical([bar.y])[0]
        return {
            "x": _round(left + 0.5),
            "width": _round(max(right - left - 1.0, 0.5)),
            "y": _round(top),
            "height": _round(self.box["bottom"] - top),
            "text": bar.text,
        }


def _axis(scale: Scale, places: np.ndarray) -> dict[str, Any]:
    pairs = zip(places, scale.ticks, strict=True)
    return {"label": scale.label, "ticks": [(_round(place), text) for place, (_, text) in pairs]}


def _path(places: np.ndarray, known: np.ndarray) -> str:
    """The ``d`` of an SVG path: a pen that is lifted where a point is missing."""
    words, drawing = [], False
    previous = None
    for (x, y), there in zip(places.round(1).tolist(), known.tolist(), strict=True):
        if there and (x, y) != previous:
            words.append(f"{'L' if drawing else 'M'}{x:g},{y:g}")
            previous = (x, y)
        drawing = there
    return "".join(words)


def _spread(places: np.ndarray, style: int) -> np.ndarray:
    """A few of the points (n, 2), evenly across; those of another style stand elsewhere."""
    if len(places) <= MARKERS:
        return places
    left, right = places[0, 0], places[-1, 0]
    step = (right - left) / (MARKERS + 1)
    aside = (style % STYLES / STYLES - 0.5) * 0.8 * step
    wanted = left + aside + step * np.arange(1, MARKERS + 1)
    return places[np.abs(places[:, :1] - wanted).argmin(axis=0)]


def _dash_of(curve: Curve) -> int:
    if curve.dash is None:
        return 0 if curve.faint else _dash(curve.style)
    return curve.dash


def _dash(style: int) -> int:
    # from the seventh on colours repeat: with another dash and another shape
    return (style + style // STYLES) % STYLES


def _shape(style: int) -> int:
    return (style + 2 * (style // STYLES)) % STYLES


def _key(name: str, style: int, dash: int | None, *, marked: bool = False) -> dict[str, Any]:
    own = _dash(style) if dash is None else dash
    shape = _shape(style) if marked else None
    return {"name": name, "style": style % STYLES, "dash": own % STYLES, "shape": shape}


def _with_names(points: list[dict[str, Any]], frame: _Frame) -> list[dict[str, Any]]:
    """The points, their names beside them where those cover no other name and no point."""
    taken = [(point["x"] - 5, point["y"] - 5, point["x"] + 5, point["y"] + 5) for point in points]
    for number, point in enumerate(points):
        width = LETTER * len(point["name"])
        point["label"] = None
        for x, y, anchor in (
            (point["x"] + 8, point["y"] + 4, "start"),
            (point["x"] - 8, point["y"] + 4, "end"),
            (point["x"] + 6, point["y"] - 8, "start"),
            (point["x"] - 6, point["y"] - 8, "end"),
            (point["x"] + 6, point["y"] + 16, "start"),
            (point["x"] - 6, point["y"] + 16, "end"),
        ):
            left = x if anchor == "start" else x - width
            box = (left, y - 10, left + width, y + 3)
            inside = frame.box["left"] <= box[0] and box[2] <= frame.box["right"]
            others = taken[:number] + taken[number + 1 :]
            if point["name"] and inside and not any(_overlap(box, other) for other in others):
                point["label"] = (_round(x), _round(y), anchor)
                taken.append(box)
                break
    return points


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _round(value: float) -> float:
    return round(float(value), 1)

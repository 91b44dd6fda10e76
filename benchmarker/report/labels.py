"""Names beside points of a plot, placed so that they do not cover each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

GAP = 6.0  # points between a point and its name
# (horizontal, vertical) side of the name, in the order in which they are tried
SIDES = ((1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1), (1, 2), (-1, 2), (1, -2), (-1, -2))
ALIGNMENTS = {1: "left", -1: "right"}


def place_labels(
    axes: Any,
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    *,
    bars: Sequence[tuple[float, float]] = (),
) -> None:
    """Write `names` beside `points` (data coordinates), each on its first free side.

    `bars` holds the lower and upper end of each point's error bar; names avoid them where
    they can, points and other names before all. A name that finds no free side overlaps;
    it is never left out.
    """
    figure = axes.figure
    figure.draw_without_rendering()  # settles the layout, so that pixels mean something
    renderer = figure.canvas.get_renderer()
    frame = axes.get_window_extent(renderer)
    taken = [_around(axes.transData.transform(point)) for point in points]
    lines = [_bar(axes, point[0], ends) for point, ends in zip(points, bars, strict=False)]
    for point, name in zip(points, names, strict=True):
        text = axes.annotate(
            name, point, xytext=(0, 0), textcoords="offset points", fontsize="small", va="center"
        )
        text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
        boxes = {}
        for side in SIDES:
            _move(text, side)
            boxes[side] = text.get_window_extent(renderer)
        side = _first_free(boxes, frame, ([*taken, *lines], taken))
        _move(text, side)
        taken.append(boxes[side])


def _first_free(
    boxes: dict[tuple[int, int], Bbox], frame: Bbox, obstacles: Sequence[list[Bbox]]
) -> tuple[int, int]:
    for wanted in obstacles:
        for side, box in boxes.items():
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1
            if inside and not any(box.overlaps(other) for other in wanted):
                return side
    return SIDES[0]


def _around(place: Sequence[float]) -> Bbox:
    return Bbox.from_bounds(place[0] - 5, place[1] - 5, 10, 10)


def _bar(axes: Any, x: float, ends: tuple[float, float]) -> Bbox:
    (left, bottom), (_, top) = axes.transData.transform([(x, ends[0]), (x, ends[1])])
    return Bbox.from_bounds(left - 3, bottom, 6, top - bottom)


def _move(text: Any, side: tuple[int, int]) -> None:
    text.set_position((GAP * side[0], 1.6 * GAP * side[1]))
    text.set_horizontalalignment(ALIGNMENTS[side[0]])

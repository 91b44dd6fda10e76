"""Geometry of charts."""

import numpy as np

from benchmarker.report.site.charts import BOTTOM, LEFT, RIGHT, TOP, Bar, Chart, Curve, Point
from benchmarker.report.site.scales import linear

UNIT = linear("x", 0.0, 1.0)
WIDTH, HEIGHT = 400, 300


def drawn(**parts):
    return Chart("title", "words", UNIT, UNIT, size=(WIDTH, HEIGHT), **parts).drawn()


def test_a_line_runs_from_corner_to_corner():
    found = drawn(curves=[Curve([0.0, 1.0], [0.0, 1.0])])
    ends = f"M{LEFT:g},{HEIGHT - BOTTOM:g}L{WIDTH - RIGHT:g},{TOP:g}"
    assert found["curves"][0]["path"] == ends


def test_a_missing_point_lifts_the_pen():
    (curve,) = drawn(curves=[Curve([0, 0.25, 0.5, 0.75, 1], [0, 0, np.nan, 1, 1])])["curves"]
    assert curve["path"].count("M") == 2
    assert "nan" not in curve["path"]


def test_a_point_that_is_alone_draws_nothing_but_fails_not():
    assert drawn(curves=[Curve([0.5], [np.nan])])["curves"][0]["path"] == ""
    assert drawn(curves=[Curve([], [])])["curves"][0]["path"] == ""


def test_lines_differ_in_more_than_colour():
    curves = [Curve([0, 1], [0, 1], style, f"class {style}", marked=True) for style in range(36)]
    found = drawn(curves=curves)
    looks = {(one["style"], one["dash"], one["shape"]) for one in found["curves"]}
    assert len(looks) == 36
    # what the first six need no colour for
    assert len({(one["dash"], one["shape"]) for one in found["curves"][:6]}) == 6
    keys = {(key["style"], key["dash"], key["shape"]) for key in found["legend"]}
    assert keys == looks


def test_markers_stand_on_the_line_away_from_its_ends():
    x = np.linspace(0, 1, 201)
    (curve,) = drawn(curves=[Curve(x, x, marked=True)])["curves"]
    places = [place for place, _ in curve["markers"]]
    assert len(places) == 4
    assert LEFT < min(places) < max(places) < WIDTH - RIGHT
    few = drawn(curves=[Curve([0.2, 0.8], [0.1, 0.2], marked=True)])["curves"][0]
    assert len(few["markers"]) == 2


def test_only_named_lines_are_in_the_legend():
    curves = [Curve([0, 1], [0, 1], 1, faint=True), Curve([0, 1], [0, 1], 1, "FRI")]
    found = drawn(curves=curves, keys=[("training", 0, 1)])
    assert [key["name"] for key in found["legend"]] == ["training", "FRI"]


def test_an_interval_stands_around_its_point():
    (point,) = drawn(points=[Point(0.5, 0.5, low=0.25, high=0.75)])["points"]
    low, high = point["ends"]
    assert high < point["y"] < low
    assert drawn(points=[Point(0.5, 0.5, low=None, high=0.7)])["points"][0]["ends"] is None


def test_a_bar_stands_on_the_axis():
    (bar,) = drawn(bars=[Bar(0.25, 0.5, 1.0)])["bars"]
    assert bar["y"] == TOP
    assert bar["y"] + bar["height"] == HEIGHT - BOTTOM


def test_names_cover_neither_points_nor_each_other():
    points = [Point(0.5, 0.5 + number / 200, name=f"network {number}") for number in range(8)]
    found = drawn(points=points)["points"]
    boxes = []
    for point in found:
        if point["label"] is None:
            continue
        x, y, anchor = point["label"]
        width = 6.2 * len(point["name"])
        left = x if anchor == "start" else x - width
        boxes.append((left, y - 10, left + width, y + 3))
    assert len(boxes) >= 2
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            apart = one[2] <= other[0] or other[2] <= one[0]
            assert apart or one[3] <= other[1] or other[3] <= one[1]


def test_a_name_stays_inside_the_axes():
    (point,) = drawn(points=[Point(1.0, 0.5, name="at the right edge")])["points"]
    assert point["label"][2] == "end"

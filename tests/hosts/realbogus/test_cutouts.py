"""Stamps cut from an exposure: their pixels, and which tiles are read."""

import numpy as np
import pytest

from benchmarker.core.errors import (
    SettingsError,
)
from benchmarker.hosts.realbogus.cutouts import CutForm, corners, cut, touches
from benchmarker.hosts.realbogus.exposures import Exposure, open_exposure
from tests.hosts.realbogus.survey import (
    HEIGHT,
    WIDTH,
    pixels_of,
    stamp_of,
    write_exposure,
)

pytest.importorskip("sqlalchemy", reason="pip install 'benchmarker[database]'")
OBS = "02a58362o0001c"


def cut_all(path, first, form):
    found = {}
    with open_exposure(path, form.mask) as exposure:
        for places, stamps in cut(exposure, first, form):
            assert stamps.dtype == exposure.dtype
            found.update(zip(places.tolist(), stamps, strict=True))
    return found


@pytest.mark.parametrize("tile", [(1, None), (50, 60), (120, 150), (7, 100), None])
@pytest.mark.parametrize("side", [40, 13])
def test_stamps_are_the_pixels_around_each_detection(tmp_path, tile, side, monkeypatch):
    monkeypatch.setattr("benchmarker.hosts.realbogus.cutouts.ROWS_AT_ONCE", 30)
    monkeypatch.setattr("benchmarker.hosts.realbogus.cutouts.STAMPS_AT_ONCE", 7)
    pixels = pixels_of(3)
    packed = {"packed": False} if tile is None else {"tile": tile}
    path = write_exposure(tmp_path, OBS, pixels, **packed)
    draw = np.random.default_rng(2)
    x, y = draw.uniform(-30, WIDTH + 30, 90), draw.uniform(-30, HEIGHT + 30, 90)
    form = CutForm(side)
    first = corners(x, y, form)
    found = cut_all(path, first, form)
    inside = touches(first, side, pixels.shape)
    assert sorted(found) == np.flatnonzero(inside).tolist()
    assert 0 < inside.sum() < len(x)
    for place, stamp in found.items():
        np.testing.assert_array_equal(stamp, stamp_of(pixels, x[place], y[place], side))


@pytest.mark.parametrize(
    ("offset", "value", "pixel"),
    [(-0.5, 0.5, 0), (-0.5, 0.99, 0), (-0.5, 1.0, 1), (-1.0, 1.0, 0), (-1.0, 1.6, 1), (0, 0.4, 0)],
)
def test_the_detection_is_in_the_middle_pixel(offset, value, pixel):
    form = CutForm(40, offset)
    assert corners([value], [value], form).tolist() == [[pixel - 20, pixel - 20]]


def test_places_that_are_no_places_touch_nothing():
    first = corners([np.nan, np.inf, 1e30, 5], [5, 5, 5, -np.inf])
    assert not touches(first, 40, (HEIGHT, WIDTH)).any()


@pytest.mark.parametrize("tile", [(1, None), (20, 30), (64, 150)])
def test_each_tile_is_read_once_and_no_other(tmp_path, tile, monkeypatch):
    monkeypatch.setattr("benchmarker.hosts.realbogus.cutouts.ROWS_AT_ONCE", 16)
    path = write_exposure(tmp_path, OBS, pixels_of(1), tile=tile)
    read = np.zeros((HEIGHT, WIDTH), int)
    usual = Exposure.read

    def count(self, rows, columns):
        read[rows, columns] += 1
        return usual(self, rows, columns)

    monkeypatch.setattr(Exposure, "read", count)
    form = CutForm(10)
    x, y = [20.5, 22.5, 100.5, 101.5], [15.5, 30.5, 33.5, 90.5]
    first = corners(x, y, form)
    cut_all(path, first, form)
    assert read.max() == 1
    height, width = tile[0], tile[1] or WIDTH
    needed = np.zeros((HEIGHT, WIDTH), bool)
    for row, column in first.tolist():
        rows = slice(row // height * height, -(-(row + 10) // height) * height)
        needed[rows, column // width * width : -(-(column + 10) // width) * width] = True
    np.testing.assert_array_equal(read > 0, needed)


@pytest.mark.parametrize("wrong", [{"side": 0}, {"side": 5000}, {"offset": float("nan")}])
def test_forms_that_are_refused(wrong):
    with pytest.raises(SettingsError):
        CutForm(**wrong)

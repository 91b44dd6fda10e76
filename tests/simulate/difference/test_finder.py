import numpy as np
import pytest

from benchmarker.simulate.difference.finder import find
from benchmarker.simulate.difference.psf import Psf
from benchmarker.simulate.difference.reals import ASTEROID, add_real
from benchmarker.simulate.difference.scene import Canvas, Conditions

CONDITIONS = Conditions(300.0, Psf(2.1, 3.0, 0.1, 0.4), 0.4)
GRID = [(y + 0.3, x - 0.4) for y in range(20, 300, 24) for x in range(20, 300, 24)]


def field(snr, places=GRID):
    canvas = Canvas((320, 320), CONDITIONS)
    draw = np.random.default_rng(1)
    for place in places:
        canvas.begin()
        add_real(canvas, place, ASTEROID, snr, draw)
    return canvas, draw


def test_injections_above_seven_sigma_are_found_where_they_are():
    canvas, draw = field(7.5)
    found = find(canvas.finish(draw), CONDITIONS, 5.0)
    distances = [np.hypot(found.y - y, found.x - x).min() for y, x in GRID]
    assert np.mean(np.array(distances) < 1.0) > 0.97
    assert np.median(distances) < 0.35
    assert len(found) < 1.1 * len(GRID)


def test_flux_and_signal_to_noise_are_measured():
    # few, so that they do not count as noise, and not in the middle of their pixels
    canvas, draw = field(60.0, GRID[::9])
    found = find(canvas.finish(draw), CONDITIONS)
    assert len(found) == len(GRID[::9])
    assert np.median(found.snr) == pytest.approx(60.0, rel=0.08)
    assert np.all(np.diff(found.snr) <= 0)


def test_empty_sky_has_as_few_detections_as_the_threshold_promises():
    image = Canvas((600, 600), CONDITIONS).finish(np.random.default_rng(3))
    assert len(find(image, CONDITIONS, 5.0)) <= 1
    assert 3 < len(find(image, CONDITIONS, 3.5)) < 120


def test_nothing_is_found_in_masked_pixels():
    canvas, draw = field(100.0, [(50.0, 50.0), (100.0, 100.0)])
    canvas.masked[45:56, 45:56] = True
    found = find(canvas.finish(draw), CONDITIONS, 6.0)
    assert [(round(y), round(x)) for y, x in zip(found.y, found.x, strict=True)] == [(100, 100)]


def test_an_image_without_any_sky_has_no_detection():
    canvas = Canvas((40, 40), CONDITIONS)
    canvas.masked[:] = True
    assert len(find(canvas.finish(np.random.default_rng(0)), CONDITIONS)) == 0


def test_positions_belong_to_the_pixel_of_the_peak():
    canvas, draw = field(40.0)
    found = find(canvas.finish(draw), CONDITIONS)
    assert np.abs(found.y - np.rint(found.y)).max() < 0.5
    assert np.abs(found.x - np.rint(found.x)).max() < 0.5

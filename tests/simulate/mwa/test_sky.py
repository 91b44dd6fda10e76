"""Source counts, ionosphere and restored sources."""

import math

import numpy as np
import pytest

from benchmarker.simulate.mwa.bands import middle_band
from benchmarker.simulate.mwa.coverage import Coverage
from benchmarker.simulate.mwa.imaging import Imager
from benchmarker.simulate.mwa.sky import draw_field, ionospheric_shift, residuals, restored
from benchmarker.simulate.mwa.tiles import Pointing


@pytest.fixture(scope="module")
def coverage():
    return Coverage(middle_band(121), Pointing(0.0, -26.7))


def test_counts_of_the_sky():
    half = 0.2
    fields = [draw_field(np.random.default_rng(seed), half) for seed in range(5)]
    flux = np.concatenate([field.flux_jy for field in fields])
    expected = 4100 / 0.59 * (0.03**-0.59 - 30**-0.59) * 5 * (2 * half) ** 2
    assert flux.size == pytest.approx(expected, rel=0.06)
    assert flux.min() >= 0.03
    assert flux.max() <= 30.0
    brighter = np.sum(flux > 0.3) / flux.size
    assert brighter == pytest.approx((0.3**-0.59 - 30**-0.59) / (0.03**-0.59 - 30**-0.59), rel=0.1)
    assert np.allclose(np.linalg.norm(fields[0].lmn, axis=1), 1.0)


def test_sources_fade_with_frequency():
    field = draw_field(np.random.default_rng(1), 0.1)
    ratio = np.median(field.flux_at(216.0) / field.flux_at(108.0))
    assert ratio == pytest.approx(2**-0.8, rel=0.05)


def test_ionosphere_rms_and_wavelength():
    places = np.random.default_rng(0).uniform(-0.3, 0.3, (300, 2))
    draws = [ionospheric_shift(np.random.default_rng(k), places, 1.0, 154.0) for k in range(60)]
    pixel = math.radians(1.1 / 121)
    rms = math.sqrt(np.mean(np.sum(np.square(draws), axis=2)))
    assert rms / pixel == pytest.approx(1.0, rel=0.15)
    twice = ionospheric_shift(np.random.default_rng(4), places, 1.0, 77.0)
    assert np.allclose(twice, 4 * draws[4])
    # smooth: neighbours a tenth of a degree apart move together
    near = ionospheric_shift(np.random.default_rng(4), places + 0.002, 1.0, 154.0)
    assert np.abs(near - draws[4]).max() < 0.3 * np.abs(draws[4]).max()


def test_restored_source_has_its_peak_and_beam(coverage):
    pixel = math.radians(coverage.band.pixel_deg)
    places = np.array([[10 * pixel, 5 * pixel], [500 * pixel, 0.0]])
    image = restored(coverage, 64, places, np.array([3.0, 100.0]))
    assert image.shape == (64, 64)
    assert np.unravel_index(image.argmax(), image.shape) == (37, 22)
    assert image.max() == pytest.approx(3.0)
    area = 2 * math.pi * math.sqrt(np.linalg.det(coverage.restoring_beam)) / pixel**2
    assert image.sum() == pytest.approx(3.0 * area, rel=1e-3)


def test_restored_beam_leans_as_its_covariance(coverage):
    image = restored(coverage, 64, np.array([[0.0, 0.0]]), np.array([1.0]))
    rows, columns = np.indices(image.shape) - 32
    pixel = math.radians(coverage.band.pixel_deg)
    moment = -np.sum(image * rows * columns) / image.sum()  # east is towards column 0
    assert moment == pytest.approx(coverage.restoring_beam[0, 1] / pixel**2, abs=0.02)


def test_what_clean_leaves_is_the_dirty_beam(coverage):
    image = Imager(coverage, 64).image(residuals(coverage, np.zeros((1, 2)), np.array([0.05])))
    assert np.allclose(image, 0.05 * Imager(coverage, 64).dirty_beam(), atol=1e-6)

"""The imager against the direct Fourier sum; noise and beam against the survey's table."""

import math

import numpy as np
import pytest

from benchmarker.simulate.mwa.bands import SETTINGS, middle_band
from benchmarker.simulate.mwa.coverage import Coverage, Emitters
from benchmarker.simulate.mwa.imaging import Imager
from benchmarker.simulate.mwa.tiles import Pointing

ZENITH = Pointing(0.0, -26.7)
RMS_MJY = {  # setting: natural, robust -1
    69: (44.5, 71.0),
    93: (21.5, 34.0),
    121: (12.2, 19.0),
    145: (10.0, 16.0),
    169: (8.7, 14.0),
}
# largest distance in px: rms of the dirty beam there, 4000 px images
SIDELOBES = {(10, 30): 0.024, (30, 100): 0.013, (100, 300): 0.0053, (300, 600): 0.0032}


@pytest.fixture(scope="module")
def coverage():
    return Coverage(middle_band(121), ZENITH)


def direct(coverage, visibilities, row, column, size):
    pixel = math.radians(coverage.band.pixel_deg)
    u, v, _ = coverage.uvw
    l, m = -(column - size // 2) * pixel, (row - size // 2) * pixel  # noqa: E741
    waves = np.exp(2j * np.pi * (u * l + v * m))
    return float(np.sum(coverage.weights * visibilities * waves).real)


@pytest.mark.parametrize("size", [64, 100])
def test_image_is_the_direct_sum(coverage, size):
    random = np.random.default_rng(2)
    shape = coverage.weights.shape
    visibilities = random.standard_normal(shape) + 1j * random.standard_normal(shape)
    image = Imager(coverage, size).image(visibilities)
    places = [(0, 0), (size // 2, size // 2), (5, size - 1), (size - 1, 20), (17, 40)]
    expected = [direct(coverage, visibilities, row, column, size) for row, column in places]
    found = [image[place] for place in places]
    assert np.allclose(found, expected, atol=1.5e-3 * image.std())


def test_a_source_lands_on_its_pixel_east_left(coverage):
    pixel = math.radians(coverage.band.pixel_deg)
    lmn = np.array([[20 * pixel, -12 * pixel, 1.0]])
    paths = coverage.celestial_paths(lmn, flat=True)
    image = Imager(coverage, 128).image(coverage.emitted(Emitters(paths, np.array([2.0]))))
    assert np.unravel_index(image.argmax(), image.shape) == (64 - 12, 64 - 20)
    assert image.max() == pytest.approx(2.0, abs=1e-4)


def test_nothing_from_outside_is_folded_in(coverage):
    pixel = math.radians(coverage.band.pixel_deg)
    size = 64
    grid = Imager(coverage, size).grid_px
    lmn = np.array([[grid * pixel, 0.0, 1.0]])  # would fall onto the centre
    paths = coverage.celestial_paths(lmn, flat=True)
    visibilities = coverage.emitted(Emitters(paths, np.array([1.0])))
    image = Imager(coverage, size).image(visibilities)
    assert image[32, 32] == pytest.approx(direct(coverage, visibilities, 32, 32, size), abs=1e-4)
    assert abs(image[32, 32]) < 0.1


@pytest.mark.parametrize("setting", SETTINGS)
def test_thermal_noise_of_the_table(setting):
    natural, briggs = RMS_MJY[setting]
    band = middle_band(setting)
    assert Coverage(band, ZENITH, robust=5.0).thermal_jy * 1e3 == pytest.approx(natural, rel=0.01)
    robust = Coverage(band, ZENITH)
    assert robust.thermal_jy * 1e3 == pytest.approx(briggs, rel=0.15)
    noise = robust.thermal_noise(np.random.default_rng(setting))
    image = Imager(robust, 128).image(noise)
    assert image.std() == pytest.approx(robust.thermal_jy, rel=0.05)


def test_flagged_tiles_cost_sensitivity(coverage):
    fewer = Coverage(middle_band(121), ZENITH, flagged=tuple(range(20)))
    assert fewer.weights.shape[0] == 108 * 107 // 2
    natural = Coverage(middle_band(121), ZENITH, flagged=tuple(range(20)), robust=5.0)
    assert natural.thermal_jy * 1e3 == pytest.approx(
        12.2 * math.sqrt(128 * 127 / (108 * 107)), rel=0.01
    )


def half_width_px(line):
    """Full width at half maximum of a profile that begins at its peak."""
    below = int(np.argmax(line < 0.5))
    share = (line[below - 1] - 0.5) / (line[below - 1] - line[below])
    return 2.0 * (below - 1 + share)


def test_dirty_beam(coverage):
    beam = Imager(coverage, 1024).dirty_beam()
    assert beam[512, 512] == pytest.approx(1.0, abs=1e-5)
    widths = [half_width_px(beam[512, 512:530]), half_width_px(beam[512:530, 512])]
    assert 4.8 <= math.sqrt(widths[0] * widths[1]) <= 5.2
    assert min(widths) >= 4.7
    assert max(widths) <= 5.4
    rows, columns = np.indices(beam.shape) - 512
    distance = np.hypot(rows, columns)
    for (low, high), level in SIDELOBES.items():
        inside = (distance >= low) & (distance < high)
        assert beam[inside].std() == pytest.approx(level, rel=0.3)


def test_restoring_beam_is_the_survey_s(coverage):
    pixels = np.sqrt(8 * math.log(2) * np.linalg.eigvalsh(coverage.restoring_beam))
    pixels /= math.radians(coverage.band.pixel_deg)
    assert 4.0 <= pixels[0] <= pixels[1] <= 4.7


def test_the_beam_stretches_off_the_zenith():
    low = Coverage(middle_band(121), Pointing(0.0, 18.3))
    sigmas = np.sqrt(np.linalg.eigvalsh(low.beam))
    # 45 degrees from the zenith baselines along the meridian look shorter by its cosine
    assert sigmas[1] / sigmas[0] == pytest.approx(1 / math.cos(math.radians(45.0)), rel=0.15)


def test_averaging_turns_off_what_runs_fast(coverage):
    lmn = np.array([0.5, 0.2, math.sqrt(1 - 0.29)])
    rate = coverage.celestial_rate(lmn)
    # against the hour angle itself, turned a little
    step = 1e-6
    later = Coverage(coverage.band, Pointing(math.degrees(step), -26.7))
    turned = later.pointing.from_local(coverage.pointing.to_local(lmn[np.newaxis]))[0]
    assert turned.shape == (3,)
    u, v, w = coverage.uvw
    u2, v2, w2 = later.uvw
    before = u * lmn[0] + v * lmn[1] + w * (lmn[2] - 1)
    after = u2 * lmn[0] + v2 * lmn[1] + w2 * (lmn[2] - 1)
    assert np.allclose((after - before) / step, rate, rtol=1e-3, atol=1e-2)
    assert np.all(np.abs(coverage.blur(rate)) <= 1.0)

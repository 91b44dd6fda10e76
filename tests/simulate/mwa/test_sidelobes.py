"""Far sources: where they are, and the direction of their ripples."""

import math

import numpy as np
import pytest

from benchmarker.simulate.mwa.bands import SECONDS, middle_band, sub_band
from benchmarker.simulate.mwa.coverage import EARTH_TURN, Coverage
from benchmarker.simulate.mwa.imaging import Imager
from benchmarker.simulate.mwa.sidelobes import (
    BRIGHT_SOURCES,
    FarSource,
    apparent_jy,
    draw_far_sources,
    far_visibilities,
)
from benchmarker.simulate.mwa.tiles import Pointing

SIZE = 256


@pytest.fixture(scope="module")
def coverage():
    return Coverage(middle_band(145), Pointing(0.0, -26.7))


def ripple_angle_deg(image):
    """Direction of the waves in an image, east of north modulo 180, from its Fourier power."""
    power = np.abs(np.fft.fft2(image - image.mean())) ** 2
    rows, columns = np.meshgrid(*2 * [np.fft.fftfreq(SIZE)], indexing="ij")
    # the second harmonic of the angle does not know which way a wave runs
    angle = 2.0 * np.arctan2(-columns, rows)
    total = np.sum(power * np.exp(1j * angle))
    return math.degrees(np.angle(total)) / 2.0 % 180.0


@pytest.mark.parametrize("source_deg", [20.0, 65.0, 110.0, 155.0])
def test_ripples_run_across_the_direction_of_the_source(coverage, source_deg):
    angle = math.radians(source_deg)
    l, m = 0.6 * math.sin(angle), 0.6 * math.cos(angle)  # noqa: E741
    source = FarSource("", (l, m, 0.8), 100.0, -0.8)
    image = Imager(coverage, SIZE).image(far_visibilities((source,), coverage, np.array([100.0])))
    difference = (ripple_angle_deg(image) - (source_deg + 90.0) + 90.0) % 180.0 - 90.0
    assert abs(difference) < 15.0


def test_sidelobe_level_goes_on_falling_outside_the_image(coverage):
    levels = []
    for radius in (0.35, 0.6, 0.9):
        source = FarSource("", (radius, 0.0, math.sqrt(1 - radius**2)), 1.0, -0.8)
        image = Imager(coverage, SIZE).image(far_visibilities((source,), coverage, np.array([1.0])))
        levels.append(image.std())
    assert levels[0] > levels[2]
    assert levels[2] > 5e-5
    assert levels[0] < 2e-3


def test_averaging_is_that_of_finer_channels_and_times(coverage):
    place = np.array([0.5, -0.33, math.sqrt(1.0 - 0.5**2 - 0.33**2)])
    source = FarSource("", tuple(place.tolist()), 1.0, -0.8)
    found = far_visibilities((source,), coverage, np.array([1.0]))[::7, 3]
    total = np.zeros(found.shape, dtype=complex)
    width = coverage.band.width_mhz / coverage.channels
    for share in (np.arange(40) + 0.5) / 40 - 0.5:
        # the sky turns by this angle, and the phase centre with the source
        turned = Pointing(math.degrees(EARTH_TURN * SECONDS * share), -26.7)
        later = Coverage(coverage.band, turned)
        first, second = (side[::7] for side in later.pairs)
        metres = (later.tiles[second] - later.tiles[first]) @ (place - [0.0, 0.0, 1.0])
        mhz = coverage.band.channels_mhz(8)[3] + width * ((np.arange(40) + 0.5) / 40 - 0.5)
        total += np.exp(-2j * np.pi * metres[:, np.newaxis] * mhz * 1e6 / 299792458.0).mean(axis=1)
    assert np.abs(found - total / 40).max() < 0.03
    assert np.abs(found).min() < 0.01
    assert np.abs(found).max() > 0.9


def test_drawn_sources_are_outside_and_up():
    for seed in range(40):
        pointing = Pointing(1.0, [-72.0, -26.7, 18.3][seed % 3])
        half = 0.31
        drawn = draw_far_sources(np.random.default_rng(seed), pointing, 9.0 * seed, half)
        assert 1 <= len(drawn) <= 2
        for source in drawn:
            radius = math.hypot(*source.lmn[:2])
            assert 0.35 <= radius <= 0.9
            assert max(abs(source.lmn[0]), abs(source.lmn[1])) > half
            assert pointing.to_local(np.array(source.lmn))[2] > 0.0
            assert np.linalg.norm(source.lmn) == pytest.approx(1.0)


def test_real_sources_are_taken_where_they_are_up():
    names = {source.name for source in BRIGHT_SOURCES}
    crab = next(source for source in BRIGHT_SOURCES if source.name == "Crab")
    found = [
        draw_far_sources(np.random.default_rng(seed), Pointing(0.0, -26.7), crab.ra_deg, 0.1)
        for seed in range(30)
    ]
    drawn = {source.name for sources in found for source in sources}
    assert "Crab" in drawn
    assert "" in drawn
    assert "CygA" not in drawn  # below the horizon at that time
    assert drawn <= names | {""}


def test_apparent_flux_is_small_in_the_sidelobes(coverage):
    steered = coverage.pointing.to_local(np.array([0.0, 0.0, 1.0]))
    source = FarSource("CygA", (0.3, 0.6, math.sqrt(1 - 0.45)), 9000.0, -1.0)
    flux = apparent_jy((source,), coverage, steered, "XX")
    assert 9.0 * 150 / 186 * 0.9 < flux[0] < 300.0
    other = Coverage(sub_band(145, 0), coverage.pointing)
    assert apparent_jy((source,), other, steered, "YY")[0] != flux[0]

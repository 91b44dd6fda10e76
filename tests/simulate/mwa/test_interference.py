"""Interference: stripes at their (u, v), echoes, reflectors, channels."""

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarker.simulate.mwa.bands import middle_band, sub_band
from benchmarker.simulate.mwa.coverage import Coverage
from benchmarker.simulate.mwa.imaging import Imager
from benchmarker.simulate.mwa.interference import (
    BASELINES,
    BOTH,
    HORIZON,
    KINDS,
    REFLECTOR,
    draw_interference,
    draw_scene,
    interference_visibilities,
)
from benchmarker.simulate.mwa.tiles import Pointing, tile_places

SIZE = 256


@pytest.fixture(scope="module")
def coverage():
    return Coverage(middle_band(121), Pointing(0.0, -26.7), flagged=(3, 77))


@pytest.fixture(scope="module")
def scene(coverage):
    half = SIZE / 2 * math.radians(coverage.band.pixel_deg)
    return draw_scene(np.random.default_rng(5), half, coverage.band.wavelength_m, (3, 77))


def drawn(kind, coverage, seed=1):
    return draw_interference(np.random.default_rng(seed), coverage.band, 8, kind)


def test_a_bad_baseline_is_a_stripe_at_its_place(coverage, scene):
    one = replace(drawn(BASELINES, coverage), baseline_jy=(5000.0,), channels=(4, 1))
    image = Imager(coverage, SIZE).image(interference_visibilities(one, scene, coverage))
    power = np.abs(np.fft.fft2(image * np.hanning(SIZE)[:, np.newaxis] * np.hanning(SIZE)))
    row, column = np.unravel_index(power.argmax(), power.shape)
    cell = 1.0 / (SIZE * math.radians(coverage.band.pixel_deg))
    found = np.array([-np.fft.fftfreq(SIZE)[column], np.fft.fftfreq(SIZE)[row]]) * SIZE * cell
    first, second = coverage.pairs
    baseline = (first == scene.pairs[0, 0]) & (second == scene.pairs[0, 1])
    expected = coverage.uvw[:2, baseline, 4][:, 0]
    error = min(np.abs(found - expected).max(), np.abs(found + expected).max())
    assert error <= 0.75 * cell
    weight = coverage.weights[baseline, 4][0]
    assert np.abs(image).max() == pytest.approx(5000.0 * weight, rel=0.05)


def test_bad_baselines_show_fringes_and_no_flagged_tile(scene):
    places = tile_places()
    lengths = np.linalg.norm(np.diff(places[scene.pairs][:, :, :2], axis=1)[:, 0], axis=1)
    half = SIZE / 2 * math.radians(1.1 / 121)
    assert lengths.min() >= 2.0 * 1.9356 / (2 * half)
    assert not np.isin(scene.pairs, (3, 77)).any()
    assert len({tuple(pair) for pair in scene.pairs.tolist()}) == len(scene.pairs)


def test_only_the_drawn_channels_are_hit(coverage, scene):
    for kind in KINDS:
        one = replace(drawn(kind, coverage), channels=(2, 3))
        found = interference_visibilities(one, scene, coverage)
        assert not found[:, :2].any()
        assert not found[:, 5:].any()
        assert found[:, 2:5].any(axis=0).all()


def test_both_is_the_sum(coverage, scene):
    both = drawn(BOTH, coverage)
    parts = [replace(both, kind=HORIZON, baseline_jy=()), replace(both, kind=BASELINES)]
    total = sum(interference_visibilities(part, scene, coverage) for part in parts)
    assert np.allclose(interference_visibilities(both, scene, coverage), total)


def test_a_steady_transmitter_fades_on_east_west_baselines(coverage, scene):
    """Its phase runs as the sky passes: what is left are waves along the meridian."""
    long = replace(drawn(HORIZON, coverage), seconds=112.0, channels=(0, 8))
    brief = replace(long, seconds=2.0)
    u = np.abs(coverage.uvw[0, :, 0])
    faded = []
    for one in (long, brief):
        power = np.abs(interference_visibilities(one, scene, coverage)[:, 0]) ** 2
        faded.append(power[u > 300].mean() / power[u < 20].mean())
    assert faded[0] < 0.1
    assert faded[1] > 0.4
    rms = [
        np.std(
            np.diff(
                Imager(coverage, SIZE).image(interference_visibilities(long, scene, coverage)),
                axis=axis,
            )
        )
        for axis in (0, 1)
    ]
    assert rms[0] > 2.0 * rms[1]


def test_a_reflector_is_brightest_along_its_track(coverage):
    half = SIZE / 2 * math.radians(coverage.band.pixel_deg)
    scene = draw_scene(np.random.default_rng(2), half, coverage.band.wavelength_m)
    far = replace(scene, reflector_m=1e6, gains=np.ones_like(scene.gains))
    one = replace(drawn(REFLECTOR, coverage), channels=(0, 8))
    image = Imager(coverage, SIZE).image(interference_visibilities(one, far, coverage))
    brightest = far.track_lm[np.argmax(far.glints)] / math.radians(coverage.band.pixel_deg)
    row, column = np.unravel_index(np.abs(image).argmax(), image.shape)
    tracks = far.track_lm / math.radians(coverage.band.pixel_deg)
    nearest = np.hypot(SIZE / 2 - column - tracks[:, 0], row - SIZE / 2 - tracks[:, 1]).min()
    assert nearest < 12.0
    assert np.abs(brightest).max() < 3 * SIZE


def test_transmitters_are_drawn_where_they_send():
    share = {}
    for band in (sub_band(169, 1), sub_band(121, 1)):
        kinds = [
            draw_interference(np.random.default_rng(seed), band, 8).kind for seed in range(400)
        ]
        share[band.setting] = np.mean([kind == BASELINES for kind in kinds])
        assert set(kinds) == set(KINDS)
    assert share[169] < share[121]


def test_flux_before_scaling_is_in_the_range_of_real_ones(coverage):
    for seed in range(50):
        one = drawn(BOTH, coverage, seed)
        assert 10.0 <= one.horizon_jy <= 300.0
        assert 1 <= len(one.baseline_jy) <= 6
        assert all(1e3 <= flux <= 2e4 for flux in one.baseline_jy)
        assert one.scaled(2.0).brightest_jy == pytest.approx(2 * one.brightest_jy)

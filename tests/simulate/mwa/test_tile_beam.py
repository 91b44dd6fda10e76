"""The tile's pattern: width, sidelobes, polarisations."""

import numpy as np
import pytest

from benchmarker.simulate.mwa.tile_beam import tile_power

ZENITH = np.array([0.0, 0.0, 1.0])


def along_east(angles_deg):
    angle = np.radians(angles_deg)
    return np.column_stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)])


def profile(mhz, polarisation="YY"):
    angles = np.linspace(0.0, 89.9, 1800)
    return angles, tile_power(along_east(angles), ZENITH, 299.792458 / mhz, polarisation)


def test_width_and_sidelobes():
    angles, power = profile(150.0)
    assert power[0] == pytest.approx(1.0)
    assert 2 * angles[np.argmax(power < 0.5)] == pytest.approx(25.0, abs=3.0)
    assert 0.005 < power[angles > 35].max() < 0.1


def test_sidelobes_grow_and_come_closer_with_frequency():
    peaks = []
    for mhz in (90.0, 150.0, 215.0):
        angles, power = profile(mhz)
        null = int(np.argmax(np.diff(power) > 0))
        peak = null + int(np.argmax(power[null:]))
        peaks.append((angles[null], power[peak]))
    assert peaks[0][0] > peaks[1][0] > peaks[2][0]
    assert peaks[0][1] < peaks[1][1] < peaks[2][1]


def test_steered_and_below_the_horizon():
    steered = along_east(np.array([30.0]))[0]
    power = tile_power(along_east(np.array([0.0, 30.0])), steered, 2.0, "YY")
    assert power[1] > power[0]
    assert tile_power(np.array([0.6, 0.0, -0.8]), ZENITH, 2.0, "XX") == 0.0


def test_polarisations_differ_by_their_dipoles():
    east = along_east(np.array([40.0]))
    ratio = tile_power(east, ZENITH, 2.0, "XX") / tile_power(east, ZENITH, 2.0, "YY")
    assert ratio[0] == pytest.approx(np.cos(np.radians(40.0)) ** 2)

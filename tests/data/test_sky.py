"""Neighbours on the sky against separations worked out by hand and against astropy."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from benchmarker.core.seeds import generator
from benchmarker.data.sky import pairs_between, pairs_within, positions_of_names, sky_groups

ARCSEC = 1 / 3600


def test_pairs_across_zero_hours_and_at_the_pole():
    ra = np.array([359.999, 0.001, 10.0, 100.0, 280.0])
    dec = np.array([0.0, 0.0, 0.0, 89.999, 89.999])
    pairs = pairs_within(ra, dec, 10.0)
    assert list(zip(pairs.first, pairs.second, strict=True)) == [(0, 1), (3, 4)]
    assert pairs.arcsec == pytest.approx([7.2, 7.2], abs=1e-4)


def test_separations_agree_with_astropy():
    draw = generator("sky", "test")
    ra = 150 + draw.normal(0, 0.02, 200)
    dec = -60 + draw.normal(0, 0.01, 200)
    pairs = pairs_within(ra, dec, 30.0)
    sky = SkyCoord(ra * u.deg, dec * u.deg)
    expected = sky[:, None].separation(sky[None, :]).arcsec
    assert len(pairs) == np.count_nonzero(np.triu(expected <= 30.0, 1)) > 50
    assert pairs.arcsec == pytest.approx(expected[pairs.first, pairs.second], abs=1e-6)


def test_pairs_between_two_lists_are_rows_of_each():
    first = (np.array([10.0, 50.0]), np.array([5.0, 5.0]))
    second = (np.array([0.0, 50.0, 50.0 + 20 * ARCSEC]), np.array([5.0, 5.0, 5.0]))
    pairs = pairs_between(first, second, 15.0)
    assert (pairs.first.tolist(), pairs.second.tolist()) == ([1], [1])
    assert pairs.arcsec == pytest.approx([0.0])


def test_unknown_positions_have_no_neighbour():
    nan = np.array([np.nan, np.nan, 3.0])
    assert len(pairs_within(nan, nan, 1e6)) == 0
    assert len(pairs_within(nan[:2], nan[:2], 1e6)) == 0
    assert len(pairs_between((nan[:2], nan[:2]), (nan, nan), 1e6)) == 0
    assert sky_groups(nan, nan, 60.0).tolist() == [0, 1, 2]


def test_groups_join_neighbours_of_neighbours():
    ra = np.array([0.0, 100.0, 20 * ARCSEC, 100.0, 10 * ARCSEC])
    dec = np.zeros(5)
    assert sky_groups(ra, dec, 12.0).tolist() == [0, 1, 0, 1, 0]
    assert sky_groups(ra, dec, 5.0).tolist() == [0, 1, 2, 1, 3]


def test_positions_in_names():
    ra, dec = positions_of_names(["J000330.73+002756.1", "J120000.00-003000.0", "row 3"])
    assert ra[:2] == pytest.approx([15 * (3 / 60 + 30.73 / 3600), 180.0])
    assert dec[:2] == pytest.approx([27 / 60 + 56.1 / 3600, -0.5])
    assert np.isnan([ra[2], dec[2]]).all()

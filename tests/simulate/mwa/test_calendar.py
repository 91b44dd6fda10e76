"""Nights, observation numbers and sidereal time, against astropy."""

import datetime as dt

import numpy as np
import pytest

from benchmarker.simulate.mwa.calendar import (
    MOST_OBSERVATIONS,
    NIGHTS,
    night_of,
    obsid_of,
    sidereal_deg,
    utc_of,
)


def test_gps_seconds():
    # 2013-08-09 12:00:00 UTC
    assert utc_of(1060084816) == dt.datetime(2013, 8, 9, 12, tzinfo=dt.UTC)


def test_sidereal_time_agrees_with_astropy():
    from astropy import units
    from astropy.time import Time

    obsid = obsid_of(3, 11)
    middle = Time(utc_of(obsid) + dt.timedelta(seconds=56))
    middle.delta_ut1_utc = 0.0
    expected = middle.sidereal_time("mean", longitude=116.67081 * units.deg).deg
    assert sidereal_deg(obsid) == pytest.approx(expected, abs=0.005)


def test_every_observation_has_its_own_number_in_its_night():
    obsids = [obsid_of(7, number) for number in range(400)]
    assert len(set(obsids)) == 400
    assert all(obsid % 8 == 0 for obsid in obsids)
    for number in range(0, 400, 37):
        assert utc_of(obsids[number]).date() == night_of(7, number)
    nights = {night_of(7, number) for number in range(400)}
    assert len(nights) == NIGHTS
    assert min(nights) >= dt.date(2013, 8, 9)
    assert max(nights) <= dt.date(2014, 6, 18)


def test_no_number_repeats_in_one_night_up_to_the_last():
    same_night = [obsid_of(1, number) for number in range(5, MOST_OBSERVATIONS, NIGHTS)]
    assert len(set(same_night)) == len(same_night) == 240
    assert np.ptp(same_night) < 86400

"""When the simulated observations were taken: nights, GPS seconds, sidereal time.

The survey that the labelled images come from ran from 2013-08-09 to 2014-06-18; an
observation's number is its start in GPS seconds.
"""

from __future__ import annotations

import datetime as dt
import math

from benchmarker.core.seeds import generator
from benchmarker.simulate.mwa.bands import SECONDS
from benchmarker.simulate.mwa.tiles import LONGITUDE_DEG

GPS_START = dt.datetime(1980, 1, 6, tzinfo=dt.UTC)
LEAP_SECONDS = 16  # GPS - UTC, 2012-07-01 to 2015-06-30
FIRST_NIGHT = dt.date(2013, 8, 9)
SURVEY_DAYS = 314
NIGHTS = 40
NIGHT_STARTS = dt.time(12, 30, tzinfo=dt.UTC)  # 20:30 at the telescope
SLOTS, SLOT_SECONDS = 240, 120
SLOT_STEP = 149  # shares no factor with SLOTS, so each slot comes once
MOST_OBSERVATIONS = NIGHTS * SLOTS
MJD_START = dt.datetime(1858, 11, 17, tzinfo=dt.UTC)
J2000 = dt.datetime(2000, 1, 1, 12, tzinfo=dt.UTC)


def night_of(seed: int, observation: int) -> dt.date:
    """The night of observation number 0, 1, ...: the nights come in turn."""
    stratum = observation % NIGHTS
    # less than a whole step, so that two nights are never the same
    jitter = 0.8 * generator(seed, "mwa night", stratum).random()
    return FIRST_NIGHT + dt.timedelta(days=int((stratum + jitter) * SURVEY_DAYS / NIGHTS))


def obsid_of(seed: int, observation: int) -> int:
    """Start of an observation in GPS seconds, a multiple of 8, different for each of a seed."""
    night = night_of(seed, observation)
    first = int(generator(seed, "mwa slots", observation % NIGHTS).integers(SLOTS))
    slot = (first + SLOT_STEP * (observation // NIGHTS)) % SLOTS
    start = dt.datetime.combine(night, NIGHT_STARTS) - GPS_START
    seconds = int(start.total_seconds()) + LEAP_SECONDS + slot * SLOT_SECONDS
    return seconds - seconds % 8


def utc_of(obsid: int) -> dt.datetime:
    """Start of an observation in UTC."""
    return GPS_START + dt.timedelta(seconds=obsid - LEAP_SECONDS)


def modified_julian_date(utc: dt.datetime) -> float:
    """Days since 1858-11-17."""
    return (utc - MJD_START).total_seconds() / 86400.0


def sidereal_deg(obsid: int) -> float:
    """Local mean sidereal time in degrees at the middle of an observation (Meeus 1998, eq. 12.4).

    UT1 is taken as UTC, at most 0.004 degrees off.
    """
    middle = utc_of(obsid) + dt.timedelta(seconds=SECONDS / 2.0)
    days = (middle - J2000).total_seconds() / 86400.0
    greenwich = 280.46061837 + 360.98564736629 * days
    return math.fmod(greenwich + LONGITUDE_DEG, 360.0)

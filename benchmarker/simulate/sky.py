"""Where simulated sources lie: spread over the FIRST footprint, each with its own name."""

from __future__ import annotations

import math

import numpy as np

from benchmarker.core.seeds import generator

# (RA from, RA to, Dec from, Dec to) in degrees; the first patch crosses the northern galactic
# cap, the second the southern strip. Simplified from the true, ragged outline.
PATCHES = ((112.0, 255.0, -4.0, 56.0), (325.0, 410.0, -9.0, 9.0))

# Additive recurrence of the plastic number: any first n points lie evenly and far apart, so no
# name repeats and no source shows in the field of another, whatever the size of the set.
STEPS = (0.7548776662466927, 0.5698402909980532)


def position(seed: int, order: int) -> tuple[float, float]:
    """RA and Dec in J2000 degrees of the source number `order` (over all classes) of a set."""
    start = generator(seed, "sky").random(2)
    across, up = (start + np.asarray(STEPS) * (order + 1)) % 1.0
    areas = np.array([_area(patch) for patch in PATCHES])
    edges = np.concatenate([[0.0], np.cumsum(areas / areas.sum())])
    patch = min(int(np.searchsorted(edges, across, side="right")) - 1, len(PATCHES) - 1)
    share = (across - edges[patch]) / (edges[patch + 1] - edges[patch])
    west, east, south, north = PATCHES[patch]
    low, high = math.sin(math.radians(south)), math.sin(math.radians(north))
    dec = math.degrees(math.asin(low + up * (high - low)))
    return (west + share * (east - west)) % 360.0, dec


def _area(patch: tuple[float, float, float, float]) -> float:
    west, east, south, north = patch
    return (east - west) * (math.sin(math.radians(north)) - math.sin(math.radians(south)))


def source_name(ra_deg: float, dec_deg: float) -> str:
    """The name ``Jhhmmss.ss+ddmmss.s`` of a position, cut off, not rounded, as names are."""
    hundredths = int(ra_deg / 15.0 * 360_000.0)
    tenths = int(abs(dec_deg) * 36_000.0)
    ra = f"{hundredths // 360_000:02d}{hundredths // 6000 % 60:02d}{hundredths % 6000 / 100:05.2f}"
    dec = f"{tenths // 36_000:02d}{tenths // 600 % 60:02d}{tenths % 600 / 10:04.1f}"
    return f"J{ra}{'-' if dec_deg < 0 else '+'}{dec}"

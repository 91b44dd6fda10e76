"""The 128 tiles of MWA Phase I, and the turn from the ground to a point of the sky."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LATITUDE_DEG = -26.703319
LONGITUDE_DEG = 116.67081
TILE_COUNT = 128
SPEED_OF_LIGHT = 299_792_458.0  # m/s
TABLE = Path(__file__).with_name("tiles.csv")


@functools.cache
def tile_places() -> np.ndarray:
    """East, north and up of every tile in metres from the array's centre: float64 (128, 3).

    Heights are relative to their mean; a common height is no part of any baseline.
    """
    table = np.loadtxt(TABLE, delimiter=",", comments=("#", "tile"), usecols=(1, 2, 3))
    table[:, 2] -= table[:, 2].mean()
    table.setflags(write=False)
    return table


def equatorial(local: np.ndarray) -> np.ndarray:
    """East, north, up (..., 3) as X (meridian), Y (east), Z (pole), the same unit."""
    latitude = math.radians(LATITUDE_DEG)
    sine, cosine = math.sin(latitude), math.cos(latitude)
    east, north, up = np.moveaxis(np.asarray(local), -1, 0)
    return np.stack([up * cosine - north * sine, east, north * cosine + up * sine], axis=-1)


def local(xyz: np.ndarray) -> np.ndarray:
    """X, Y, Z (..., 3) as east, north, up: the inverse of `equatorial`."""
    latitude = math.radians(LATITUDE_DEG)
    sine, cosine = math.sin(latitude), math.cos(latitude)
    x, y, z = np.moveaxis(np.asarray(xyz), -1, 0)
    return np.stack([y, z * cosine - x * sine, x * cosine + z * sine], axis=-1)


@dataclass(frozen=True)
class Pointing:
    """Where the phase centre stands: hour angle (west positive) and declination in degrees."""

    hour_angle_deg: float
    dec_deg: float

    @property
    def dec(self) -> float:
        """Declination in radians."""
        return math.radians(self.dec_deg)

    @property
    def turn(self) -> np.ndarray:
        """Rotation (3, 3) from X, Y, Z to u, v, w; for directions: to l, m, n."""
        hour_angle = math.radians(self.hour_angle_deg)
        sh, ch = math.sin(hour_angle), math.cos(hour_angle)
        sd, cd = math.sin(self.dec), math.cos(self.dec)
        return np.array([[sh, ch, 0.0], [-sd * ch, sd * sh, cd], [cd * ch, -cd * sh, sd]])

    def from_local(self, vectors: np.ndarray) -> np.ndarray:
        """East, north, up (..., 3) as u, v, w (lengths) or l, m, n (unit vectors)."""
        return equatorial(vectors) @ self.turn.T

    def to_local(self, vectors: np.ndarray) -> np.ndarray:
        """The inverse of `from_local`: l, m, n (..., 3) as east, north, up."""
        return local(np.asarray(vectors) @ self.turn)

    def of(self, hour_angle_deg: np.ndarray, dec_deg: np.ndarray) -> np.ndarray:
        """Direction cosines l, m, n (..., 3) of places by hour angle and declination."""
        hour_angle, dec = np.radians(hour_angle_deg), np.radians(dec_deg)
        x = np.cos(dec) * np.cos(hour_angle)
        y = -np.cos(dec) * np.sin(hour_angle)
        return np.stack([x, y, np.sin(dec)], axis=-1) @ self.turn.T

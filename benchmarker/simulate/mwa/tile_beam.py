"""The reception pattern of a tile: 4 x 4 bow-tie dipoles over a ground screen.

Dipoles 1.1 m apart and 0.3 m above the screen, steered by delays to the pointing; mutual
coupling is left out.
"""

from __future__ import annotations

import math

import numpy as np

SPACING_M = 1.1
HEIGHT_M = 0.3


def tile_power(
    directions: np.ndarray, pointing: np.ndarray, wavelength_m: float, polarisation: str
) -> np.ndarray:
    """Power received from directions relative to the zenith's, in 0 .. 1.

    Arguments
    ---------
    directions : east, north, up cosines (..., 3); 0 comes back below the horizon
    pointing : east, north, up of the direction that the delays point to, (3,)
    wavelength_m : in metres
    polarisation : ``XX`` (dipoles along east) or ``YY`` (along north)
    """
    directions = np.asarray(directions)
    array = np.ones(directions.shape[:-1])
    for axis in (0, 1):
        turns = SPACING_M / wavelength_m * (directions[..., axis] - pointing[axis])
        array *= _four(math.pi * turns)
    height = 2.0 * math.pi * HEIGHT_M / wavelength_m
    up = np.clip(directions[..., 2], 0.0, None)
    ground = np.sin(height * up) / math.sin(height)
    along = directions[..., 0 if polarisation == "XX" else 1]
    return (array * ground) ** 2 * (1.0 - along**2)


def _four(half_phase: np.ndarray) -> np.ndarray:
    """Sum of four equal signals, over four; 1 where they agree, also after whole turns."""
    sine = np.sin(half_phase)
    near = np.abs(sine) < 1e-9
    return np.where(near, 1.0, np.sin(4.0 * half_phase) / (4.0 * np.where(near, 1.0, sine)))

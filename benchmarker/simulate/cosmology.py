"""Angular size of a length at a redshift, in the flat universe of Planck-like numbers."""

from __future__ import annotations

from functools import cache

import numpy as np

HUBBLE_KM_S_MPC = 70.0
MATTER = 0.3
LIGHT_KM_S = 299_792.458
ARCSEC_PER_RADIAN = 206_264.806
HIGHEST_REDSHIFT = 5.0


@cache
def _distance_table() -> tuple[np.ndarray, np.ndarray]:
    """Redshifts and angular-diameter distances in Mpc, finely enough for linear steps."""
    redshift = np.linspace(0.0, HIGHEST_REDSHIFT, 5001)
    inverse = 1.0 / np.sqrt(MATTER * (1.0 + redshift) ** 3 + 1.0 - MATTER)
    step = redshift[1] - redshift[0]
    comoving = np.concatenate([[0.0], np.cumsum((inverse[1:] + inverse[:-1]) / 2.0) * step])
    return redshift, comoving * LIGHT_KM_S / HUBBLE_KM_S_MPC / (1.0 + redshift)


def arcsec_per_kpc(redshift: np.ndarray | float) -> np.ndarray:
    """Angle of one kiloparsec seen at `redshift` (above 0, at most 5), same shape."""
    distance_mpc = np.interp(redshift, *_distance_table())
    return ARCSEC_PER_RADIAN / (1000.0 * distance_mpc)

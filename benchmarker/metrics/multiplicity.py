"""Many comparisons at once: the more are made, the stricter each must be."""

from __future__ import annotations

import numpy as np

LEVEL = 0.05  # share of families of comparisons that may hold a false difference


def holm(p_values: np.ndarray) -> np.ndarray:
    """p-values corrected for their number by the step-down rule of Holm 1979.

    Arguments
    ---------
    p_values : float (comparisons,), each in [0, 1]; NaN stands for "undefined", counts as no
        comparison and stays NaN

    Returns float (comparisons,). A comparison whose corrected value is below `LEVEL` is a
    difference; the chance that any such is false, whatever is true of the others, is at most
    `LEVEL`. The smallest of m values is multiplied by m, the next by m - 1 and so on; no
    value is corrected to less than a smaller one, none to more than 1.
    """
    given = np.asarray(p_values, dtype=np.float64)
    corrected = np.full(given.shape, np.nan)
    places = np.flatnonzero(~np.isnan(given))
    order = places[np.argsort(given[places], kind="stable")]
    steps = given[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected

"""Intervals: Wilson for a share, the stratified bootstrap for everything else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from benchmarker.core.seeds import generator

LEVEL = 0.95
NORMAL_QUANTILE = 1.959963984540054  # of 0.975: leaves 2.5 % on either side
CHUNK_ELEMENTS = 2_000_000  # 16 MB of weights at a time, whatever the size of the test set


def wilson(successes: float, trials: int) -> tuple[float, float]:
    """95 % Wilson interval of a share; also sensible at 0 and at 100 %.

    `successes` may be a fraction where each trial is itself a mean, e.g. over passes.
    Returns (0, 1) for no trial at all: nothing is known.
    """
    if trials == 0:
        return 0.0, 1.0
    z2 = NORMAL_QUANTILE**2
    share = successes / trials
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    spread = share * (1 - share) / trials + z2 / (4 * trials**2)
    half = NORMAL_QUANTILE * spread**0.5 / (1 + z2 / trials)
    # the formula meets 0 and 1 exactly there, up to rounding
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


def bootstrap_weights(strata: np.ndarray, *, seed: int, resamples: int) -> Iterator[np.ndarray]:
    """How often each sample is drawn in each bootstrap resample, stratum by stratum.

    Arguments
    ---------
    strata : int array of shape (n,); every stratum keeps its number of samples
    seed : the draws are a pure function of it
    resamples : number of resamples in all

    Yields float64 arrays of shape (some resamples, n) holding whole numbers.
    """
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    rows = max(1, CHUNK_ELEMENTS // max(1, len(strata)))
    for chunk, first in enumerate(range(0, resamples, rows)):
        count = min(rows, resamples - first)
        draw = generator(int(seed), "bootstrap", chunk)
        weights = np.zeros((count, len(strata)))
        for rows_of_stratum in members:
            size = len(rows_of_stratum)
            picked = draw.integers(0, size, (count, size)) + size * np.arange(count)[:, np.newaxis]
            counts = np.bincount(picked.reshape(-1), minlength=count * size)
            weights[:, rows_of_stratum] = counts.reshape(count, size)
        yield weights


def percentile_interval(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """95 % percentile interval along the first axis; NaN where no draw is defined.

    Arguments
    ---------
    draws : float array of shape (resamples, ...), NaN where undefined
    """
    flat = draws.reshape(len(draws), math.prod(draws.shape[1:]))
    bounds = np.full((2, flat.shape[1]), np.nan)
    defined = ~np.isnan(flat).all(axis=0)
    if len(flat) and defined.any():
        tail = (1 - LEVEL) / 2
        bounds[:, defined] = np.nanquantile(flat[:, defined], [tail, 1 - tail], axis=0)
    low, high = bounds.reshape(2, *draws.shape[1:])
    return low, high


def with_interval(values: np.ndarray, draws: Sequence[np.ndarray]) -> list[dict[str, float | None]]:
    """A metric's value, low and high, null where undefined; one entry, or one per class.

    Arguments
    ---------
    values : float (1,) or (1, classes), the metric of the sample itself
    draws : arrays (resamples,) or (resamples, classes), the metric of its resamples
    """
    value = np.atleast_1d(values[0])
    empty = np.empty((0, len(value)))
    drawn = [draw.reshape(-1, len(value)) for draw in draws]
    low, high = percentile_interval(np.concatenate([empty, *drawn]))
    undefined = np.isnan(value)
    low, high = (np.where(undefined, np.nan, bound) for bound in (low, high))
    return [
        {"value": _plain(value[i]), "low": _plain(low[i]), "high": _plain(high[i])}
        for i in range(len(value))
    ]


def _plain(number: float) -> float | None:
    return None if np.isnan(number) else float(number)

"""Error against number of training sources as a power law, and what it says beyond them.

error(n) = scale * n^-exponent + floor, the form that learning curves have followed over many
orders of magnitude (Cortes et al. 1994, NIPS 6; Hestness et al. 2017, arXiv:1712.00409). Two
or three numbers are fitted to a few points, so the fit says when it is not defined instead of
giving numbers, and every number beyond the largest size is marked and has its interval.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

LEVEL = 0.95
FEWEST_SIZES = 3
SIZES_FOR_A_FLOOR = 4
BEYOND = (2.0, 4.0)  # times the largest size
DRAWN = 60  # points of the curve for a plot
LEAST_FLOOR = 1e-4  # a smaller one stands at the bound of the fit: then there is none
MOST_EXPONENT = 5.0


@dataclass(frozen=True)
class _Law:
    """A fitted form: its numbers (scale at `middle`, exponent[, floor]) and their covariance."""

    middle: float
    numbers: np.ndarray
    covariance: np.ndarray
    freedom: int

    def error(self, sizes: np.ndarray) -> np.ndarray:
        return _error(np.asarray(sizes, np.float64) / self.middle, *self.numbers)

    def margin(self, sizes: np.ndarray) -> np.ndarray:
        """Half width of the interval of the curve, to first order in the covariance."""
        from scipy.stats import t

        ratio = np.asarray(sizes, np.float64) / self.middle
        power = ratio ** -self.numbers[1]
        slopes = [power, -self.numbers[0] * np.log(ratio) * power, np.ones_like(ratio)]
        slopes = np.stack(slopes[: len(self.numbers)], axis=1)
        variance = np.einsum("ni,ij,nj->n", slopes, self.covariance, slopes)
        return t.ppf((1 + LEVEL) / 2, self.freedom) * np.sqrt(np.maximum(variance, 0.0))


def fit_power_law(sizes: Sequence[float], errors: Sequence[float]) -> dict[str, Any]:
    """Fit the law to one error (0 to 1) for each run, sizes may repeat; ready for JSON.

    With four sizes or more a floor is fitted too, unless none can be told from 0. Returns
    ``defined``; ``reason`` where it is not; else ``scale``, ``exponent``, ``floor`` (None
    where there is none), ``interval`` of the exponent, ``residual`` (root mean square),
    ``curve`` within the sizes and ``extrapolation`` beyond the largest, both lists of
    ``{"size", "accuracy", "low", "high"}`` with 95 % intervals of the fitted curve. They hold
    for the law being true: how runs of one seed, which share sources, hang together is not in
    them.
    """
    found = _sorted(sizes, errors)
    reason = _hopeless(*found)
    if reason:
        return _undefined(reason)
    law = _fit_with_floor(*found) or _fit(*found, floor=False)
    reason = "the fit does not settle" if law is None else _empty(law)
    return _undefined(reason) if law is None or reason else _report(law, *found)


def _sorted(sizes: Sequence[float], errors: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    sizes, errors = np.asarray(sizes, np.float64), np.asarray(errors, np.float64)
    order = np.lexsort((errors, sizes))
    return sizes[order], errors[order]


def _hopeless(sizes: np.ndarray, errors: np.ndarray) -> str:
    number = len(np.unique(sizes))
    if number < FEWEST_SIZES:
        return f"{number} size{'s' if number != 1 else ''}, a law needs {FEWEST_SIZES}"
    if np.ptp(errors) == 0:
        return "the error is the same at every size"
    if _means(sizes, errors)[1].min() <= 0:
        return "no error is left at some size"
    return ""


def _means(sizes: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    each, place = np.unique(sizes, return_inverse=True)
    return each, np.bincount(place, errors) / np.bincount(place)


def _fit_with_floor(sizes: np.ndarray, errors: np.ndarray) -> _Law | None:
    if len(np.unique(sizes)) < SIZES_FOR_A_FLOOR:
        return None
    law = _fit(sizes, errors, floor=True)
    return law if law is not None and law.numbers[2] > LEAST_FLOOR and not _empty(law) else None


def _fit(sizes: np.ndarray, errors: np.ndarray, *, floor: bool) -> _Law | None:
    """Least squares; None where it does not settle or leaves nothing to judge it by."""
    from scipy.optimize import OptimizeWarning, curve_fit

    each, means = _means(sizes, errors)
    middle = float(np.exp(np.log(each).mean()))
    slope, level = np.polyfit(np.log(each / middle), np.log(means), 1)
    start = [np.exp(level), min(max(-slope, 0.05), MOST_EXPONENT / 2)]
    upper = [np.inf, MOST_EXPONENT]
    if floor:
        lowest = float(means.min())
        start, upper = [*start, lowest / 2], [*upper, lowest]
    freedom = len(sizes) - len(start)
    if freedom < 1:
        return None
    law: Callable[..., np.ndarray] = _error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)  # its covariance is looked at instead
        try:
            numbers, covariance = curve_fit(
                law, sizes / middle, errors, p0=start, bounds=([0.0] * len(start), upper)
            )
        except RuntimeError:
            return None
    return _Law(middle, numbers, covariance, freedom) if np.isfinite(covariance).all() else None


def _error(ratio: np.ndarray, scale: float, exponent: float, floor: float = 0.0) -> np.ndarray:
    return scale * ratio**-exponent + floor


def _empty(law: _Law) -> str:
    """Why a fit that settled says nothing; an empty text where it does."""
    low, high = _interval(law)
    if low <= 0:
        return "the error does not surely fall with more sources"
    if high >= MOST_EXPONENT:
        return "the exponent is not determined"
    return ""


def _interval(law: _Law) -> tuple[float, float]:
    from scipy.stats import t

    half = t.ppf((1 + LEVEL) / 2, law.freedom) * float(np.sqrt(law.covariance[1, 1]))
    return float(law.numbers[1] - half), float(law.numbers[1] + half)


def _report(law: _Law, sizes: np.ndarray, errors: np.ndarray) -> dict[str, Any]:
    low, high = _interval(law)
    scale, exponent = float(law.numbers[0]), float(law.numbers[1])
    within = np.geomspace(sizes[0], sizes[-1], DRAWN)
    return {
        "defined": True,
        "reason": None,
        "form": "error = scale * n^-exponent" + (" + floor" if len(law.numbers) > 2 else ""),
        "scale": scale * law.middle**exponent,
        "exponent": exponent,
        "interval": {"low": low, "high": high, "level": LEVEL},
        "floor": float(law.numbers[2]) if len(law.numbers) > 2 else None,
        "residual": float(np.sqrt(np.mean((errors - law.error(sizes)) ** 2))),
        "curve": _points(law, within),
        "extrapolation": _points(law, sizes[-1] * np.array(BEYOND)),
    }


def _points(law: _Law, sizes: np.ndarray) -> list[dict[str, float]]:
    accuracy, margin = 1 - law.error(sizes), law.margin(sizes)
    rows = zip(sizes, accuracy, accuracy - margin, accuracy + margin, strict=True)
    names = ("size", "accuracy", "low", "high")
    return [
        {
            name: float(value) if name == "size" else float(np.clip(value, 0.0, 1.0))
            for name, value in zip(names, row, strict=True)
        }
        for row in rows
    ]


def _undefined(reason: str) -> dict[str, Any]:
    return {"defined": False, "reason": reason}

"""Axes of charts: where a value stands between the two ends, and which values are written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmarker.report.text import short_number

Kind = Literal["linear", "log", "probit"]
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
MOST_TICKS = 6
# rates written on the axes of a detection-error curve
PROBIT_TICKS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9)
PROBIT_ENDS = (0.0005, 0.98)


@dataclass(frozen=True)
class Scale:
    """One axis.

    Arguments
    ---------
    label : what is shown, with its unit
    kind : ``linear``, ``log`` or ``probit`` (steps are those of a normal deviate)
    low, high : the ends; above 0 where the kind is ``log``, inside (0, 1) for ``probit``
    ticks : values that are written, with their text
    """

    label: str
    kind: Kind
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def place(self, values: Sequence[float] | np.ndarray) -> np.ndarray:
        """Where values stand, 0 at the low end and 1 at the high one; outside of it cut off."""
        inside = np.clip(np.asarray(values, dtype=np.float64), self.low, self.high)
        low, high, found = (self._bent(one) for one in (self.low, self.high, inside))
        return (found - low) / (high - low)

    def _bent(self, values: float | np.ndarray) -> np.ndarray:
        if self.kind == "log":
            return np.log10(values)
        if self.kind == "probit":
            from scipy.special import ndtri

            return ndtri(values)
        return np.asarray(values, dtype=np.float64)


def linear(
    label: str, low: float, high: float, *, percent: bool = False, whole: bool = False
) -> Scale:
    """An axis in equal steps from `low` to `high`; shares are written in percent.

    With `whole` only whole numbers are written.
    """
    if not high > low:
        low, high = low - 0.5, high + 0.5
    factor = 100.0 if percent else 1.0
    values = [value / factor for value in _round_values(low * factor, high * factor)]
    values = [value for value in values if not whole or value == int(value)]
    return Scale(label, "linear", low, high, tuple((v, _plain(v * factor)) for v in values))


def widened(values: Sequence[float], *, share: float = 0.05) -> tuple[float, float]:
    """Lowest and highest of the finite values, moved apart by a share of their distance.

    (0, 1) where there is none.
    """
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return 0.0, 1.0
    room = share * (max(known) - min(known))
    return min(known) - room, max(known) + room


def logarithmic(label: str, values: Sequence[float]) -> Scale:
    """An axis of powers of ten that holds all (positive) values with some room."""
    low, high = min(values) / 1.5, max(values) * 1.5
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    powers = range(first, last + 1)
    every = [m * 10.0**p for p in powers for m in ((1, 2, 5) if last - first < 4 else (1,))]
    ticks = tuple((value, short_number(value)) for value in every if low <= value <= high)
    return Scale(label, "log", low, high, ticks)


def probit(label: str, ends: tuple[float, float] = PROBIT_ENDS) -> Scale:
    """An axis of rates on which normally distributed scores give straight lines.

    As on the detection-error curves of Martin et al. 1997, Eurospeech, 1895.
    """
    low, high = ends
    ticks = tuple((v, _plain(100 * v)) for v in PROBIT_TICKS if low <= v <= high)
    return Scale(label, "probit", low, high, ticks)


def _round_values(low: float, high: float) -> list[float]:
    """At most `MOST_TICKS` + 1 round values between the two."""
    rough = (high - low) / MOST_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in STEPS if step * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _plain(value: float) -> str:
    """``0.25``, ``12`` or ``3000``: no exponent, no needless digits."""
    return f"{value:.10f}".rstrip("0").rstrip(".") if abs(value) < 1e6 else short_number(value)

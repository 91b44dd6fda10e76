"""Averages over seeds, and whether the seeds are the ones that were asked for."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Average:
    """Mean and spread over seeds.

    mean : None where no seed has a value
    sd : sample standard deviation (n - 1); None for fewer than two values
    n : number of seeds that have a value
    """

    mean: float | None
    sd: float | None
    n: int


def average(values: Iterable[float | None]) -> Average:
    """Mean and sample standard deviation of one metric, one value per seed.

    None and NaN stand for "undefined for this seed": they are left out and lower `n`.
    """
    known = [float(value) for value in values if value is not None and not math.isnan(value)]
    if not known:
        return Average(mean=None, sd=None, n=0)
    sd = statistics.stdev(known) if len(known) > 1 else None
    return Average(mean=statistics.fmean(known), sd=sd, n=len(known))


def interquartile_mean(values: Iterable[float | None]) -> float | None:
    """Mean of the middle half of the values: less at the mercy of one odd seed than the mean.

    A quarter of the values (rounded down) is left out at either end, as Agarwal et al. 2021
    (NeurIPS 34, "rliable") do; below four values it is the mean. None and NaN are left out;
    None where nothing is left.
    """
    known = sorted(float(v) for v in values if v is not None and not math.isnan(v))
    cut = len(known) // 4
    middle = known[cut : len(known) - cut]
    return statistics.fmean(middle) if middle else None


@dataclass(frozen=True)
class SeedCheck:
    """Which seeds are missing, there more than once, or not asked for; each ascending."""

    missing: tuple[int, ...]
    repeated: tuple[int, ...]
    foreign: tuple[int, ...]

    @property
    def is_fine(self) -> bool:
        return not (self.missing or self.repeated or self.foreign)

    def texts(self) -> list[str]:
        """One sentence part per kind of fault, e.g. ``missing seeds 1826, 4915``."""
        kinds = (
            ("missing", self.missing),
            ("repeated", self.repeated),
            ("foreign", self.foreign),
        )
        return [
            f"{kind} seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
            for kind, seeds in kinds
            if seeds
        ]


def check_seeds(found: Sequence[int], expected: Iterable[int]) -> SeedCheck:
    """Compare the seeds of a set of runs with those expected, each exactly once."""
    counts = Counter(found)
    wanted = set(expected)
    return SeedCheck(
        missing=tuple(sorted(wanted - set(counts))),
        repeated=tuple(sorted(seed for seed, count in counts.items() if count > 1)),
        foreign=tuple(sorted(set(counts) - wanted)),
    )

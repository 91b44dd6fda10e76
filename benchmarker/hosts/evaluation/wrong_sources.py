"""Sources that a network takes for another class however they are shown.

Experiment 5 of Bowles et al. 2021 lists the test sources that are wrong in at least 95 % of
the augmented passes, with their place on the sky, redshift and angular size: they show what
the network cannot see, or where a label is in doubt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarker.data.images import ImageSet
from benchmarker.hosts.evaluation.tested import Tested, on_kept
from benchmarker.metrics.augmented import always_wrong, per_source

# the end of 100_162.947+055.386_0.0739_0250.34: redshift, and angular size in arcsec
_REDSHIFT_SIZE = re.compile(r"\d{3}_\d{3}\.\d+[+-]\d{3}\.\d+_(\d+\.\d+)_(\d+\.\d+)(?:\.png)?$")


@dataclass(frozen=True)
class WrongSource:
    """One of them.

    Arguments
    ---------
    row : in the tested order
    source : name
    label, predicted : class names, the second by the mean probability over the passes
    rate : share of the passes in which it is wrong
    ra_deg, dec_deg : J2000 degrees, None where unknown
    redshift, size_arcsec : as the name of a MiraBest source says, None elsewhere
    """

    row: int
    source: str
    label: str
    predicted: str
    rate: float
    ra_deg: float | None = None
    dec_deg: float | None = None
    redshift: float | None = None
    size_arcsec: float | None = None

    def facts(self) -> str:
        """Position, redshift and size in one line; empty where nothing is known."""
        parts = []
        if self.ra_deg is not None and self.dec_deg is not None:
            parts.append(f"{self.ra_deg:.3f} {self.dec_deg:+.3f}")
        if self.redshift is not None:
            parts.append(f"z {self.redshift:.4f}")
        if self.size_arcsec is not None:
            parts.append(f"{self.size_arcsec:.1f} arcsec")
        return ", ".join(parts)


def wrong_sources(tested: Tested) -> list[WrongSource] | None:
    """Those wrong in at least 95 % of the augmented passes; None where there were no passes."""
    if tested.passes is None:
        return None
    means = per_source(tested.labels, tested.passes)
    rates = means.wrong / len(tested.passes)
    images, classes = on_kept(tested), tested.trained.classes
    return [
        WrongSource(
            row=int(row),
            source=tested.sources[row],
            label=classes[tested.labels[row]],
            predicted=classes[_most_likely_other(means.probabilities[row], tested.labels[row])],
            rate=float(rates[row]),
            **_sky_facts(images, int(row)),
        )
        for row in always_wrong(rates)
    ]


def _most_likely_other(probabilities: np.ndarray, label: int) -> int:
    others = np.where(np.arange(len(probabilities)) == label, -1.0, probabilities)
    return int(others.argmax())


def _sky_facts(images: ImageSet, row: int) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for name in ("ra_deg", "dec_deg"):
        column = getattr(images, name)
        if column is not None and np.isfinite(column[row]):
            facts[name] = float(column[row])
    if found := _REDSHIFT_SIZE.search(images.sources[row]):
        facts |= {"redshift": float(found[1]), "size_arcsec": float(found[2])}
    return facts

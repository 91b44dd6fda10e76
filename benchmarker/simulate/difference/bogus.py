"""Ten kinds of detections that are not real, and how often each comes.

Every kind is a function that draws one thing near a place of a `Canvas`; noise peaks need
nothing drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarker.simulate.difference.bogus_detector import (
    add_burn,
    add_column,
    add_cosmic_ray,
    add_crosstalk,
    add_edge,
    add_trail,
)
from benchmarker.simulate.difference.scene import Canvas
from benchmarker.simulate.difference.stars import (
    Mismatch,
    add_static,
    draw_mismatch,
    flux_of_peak,
    shift_of,
)

DIPOLE, BRIGHT_STAR, NOISE_PEAK = "dipole", "bright star", "noise peak"
DIPOLE_SIGMAS, DIPOLE_SHIFT_PX = (100.0, 4000.0), (0.15, 0.7)
BRIGHT_SIGMAS = (1e4, 2e5)
RING_SIGMAS, RING_WIDTHS = (100.0, 4000.0), (1.06, 1.25)
Place = tuple[float, float]


def add_dipole(canvas: Canvas, place: Place, draw: np.random.Generator) -> None:
    """A star that was not registered: positive on one side, negative on the other."""
    flux = flux_of_peak(canvas, _even(draw, DIPOLE_SIGMAS))
    shift = shift_of(draw, draw.uniform(*DIPOLE_SHIFT_PX))
    mismatch = Mismatch(1.0 + draw.normal(0.0, 0.01), 1.0, shift)
    add_static(canvas, place, flux, canvas.conditions.psf, mismatch)


def add_bright_star(canvas: Canvas, place: Place, draw: np.random.Generator) -> None:
    """A star so bright that its core is saturated and masked and its wings do not cancel."""
    flux = flux_of_peak(canvas, _even(draw, BRIGHT_SIGMAS))
    add_static(canvas, place, flux, canvas.conditions.psf, draw_mismatch(draw))


def add_ring(canvas: Canvas, place: Place, draw: np.random.Generator) -> None:
    """A star in a template of another seeing: a peak in a negative ring, or the reverse."""
    flux = flux_of_peak(canvas, _even(draw, RING_SIGMAS))
    width = draw.uniform(*RING_WIDTHS)
    mismatch = replace(draw_mismatch(draw), width=width if draw.random() < 0.5 else 1.0 / width)
    add_static(canvas, place, flux, canvas.conditions.psf, mismatch)


def add_nothing(canvas: Canvas, place: Place, draw: np.random.Generator) -> None:
    """A noise peak is there by itself."""


def _even(draw: np.random.Generator, bounds: tuple[float, float]) -> float:
    """Even in the logarithm."""
    return float(np.exp(draw.uniform(*np.log(bounds))))


KINDS: dict[str, tuple[float, Callable[[Canvas, Place, np.random.Generator], None]]] = {
    DIPOLE: (0.24, add_dipole),
    BRIGHT_STAR: (0.14, add_bright_star),
    "cosmic ray": (0.12, add_cosmic_ray),
    "trail": (0.10, add_trail),
    NOISE_PEAK: (0.10, add_nothing),
    "column": (0.08, add_column),
    "burn": (0.07, add_burn),
    "mismatch ring": (0.05, add_ring),
    "edge": (0.05, add_edge),
    "crosstalk": (0.05, add_crosstalk),
}
SHARES = {name: share for name, (share, _) in KINDS.items()}


def add_bogus(canvas: Canvas, place: Place, kind: str, draw: np.random.Generator) -> None:
    """Draw one thing of `kind` at `place` (y, x)."""
    KINDS[kind][1](canvas, place, draw)

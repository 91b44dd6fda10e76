"""What is real in a difference image: asteroids, supernovae, and the few that move fast."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmarker.simulate.difference.psf import render_trail
from benchmarker.simulate.difference.scene import (
    LEAST_SIGMA,
    Canvas,
    magnitude_of,
)
from benchmarker.simulate.difference.stars import add_galaxy

ASTEROID, SUPERNOVA, TRAILED = "asteroid", "supernova", "trailed"
SHARES = {ASTEROID: 0.62, SUPERNOVA: 0.35, TRAILED: 0.03}
FAINTEST_SNR, SNR_DECADES, MOST_SNR = 5.0, 0.45, 2000.0
# a main-belt asteroid moves 0.13 pixel in 30 s, a near-Earth one of 5 degrees a day 3.4
SLOW_PX, FAST_PX = 0.13, (0.8, 3.4)
HOST_OFFSET_PX = 2.5


@dataclass(frozen=True)
class Injected:
    """A real source as it was put in.

    Arguments
    ---------
    kind : of `SHARES`; y, x : position in pixels from 0
    snr : of the matched filter on empty sky; flux : ADU; magnitude : of the flux
    """

    kind: str
    y: float
    x: float
    snr: float
    flux: float
    magnitude: float


def draw_kind(draw: np.random.Generator, shares: dict[str, float]) -> str:
    """A name by its share."""
    names = list(shares)
    return names[int(draw.choice(len(names), p=list(shares.values())))]


def draw_snr(draw: np.random.Generator) -> float:
    """Signal to noise ``5 * 10 ** Exp(0.45)``: many are faint."""
    return min(FAINTEST_SNR * 10.0 ** draw.exponential(SNR_DECADES), MOST_SNR)


def add_real(
    canvas: Canvas, place: tuple[float, float], kind: str, snr: float, draw: np.random.Generator
) -> Injected:
    """Draw a source of this signal to noise at `place` (y, x), a supernova beside its host."""
    y, x = place
    if kind == SUPERNOVA:
        host = (y + draw.normal(0.0, HOST_OFFSET_PX), x + draw.normal(0.0, HOST_OFFSET_PX))
        add_galaxy(canvas, host, draw)
    length = draw.uniform(*FAST_PX) if kind == TRAILED else SLOW_PX * (kind == ASTEROID)
    trail = (length, draw.uniform(0.0, math.pi))
    flux = snr / _snr_per_flux(canvas, place, trail)
    psf = canvas.conditions.psf
    box = canvas.box(y, x, psf.radius(flux, LEAST_SIGMA * canvas.conditions.noise))
    rows, columns = box
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    patch = flux * render_trail(psf, (y - rows.start, x - columns.start), trail, shape)
    canvas.light[box] += patch
    canvas.add(box, patch)
    return Injected(kind, y, x, snr, flux, magnitude_of(flux))


def _snr_per_flux(canvas: Canvas, place: tuple[float, float], trail: tuple[float, float]) -> float:
    """For a source at this place within its pixel."""
    side = canvas.conditions.matched.shape[0]
    middle = tuple(side // 2 + value - math.floor(value + 0.5) for value in place)
    profile = render_trail(canvas.conditions.psf, middle, trail, (side, side))
    return canvas.conditions.snr_per_flux(profile)

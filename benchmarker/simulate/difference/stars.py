"""What subtraction leaves of things that do not change: stars and galaxies of the template."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from benchmarker.simulate.difference.psf import Psf
from benchmarker.simulate.difference.scene import (
    LEAST_SIGMA,
    SATURATION_ADU,
    Canvas,
    render_in,
)

FLUX_SCATTER, WIDTH_SCATTER, SHIFT_PX = 0.01, 0.03, 0.12
SHARPER = 0.99  # the template's PSF after matching, on that of the exposure
HOST_FWHM_PX = (3.0, 9.0)
HOST_SHIFT_PX, HOST_SCATTER = 0.06, 0.01
HOST_BETA = 2.5
GROWTH_PX = 1  # pixels around a saturated core that are masked too


@dataclass(frozen=True)
class Mismatch:
    """How exposure and template differ at one source.

    Arguments
    ---------
    flux : ratio of the template's to the exposure's
    width : ratio of the full widths at half maximum
    shift : (down, across) in pixels
    """

    flux: float
    width: float
    shift: tuple[float, float]


def draw_mismatch(draw: np.random.Generator) -> Mismatch:
    """What remains at an ordinary star."""
    return Mismatch(
        1.0 + draw.normal(0.0, FLUX_SCATTER),
        SHARPER * (1.0 + float(np.clip(draw.normal(0.0, WIDTH_SCATTER), -0.1, 0.1))),
        (draw.normal(0.0, SHIFT_PX), draw.normal(0.0, SHIFT_PX)),
    )


def shift_of(draw: np.random.Generator, length: float) -> tuple[float, float]:
    """A shift of so many pixels in any direction."""
    angle = draw.uniform(0.0, 2.0 * math.pi)
    return length * math.sin(angle), length * math.cos(angle)


def add_static(
    canvas: Canvas, place: tuple[float, float], flux: float, psf: Psf, mismatch: Mismatch
) -> None:
    """A source of the template at `place` (y, x): its light, its residual, its saturated core."""
    y, x = place
    box = canvas.box(y, x, psf.radius(flux, LEAST_SIGMA * canvas.conditions.noise))
    if canvas.light[box].size == 0:
        return
    now = flux * render_in(psf, box, y, x)
    other = replace(psf, fwhm=psf.fwhm * mismatch.width)
    then = (
        flux * mismatch.flux * render_in(other, box, y + mismatch.shift[0], x + mismatch.shift[1])
    )
    canvas.light[box] += now
    canvas.add(box, now - then)
    full = now + canvas.conditions.sky > SATURATION_ADU
    if full.any():
        from scipy.ndimage import binary_dilation

        canvas.hide(box, binary_dilation(full, np.ones((3, 3)), iterations=GROWTH_PX))


def flux_of_peak(canvas: Canvas, sigmas: float) -> float:
    """Flux in ADU of a star whose brightest pixel is so many sigma of the noise high."""
    return sigmas * canvas.conditions.noise / float(canvas.conditions.matched.max())


def add_galaxy(canvas: Canvas, place: tuple[float, float], draw: np.random.Generator) -> None:
    """A galaxy, wider than the PSF, and its residual."""
    fwhm = draw.uniform(*HOST_FWHM_PX)
    psf = Psf(fwhm, HOST_BETA, draw.uniform(0.0, 0.5), draw.uniform(0.0, math.pi))
    mismatch = Mismatch(
        1.0 + draw.normal(0.0, HOST_SCATTER),
        1.0,
        (draw.normal(0.0, HOST_SHIFT_PX), draw.normal(0.0, HOST_SHIFT_PX)),
    )
    # 30 to 3,000 times the noise of a pixel in all: magnitude 16 to 20
    flux = canvas.conditions.noise * 10.0 ** draw.uniform(1.5, 3.5)
    add_static(canvas, place, flux, psf, mismatch)

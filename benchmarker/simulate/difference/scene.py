"""Conditions of an exposure and the canvas on which everything in it is drawn.

Numbers are those of ATLAS (Tonry et al. 2018, PASP 130, 064505; Smith et al. 2020, PASP 132,
085002): pixels of 1.86 arcsec, 30 s, a PSF about two pixels wide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np

from benchmarker.simulate.difference.psf import Psf

MASK = -31415  # of masked pixels in images of ATLAS
GAIN = 2.0  # electrons per ADU
READ_NOISE = 12.0  # electrons
TEMPLATE_NOISE = 1.15  # on the variance, by the template that is subtracted
SATURATION_ADU = 60_000.0
SKY_ADU = (150.0, 900.0)
FWHM_PX = (1.7, 3.0)
BETA = (2.5, 4.5)
MOST_ELLIPTICITY = 0.2
CORRELATION_PX = (0.25, 0.45)
REFERENCE_SKY, REFERENCE_FWHM, LIMIT_MAGNITUDE, LIMIT_SNR = 300.0, 2.0, 19.5, 5.0
FILTER_HALF = 10  # pixels of a matched filter around its middle
LEAST_SIGMA = 0.05  # fainter parts of a source are not drawn
PIXEL_ARCSEC = 1.86


@dataclass(frozen=True)
class Conditions:
    """What is the same all over an exposure.

    Arguments
    ---------
    sky : ADU per pixel
    psf : of the exposure
    correlation : sigma in pixels of the Gaussian by which resampling smooths the noise
    """

    sky: float
    psf: Psf
    correlation: float

    @cached_property
    def noise(self) -> float:
        """Standard deviation in ADU of a pixel of empty sky in the difference."""
        return math.sqrt(float(variance(np.zeros(1), self.sky)[0]))

    @cached_property
    def kernel(self) -> np.ndarray:
        """(3, 3) kernel that correlates white noise and leaves its variance as it is."""
        axis = np.exp(-0.5 * (np.arange(-1, 2) / self.correlation) ** 2)
        return np.outer(axis, axis) / (axis**2).sum()

    @cached_property
    def matched(self) -> np.ndarray:
        """(21, 21) the PSF in the middle of a pixel."""
        side = 2 * FILTER_HALF + 1
        return self.psf.render(FILTER_HALF, FILTER_HALF, (side, side))

    def snr_per_flux(self, profile: np.ndarray) -> float:
        """Signal to noise of the matched filter on empty sky, for a source of 1 ADU.

        `profile` is the source of unit flux; the noise is correlated as that of the image.
        """
        from scipy.ndimage import correlate

        spread = correlate(profile, self.kernel, mode="constant")
        return float((profile**2).sum() / math.sqrt((spread**2).sum()) / self.noise)


def variance(light: np.ndarray, sky: float) -> np.ndarray:
    """Variance in ADU^2 of pixels with so much light of sources and sky, both in ADU."""
    photons = (np.maximum(light, 0.0) + sky) / GAIN
    return TEMPLATE_NOISE * (photons + (READ_NOISE / GAIN) ** 2)


def draw_conditions(draw: np.random.Generator) -> Conditions:
    """Sky, seeing and resampling of one exposure."""
    sky = math.exp(draw.uniform(math.log(SKY_ADU[0]), math.log(SKY_ADU[1])))
    fwhm = float(np.clip(2.0 * math.exp(draw.normal(0.05, 0.15)), *FWHM_PX))
    psf = Psf(
        fwhm, draw.uniform(*BETA), draw.uniform(0.0, MOST_ELLIPTICITY), draw.uniform(0.0, math.pi)
    )
    return Conditions(sky, psf, draw.uniform(*CORRELATION_PX))


@cache
def zero_point() -> float:
    """Magnitude of 1 ADU: five sigma over a sky of 300 ADU is magnitude 19.5."""
    reference = Conditions(REFERENCE_SKY, Psf(REFERENCE_FWHM), 0.35)
    flux = LIMIT_SNR / reference.snr_per_flux(reference.matched)
    return LIMIT_MAGNITUDE + 2.5 * math.log10(flux)


def magnitude_of(flux: float) -> float:
    """Magnitude of a flux in ADU; NaN where it is not positive."""
    return zero_point() - 2.5 * math.log10(flux) if flux > 0 else math.nan


@dataclass(eq=False)
class Canvas:
    """An exposure while it is drawn.

    `difference` is what the subtraction leaves, `light` what shone on the detector (it makes
    noise also where the subtraction is perfect), both in ADU, of `shape` (height, width).
    `owner` numbers the thing that contributes most to a pixel; 0 is nothing.
    """

    shape: tuple[int, int]
    conditions: Conditions
    difference: np.ndarray = field(init=False)
    light: np.ndarray = field(init=False)
    masked: np.ndarray = field(init=False)
    zeroed: np.ndarray = field(init=False)
    owner: np.ndarray = field(init=False)
    things: int = 0

    def __post_init__(self) -> None:
        self.difference = np.zeros(self.shape, np.float32)
        self.light = np.zeros(self.shape, np.float32)
        self.masked = np.zeros(self.shape, bool)
        self.zeroed = np.zeros(self.shape, bool)
        self.owner = np.zeros(self.shape, np.int32)
        self._strongest = np.full(self.shape, self.conditions.noise, np.float32)

    def begin(self) -> int:
        """What is drawn from now on belongs to a new thing, whose number comes back."""
        self.things += 1
        return self.things

    def box(self, y: float, x: float, half: int) -> tuple[slice, slice]:
        """Rows and columns within `half` pixels of a place, cut at the detector's edge."""
        row, column = math.floor(y + 0.5), math.floor(x + 0.5)
        rows, columns = (
            slice(min(max(middle - half, 0), most), max(min(middle + half + 1, most), 0))
            for middle, most in zip((row, column), self.shape, strict=True)
        )
        return rows, columns

    def add(self, box: tuple[slice, slice], patch: np.ndarray) -> None:
        """Add `patch` (ADU) to the difference in the box."""
        self.difference[box] += patch
        stronger = np.abs(patch) > self._strongest[box]
        self.owner[box] = np.where(stronger, self.things, self.owner[box])
        self._strongest[box] = np.where(stronger, np.abs(patch), self._strongest[box])

    def hide(self, box: tuple[slice, slice], hidden: np.ndarray) -> None:
        """Mask pixels of the box, which counts as a strong trace of the thing."""
        self.masked[box] |= hidden
        self.owner[box] = np.where(hidden, self.things, self.owner[box])

    def finish(self, draw: np.random.Generator) -> np.ndarray:
        """The image with its noise, int32 ADU; masked pixels are `MASK`."""
        from scipy.ndimage import correlate

        white = draw.standard_normal(self.shape, dtype=np.float32)
        noise = correlate(white, self.conditions.kernel.astype(np.float32), mode="wrap")
        values = self.difference + noise * np.sqrt(variance(self.light, self.conditions.sky))
        image = np.clip(np.rint(values), MASK + 1, 2**30).astype(np.int32)
        image[self.zeroed] = 0
        image[self.masked] = MASK
        return image


def offsets(box: tuple[slice, slice], y: float, x: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows (h, 1) and columns (1, w) of a box, counted from a place."""
    rows, columns = box
    return (
        np.arange(rows.start, rows.stop)[:, None] - y,
        np.arange(columns.start, columns.stop)[None, :] - x,
    )


def render_in(psf: Psf, box: tuple[slice, slice], y: float, x: float) -> np.ndarray:
    """Unit flux at (y, x) of the image, in the pixels of a box."""
    rows, columns = box
    shape = (max(rows.stop - rows.start, 0), max(columns.stop - columns.start, 0))
    return psf.render(y - rows.start, x - columns.start, shape)

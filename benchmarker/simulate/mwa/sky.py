"""Sources inside the image, restored by an imperfect CLEAN, and their ionospheric shifts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmarker.simulate.mwa.coverage import Coverage, Emitters

# dN/dS = 4100 (S/Jy)^-1.59 per Jy per sr at 150 MHz (after Intema et al. 2011, A&A 535, A38)
COUNTS_PER_JY_SR, COUNTS_SLOPE = 4100.0, 1.59
FAINTEST_JY, BRIGHTEST_JY = 0.03, 30.0
REFERENCE_MHZ = 150.0
INDEX, INDEX_SCATTER = -0.8, 0.2
MODES = 12
IONOSPHERE_MHZ = 154.0
IONOSPHERE_PIXEL_DEG = 1.1 / 121.0  # the pixel at that frequency, the unit of `shift_px`
MOST_RESIDUALS = 300
BOX_SIGMAS = 4.5


@dataclass(frozen=True, eq=False)
class Field:
    """Sources of one observation: direction cosines (n, 3), flux in Jy at 150 MHz, index."""

    lmn: np.ndarray
    flux_jy: np.ndarray
    index: np.ndarray

    def flux_at(self, mhz: float) -> np.ndarray:
        """Flux densities in Jy at a frequency."""
        return self.flux_jy * (mhz / REFERENCE_MHZ) ** self.index


def draw_field(random: np.random.Generator, half_width: float) -> Field:
    """Sources in the square |l|, |m| < `half_width`, even on the sky."""
    power = 1.0 - COUNTS_SLOPE
    low, high = FAINTEST_JY**power, BRIGHTEST_JY**power
    density = COUNTS_PER_JY_SR * (high - low) / power
    steepest = math.sqrt(max(1.0 - 2.0 * half_width**2, 0.04))
    count = int(random.poisson(density * (2.0 * half_width) ** 2 / steepest))
    places = random.uniform(-half_width, half_width, (count, 2))
    flux = (low + random.random(count) * (high - low)) ** (1.0 / power)
    index = INDEX + INDEX_SCATTER * random.standard_normal(count)
    squared = 1.0 - np.sum(places**2, axis=1)
    away = np.sqrt(np.clip(squared, 0.0, None))
    # an area of the image holds more sky, by 1/n, the further it lies from the centre
    kept = (random.random(count) * away < steepest) & (squared > 0.0)
    return Field(np.column_stack([places, away])[kept], flux[kept], index[kept])


def ionospheric_shift(
    random: np.random.Generator, places: np.ndarray, shift_px: float, mhz: float
) -> np.ndarray:
    """Displacement in (l, m), (n, 2), by the gradient of a smooth random screen.

    `shift_px` is the rms at 154 MHz in that band's pixels; angles scale with the wavelength
    squared. The waves of the screen are 5 to 20 degrees long.
    """
    length = np.radians(random.uniform(5.0, 20.0, MODES))
    direction = random.uniform(0.0, 2.0 * math.pi, MODES)
    phase = random.uniform(0.0, 2.0 * math.pi, MODES)
    along = np.column_stack([np.cos(direction), np.sin(direction)])
    waves = np.cos(places @ (along / length[:, np.newaxis]).T * 2.0 * math.pi + phase)
    # mean square of MODES cosines along as many directions
    rms = math.sqrt(MODES / 2.0)
    scale = math.radians(shift_px * IONOSPHERE_PIXEL_DEG) * (IONOSPHERE_MHZ / mhz) ** 2
    return waves @ along * (scale / rms)


def restored(coverage: Coverage, size: int, places: np.ndarray, flux_jy: np.ndarray) -> np.ndarray:
    """Sources as Gaussians of the restoring beam: (size, size), Jy/beam.

    `places` are direction cosines (l, m), (n, 2); each source is drawn in a box around it.
    """
    pixel = math.radians(coverage.band.pixel_deg)
    covariance = coverage.restoring_beam / pixel**2
    reach = math.ceil(BOX_SIGMAS * math.sqrt(float(covariance.diagonal().max())))
    inverse = np.linalg.inv(covariance)
    columns, rows = size // 2 - places[:, 0] / pixel, size // 2 + places[:, 1] / pixel
    inside = np.maximum(np.abs(columns - size / 2), np.abs(rows - size / 2)) < size / 2 + reach
    columns, rows, flux = columns[inside], rows[inside], flux_jy[inside]
    padded = size + 4 * reach + 2
    image = np.zeros(padded * padded)
    step = np.arange(-reach, reach + 1)
    for start in range(0, flux.size, 4096):
        part = slice(start, start + 4096)
        column, row = np.rint(columns[part]), np.rint(rows[part])
        east = (columns[part] - column)[:, np.newaxis] - step
        north = step - (rows[part] - row)[:, np.newaxis]
        shape = inverse[0, 0] * east[:, np.newaxis, :] ** 2
        shape = shape + inverse[1, 1] * north[:, :, np.newaxis] ** 2
        shape += 2.0 * inverse[0, 1] * east[:, np.newaxis, :] * north[:, :, np.newaxis]
        drawn = flux[part, np.newaxis, np.newaxis] * np.exp(-0.5 * shape)
        first = (row + 2 * reach)[:, np.newaxis] + step
        second = (column + 2 * reach)[:, np.newaxis] + step
        index = (first[:, :, np.newaxis] * padded + second[:, np.newaxis, :]).astype(np.int64)
        image += np.bincount(index.ravel(), drawn.ravel(), minlength=image.size)
    edge = slice(2 * reach, 2 * reach + size)
    return image.reshape(padded, padded)[edge, edge]


def residuals(coverage: Coverage, places: np.ndarray, flux_jy: np.ndarray) -> np.ndarray:
    """Visibilities of what CLEAN left of the sources: (n, 2), (n,) Jy -> (baselines, channels).

    Of more than MOST_RESIDUALS sources the brightest are taken; the rest is below the noise.
    """
    brightest = np.argsort(flux_jy)[::-1][:MOST_RESIDUALS]
    lmn = np.column_stack([places[brightest], np.ones(brightest.size)])
    paths = coverage.celestial_paths(lmn, flat=True)
    return coverage.emitted(Emitters(paths, flux_jy[brightest]))

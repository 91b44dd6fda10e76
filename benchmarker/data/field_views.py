"""Whole fields as a network sees them: standardised, robustly standardised, as Fourier amplitudes.

RADIAnCE standardises every image by its own mean and deviation, which keeps the contrast
between sources and artefacts. Median and MAD show the texture of weak artefacts instead, and
the Fourier plane turns stripes into points and rings. Each may be a channel of one input.
"""

from __future__ import annotations

import numpy as np

MAD_TO_SIGMA = 1.4826  # standard deviation of a Gaussian over its median absolute deviation
TEXTURE_LIMIT = 5.0  # robust standard deviations
VIEWS = ("contrast", "texture", "fourier")
BLOCK_PIXELS = 2**16  # in float64 at a time: all of a field of 4000 pixels would take 256 MB
AMPLITUDE_FLOOR = 1e-6  # of the largest, so that an empty cell has a logarithm


def block_mean(values: np.ndarray, factor: int) -> np.ndarray:
    """Means over blocks of `factor` x `factor` pixels, float32; what is left at the ends goes.

    Pixels that are not finite take no part; a block without any other is NaN.
    """
    if factor == 1:
        return values
    from astropy.nddata import block_reduce

    height, width = (side // factor * factor for side in values.shape)
    whole = values[:height, :width]
    finite = np.isfinite(whole)
    total = block_reduce(np.where(finite, whole, 0), factor, np.sum)
    count = block_reduce(finite, factor, np.sum)
    empty = count == 0
    return np.where(empty, np.nan, total / np.where(empty, 1, count)).astype(np.float32)


def contrast(values: np.ndarray) -> np.ndarray:
    """(x - mean) / standard deviation over all finite pixels, float32; others are 0.

    The population deviation, as in RADIAnCE. An image without contrast becomes all zeros.
    """
    finite = np.isfinite(values)
    count = max(1, int(np.count_nonzero(finite)))
    rows = max(1, BLOCK_PIXELS // values.shape[1])
    blocks = [np.s_[first : first + rows] for first in range(0, values.shape[0], rows)]

    def centred(block: slice, centre: float) -> np.ndarray:
        found = np.subtract(values[block], centre, dtype=np.float64)
        if count < values.size:
            found[~finite[block]] = 0.0
        return found

    mean = sum(float(centred(block, 0.0).sum()) for block in blocks) / count
    variance = sum(float(np.square(centred(block, mean)).sum()) for block in blocks) / count
    if not variance > 0:
        return np.zeros(values.shape, np.float32)
    scaled = np.empty(values.shape, np.float32)
    for block in blocks:
        np.divide(centred(block, mean), variance**0.5, out=scaled[block], casting="same_kind")
    return scaled


def texture(values: np.ndarray) -> np.ndarray:
    """(x - median) / (1.4826 MAD), cut at +-5, float32; pixels that are not finite are 0."""
    finite = np.isfinite(values)
    sky = values[finite].astype(np.float64)
    median = np.median(sky)
    deviation = MAD_TO_SIGMA * np.median(np.abs(sky - median))
    scaled = _scaled(values, finite, median, deviation)
    return np.clip(scaled, -TEXTURE_LIMIT, TEXTURE_LIMIT)


def fourier(values: np.ndarray) -> np.ndarray:
    """Standardised log10 of the Fourier amplitudes of a finite image, zero frequency central."""
    from scipy import fft

    amplitudes = np.abs(fft.fftshift(fft.fft2(values.astype(np.float32))))
    floor = AMPLITUDE_FLOOR * float(amplitudes.max())
    if floor == 0:
        return np.zeros(values.shape, np.float32)
    return contrast(np.log10(np.maximum(amplitudes, floor)))


def _scaled(values: np.ndarray, finite: np.ndarray, centre: float, deviation: float) -> np.ndarray:
    if not deviation > 0:
        return np.zeros(values.shape, np.float32)
    scaled = (np.where(finite, values, centre) - centre) / deviation
    return scaled.astype(np.float32)

"""The finder: local maxima of the difference after a matched filter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarker.simulate.difference.scene import MASK, Conditions

SEPARATION_PX = 3  # no two detections are nearer than this in both axes
MAD_TO_SIGMA = 1.4826
SAMPLE = 1_000_000  # pixels at most from which the noise is measured


@dataclass(frozen=True, eq=False)
class Detections:
    """What the finder found, the strongest first; all arrays (n,).

    Arguments
    ---------
    y, x : position in pixels, pixel (0, 0) has its middle at (0, 0)
    snr : height of the filtered image over its noise; flux : ADU
    """

    y: np.ndarray
    x: np.ndarray
    snr: np.ndarray
    flux: np.ndarray

    def __len__(self) -> int:
        return len(self.snr)


def matched_filter(image: np.ndarray, conditions: Conditions) -> np.ndarray:
    """Flux in ADU of a point source in every pixel, float32; masked pixels count as empty."""
    from scipy.signal import oaconvolve

    clean = np.where(image == MASK, 0, image).astype(np.float32)
    profile = conditions.matched.astype(np.float32)
    kernel = profile[::-1, ::-1] / (profile**2).sum()
    return oaconvolve(clean, kernel, mode="same")


def find(image: np.ndarray, conditions: Conditions, threshold: float = 5.0) -> Detections:
    """Maxima of the filtered image above `threshold` times its noise.

    The noise is that of the filtered image itself (median absolute deviation), so it is right
    for correlated noise too. Maxima in masked pixels are left out.

    Arguments
    ---------
    image : (height, width) ADU, masked pixels are `MASK`
    conditions : of the exposure, for its PSF
    threshold : in units of the noise
    """
    from scipy.ndimage import maximum_filter

    filtered = matched_filter(image, conditions).astype(np.float64)
    noise = _noise(filtered, image)
    highest = maximum_filter(filtered, 2 * SEPARATION_PX + 1, mode="constant")
    peaks = (filtered >= highest) & (filtered > threshold * noise) & (image != MASK)
    rows, columns = np.nonzero(peaks)
    heights = filtered[rows, columns]
    down, more_down = _vertex(filtered, rows, columns, (1, 0))
    across, more_across = _vertex(filtered, rows, columns, (0, 1))
    flux = heights + more_down + more_across
    order = np.argsort(-flux, kind="stable")
    y, x, flux = (rows + down)[order], (columns + across)[order], flux[order]
    return Detections(y=y, x=x, snr=flux / noise, flux=flux)


def _noise(filtered: np.ndarray, image: np.ndarray) -> float:
    step = max(1, filtered.size // SAMPLE)
    values = filtered.ravel()[::step]
    values = values[(image.ravel()[::step] != MASK) & (values != 0)]
    if values.size == 0:
        return 1.0
    return max(MAD_TO_SIGMA * float(np.median(np.abs(values - np.median(values)))), 1e-6)


def _vertex(
    filtered: np.ndarray, rows: np.ndarray, columns: np.ndarray, way: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Vertex of a parabola through a peak and its two neighbours: offset and additional height."""
    height, width = filtered.shape
    before = filtered[np.maximum(rows - way[0], 0), np.maximum(columns - way[1], 0)]
    after = filtered[np.minimum(rows + way[0], height - 1), np.minimum(columns + way[1], width - 1)]
    slope = 0.5 * (after - before)
    bend = 2.0 * filtered[rows, columns] - before - after
    # a position of exactly one half would belong to the next pixel
    offset = np.clip(slope / np.where(bend > 0, bend, np.inf), -0.49, 0.49)
    return offset, 0.5 * slope * offset

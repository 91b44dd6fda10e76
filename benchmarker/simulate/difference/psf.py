"""The point-spread function: an elliptical Moffat profile, integrated over square pixels.

At two pixels across the profile is undersampled, so its value in the middle of a pixel is not
what the pixel collects: every pixel is the mean of five by five points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

OVERSAMPLING = 5
TRAIL_STEP_PX = 0.4
LEAST_RADIUS, MOST_RADIUS = 6, 40


@dataclass(frozen=True)
class Psf:
    """A Moffat profile of unit flux (Moffat 1969, A&A 3, 455).

    Arguments
    ---------
    fwhm : full width at half maximum in pixels, geometric mean of both axes
    beta : steepness of the wings, above 1
    ellipticity : 1 - minor/major
    angle : of the major axis from the x axis, in radians
    """

    fwhm: float
    beta: float = 3.5
    ellipticity: float = 0.0
    angle: float = 0.0

    @property
    def scale(self) -> float:
        """The Moffat radius alpha in pixels, geometric mean of both axes."""
        return self.fwhm / (2.0 * math.sqrt(2.0 ** (1.0 / self.beta) - 1.0))

    @property
    def peak(self) -> float:
        """Value in the middle per square pixel, for unit flux."""
        return (self.beta - 1.0) / (math.pi * self.scale**2)

    def radius(self, flux: float, least: float) -> int:
        """Pixels from the middle to where a source of `flux` falls below `least` per pixel."""
        ratio = max(abs(flux) * self.peak / least, 1.0)
        stretch = 1.0 / math.sqrt(1.0 - self.ellipticity)
        found = stretch * self.scale * math.sqrt(ratio ** (1.0 / self.beta) - 1.0)
        return int(min(max(math.ceil(found), LEAST_RADIUS), MOST_RADIUS))

    def render(self, y: float, x: float, shape: tuple[int, int]) -> np.ndarray:
        """Unit flux at (y, x) collected by the pixels of an image.

        Arguments
        ---------
        y : row of the source, 0 in the middle of the first
        x : column of the source, likewise
        shape : (height, width)

        Returns float64 of `shape`; its sum is the share of the flux that falls inside.
        """
        steps = (np.arange(OVERSAMPLING) + 0.5) / OVERSAMPLING - 0.5
        down = (np.arange(shape[0])[:, None] + steps).ravel() - y
        across = (np.arange(shape[1])[:, None] + steps).ravel() - x
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        along = across[None, :] * cosine + down[:, None] * sine
        beside = down[:, None] * cosine - across[None, :] * sine
        axis_ratio = 1.0 - self.ellipticity
        # major = scale / sqrt(ratio), minor = scale * sqrt(ratio): the same area at any ellipticity
        squared = (along**2 * axis_ratio + beside**2 / axis_ratio) / self.scale**2
        values = self.peak * (1.0 + squared) ** -self.beta
        folded = values.reshape(shape[0], OVERSAMPLING, shape[1], OVERSAMPLING)
        return folded.mean(axis=(1, 3))


def render_trail(
    psf: Psf, place: tuple[float, float], trail: tuple[float, float], shape: tuple[int, int]
) -> np.ndarray:
    """Unit flux of a source that moves during the exposure, its middle at `place` (y, x).

    `trail` is its length in pixels and its angle from the x axis in radians.
    """
    length, angle = trail
    points = max(1, math.ceil(length / TRAIL_STEP_PX))
    offsets = ((np.arange(points) + 0.5) / points - 0.5) * length
    total = np.zeros(shape)
    for offset in offsets.tolist():
        y, x = place[0] + offset * math.sin(angle), place[1] + offset * math.cos(angle)
        total += psf.render(y, x, shape)
    return total / points

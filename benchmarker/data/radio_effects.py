"""What an interferometer does to an image: beam, noise, sidelobes; plain functions of arrays.

Images are float32 (rows, columns); lengths are pixels, angles are degrees. A position angle
is counted from the top of the printed array counter-clockwise, which is north through east
where east is left. Random numbers come from the generator that the caller passes.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

FWHM_TO_SIGMA = 1 / math.sqrt(8 * math.log(2))
REACH_SIGMA = 5.0  # kernels end here: what is left out is 4e-6 of the sum
FINER = 5  # samples per pixel and axis when a kernel is averaged over its pixels
PIXEL_VARIANCE = (1 - 1 / FINER**2) / 12  # what that averaging adds, in square pixels
THINNEST_VARIANCE = 0.01
ARM_ANTENNAS = 7
ARMS_DEG = (0.0, 120.0, 240.0)
ARM_POWER = 1.7  # antennas stand at n^1.7 along an arm, as those of the VLA do
REACH_PERIODS = 5.0  # fringes are blurred this far out by bandwidth and integration time


@dataclass(frozen=True)
class Beam:
    """An elliptical Gaussian beam: full widths at half maximum and angle of the long axis."""

    major: float
    minor: float
    angle_deg: float = 0.0

    @property
    def area(self) -> float:
        """Solid angle in pixels: the sum over an image in Jy/beam over its flux in Jy."""
        return 2 * math.pi * FWHM_TO_SIGMA**2 * self.major * self.minor

    @property
    def covariance(self) -> np.ndarray:
        """Second moments in (row, column), square pixels, float64 (2, 2)."""
        angle = math.radians(self.angle_deg)
        long = np.array([-math.cos(angle), -math.sin(angle)])
        across = np.array([-long[1], long[0]])
        moments = self.major**2 * np.outer(long, long) + self.minor**2 * np.outer(across, across)
        return FWHM_TO_SIGMA**2 * moments


def gaussian_kernel(covariance: np.ndarray) -> np.ndarray:
    """A Gaussian of these second moments averaged over pixels, odd square float32, sum 1.

    Its own second moments are `covariance`, also where that is far below a pixel: the
    widening by the averaging is taken off first, and what then lacks is added.
    """
    covariance = np.asarray(covariance, np.float64)
    sizes, axes = np.linalg.eigh(covariance)
    sizes = np.maximum(sizes - PIXEL_VARIANCE, THINNEST_VARIANCE)
    radius = max(1, math.ceil(REACH_SIGMA * math.sqrt(sizes.max())))
    side = 2 * radius + 1
    places = (np.arange(side * FINER) - (side * FINER - 1) / 2) / FINER
    points = np.stack(np.meshgrid(places, places, indexing="ij"), axis=-1) @ axes
    values = np.exp(-0.5 * np.sum(points**2 / sizes, axis=-1))
    kernel = values.reshape(side, FINER, side, FINER).sum(axis=(1, 3))
    kernel /= kernel.sum()
    return _widened(kernel, covariance - _moments(kernel)).astype(np.float32)


def _moments(kernel: np.ndarray) -> np.ndarray:
    """Second moments of a point-symmetric kernel of sum 1."""
    offsets = np.indices(kernel.shape) - (kernel.shape[0] - 1) / 2
    return np.einsum("rc,irc,jrc->ij", kernel, offsets, offsets)


def _widened(kernel: np.ndarray, extra: np.ndarray) -> np.ndarray:
    """The kernel with `extra` added to its second moments, by shares for the next pixels."""
    mixed = abs(extra[0, 1])
    diagonal = 1 if extra[0, 1] > 0 else -1
    steps = (((1, 0), extra[0, 0] - mixed), ((0, 1), extra[1, 1] - mixed), ((1, diagonal), mixed))
    made = np.pad(kernel, len(steps))
    for (down, right), variance in steps:
        around = np.roll(made, (down, right), (0, 1)) + np.roll(made, (-down, -right), (0, 1))
        made = made + variance / 2 * (around - 2 * made)
    return made


def convolved(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """`image` convolved with a point-symmetric kernel of sum 1, zeros outside the image."""
    import cv2

    plain = np.ascontiguousarray(image, np.float32)
    made = cv2.filter2D(plain, cv2.CV_32F, kernel, borderType=cv2.BORDER_CONSTANT)
    # large kernels go through Fourier space, whose rounding puts sky slightly below the least
    return np.maximum(made, min(float(plain.min()), 0.0))


def to_beam(image: np.ndarray, old: Beam, new: Beam) -> np.ndarray:
    """The image as a telescope with the wider beam `new` sees it, flux per pixel.

    Sums are kept. In Jy/beam multiply by ``new.area / old.area``: then the peak of a point
    source is kept. `new` must be at least as wide as `old` in every direction.
    """
    return convolved(image, gaussian_kernel(new.covariance - old.covariance))


def noise(shape: tuple[int, int], beam: Beam, random: np.random.Generator) -> np.ndarray:
    """Gaussian noise with root mean square 1 over the image, correlated like `beam`.

    Its autocorrelation is the beam: the noise of visibilities weighted as for the map has
    the power spectrum whose transform is the dirty beam. So it is in FIRST: at 1 and 2
    pixels of the sample cut-outs 0.7 and 0.3, a beam of 3 pixels gives 0.73 and 0.29.
    """
    kernel = gaussian_kernel(beam.covariance / 2)
    margin = kernel.shape[0] // 2
    rows, columns = shape[0] + 2 * margin, shape[1] + 2 * margin
    white = random.standard_normal((rows, columns), dtype=np.float32)
    import cv2

    field = cv2.filter2D(white, cv2.CV_32F, kernel)[margin:-margin, margin:-margin]
    return field / np.sqrt(np.mean(np.square(field, dtype=np.float64))).astype(np.float32)


@functools.cache
def _baselines() -> np.ndarray:
    """Baselines of a small Y-shaped array, the longest of length 1, float64 (pairs, 2)."""
    distance = (np.arange(1, ARM_ANTENNAS + 1) / ARM_ANTENNAS) ** ARM_POWER
    arms = np.radians(ARMS_DEG)
    places = np.concatenate(
        [np.stack([distance * np.cos(arm), distance * np.sin(arm)], axis=1) for arm in arms]
    )
    first, second = np.triu_indices(len(places), 1)
    pairs = places[first] - places[second]
    return pairs / np.hypot(*pairs.T).max()


def ripples(
    shape: tuple[int, int], centre: tuple[float, float], period: float, angle_deg: float
) -> np.ndarray:
    """The sidelobes of a point source in a snapshot: dirty beam minus its central Gaussian.

    Arguments
    ---------
    shape : rows and columns of the image
    centre : row and column of the source
    period : of the fringes of the longest baseline, in pixels
    angle_deg : turns the array, one of whose three arms points down at 0

    Returns float32 (rows, columns): 0 at the source, symmetric about it, largest absolute
    value 1. The central Gaussian has the curvature of the dirty beam at its peak, as the
    clean beam of common imaging programs. A Gaussian of 5 periods fades the pattern away
    from the source: there the fringes are blurred by bandwidth and integration time, and
    a small array would repeat its beam.
    """
    angle = math.radians(angle_deg)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    waves = 2 * math.pi / period * _baselines() @ turn
    rows, columns = np.arange(shape[0]) - centre[0], np.arange(shape[1]) - centre[1]
    along, across = np.outer(waves[:, 0], rows), np.outer(waves[:, 1], columns)
    # cos(a + b) by its parts; a plain loop, whose order of additions no library chooses
    dirty = np.einsum("br,bc->rc", np.cos(along), np.cos(across), optimize=False)
    dirty -= np.einsum("br,bc->rc", np.sin(along), np.sin(across), optimize=False)
    curvature = waves.T @ waves / len(waves)
    form = (
        curvature[0, 0] * rows[:, np.newaxis] ** 2
        + 2 * curvature[0, 1] * np.outer(rows, columns)
        + curvature[1, 1] * columns**2
    )
    distance = (rows[:, np.newaxis] ** 2 + columns**2) / (REACH_PERIODS * period) ** 2
    pattern = (dirty / len(waves) - np.exp(-form / 2)) * np.exp(-distance / 2)
    largest = np.abs(pattern).max()
    return (pattern / largest if largest > 0 else pattern).astype(np.float32)


def brightest(image: np.ndarray, count: int, apart: float) -> list[tuple[int, int]]:
    """Row and column of the `count` brightest pixels above 0, more than `apart` pixels apart."""
    left = np.array(image, np.float32)
    rows, columns = np.indices(left.shape)
    found: list[tuple[int, int]] = []
    while len(found) < count:
        row, column = divmod(int(left.argmax()), left.shape[1])
        if not left[row, column] > 0:
            break
        found.append((row, column))
        left[np.hypot(rows - row, columns - column) <= apart] = 0
    return found

"""From components to an image in Jy/beam: beam, sidelobes, noise."""

from __future__ import annotations

import math

import numpy as np

from benchmarker.core.seeds import generator
from benchmarker.simulate.components import components
from benchmarker.simulate.survey import Survey
from benchmarker.simulate.truth import Truth

# Steps of the stored values, 2**-30 Jy (about 1 nJy/beam): far below the noise, far above the last
# bits in which exp() of two processors differ, so the digest of a set is the same everywhere.
STEP_JY = 2.0**-30
SPOKES = 6  # the three arms of the array, both ways
SMALL_PRODUCT = 2**18  # multiplications below which OpenBLAS stays on one thread
BEADS = 24  # even, so that the ripples add next to no flux


def image(truth: Truth, seed: int, index: int, *, size: int, survey: Survey) -> np.ndarray:
    """The cut-out of a source: float32 array of shape (size, size, 1) in Jy/beam.

    Row 0 lies south, column 0 east, as in a FITS image. The sky does not depend on
    `size`; the noise does.
    """
    sky = render(components(truth, seed, index, survey).all, size=size, survey=survey)
    random = generator(seed, "instrument", truth.label, index)
    sky += sidelobes(random, sky, survey)
    sky += truth.rms_jy * correlated_noise(random, size, survey)
    stored = np.round(sky / STEP_JY) * STEP_JY
    return stored.astype(np.float32)[:, :, np.newaxis]


def render(parts: np.ndarray, *, size: int, survey: Survey) -> np.ndarray:
    """Noise-free image of components (n, 4): float64 array (size, size) in Jy/beam.

    Sampled at the pixel centres after an exact convolution with the beam; a point source
    of 1 Jy at a pixel centre has a peak of 1 Jy/beam.
    """
    offsets = (np.arange(size) - (size - 1) / 2.0) * survey.pixel_arcsec
    beam = survey.beam_sigma_arcsec**2
    spread = parts[:, 3] ** 2 + beam
    east = _profiles(-offsets, parts[:, 0], spread)
    north = _profiles(offsets, parts[:, 1], spread)
    peak = parts[:, 2] * beam / spread
    return _product((north * peak[:, np.newaxis]).T, east)


def _product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Matrix product in bands of rows, each too small for the library to start threads.

    Threads cost more than they save here: 150 px images took three times the processor time.
    """
    rows = max(1, SMALL_PRODUCT // right.size)
    bands = [left[start : start + rows] @ right for start in range(0, len(left), rows)]
    return np.concatenate(bands)


def _profiles(offsets: np.ndarray, centre: np.ndarray, spread: np.ndarray) -> np.ndarray:
    apart = offsets[np.newaxis, :] - centre[:, np.newaxis]
    return np.exp(-(apart**2) / (2.0 * spread[:, np.newaxis]))


def correlated_noise(random: np.random.Generator, size: int, survey: Survey) -> np.ndarray:
    """Gaussian noise of variance 1 whose autocorrelation is the beam, shape (size, size).

    The noise of an interferometer image is the transform of independent visibilities,
    so it is correlated as the beam is: white noise smoothed with a kernel narrower than
    the beam by the square root of two.
    """
    from scipy.ndimage import gaussian_filter1d

    sigma = survey.beam_sigma_arcsec / survey.pixel_arcsec / math.sqrt(2.0)
    border = math.ceil(4.0 * sigma)
    white = random.standard_normal((size + 2 * border, size + 2 * border))
    smooth = white
    for axis in (0, 1):
        smooth = gaussian_filter1d(smooth, sigma, axis=axis, radius=border)
    taps = np.exp(-(np.arange(-border, border + 1) ** 2) / (2.0 * sigma**2))
    kept = np.sum((taps / taps.sum()) ** 2)  # variance left by one smoothing; two are made
    return smooth[border:-border, border:-border] / kept


def sidelobes(random: np.random.Generator, sky: np.ndarray, survey: Survey) -> np.ndarray:
    """Ripples that cleaning left around the brightest pixel, along six spokes; in Jy/beam.

    Beads of either sign, half a wave apart, fade outwards. Their height scatters by a
    factor of two about `survey.sidelobe_level` of the peak.
    """
    level = survey.sidelobe_level * 2.0 ** random.standard_normal()
    turn, wave = random.uniform(0.0, math.pi), random.uniform(9.0, 15.0)
    row, column = np.unravel_index(np.argmax(sky), sky.shape)
    middle = (sky.shape[0] - 1) / 2.0
    beads = np.arange(1, BEADS + 1)
    distance = 0.5 * wave * (beads + 1)
    height = sky[row, column] * level * (-1.0) ** beads / (1.0 + distance / 40.0)
    angle = turn + np.arange(SPOKES) * (2.0 * math.pi / SPOKES)
    parts = np.zeros((SPOKES, BEADS, 4))
    parts[..., 0] = (middle - column) * survey.pixel_arcsec + np.outer(np.cos(angle), distance)
    parts[..., 1] = (row - middle) * survey.pixel_arcsec + np.outer(np.sin(angle), distance)
    parts[..., 2] = height
    return render(parts.reshape(-1, 4), size=sky.shape[0], survey=survey)

"""The normalisations of psat-ml: what is done to the pixels of one stamp before a network.

Wherever a formula divides by a spread or a maximum that is 0, the result is 0; `is_flat` finds
such stamps. (The original gives the largest float or NaN there.)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarker.core.errors import SettingsError, suggest
from benchmarker.hosts.realbogus.stamps import to_images, to_vectors

DEFAULT = "signPreserveNorm"
ALIASES = {"spn": DEFAULT, "bg_sub_spn": "bg_sub_signPreserveNorm"}
SMOOTHING_PX = 1.0  # of the background
_LARGEST = float(np.finfo(np.float32).max)
_SQUARES_FIT = 1e16  # below it a sum of squares stays within float32


def normalise(vectors: np.ndarray, how: str = DEFAULT) -> np.ndarray:
    """Normalise stamps, each by itself.

    Arguments
    ---------
    vectors : numbers of shape (pixels,) or (n, pixels), each a square column by column
    how : one of `NAMES` or `ALIASES`

    Returns the same shape, finite; float32 for float32, float64 for whole numbers, which
    ``noNorm`` leaves as they are. NaN counts as 0 and infinity as the largest float32.
    """
    function = _FUNCTIONS[full_name(how)]
    vectors = _filled(np.asarray(vectors))
    if function is _as_it_is:
        return vectors
    if vectors.dtype.kind != "f":
        return function(vectors.astype(np.float64))
    if np.abs(vectors).max(initial=0) < _SQUARES_FIT:
        return function(vectors)
    exact = function(np.clip(vectors, -_LARGEST, _LARGEST).astype(np.float64))
    return np.clip(exact, -_LARGEST, _LARGEST).astype(vectors.dtype)


def full_name(how: str) -> str:
    """The name that an alias stands for; raises `SettingsError` for an unknown one."""
    name = ALIASES.get(how, how)
    if name not in _FUNCTIONS:
        near = suggest(how, (*NAMES, *ALIASES))
        message = f"no normalisation {how!r}{near}; known: {', '.join((*NAMES, *ALIASES))}"
        raise SettingsError(message)
    return name


def is_flat(vectors: np.ndarray) -> np.ndarray:
    """Whether all pixels of a stamp are the same, bool of shape () or (n,); NaN counts as 0."""
    filled = _filled(np.asarray(vectors))
    return filled.max(axis=-1) == filled.min(axis=-1)


def _filled(vectors: np.ndarray) -> np.ndarray:
    return np.nan_to_num(vectors, posinf=_LARGEST, neginf=-_LARGEST)


def _as_it_is(vectors: np.ndarray) -> np.ndarray:
    return vectors


def _over(vectors: np.ndarray, divisor: np.ndarray) -> np.ndarray:
    """Each stamp over its own number; 0 where that is 0."""
    return np.divide(vectors, divisor, out=np.zeros_like(divisor + vectors), where=divisor != 0)


def _spread(vectors: np.ndarray) -> np.ndarray:
    """Population standard deviation of each stamp, exactly 0 for a flat one."""
    spread = vectors.std(axis=-1, keepdims=True)
    return np.where(is_flat(vectors)[..., np.newaxis], 0, spread)


def _largest(vectors: np.ndarray) -> np.ndarray:
    return np.abs(vectors).max(axis=-1, keepdims=True)


def _sign_preserve(vectors: np.ndarray) -> np.ndarray:
    """sign(v) ln(1 + |v| / std(v))."""
    return np.sign(vectors) * np.log1p(_over(np.abs(vectors), _spread(vectors)))


def _background_subtracted(vectors: np.ndarray) -> np.ndarray:
    """What stands out of the smooth background of the sign-preserving form.

    g is that form smoothed by a Gaussian; the background is the reconstruction by dilation
    (3 x 3 neighbours) under g, from a seed that is g on the border and its minimum inside.
    """
    from scipy.ndimage import gaussian_filter

    images = to_images(_sign_preserve(vectors))
    smooth = gaussian_filter(images, SMOOTHING_PX, mode="reflect", axes=(-2, -1))
    seed = smooth.copy()
    seed[..., 1:-1, 1:-1] = smooth.min(axis=(-2, -1), keepdims=True)
    return to_vectors(smooth - _reconstructed(seed, smooth))


def _reconstructed(seed: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Grow `seed` by its neighbours' maximum, never above `mask`, until nothing changes."""
    from scipy.ndimage import grey_dilation

    neighbours = (*(1,) * (seed.ndim - 2), 3, 3)
    while True:
        grown = np.minimum(grey_dilation(seed, size=neighbours), mask)
        if np.array_equal(grown, seed):
            return grown
        seed = grown


def _rescale(vectors: np.ndarray) -> np.ndarray:
    return _over(vectors, _largest(vectors))


def _mean_subtracted(vectors: np.ndarray) -> np.ndarray:
    return vectors - vectors.mean(axis=-1, keepdims=True)


def _standardised(vectors: np.ndarray) -> np.ndarray:
    flat = is_flat(vectors)[..., np.newaxis]
    centred = np.where(flat, 0, _mean_subtracted(vectors))
    scaled = _rescale(centred)
    return _over(scaled, _spread(scaled))


_FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "signPreserveNorm": _sign_preserve,
    "bg_sub_signPreserveNorm": _background_subtracted,
    "rescale": _rescale,
    "meanSubtract": _mean_subtracted,
    "featureStandardisation": _standardised,
    "noNorm": _as_it_is,
}
NAMES = tuple(_FUNCTIONS)

"""Stamps whose planes each stand for themselves: science, reference and difference image.

braai (Duev et al. 2019) divides each plane, or each row of it, by its own length and then
fills up stamps that were cut off at the detector's edge.
"""

from __future__ import annotations

import numpy as np

FILL = 1e-9  # what braai puts where a cut-off stamp has no pixels
PLANES = ("unit", "unit-rows", "as-is")


def scaled_planes(image: np.ndarray, how: str) -> np.ndarray:
    """(height, width, planes), each plane scaled by itself, float32; NaN counts as 0.

    ``unit``: over its Euclidean length; ``unit-rows``: each row over its own (Keras's
    `normalize` along the last axis, which braai's models up to d6_m7 were trained with);
    ``as-is``: as stored. What has no length stays zeros. Infinite pixels become the largest
    float32, as `numpy.nan_to_num` has it.
    """
    values = np.nan_to_num(image.astype(np.float32))
    if how == "as-is":
        return values
    axes = 1 if how == "unit-rows" else (0, 1)
    length = np.sqrt(np.sum(values.astype(np.float64) ** 2, axis=axes, keepdims=True))
    return np.divide(
        values, length, out=np.zeros_like(values, np.float64), where=length > 0
    ).astype(np.float32)


def filled_up(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The image with rows and columns of `FILL` at its ends, up to (height, width)."""
    missing = [max(0, side - have) for side, have in zip(size, image.shape[:2], strict=True)]
    ends = [(0, missing[0]), (0, missing[1]), (0, 0)]
    return np.pad(image, ends, constant_values=np.float32(FILL))

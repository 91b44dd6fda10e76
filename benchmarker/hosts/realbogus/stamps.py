"""Stamps: small FITS images with a detection in the middle, read, cropped and freed of masks.

The crop is that of psat-ml: rows and columns ``int(n / 2 - extent)`` to ``int(n / 2 + extent)``
of an axis of n pixels. Pixels with the magic value of the survey's masks become 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.data.fits_images import read_stored

EXTENT = 10  # half a side, pixels
ATLAS_MASK = -31415


@dataclass(frozen=True)
class StampForm:
    """How stamps are read; one form for all stamps of a set.

    Arguments
    ---------
    extent : half the side of the crop in pixels, at least 1
    extension : number or name of the HDU; None takes the first that holds an image
    magic : value of masked pixels, which become 0; None where there is none
    legacy : cut rows by the length of a row, as psat-ml does: the same for square stamps
    """

    extent: int = EXTENT
    extension: int | str | None = None
    magic: float | None = ATLAS_MASK
    legacy: bool = False

    def __post_init__(self) -> None:
        if self.extent < 1:
            message = f"extent is {self.extent}, expected at least 1 pixel (half a side)"
            raise SettingsError(message)

    @property
    def side(self) -> int:
        """Height and width of the crop in pixels."""
        return 2 * self.extent


DEFAULT_FORM = StampForm()


@dataclass(frozen=True)
class Stamp:
    """A cropped stamp.

    Arguments
    ---------
    pixels : (side, side) in the type in which they were stored, native byte order
    header : keyword -> value as text
    """

    pixels: np.ndarray
    header: dict[str, str] = field(default_factory=dict)


def read_stamp(
    path: str | Path,
    extent: int = EXTENT,
    extension: int | str | None = None,
    magic: float | None = None,
) -> np.ndarray:
    """The central 2 extent x 2 extent pixels of a FITS file; see `open_stamp`."""
    return open_stamp(path, StampForm(extent, extension, magic)).pixels


def open_stamp(path: str | Path, form: StampForm = DEFAULT_FORM) -> Stamp:
    """Read, crop and unmask one stamp; its file is closed again.

    Raises `InputFileError` naming the file: not there, not FITS, cut off, smaller than the crop.
    """
    stored = read_stored(path, extension=form.extension)
    return Stamp(crop(stored.pixels, form, str(path)), stored.header)


def crop(pixels: np.ndarray, form: StampForm, where: str) -> np.ndarray:
    """The centre of (height, width) pixels as `form` wants it, (side, side), native order, a copy.

    NaN stays. Raises `InputFileError` naming `where` for an image smaller than the crop.
    """
    height, width = pixels.shape
    rows, columns = _span(width if form.legacy else height, form), _span(width, form)
    if min(rows.start, columns.start) < 0 or rows.stop > height or columns.stop > width:
        message = (
            f"{where}: stamp is too small for extent {form.extent}: expected at least "
            f"{form.side} x {form.side} pixels, got {height} x {width}"
        )
        raise InputFileError(message)
    native = pixels.dtype.newbyteorder("=")
    cut = pixels[rows, columns].astype(native)
    if form.magic is not None:
        cut[cut == form.magic] = 0
    return cut


def _span(length: int, form: StampForm) -> slice:
    # floor, where the original's int() would cut a negative start to a smaller stamp
    start = (length - form.side) // 2
    return slice(start, start + form.side)


def to_vectors(stamps: np.ndarray) -> np.ndarray:
    """(..., side, side) images as (..., side^2) vectors, column by column as in psat-ml."""
    side = stamps.shape[-1]
    columns_first = np.swapaxes(stamps, -1, -2)
    return np.ascontiguousarray(columns_first).reshape(*stamps.shape[:-2], side * side)


def to_images(vectors: np.ndarray) -> np.ndarray:
    """(..., side^2) vectors of psat-ml as (..., side, side) images."""
    side = side_of(vectors.shape[-1])
    columns_first = vectors.reshape(*vectors.shape[:-1], side, side)
    return np.ascontiguousarray(np.swapaxes(columns_first, -1, -2))


def side_of(pixels: int) -> int:
    """Side of a square of so many pixels; raises `SettingsError` where it is no square."""
    side = round(pixels**0.5)
    if side < 1 or side * side != pixels:
        message = f"{pixels} pixels, expected a square number of them"
        raise SettingsError(message)
    return side


def turned(vectors: np.ndarray, quarters: int) -> np.ndarray:
    """Vectors whose images are turned by so many right angles, counter-clockwise."""
    return to_vectors(np.rot90(to_images(vectors), quarters, axes=(-2, -1)))

"""Exposures on disk: found by name, opened once, read tile by tile.

A tile-compressed image (fpack) is decoded by astropy, only where it is needed. A plain one is
read in strips of rows. Either way the type in which pixels are stored is kept.
"""

from __future__ import annotations

import string
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.data.fits_headers import cut_off, find_image
from benchmarker.data.reading_options import DEFAULTS

ATLAS_FOLDER = Path("/atlas/diff")
ATLAS_PATTERN = "{camera}/{night}/{obs}.diff.fz"
FIELDS = {"camera", "night", "obs"}
# how the same exposure may end where it was unpacked or renamed
ENDINGS = (".diff.fz", ".diff.fits.fz", ".diff.fits", ".fits.fz", ".fz", ".fits")
CAMERA_LETTERS, NIGHT_LETTERS = slice(0, 3), slice(3, 8)
ROWS_OF_A_STRIP = 64  # of a plain image
SAFE = frozenset(string.ascii_letters + string.digits + "+-.")
KEPT = ("MJD-OBS", "FILTER", "EXPTIME", "GAIN")


@dataclass(frozen=True)
class ExposurePlaces:
    """Where exposures lie.

    Arguments
    ---------
    folder : above all of them
    pattern : path below it, with ``{camera}``, ``{night}`` (both of the name) and ``{obs}``
    """

    folder: Path = ATLAS_FOLDER
    pattern: str = ATLAS_PATTERN

    def __post_init__(self) -> None:
        try:
            found = {name for _, name, _, _ in string.Formatter().parse(self.pattern) if name}
        except ValueError:
            found = {self.pattern}
        if not found <= FIELDS or "obs" not in found:
            message = (
                f"pattern of exposures is {self.pattern!r}, expected {{obs}} in it and nothing "
                "but {camera}, {night}, {obs} in braces"
            )
            raise SettingsError(message)

    def usual(self, obs: str) -> Path:
        """Where the pattern puts an exposure."""
        words = {"camera": obs[CAMERA_LETTERS], "night": obs[NIGHT_LETTERS], "obs": obs}
        return self.folder / self.pattern.format_map(words)

    def find(self, obs: str) -> Path | None:
        """The file of an exposure; None where it is not there.

        Looked for where the pattern puts it, beside that with another ending, and in the
        folder itself.
        """
        first = self.usual(obs)
        others = (
            place / f"{obs}{ending}" for place in (first.parent, self.folder) for ending in ENDINGS
        )
        return next((path for path in (first, *others) if path.is_file()), None)


def is_safe_name(obs: str) -> bool:
    """Whether the name of an exposure may become the name of a file."""
    return bool(obs) and set(obs) <= SAFE and not obs.startswith((".", "-"))


@dataclass(frozen=True)
class Exposure:
    """An open image.

    Arguments
    ---------
    path : of the file
    shape : (height, width) in pixels
    tile : (height, width) of what is read at once
    dtype : of the pixels, native byte order; one that can hold the mask value
    header : keyword -> value, those that stamps keep
    """

    path: Path
    shape: tuple[int, int]
    tile: tuple[int, int]
    dtype: np.dtype
    header: Mapping[str, Any]
    mask: int
    blank: int | None = None
    _hdu: Any = field(default=None, repr=False)

    def read(self, rows: slice, columns: slice) -> np.ndarray:
        """Pixels of a rectangle inside the image, of type `dtype`.

        Raises `InputFileError` where they cannot be decoded.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                stored = np.asarray(self._hdu.section[rows, columns])
        except MemoryError:
            raise
        except Exception as error:  # astropy raises many kinds for one cause: a broken file
            message = f"{self.path}: rows {rows.start} to {rows.stop} cannot be read: {error}"
            raise InputFileError(message) from error
        pixels = stored.astype(self.dtype, copy=False)
        if self.blank is not None and self.blank != self.mask:
            pixels = np.where(pixels == self.blank, self.mask, pixels)
        return pixels


@contextmanager
def open_exposure(path: str | Path, mask: int) -> Iterator[Exposure]:
    """The first two-dimensional image of a FITS file, plain or tile-compressed.

    `mask` is the value of masked pixels: unsigned pixels become a signed type that holds it.
    Raises `InputFileError` naming the file: not FITS, cut off, no image.
    """
    from astropy.io import fits

    path = Path(path)
    number, blank = _checked(path)
    try:
        opened = fits.open(path, memmap=True, do_not_scale_image_data=True, lazy_load_hdus=True)
        if _is_scaled(opened[number].header):
            opened.close()
            # astropy scales no memory-mapped pixels
            opened, blank = fits.open(path, memmap=False, lazy_load_hdus=True), None
    except (OSError, ValueError, IndexError, KeyError, TypeError) as error:
        message = f"{path}: cannot be opened as FITS: {error}"
        raise InputFileError(message) from error
    with opened:
        hdu = opened[number]
        yield _described(path, hdu, mask, blank)


def _checked(path: Path) -> tuple[int, int | None]:
    """Number of the HDU with the image and its BLANK, from its header alone."""
    try:
        with path.open("rb") as stream:
            hdu = find_image(stream, path, None, DEFAULTS)
            found = path.stat().st_size - hdu.data_start
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror or error}"
        raise InputFileError(message) from error
    if found < hdu.data_bytes:
        raise InputFileError(cut_off(hdu, path, max(found, 0)))
    if len(hdu.shape) != 2:
        message = f"{path}: image has axes {hdu.shape}, expected (height, width)"
        raise InputFileError(message)
    return hdu.number, hdu.blank if hdu.bitpix > 0 else None


def _is_scaled(header: Mapping[str, Any]) -> bool:
    return header.get("BSCALE", 1) != 1 or header.get("BZERO", 0) != 0


def _described(path: Path, hdu: Any, mask: int, blank: int | None) -> Exposure:
    height, width = (int(length) for length in hdu.shape)
    tile = getattr(hdu, "tile_shape", None) or (ROWS_OF_A_STRIP, width)
    kept = {key: hdu.header[key] for key in KEPT if key in hdu.header}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stored = hdu.section[0:1, 0:1].dtype
    except Exception as error:  # as in `Exposure.read`
        message = f"{path}: not a FITS image that can be decoded: {error}"
        raise InputFileError(message) from error
    return Exposure(
        path=path,
        shape=(height, width),
        tile=(int(tile[0]), int(tile[1])),
        dtype=np.result_type(stored, np.min_scalar_type(mask)).newbyteorder("="),
        header={key: value for key, value in kept.items() if isinstance(value, int | float | str)},
        mask=mask,
        blank=blank,
        _hdu=hdu,
    )

"""One FITS file to one image: checked from its header before anything is allocated.

The header blocks are walked here, so that a cut-off file is told apart from a wrong
one and a claim of 10^14 pixels costs nothing. Pixels are decoded by astropy.
"""

from __future__ import annotations

import gzip
import math
import os
import threading
import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from benchmarker.core.errors import InputFileError
from benchmarker.data.fits_headers import (
    BLOCK,
    Hdu,
    cut_off,
    find_image,
    header_values,
    ones_complement_sum,
    read_data,
)
from benchmarker.data.reading_options import DEFAULTS, GZIP_MAGIC, ReadOptions

# `warnings.catch_warnings` changes the whole process: two threads inside it at once
# could leave warnings switched off for good
_ASTROPY = threading.Lock()
BYTE_BITS = 8
# a small image is decoded ten times faster where astropy is not needed for its scaling
_SCALED = {"BSCALE", "BZERO", "BLANK"}
_EMPTY_PRIMARY = (
    "".join(
        f"{card:<80}"
        for card in (
            "SIMPLE  =                    T",
            "BITPIX  =                    8",
            "NAXIS   =                    0",
            "EXTEND  =                    T",
            "END",
        )
    )
    .ljust(BLOCK)
    .encode()
)


@dataclass(frozen=True)
class FitsImage:
    """A two-dimensional image and what was found while reading it.

    Arguments
    ---------
    pixels : float32 array of shape (height, width), native byte order, in the file's unit
    extension : number of the HDU the image lies in (0 is the primary one)
    extension_name : its EXTNAME, or an empty text
    checksum : ``verified`` if the file carries a checksum (which agreed), else ``unverified``
    nan, infinite, blank : numbers of such pixels in the file, before they were filled
    filled : what they were replaced with: ``zero``, or ``keep`` where they stayed
    stored_shape : axes as stored, in array order, with degenerate ones
    bitpix : the FITS data type as stored
    compressed : ``gzip``, the tile compression such as ``RICE_1``, or an empty text
    """

    pixels: np.ndarray
    extension: int
    extension_name: str
    checksum: str
    nan: int
    infinite: int
    blank: int
    filled: str
    stored_shape: tuple[int, ...]
    bitpix: int
    compressed: str

    def facts(self) -> dict[str, Any]:
        """Everything but the pixels, JSON-ready."""
        facts = {key: value for key, value in vars(self).items() if key != "pixels"}
        return facts | {"stored_shape": list(self.stored_shape)}


def read_fits(
    path: str | Path,
    *,
    extension: int | str | None = None,
    limits: ReadOptions = DEFAULTS,
) -> FitsImage:
    """Read the image of a FITS file, plain, gzipped or tile-compressed.

    `extension` (a number or an EXTNAME) goes before that of `limits`; without either the
    first HDU that holds an image is taken. Axes of length one are dropped; any other
    number of axes than two is refused. NaN, infinite and BLANK pixels follow
    ``limits.non_finite``; an image without a finite pixel is refused.

    Raises `InputFileError` naming the file: not FITS, cut off, wrong checksum, claims
    beyond the limits, no image.
    """
    stored = read_stored(path, extension=extension, limits=limits)
    hdu = stored.hdu
    pixels, counts = _native(stored.pixels, hdu, path)
    filled = _fill(pixels, sum(counts.values()), path, limits.non_finite)
    return FitsImage(
        pixels=pixels,
        extension=hdu.number,
        extension_name=hdu.name,
        checksum=stored.checksum,
        **counts,
        filled=filled,
        stored_shape=hdu.shape,
        bitpix=hdu.bitpix,
        compressed=stored.compressed,
    )


@dataclass(frozen=True)
class StoredImage:
    """A two-dimensional image in the type in which its file holds it.

    Arguments
    ---------
    pixels : array of shape (height, width) of whatever type and byte order is stored, scaled by
        BSCALE and BZERO where the header has them
    hdu : what the header claims
    header : keyword -> value as text, of that header
    checksum : ``verified`` or ``unverified``
    compressed : ``gzip``, the tile compression such as ``RICE_1``, or an empty text
    """

    pixels: np.ndarray
    hdu: Hdu
    header: dict[str, str]
    checksum: str
    compressed: str


def read_stored(
    path: str | Path,
    *,
    extension: int | str | None = None,
    limits: ReadOptions = DEFAULTS,
) -> StoredImage:
    """Read the image of a FITS file and leave its numbers alone; else as `read_fits`."""
    wanted = limits.extension if extension is None else extension
    try:
        with Path(path).open("rb") as plain:
            gzipped = plain.read(2) == GZIP_MAGIC
            plain.seek(0)
            if gzipped:
                with gzip.GzipFile(fileobj=plain) as inside:
                    hdu, header, data = _read_hdu(inside, path, wanted, limits)
            else:
                hdu, header, data = _read_hdu(plain, path, wanted, limits)
    except (OSError, EOFError, zlib.error) as error:
        message = f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}"
        raise InputFileError(message) from error
    checksum = _verify(header, data, hdu, path)
    values = header_values(header)
    plain = _plain(values, data, hdu)
    pixels = _two_axes(_decode(header + data, hdu, path) if plain is None else plain, path)
    compressed = hdu.compression or ("gzip" if gzipped else "")
    return StoredImage(pixels, hdu, values, checksum, compressed)


def _read_hdu(
    stream: BinaryIO, path: str | Path, wanted: int | str | None, limits: ReadOptions
) -> tuple[Hdu, bytes, bytes]:
    """The wanted HDU, its header bytes and its data bytes with padding."""
    hdu = find_image(stream, path, wanted, limits)
    if not isinstance(stream, gzip.GzipFile):
        found = os.fstat(stream.fileno()).st_size - hdu.data_start
        if found < hdu.data_bytes:  # known before reading
            raise InputFileError(cut_off(hdu, path, max(found, 0)))
    stream.seek(hdu.start)
    header = stream.read(hdu.data_start - hdu.start)
    return hdu, header, read_data(stream, hdu, path)


def _verify(header: bytes, data: bytes, hdu: Hdu, path: str | Path) -> str:
    """Compare the checksums a header carries with the bytes; both are optional in FITS."""
    if not hdu.datasum and not hdu.has_checksum:
        return "unverified"
    datasum = ones_complement_sum(data)
    if hdu.datasum and hdu.datasum != str(datasum):
        message = (
            f"{path}: checksum of the data is wrong: DATASUM says {hdu.datasum}, "
            f"the data give {datasum} (HDU {hdu.number}); the file is damaged"
        )
        raise InputFileError(message)
    if hdu.has_checksum and ones_complement_sum(header, datasum) not in (0, 0xFFFFFFFF):
        message = (
            f"{path}: checksum is wrong: header and data do not agree with CHECKSUM "
            f"(HDU {hdu.number}); the file is damaged or was edited"
        )
        raise InputFileError(message)
    return "verified"


def _plain(header: dict[str, str], data: bytes, hdu: Hdu) -> np.ndarray | None:
    """The pixels where the bytes are the numbers; None where they must be scaled or unpacked."""
    if hdu.compression or _SCALED & header.keys():
        return None
    kind = "f" if hdu.bitpix < 0 else "u" if abs(hdu.bitpix) == BYTE_BITS else "i"
    numbers = np.frombuffer(data, f">{kind}{abs(hdu.bitpix) // BYTE_BITS}", math.prod(hdu.shape))
    return numbers.reshape(hdu.shape)


def _decode(raw: bytes, hdu: Hdu, path: str | Path) -> np.ndarray:
    """The pixels of one HDU as astropy scales them (BSCALE, BZERO; BLANK becomes NaN)."""
    from astropy.io import fits

    # an extension is put behind an empty primary HDU: what stood before it is not needed
    source = BytesIO(raw if hdu.number == 0 else _EMPTY_PRIMARY + raw)
    try:
        with _ASTROPY, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with fits.open(source, memmap=False, lazy_load_hdus=True) as hdus:
                return np.array(hdus[min(hdu.number, 1)].data)
    except MemoryError:
        raise
    except Exception as error:  # astropy raises many kinds for one cause: a broken file
        message = f"{path}: not a FITS image: HDU {hdu.number} cannot be decoded: {error}"
        raise InputFileError(message) from error


def _two_axes(stored: np.ndarray, path: str | Path) -> np.ndarray:
    kept = [length for length in stored.shape if length != 1] if stored.ndim > 2 else stored.shape
    if len(kept) != 2:
        message = (
            f"{path}: image has axes {stored.shape}, expected (height, width), "
            "or further axes of length 1"
        )
        raise InputFileError(message)
    return stored.reshape(kept)


def _native(stored: np.ndarray, hdu: Hdu, path: str | Path) -> tuple[np.ndarray, dict[str, int]]:
    """Native float32 pixels and the numbers of pixels that are no number."""
    if stored.dtype.kind not in "iuf":
        message = f"{path}: image holds {stored.dtype}, expected numbers"
        raise InputFileError(message)
    with np.errstate(all="ignore"):  # a float64 beyond float32 becomes infinite and is counted
        pixels = np.ascontiguousarray(stored, dtype=np.float32)
    bad = int(pixels.size - np.count_nonzero(np.isfinite(pixels)))
    nan = int(np.count_nonzero(np.isnan(pixels))) if bad else 0
    infinite = bad - nan
    is_blank = hdu.bitpix > 0 and hdu.blank is not None
    return pixels, {
        "nan": 0 if is_blank else nan,
        "infinite": infinite,
        "blank": nan if is_blank else 0,
    }


def _fill(pixels: np.ndarray, count: int, path: str | Path, policy: str) -> str:
    """Apply the policy for `count` NaN and infinite pixels in place; returns what was done."""
    if not count:
        return ""
    if count == pixels.size:
        message = f"{path}: no finite pixel in {pixels.size}; expected an image"
        raise InputFileError(message)
    if policy == "reject":
        message = (
            f"{path}: {count} of {pixels.size} pixels are NaN, infinite or BLANK, expected none "
            "(non_finite is 'reject')"
        )
        raise InputFileError(message)
    pixels[~np.isfinite(pixels)] = np.nan if policy == "keep" else 0.0
    return policy

"""The walk over a FITS file's headers: which HDU holds the image, is all of it there.

Only header blocks are read; every claim is compared with the limits and with the bytes
the file really has before a pixel is touched.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from benchmarker.core.errors import InputFileError
from benchmarker.data.reading_options import ReadOptions

BLOCK = 2880
CARD = 80
PIECE = 2**24  # bytes read at a time
MAX_HEADER_BLOCKS = 1000  # 36 000 cards
BITPIX = (8, 16, 32, 64, -32, -64)
OTHER_MAGIC = {b"BZh": "bzip2", b"PK\x03\x04": "zip", b"\xfd7zXZ": "xz", b"\x1f\x9d": "compress"}
_NUMBER = re.compile(r"[+-]?\d{1,18}$")


@dataclass(frozen=True)
class Hdu:
    """What the header of one HDU claims; byte positions count from the start of the file."""

    number: int
    name: str
    shape: tuple[int, ...]
    bitpix: int
    blank: int | None
    compression: str
    datasum: str
    has_checksum: bool
    start: int
    data_start: int
    data_bytes: int

    @property
    def padding(self) -> int:
        """Bytes that fill the last block."""
        return -self.data_bytes % BLOCK

    @property
    def is_image(self) -> bool:
        """Whether there are pixels (an empty primary HDU has none, a table neither)."""
        return len(self.shape) > 0 and 0 not in self.shape


def find_image(
    stream: BinaryIO, path: str | Path, wanted: int | str | None, limits: ReadOptions
) -> Hdu:
    """The HDU `wanted` (number or name), or the first that holds an image.

    `stream` may be a file or the inside of a gzip file: it is only read forwards, and no
    further than ``limits.max_bytes``. Raises `InputFileError` where it is no FITS file,
    its header is cut off, it claims more than the limits or has no such image.
    """
    seen: list[str] = []
    for hdu in walk(stream, path, most_bytes=limits.max_bytes):
        if is_wanted(hdu, wanted):
            return _checked(hdu, path, limits)
        seen.append(f"{hdu.number} {hdu.name}".strip() + ("" if hdu.is_image else " (no image)"))
    asked = "an image" if wanted is None else f"an image in extension {wanted!r}"
    message = f"{path}: not a FITS image: expected {asked}, found HDUs: {'; '.join(seen)}"
    raise InputFileError(message)


def walk(stream: BinaryIO, path: str | Path, *, most_bytes: int) -> Iterator[Hdu]:
    """The HDUs of a FITS file in their order, as far as the caller goes on asking.

    Only headers are read, those that begin within the first `most_bytes`. Raises
    `InputFileError` where it is no FITS file or a header is cut off or absurd.
    """
    _require_fits(stream, path)
    start = number = 0
    while start <= most_bytes:
        stream.seek(start)
        first = stream.read(BLOCK)
        if not first.strip(b"\x00 "):  # the end, or filling after the last HDU
            return
        hdu = _read_hdu(stream, first, path, (number, start))
        yield hdu
        number += 1
        start = hdu.data_start + hdu.data_bytes + hdu.padding


def ones_complement_sum(data: bytes, start: int = 0) -> int:
    """The FITS checksum: 32-bit big-endian words summed, carries added back in."""
    data += b"\x00" * (-len(data) % 4)
    total = start + int(np.frombuffer(data, dtype=">u4").sum(dtype=np.uint64))
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def read_data(stream: BinaryIO, hdu: Hdu, path: str | Path) -> bytes:
    """The data bytes of `hdu` with their padding (filled up where the file lacks it).

    Memory grows with what the file holds, not with what its header claims. Raises
    `InputFileError` with expected and found bytes where the data are cut off.
    """
    stream.seek(hdu.data_start)
    pieces: list[bytes] = []
    left = hdu.data_bytes + hdu.padding
    while left and (piece := stream.read(min(left, PIECE))):
        pieces.append(piece)
        left -= len(piece)
    data = b"".join(pieces)
    if len(data) < hdu.data_bytes:
        raise InputFileError(cut_off(hdu, path, len(data)))
    return data + b"\x00" * left


def cut_off(hdu: Hdu, path: str | Path, found: int) -> str:
    """The text for data that end too early."""
    return (
        f"{path}: cut off in the data of HDU {hdu.number}: expected {hdu.data_bytes} bytes, "
        f"found {found}"
    )


def header_values(header: bytes) -> dict[str, str]:
    """Keyword -> value as text, without quotes and comment, of one header's bytes."""
    cards = (header[at : at + CARD].decode("latin-1") for at in range(0, len(header), CARD))
    found: dict[str, str] = {}
    for card in cards:
        if card[8:10] == "= ":
            found.setdefault(card[:8].rstrip(), _word(card[10:]))
    return found


def is_wanted(hdu: Hdu, wanted: int | str | None) -> bool:
    """Whether an HDU holds the image `wanted` (number, name, or None for any)."""
    if wanted is None:
        return hdu.is_image
    by_number = isinstance(wanted, int) and hdu.number == wanted
    by_name = isinstance(wanted, str) and hdu.name.upper() == wanted.strip().upper()
    return hdu.is_image and (by_number or by_name)


def _require_fits(stream: BinaryIO, path: str | Path) -> None:
    head = stream.read(200)
    if head.startswith(b"SIMPLE  ="):
        return
    if not head:
        found = "an empty file"
    elif head.lstrip()[:1] == b"<":
        found = "a web page or XML (a failed download?)"
    else:
        packer = next((word for magic, word in OTHER_MAGIC.items() if head.startswith(magic)), None)
        found = f"a {packer} file: unpack it first" if packer else f"{head[:20]!r}"
    message = f"{path}: not a FITS image: expected 'SIMPLE  =' at its start, got {found}"
    raise InputFileError(message)


def _read_hdu(stream: BinaryIO, first: bytes, path: str | Path, place: tuple[int, int]) -> Hdu:
    """Parse the HDU of which `first` is the first block; `place` is its number and start."""
    number, start = place
    cards, length = _header_cards(stream, first, path, number)
    try:
        return _parse(cards, number, start, start + length)
    except _HeaderError as error:
        message = f"{path}: not a FITS image: header of HDU {number}: {error}"
        raise InputFileError(message) from error


class _HeaderError(Exception):
    """A keyword that sizes the data is missing or absurd."""


def _header_cards(
    stream: BinaryIO, block: bytes, path: str | Path, number: int
) -> tuple[dict[str, str], int]:
    """Keyword to value text of one header (first of each wins), and its length in bytes."""
    cards: dict[str, str] = {}
    for count in range(1, MAX_HEADER_BLOCKS + 1):
        for start in range(0, len(block), CARD):
            card = block[start : start + CARD].decode("latin-1")
            keyword = card[:8].rstrip()
            if keyword == "END" and not card[8:].strip() and len(block) == BLOCK:
                return cards, count * BLOCK
            if card[8:10] == "= ":
                cards.setdefault(keyword, card[10:])
        if len(block) < BLOCK:
            found = (count - 1) * BLOCK + len(block)
            message = (
                f"{path}: not a FITS image: header of HDU {number} is cut off: expected an END "
                f"card in blocks of {BLOCK} bytes, found {found} bytes without one"
            )
            raise InputFileError(message)
        block = stream.read(BLOCK)
    message = f"{path}: not a FITS image: no END card in {MAX_HEADER_BLOCKS} header blocks"
    raise InputFileError(message)


def _parse(cards: dict[str, str], number: int, start: int, data_start: int) -> Hdu:
    table = _word(cards.get("XTENSION", "")) == "BINTABLE"
    is_image = number == 0 or _word(cards.get("XTENSION", "")) == "IMAGE"
    axes = _axes(cards, "NAXIS")
    bitpix = _bitpix(cards, "BITPIX")
    tiles = table and cards.get("ZIMAGE", "").strip()[:1] == "T"
    groups = is_image and cards.get("GROUPS", "").strip()[:1] == "T" and axes[:1] == (0,)
    count = _whole(cards, "GCOUNT", 1) if not is_image or groups else 1
    extra = _whole(cards, "PCOUNT", 0) if not is_image or groups else 0
    if count < 0 or extra < 0:
        raise _HeaderError(f"GCOUNT is {count} and PCOUNT is {extra}, expected no negative number")
    sized = axes[1:] if groups else axes
    data_bytes = abs(bitpix) // 8 * count * (extra + math.prod(sized)) if sized else 0
    shape = axes if is_image and not groups else ()
    return Hdu(
        number=number,
        name=_word(cards.get("EXTNAME", "")),
        shape=(_axes(cards, "ZNAXIS") if tiles else shape)[::-1],
        bitpix=_bitpix(cards, "ZBITPIX") if tiles else bitpix,
        blank=_whole(cards, "ZBLANK" if tiles and "ZBLANK" in cards else "BLANK", None),
        compression=_word(cards.get("ZCMPTYPE", "unknown")) if tiles else "",
        datasum=_word(cards.get("DATASUM", "")),
        has_checksum=bool(_word(cards.get("CHECKSUM", "")).strip("0")),
        start=start,
        data_start=data_start,
        data_bytes=data_bytes,
    )


def _axes(cards: dict[str, str], keyword: str) -> tuple[int, ...]:
    """Axis lengths in FITS order (NAXIS1 first)."""
    count = _whole(cards, keyword)
    if not 0 <= count <= 16:
        raise _HeaderError(f"{keyword} is {count}, expected 0 to 16 axes")
    axes = tuple(_whole(cards, f"{keyword}{axis}") for axis in range(1, count + 1))
    if any(length < 0 for length in axes):
        raise _HeaderError(f"axes are {axes}, expected no negative length")
    return axes


def _bitpix(cards: dict[str, str], keyword: str) -> int:
    bitpix = _whole(cards, keyword)
    if bitpix not in BITPIX:
        raise _HeaderError(f"{keyword} is {bitpix}, expected one of {BITPIX}")
    return bitpix


def _whole(cards: dict[str, str], keyword: str, absent: Any = ...) -> Any:
    text = cards.get(keyword, "").split("/")[0].strip()
    if not text and absent is not ...:
        return absent
    if not _NUMBER.match(text):
        raise _HeaderError(f"{keyword} is {text or 'missing'!r}, expected a whole number")
    return int(text)


def _word(value: str) -> str:
    """The text between quotes of a header value; a bare value without its comment."""
    match = re.match(r"\s*'((?:[^']|'')*)'", value)
    return (
        match[1].replace("''", "'").rstrip() if match else value.split("/", maxsplit=1)[0].strip()
    )


def _checked(hdu: Hdu, path: str | Path, limits: ReadOptions) -> Hdu:
    pixels = math.prod(hdu.shape)
    if pixels > limits.max_pixels or hdu.data_bytes > limits.max_bytes:
        message = (
            f"{path}: header of HDU {hdu.number} claims {pixels} pixels {hdu.shape} in "
            f"{hdu.data_bytes} bytes, expected at most {limits.max_pixels} pixels and "
            f"{limits.max_bytes} bytes; refused before reading"
        )
        raise InputFileError(message)
    return hdu

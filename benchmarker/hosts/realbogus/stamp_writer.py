"""Stamps as FITS files, many per second: one header for an exposure, a few cards for each stamp.

The bytes are put together here because astropy needs a millisecond for each file; the tests read
them back with astropy, which checks every card.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import SettingsError
from benchmarker.core.files import explained
from benchmarker.data.fits_headers import BLOCK, CARD

BITPIX = {"u1": 8, "i2": 16, "i4": 32, "i8": 64, "f4": -32, "f8": -64}
LONGEST_WORD = 68  # characters of a text between its quotes, in one card


def card(keyword: str, value: float | str) -> bytes:
    """One header card of 80 bytes; texts lose what is not printable ASCII and are cut to fit."""
    if isinstance(value, str):
        clean = "".join(c if " " <= c <= "~" else "?" for c in value).replace("'", "''")
        # never half of a doubled quote
        words = clean[:LONGEST_WORD]
        if words.count("'") % 2:
            words = words[:-1]
        text = f"'{words:<8}'"
    elif isinstance(value, int | np.integer):
        text = f"{int(value):>20}"
    else:
        text = f"{_number(float(value)):>20}"
    return f"{keyword:<8}= {text}".ljust(CARD).encode("ascii")


def _number(value: float) -> str:
    text = repr(value).upper()
    # FITS wants a point in every real number
    if "." not in text:
        text = text.replace("E", ".0E") if "E" in text else f"{text}.0"
    return text


class StampWriter:
    """Writes the stamps of one exposure into a folder, each whole or not at all.

    Arguments
    ---------
    folder : of the stamps, which is there
    dtype : of all stamps; side : in pixels; cards : of the exposure
    """

    def __init__(
        self, folder: Path, dtype: np.dtype, side: int, cards: Mapping[str, float | str]
    ) -> None:
        stored = np.dtype(dtype).newbyteorder(">")
        code = stored.str[1:]
        if code not in BITPIX:
            message = f"stamps of type {dtype} cannot be written as FITS"
            raise SettingsError(message)
        self.folder, self.stored = folder, stored
        self.head = b"SIMPLE  =                    T".ljust(CARD) + b"".join(
            card(key, value)
            for key, value in (
                *(("BITPIX", BITPIX[code]), ("NAXIS", 2), ("NAXIS1", side), ("NAXIS2", side)),
                *cards.items(),
            )
        )
        self.filling = b"\x00" * (-side * side * stored.itemsize % BLOCK)
        # one name for each process: the file that is being written
        self.temporary = os.fspath(folder / f".part-{os.getpid()}.fits")

    def write(
        self, names: Sequence[str], stamps: np.ndarray, cards: Sequence[Mapping[str, Any]]
    ) -> None:
        """Write stamps (n, side, side) under their names, with cards of their own.

        A reader sees a whole stamp or none. Raises `SettingsError` where the disk is full.
        """
        stored = stamps.astype(self.stored)
        with explained(self.folder):
            for name, pixels, own in zip(names, stored, cards, strict=True):
                self._one(name, self._header(own) + pixels.tobytes() + self.filling)

    def _header(self, own: Mapping[str, Any]) -> bytes:
        cards = b"".join(card(key, value) for key, value in own.items() if _is_told(value))
        header = self.head + cards + b"END".ljust(CARD)
        return header + b" " * (-len(header) % BLOCK)

    def _one(self, name: str, data: bytes) -> None:
        handle = os.open(self.temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            written = os.write(handle, data)
            while written < len(data):  # a full disk writes a part, then refuses
                written += os.write(handle, data[written:])
        finally:
            os.close(handle)
        os.rename(self.temporary, os.path.join(self.folder, name))  # noqa: PTH104, PTH118 (speed)


def _is_told(value: object) -> bool:
    """FITS has no card for a number that is not known."""
    return math.isfinite(value) if isinstance(value, float) else value != ""

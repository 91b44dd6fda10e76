"""What else is known of a stamp: exposure, camera, magnitude, kind; from its header or a table.

A data set keeps these beside its pixels, so that scores can be shown apart by them. No network
sees them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarker.core.errors import InputFileError, Problems
from benchmarker.core.record_tables import csv_rows
from benchmarker.data.reading_psat import base_name

# fact -> header keywords, the first that is there wins
NUMBERS = {
    "mjd": ("MJD-OBS", "MJD"),
    "x": ("X",),
    "y": ("Y",),
    "ra_deg": ("RA",),
    "dec_deg": ("DEC",),
    "magnitude": ("MAG",),
    "magnitude_error": ("DMAG",),
    "signal_to_noise": ("SNR",),
}
WORDS = {
    "camera": ("CAMERA",),
    "exposure": ("OBS",),
    "filter": ("FILTER", "FILT"),
    "kind": ("KIND",),
}
CAMERA_LETTERS = 3  # an exposure's name begins with its camera
MAGNITUDE_ERRORS = 2.5 / math.log(10)  # signal to noise times its magnitude error
FILE_COLUMNS = ("file", "source", "name")  # of a table

Facts = dict[str, float | str]


def facts_of_header(header: Mapping[str, str]) -> Facts:
    """Facts of one stamp from its header; what it does not say is left out.

    The camera follows from the exposure's name, and the signal to noise from the magnitude's
    error, where they are not there themselves.
    """
    found: Facts = {}
    for name, keywords in NUMBERS.items():
        number = next((n for key in keywords if (n := _number(header.get(key))) is not None), None)
        if number is not None:
            found[name] = number
    for name, keywords in WORDS.items():
        word = next((word for key in keywords if (word := header.get(key, "").strip())), "")
        if word:
            found[name] = word
    if "camera" not in found and "exposure" in found:
        found["camera"] = str(found["exposure"])[:CAMERA_LETTERS]
    error = found.get("magnitude_error", 0.0)
    if "signal_to_noise" not in found and isinstance(error, float) and error > 0:
        found["signal_to_noise"] = MAGNITUDE_ERRORS / error
    return found


def _number(text: str | None) -> float | None:
    try:
        # FITS may write an exponent with a D
        number = float((text or "").replace("D", "E"))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def read_fact_table(path: str | Path) -> dict[str, Facts]:
    """Facts by the file name of the stamp, from a CSV table with a header.

    The column ``file`` (or ``source``, ``name``) holds the stamp; every other column is a fact:
    of numbers where all its cells are numbers or empty, of words else. Raises `InputFileError`
    where that column is not there or a stamp stands there twice.
    """
    path = Path(path)
    rows = csv_rows(path)
    columns = list(rows[0][1]) if rows else []
    key = next((name for name in FILE_COLUMNS if name in columns), None)
    if key is None:
        message = f"{path}: columns {columns}, expected one of {', '.join(FILE_COLUMNS)}"
        raise InputFileError(message)
    problems = Problems(path)
    others = [name for name in columns if name and name != key]
    cells = {name: [(row[name] or "").strip() for _, row in rows] for name in others}
    numeric = {name: all(_number(c) is not None for c in cells[name] if c) for name in others}
    found: dict[str, Facts] = {}
    for place, (line, row) in enumerate(rows):
        stamp = base_name(row[key] or "")
        if stamp in found:
            problems.add(f"{stamp} stands there twice", line=line)
        given = {name: cells[name][place] for name in others if cells[name][place]}
        found[stamp] = {n: float(c) if numeric[n] else c for n, c in given.items()}
    problems.raise_if_any()
    return found


class FactColumns:
    """Facts of many stamps, row after row, as arrays that take little memory.

    A column begins where its fact is first known; earlier rows get NaN or an empty word.
    """

    def __init__(self) -> None:
        self.count = 0
        self._pieces: dict[str, list[np.ndarray]] = {}

    def add(self, facts: list[Facts]) -> None:
        """The facts of the next rows."""
        for name in {name for one in facts for name in one} - self._pieces.keys():
            first = next(one[name] for one in facts if name in one)
            self._pieces[name] = [_empty(self.count, is_word=isinstance(first, str))]
        for name, pieces in self._pieces.items():
            if pieces[0].dtype.kind == "S":
                words = [str(one.get(name, "")).encode() for one in facts]
                pieces.append(np.array(words, dtype=np.bytes_))
            else:
                numbers = [_as_number(one.get(name)) for one in facts]
                pieces.append(np.array(numbers, dtype=np.float64))
        self.count += len(facts)

    def arrays(self) -> dict[str, np.ndarray]:
        """Facts by name: float64 or bytes of shape (rows,), sorted by name."""
        return {name: np.concatenate(self._pieces[name]) for name in sorted(self._pieces)}


def _empty(count: int, *, is_word: bool) -> np.ndarray:
    return np.zeros(count, "S1") if is_word else np.full(count, np.nan)


def _as_number(value: float | str | None) -> float:
    return value if isinstance(value, float) else math.nan

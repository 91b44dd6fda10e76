"""Source names: made from file names, sorted as people count, with positions in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import numpy as np

FITS_SUFFIXES = (".fits", ".fit", ".fts", ".fits.gz", ".fit.gz", ".fts.gz", ".fits.fz", ".fz")
PNG_SUFFIXES = (".png",)
PARTS = {
    "train": "train",
    "training": "train",
    "valid": "validation",
    "validation": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
_NUMBER = r"[+-]?\d{1,3}(?:\.\d+)?"
# RA_DEC_LABEL_CATALOGUE of Griese et al., and CODE_RA±DEC_REDSHIFT_SIZE of MiraBest, in degrees
_DEGREES = (
    re.compile(rf"({_NUMBER})_({_NUMBER})_\d_\w+$"),
    re.compile(r"\d{3}_(\d{3}\.\d+)([+-]\d{3}\.\d+)_[\d.]+_[\d.]+$"),
)


def natural_key(text: str) -> tuple[object, ...]:
    """Sort key in which ``data_10`` comes after ``data_9``."""
    pieces = re.split(r"(\d+)", text)
    return tuple(int(piece) if i % 2 else piece for i, piece in enumerate(pieces))


def stem(name: str) -> str:
    """The last part of a path without an image suffix; other dots stay: they are numbers."""
    last = PurePosixPath(name.replace("\\", "/")).name
    for suffix in sorted((*FITS_SUFFIXES, *PNG_SUFFIXES), key=len, reverse=True):
        if last.lower().endswith(suffix) and len(last) > len(suffix):
            return last[: -len(suffix)]
    return last


def is_distinct(names: Sequence[str]) -> bool:
    """Whether every name is there, and there once."""
    return all(names) and len(set(names)) == len(names)


def names_in_folders(names: Sequence[str], folders: Sequence[str]) -> list[str]:
    """`names` as they are where they differ, else ``FOLDER/NAME`` for all.

    ``FRI/0001`` and ``FRII/0001`` are two images. A repeated name that holds a sky position is
    one source in two classes: those stay as they are, and the set refuses them.

    >>> names_in_folders(["1", "1"], ["FRI", "FRII"])
    ['FRI/1', 'FRII/1']
    """
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if not repeated or positions(repeated)[0] is not None:
        return list(names)
    return [f"{folder}/{name}" for folder, name in zip(folders, names, strict=True)]


def batch_names(batches: Iterable[str], places: Iterable[int]) -> list[str]:
    """Names by batch and place in it, ``data_batch_3-017``: for sets whose names repeat."""
    return [f"{batch}-{place:03d}" for batch, place in zip(batches, places, strict=True)]


def split_word(word: str) -> str:
    """``train``, ``validation`` or ``test`` for the usual spellings; others come back unchanged."""
    return PARTS.get(word.strip().lower(), word)


def positions(names: Sequence[str]) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
    """J2000 positions in degrees written in source names; (None, None) if no name holds one.

    Two float64 arrays of shape (n,), NaN for names without position. Known forms:
    ``J000330.73+002756.1``, ``RA_DEC_LABEL_CATALOGUE`` and ``CODE_RA+DEC_REDSHIFT_SIZE``.
    """
    from benchmarker.data.sky import positions_of_names

    ra, dec = positions_of_names(names)
    for row, name in enumerate(names):
        for form in _DEGREES if np.isnan(ra[row]) else ():
            if found := form.match(name):
                ra[row], dec[row] = float(found[1]), float(found[2])
    known = (ra >= 0) & (ra < 360) & (np.abs(dec) <= 90)
    ra[~known] = dec[~known] = np.nan
    return (ra, dec) if known.any() else (None, None)

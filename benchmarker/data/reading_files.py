"""Images that lie one per file: opened when asked for, all of one shape."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import InputFileError, Problems
from benchmarker.core.hashing import digest_arrays
from benchmarker.data.images import ImageSet, require_shape
from benchmarker.data.reading_options import ReadOptions

MOST_LISTED = 50
Decode = Callable[[Path], np.ndarray]


@dataclass(frozen=True)
class FilePixels:
    """Pixels read one file at a time.

    Arguments
    ---------
    paths : one file per image
    decode : reads a file as (height, width, channels), uint8 or native float32
    shape : what every image must have, (height, width, channels)
    describe : reads what is worth recording of one file (None: nothing)
    """

    paths: tuple[Path, ...]
    decode: Decode
    shape: tuple[int, ...]
    describe: Callable[[Path], dict[str, Any]] | None = None

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, index: int) -> np.ndarray:
        path = self.paths[index]
        image = self.decode(path)
        if image.shape != self.shape:
            message = (
                f"{path}: image has shape {image.shape}, expected {self.shape} as the first image "
                f"of the set, {self.paths[0]}; images are never resized"
            )
            raise InputFileError(message)
        return image

    def name(self, index: int) -> str:
        return str(self.paths[index])

    def digest(self, indices: Sequence[int]) -> str:
        return digest_arrays(self.read(index) for index in indices)

    def facts(self, index: int) -> dict[str, Any]:
        """What was found in file `index`: for FITS the extension, checksum, numbers of NaN."""
        return {} if self.describe is None else self.describe(self.paths[index])


def fits_decoder(options: ReadOptions) -> Decode:
    """A decoder of FITS files, float32 (height, width, 1)."""
    return partial(_fits_pixels, options)


def fits_facts(options: ReadOptions) -> Callable[[Path], dict[str, Any]]:
    """A reader of the facts of FITS files."""
    return partial(_fits_facts, options)


def _fits_pixels(options: ReadOptions, path: Path) -> np.ndarray:
    from benchmarker.data.fits_images import read_fits

    return require_shape(read_fits(path, limits=options).pixels, path)


def _fits_facts(options: ReadOptions, path: Path) -> dict[str, Any]:
    from benchmarker.data.fits_images import read_fits

    return read_fits(path, limits=options).facts()


def first_shape(paths: Sequence[Path], decode: Decode, budget: int) -> tuple[int, ...]:
    """Shape of the first image that can be read; at most `budget` unreadable ones are passed."""
    for number, path in enumerate(paths):
        try:
            return decode(path).shape
        except InputFileError:
            if number >= budget or number == len(paths) - 1:
                raise
    message = "no image file; expected at least one"
    raise InputFileError(message)


def drop_unreadable(images: ImageSet, budget: int) -> ImageSet:
    """Read every image once and leave out those that cannot be used, at most `budget`.

    Raises `InputFileError` listing them all if there are more. Names and reasons of those
    left out are added to the provenance.
    """
    reasons: dict[int, str] = {}
    for index in range(len(images)):
        try:
            images.pixels.read(index)
        except InputFileError as error:
            reasons[index] = str(error)
    if not reasons:
        return images
    raise_over_budget(images.name, list(reasons.values()), budget, "unreadable images")
    kept = images.take([index for index in range(len(images)) if index not in reasons])
    left_out = {images.sources[index]: reason for index, reason in reasons.items()}
    previous = images.provenance.get("left_out", {})
    return replace(kept, provenance={**images.provenance, "left_out": {**previous, **left_out}})


def raise_over_budget(where: str | Path, faults: Sequence[str], budget: int, what: str) -> None:
    """Raise one error listing `faults` (the first 50) if there are more than `budget`."""
    if len(faults) <= budget:
        return
    problems = Problems(where)
    problems.texts = list(faults[:MOST_LISTED])
    more = len(faults) - MOST_LISTED
    note = f"{len(faults)} {what}, {budget} allowed (--skip N allows N)"
    problems.texts.append(f"and {more} more: {note}" if more > 0 else note)
    problems.raise_if_any()


def list_images(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Files of `folder` by stem, in alphabetical order; hidden files are passed over.

    Raises `InputFileError` where two files have one stem (``a.fits`` and ``a.fits.gz``).
    """
    from benchmarker.data.reading_names import stem

    found: dict[str, Path] = {}
    problems = Problems(folder)
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name = entry.name
        if name.startswith(".") or not name.lower().endswith(suffixes) or not entry.is_file():
            continue
        key = stem(name)
        if key in found:
            problems.add(f"{name} and {found[key].name} are one source; expected one file")
        found.setdefault(key, Path(entry.path))
    problems.raise_if_any()
    return found


def subfolders(folder: Path) -> list[Path]:
    """Visible sub-folders in alphabetical order."""
    entries = (entry for entry in folder.iterdir() if entry.is_dir())
    return sorted(entry for entry in entries if not entry.name.startswith((".", "__")))

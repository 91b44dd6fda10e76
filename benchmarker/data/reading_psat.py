"""HDF5 files of psat-ml: rows of pixels, column by column, with labels and file names.

``X``, ``y`` and ``train_files`` train (or also validate, where ``train_split`` says so);
``testX``, ``testy`` and ``test_files`` test. Data sets ``train_NAME`` and ``test_NAME`` of one
value per row are facts. A file without labels holds ``X`` and ``images``, its file names.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarker.core.errors import BenchmarkerWarning, InputFileError, Problems
from benchmarker.data.images import ArrayPixels, ImageSet
from benchmarker.data.reading_hdf5 import dataset_fault, member_of
from benchmarker.data.reading_names import split_word
from benchmarker.data.reading_options import DEFAULTS, ReadOptions

if TYPE_CHECKING:
    import h5py

CLASSES = ("bogus", "real")
ROWS_AT_ONCE = 4096
# half of the file -> pixels, labels, names that its file names may have
HALVES = {
    "train": ("X", "y", ("train_files", "files", "images")),
    "test": ("testX", "testy", ("test_files",)),
}
USED = ("files", "group", "split")
MOST_SHOWN = 10
PREPARATION = "as-is"  # the rows are normalised already


class PsatHalf:
    """One half of an open file: what trains, or what tests. Made by `open_psat`.

    rows : number of stamps; side : height and width in pixels
    files : n file names as stored
    labels : int64 (n,), 1 for real and 0 for bogus; None where the file has no labels
    """

    def __init__(self, file: h5py.File, half: str, problems: Problems) -> None:
        pixels, labels, names = HALVES[half]
        self._file, self._half = file, half
        self._pixels = _checked(file, pixels, problems)
        self.rows, self.side = _size(self._pixels, pixels, problems)
        self.labels = self._labels(labels, problems)
        found = next((name for name in names if name in file), None)
        if found is None:
            problems.add(f"no file names for {pixels}, expected {' or '.join(names)}")
        values = None if found is None else self._column(found, problems)
        self.files = [] if values is None else _texts(values)

    def _column(self, name: str, problems: Problems) -> np.ndarray | None:
        """The data set `name` with one value per row, or None and a noted fault."""
        column = _checked(self._file, name, problems)
        if column is not None and column.shape != (self.rows,):
            problems.add(f"{name} has shape {column.shape}, expected ({self.rows},)")
            return None
        return None if column is None else column[()]

    def _labels(self, name: str, problems: Problems) -> np.ndarray | None:
        if name not in self._file:
            return None
        values = self._column(name, problems)
        if values is None:
            return None
        if values.dtype.kind not in "iuf" or not np.isin(values, (0, 1)).all():
            problems.add(f"{name} holds other values than 0 (bogus) and 1 (real)")
            return None
        return values.astype(np.int64)

    def column(self, name: str) -> np.ndarray | None:
        """Words (str) or float64 numbers kept beside the stamps; None where there are none."""
        full = f"{self._half}_{name}"
        problems = Problems(self._file.filename)
        values = self._column(full, problems) if full in self._file else None
        problems.raise_if_any()
        if values is None:
            return None
        is_text = values.dtype.kind in "SOU"
        return np.array(_texts(values)) if is_text else values.astype(np.float64)

    @property
    def facts(self) -> list[str]:
        """Names of what else is known of the stamps."""
        prefix = f"{self._half}_"
        names = [name.removeprefix(prefix) for name in self._file if name.startswith(prefix)]
        return [name for name in names if name not in USED]

    def images(self, first: int = 0, last: int | None = None) -> np.ndarray:
        """Stamps `first` to `last` (not with it): float32 of shape (n, side, side, 1)."""
        rows = self._pixels[first:last]
        # a row holds its image column by column
        images = rows.reshape(len(rows), self.side, self.side).swapaxes(1, 2)
        return np.ascontiguousarray(images, dtype=np.float32)[..., np.newaxis]

    def batches(self, size: int = ROWS_AT_ONCE) -> Iterator[np.ndarray]:
        """All stamps in their order, at most `size` at a time, as `images` gives them."""
        for first in range(0, self.rows, size):
            yield self.images(first, min(first + size, self.rows))


def is_psat(path: str | Path) -> bool:
    """Whether an HDF5 file has the layout of psat-ml; False for what is no HDF5 file."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return "X" in file and any(name in file for name in ("y", "train_files", "images"))
    except OSError:
        return False


@contextmanager
def open_psat(path: str | Path) -> Iterator[dict[str, PsatHalf]]:
    """The halves of a file by name (``train``, and ``test`` where it is there), while it is open.

    Nothing but names and labels is read at once. Raises `InputFileError` listing every fault:
    no HDF5 file, links to other places, claimed sizes beyond what is stored, rows that are no
    squares, labels other than 0 and 1, lengths that differ.
    """
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        message = f"{path}: not a usable HDF5 file: {error}"
        raise InputFileError(message) from error
    with file:
        problems = Problems(path)
        halves = {
            half: PsatHalf(file, half, problems)
            for half, (pixels, _, _) in HALVES.items()
            if pixels in file
        }
        if "train" not in halves:
            problems.add(f"no data set X, found: {', '.join(sorted(file)[:8]) or 'nothing'}")
        if len({half.side for half in halves.values()}) > 1:
            problems.add("stamps of X and testX differ in size")
        problems.raise_if_any()
        try:
            yield halves
        except (OSError, RuntimeError) as error:
            if isinstance(error, InputFileError):
                raise
            message = f"{path}: damaged HDF5 file: {error}"
            raise InputFileError(message) from error


def read_psat(path: str | Path, options: ReadOptions = DEFAULTS) -> ImageSet:
    """Stamps of a labelled file with its published parts, objects as groups, and its facts.

    The pixels are taken into memory as float32. Sources are the file names; where one stands
    there again (turned copies) it becomes ``NAME#2``, ``NAME#3``. Without ``train_split`` all
    of X trains, and the run takes whole objects of it for validation. Objects that train and
    test are told in a `BenchmarkerWarning`. Raises `InputFileError` listing every fault.
    """
    with open_psat(path) as halves:
        problems = Problems(path)
        for half, (pixels, labels, _) in HALVES.items():
            if half not in halves or halves[half].labels is None:
                problems.add(
                    f"no {labels if half in halves else pixels}: nothing labelled to {half}"
                )
        problems.raise_if_any()
        _refuse_large(halves, options, path)
        pixels = np.concatenate([part for half in halves.values() for part in half.batches()])
        files = [name for half in halves.values() for name in half.files]
        groups = _groups(halves)
        split = _split(halves, problems)
        facts = _facts(halves)
        labels = np.concatenate([half.labels for half in halves.values()])
    _refuse_non_finite(pixels, files, problems)
    problems.raise_if_any()
    _warn_of_leak(path, groups, split)
    return ImageSet(
        name=Path(path).stem,
        pixels=ArrayPixels(pixels, str(path)),
        labels=labels,
        classes=CLASSES,
        sources=tuple(_distinct(files)),
        published_split=tuple(split),
        groups=tuple(groups),
        facts=facts,
        provenance={"reader": "psat", "preparation": PREPARATION},
    )


def _checked(file: h5py.File, name: str, problems: Problems) -> Any:
    """The data set `name`, or None and a noted fault."""
    member = member_of(file, name, problems) if name in file else None
    if member is None:
        if name not in file:
            problems.add(f"no data set {name}")
        return None
    if fault := dataset_fault(member):
        problems.add(f"{name} {fault}")
        return None
    return member


def _size(pixels: Any, name: str, problems: Problems) -> tuple[int, int]:
    if pixels is None:
        return 0, 0
    shape = pixels.shape
    side = round(shape[1] ** 0.5) if len(shape) == 2 else 0
    if side < 1 or side * side != shape[1]:
        problems.add(f"{name} has shape {shape}, expected (n, pixels) with a square number")
        return 0, 0
    if pixels.dtype.kind not in "iuf":
        problems.add(f"{name} holds {pixels.dtype}, expected numbers")
    return shape[0], side


def _texts(values: np.ndarray) -> list[str]:
    return [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values]


def _refuse_large(halves: dict[str, PsatHalf], options: ReadOptions, path: str | Path) -> None:
    needed = sum(4 * half.rows * half.side**2 for half in halves.values())
    if needed > options.max_bytes:
        message = f"{path}: needs {needed} bytes in memory, expected at most {options.max_bytes}"
        raise InputFileError(message)


def base_name(file: str) -> str:
    """A file name without folders."""
    return PurePosixPath(file.replace("\\", "/")).name


def object_of(file: str) -> str:
    """The object that a stamp shows: its file name up to the first underscore."""
    return base_name(file).partition("_")[0]


def _groups(halves: dict[str, PsatHalf]) -> list[str]:
    found: list[str] = []
    for half in halves.values():
        stored = half.column("group")
        found += [object_of(name) for name in half.files] if stored is None else stored.tolist()
    return [str(word) for word in found]


def _split(halves: dict[str, PsatHalf], problems: Problems) -> list[str]:
    stored = halves["train"].column("split")
    words = (
        ["train"] * halves["train"].rows if stored is None else map(split_word, map(str, stored))
    )
    words = list(words)
    foreign = sorted(set(words) - {"train", "validation"})
    if foreign:
        problems.add(f"train_split says {foreign[:MOST_SHOWN]}, expected train or validation")
    return [*words, *["test"] * halves["test"].rows]


def _facts(halves: dict[str, PsatHalf]) -> dict[str, np.ndarray]:
    """Facts that both halves have, or one: NaN or no word for the other."""
    found = {}
    for name in sorted({name for half in halves.values() for name in half.facts}):
        columns = [half.column(name) for half in halves.values()]
        is_text = any(column is not None and column.dtype.kind == "U" for column in columns)
        parts = [
            (np.full(half.rows, "" if is_text else np.nan) if column is None else column)
            for half, column in zip(halves.values(), columns, strict=True)
        ]
        found[name] = np.concatenate([part.astype(str) for part in parts] if is_text else parts)
    return found


def _refuse_non_finite(pixels: np.ndarray, files: list[str], problems: Problems) -> None:
    for first in range(0, len(pixels), ROWS_AT_ONCE):
        good = np.isfinite(pixels[first : first + ROWS_AT_ONCE]).all(axis=(1, 2, 3))
        for row in first + np.flatnonzero(~good)[:MOST_SHOWN]:
            if len(problems.texts) < MOST_SHOWN:
                problems.add(f"{files[row]} has NaN or infinite pixels, expected normalised ones")


def _distinct(files: list[str]) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for name in files:
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name}#{seen[name]}"


def _warn_of_leak(path: str | Path, groups: list[str], split: list[str]) -> None:
    parts: dict[str, set[str]] = {}
    for group, part in zip(groups, split, strict=True):
        parts.setdefault(group, set()).add(part)
    torn = [group for group, found in parts.items() if len(found) > 1]
    if torn:
        text = (
            f"{path}: {len(torn)} objects have stamps in more than one part "
            f"({', '.join(torn[:3])}{', ...' if len(torn) > 3 else ''}); scores look better for it"
        )
        warnings.warn(text, BenchmarkerWarning, stacklevel=4)

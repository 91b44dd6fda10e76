"""Stamps of many exposures in one HDF5 file, instead of a file each.

Each exposure is first written as a part of its own; at the end all parts become one file, which
takes the place of an older one. So the store is whole at any time, and an interrupted run goes
on where it stopped.
"""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarker import __version__
from benchmarker.core.errors import InputFileError
from benchmarker.core.files import make_folder, write_named, write_with
from benchmarker.hosts.realbogus.cutouts import CutForm
from benchmarker.hosts.realbogus.queries import SAME

if TYPE_CHECKING:
    import h5py

ROWS_OF_A_CHUNK = 64
ROWS_AT_ONCE = 4096
# columns beside the pixels, one value for each stamp
NUMBERS = (*SAME, "detection", "object", "mjd")
WORDS = ("name", "obs", "kind", "filter")
REAL, BOGUS = 1, 0


@dataclass(frozen=True)
class Piece:
    """Stamps of one exposure and class.

    Arguments
    ---------
    word : ``good`` or ``bad``; obs : the exposure; digest : of what was asked for
    pixels : (n, side, side); columns : name -> (n,) values of `NUMBERS` and `WORDS`
    """

    word: str
    obs: str
    digest: str
    pixels: np.ndarray
    columns: dict[str, np.ndarray]


def part_folder(store: Path) -> Path:
    """Where the parts of a store lie until they are in it."""
    return store.with_name(f".{store.name}.parts")


def part_path(store: Path, word: str, obs: str) -> Path:
    """The part of one exposure and class."""
    return part_folder(store) / f"{word}-{obs}.npz"


def write_part(store: Path, piece: Piece) -> Path:
    """Write one part, whole or not at all."""
    make_folder(part_folder(store))
    arrays = {"digest": np.array(piece.digest), "pixels": piece.pixels, **piece.columns}
    path = part_path(store, piece.word, piece.obs)
    return write_with(path, lambda stream: np.savez(stream, **arrays))


def read_part(path: Path) -> Piece | None:
    """A part; None where there is none or it is damaged."""
    word, _, obs = path.stem.partition("-")
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as held:
            columns = {name: held[name] for name in (*NUMBERS, *WORDS)}
            return Piece(word, obs, str(held["digest"]), held["pixels"], columns)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def part_digest(path: Path) -> str:
    """Digest of a part, empty where there is none; its pixels are not read."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as held:
            return str(held["digest"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return ""


def held_digests(store: Path) -> dict[tuple[str, str], str]:
    """Class and exposure -> digest, of what is in the store.

    Raises `InputFileError` where the file is there and is no such store.
    """
    if not store.exists():
        return {}
    with _opened(store) as file:
        return {(row.word, row.obs): row.digest for row in _exposures(file)}


@contextlib.contextmanager
def _opened(store: Path) -> Iterator[h5py.File]:
    import h5py

    try:
        file = h5py.File(store, "r")
    except OSError as error:
        message = f"{store}: cannot be read as HDF5: {error}"
        raise InputFileError(message) from error
    with file:
        missing = [name for name in ("pixels", "label", "exposures") if name not in file]
        if missing:
            message = f"{store}: no store of stamps: {', '.join(missing)} not there"
            raise InputFileError(message)
        yield file


@dataclass(frozen=True)
class _Held:
    """An exposure in the store: its stamps are rows `first` to ``first + count``."""

    word: str
    obs: str
    digest: str
    first: int
    count: int


def _exposures(file: h5py.File) -> list[_Held]:
    group = file["exposures"]
    words = (group[name].asstr()[:] for name in ("word", "obs", "digest"))
    numbers = (group[name][:].tolist() for name in ("first", "count"))
    return [_Held(*row) for row in zip(*words, *numbers, strict=True)]


def gather(store: Path, form: CutForm) -> int:
    """Put all parts into the store, in place of what it held of the same exposures.

    Returns the number of stamps in it. The parts are removed when the store is written. Without
    parts nothing is done. Raises `InputFileError` where old and new stamps differ in size.
    """
    parts = sorted(part_folder(store).glob("*.npz"))
    if not parts:
        return 0
    total = 0

    def fill(temporary: Path) -> None:
        nonlocal total
        import h5py

        with h5py.File(temporary, "w") as file:
            table = _Growing(file, form)
            for piece in _old_and_new(store, parts):
                table.add(piece)
            total = table.finish()

    write_named(store, fill)
    for path in parts:
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # another file lies in it
        part_folder(store).rmdir()
    return total


def _old_and_new(store: Path, parts: Sequence[Path]) -> Iterator[Piece]:
    new = {(path.stem.partition("-")[0], path.stem.partition("-")[2]): path for path in parts}
    if store.exists():
        with _opened(store) as file:
            for held in _exposures(file):
                if (held.word, held.obs) not in new:
                    yield _from_store(file, held)
    for path in new.values():
        piece = read_part(path)
        if piece is None:
            message = f"{path}: is damaged; remove it and run again"
            raise InputFileError(message)
        yield piece


def _from_store(file: h5py.File, held: _Held) -> Piece:
    rows = slice(held.first, held.first + held.count)
    columns = {name: file[name][rows] for name in NUMBERS}
    columns |= {name: file[name].asstr("ascii")[rows].astype(str) for name in WORDS}
    return Piece(held.word, held.obs, held.digest, file["pixels"][rows], columns)


class _Growing:
    """A store that is being written: pixels at once, columns at the end."""

    def __init__(self, file: h5py.File, form: CutForm) -> None:
        self.file, self.form = file, form
        self.pixels: Any = None
        self.exposures: list[_Held] = []
        self.columns: dict[str, list[np.ndarray]] = {name: [] for name in (*NUMBERS, *WORDS)}
        self.labels: list[np.ndarray] = []
        self.count = 0

    def add(self, piece: Piece) -> None:
        """The stamps of the next exposure."""
        side = self.form.side
        if piece.pixels.shape[1:] != (side, side):
            message = (
                f"{self.file.filename}: stamps of {piece.obs} have {piece.pixels.shape[1:]} "
                f"pixels, expected {side} x {side}: choose another store"
            )
            raise InputFileError(message)
        first, self.count = self.count, self.count + len(piece.pixels)
        if self.pixels is None:
            self.pixels = self.file.create_dataset(
                "pixels",
                shape=(0, side, side),
                maxshape=(None, side, side),
                chunks=(ROWS_OF_A_CHUNK, side, side),
                dtype=piece.pixels.dtype,
            )
        elif np.result_type(self.pixels.dtype, piece.pixels.dtype) != self.pixels.dtype:
            message = (
                f"{self.file.filename}: stamps of {piece.obs} are {piece.pixels.dtype}, those "
                f"before {self.pixels.dtype}, expected one type: choose another store"
            )
            raise InputFileError(message)
        self.pixels.resize(self.count, axis=0)
        self.pixels[first:] = piece.pixels
        label = REAL if piece.word == "good" else BOGUS
        self.labels.append(np.full(len(piece.pixels), label, np.int8))
        for name, values in self.columns.items():
            column = piece.columns[name]
            values.append(np.char.encode(column, "ascii", "replace") if name in WORDS else column)
        held = _Held(piece.word, piece.obs, piece.digest, first, len(piece.pixels))
        self.exposures.append(held)

    def finish(self) -> int:
        """Write the columns and how the stamps were cut; returns the number of stamps."""
        self.file["label"] = np.concatenate(self.labels)
        for name, pieces in self.columns.items():
            self.file[name] = np.concatenate(pieces)
        group = self.file.create_group("exposures")
        for name in ("word", "obs", "digest"):
            group[name] = np.array([getattr(held, name).encode() for held in self.exposures])
        for name in ("first", "count"):
            group[name] = np.array([getattr(held, name) for held in self.exposures], np.int64)
        self.file.attrs.update(
            {
                "stamp_size": self.form.side,
                "offset": self.form.offset,
                "mask": self.form.mask,
                "software": f"benchmarker {__version__}",
            }
        )
        return self.count


def each_stamp(store: str | Path) -> Iterator[tuple[list[str], np.ndarray, np.ndarray]]:
    """Names, labels (n,) and pixels (n, side, side) of a store, some thousand at a time."""
    with _opened(Path(store)) as file:
        for first in range(0, len(file["pixels"]), ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            names = [name.decode() for name in file["name"][rows]]
            yield names, file["label"][rows], file["pixels"][rows]

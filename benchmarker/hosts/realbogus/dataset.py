"""Data sets in the layout of psat-ml: HDF5 files, written stamp by stamp in bounded memory.

``X``, ``y``, ``train_files`` hold what trains and ``testX``, ``testy``, ``test_files`` what
tests: each row of X is a normalised stamp column by column. Scripts of psat-ml read these. Beside
them lie ``train_split`` (train or validation), the objects, and what the stamps' headers say,
all with the prefix ``train_`` or ``test_``; how the set was made stands in the attributes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarker import __version__
from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.core.files import write_named
from benchmarker.data.reading_psat import base_name, object_of
from benchmarker.hosts.realbogus.lists import FOLDERS, find_stamp
from benchmarker.hosts.realbogus.normalisations import DEFAULT, full_name, is_flat, normalise
from benchmarker.hosts.realbogus.parts import BOGUS, REAL, Parts, Rows
from benchmarker.hosts.realbogus.stamp_facts import FactColumns, Facts, facts_of_header
from benchmarker.hosts.realbogus.stamps import (
    DEFAULT_FORM,
    StampForm,
    open_stamp,
    to_vectors,
    turned,
)

if TYPE_CHECKING:
    import h5py

ROWS_AT_ONCE = 1024
ROWS_OF_A_CHUNK = 256
QUARTER_TURNS = 4
TYPES = ("float64", "float32")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SetForm:
    """How a set is made of its stamps.

    Arguments
    ---------
    stamps : crop, extension and masks
    normalisation : one of `normalisations.NAMES` or an alias
    rotations : whether each training stamp is followed by its three turns of 90 degrees
    seed : of the parts; stands in the file
    dtype : of X and testX: ``float64`` as in psat-ml, or ``float32`` for half the size
    skip : number of unreadable stamps that may be left out
    """

    stamps: StampForm = DEFAULT_FORM
    normalisation: str = DEFAULT
    rotations: bool = False
    seed: int = 0
    dtype: str = TYPES[0]
    skip: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "normalisation", full_name(self.normalisation))
        if self.dtype not in TYPES:
            message = f"dtype is {self.dtype!r}, expected {' or '.join(TYPES)}"
            raise SettingsError(message)


@dataclass(frozen=True)
class Places:
    """Where stamps lie and what a table says of them.

    good, bad : folders of the two lists; facts : by file name, before what headers say
    """

    good: Path
    bad: Path
    facts: dict[str, Facts] = field(default_factory=dict)

    def of(self, label: int) -> Path:
        """The folder of the list with this label."""
        return self.good if label == REAL else self.bad


@dataclass
class Summary:
    """What was written: rows by part and class, flat stamps, and files that were left out."""

    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    flat: int = 0
    left_out: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Read:
    """One stamp that could be read."""

    entry: str
    label: int
    vector: np.ndarray
    facts: Facts


def write_set(
    path: str | Path,
    parts: Parts,
    places: Places,
    form: SetForm,
    progress: Progress | None = None,
) -> Summary:
    """Read the stamps of `parts` and write them to `path`, whole or not at all.

    Memory stays bounded by the names of the stamps: pixels are written as they are read.
    `progress` is told how many stamps of how many are done. Raises `InputFileError` naming the
    first stamp that cannot be used beyond those that may be left out.
    """
    total = sum(len(rows) for rows in (parts.train, parts.validation, parts.test))
    work = _Work(places, form, total, progress)

    def fill(temporary: Path) -> None:
        import h5py

        with h5py.File(temporary, "w") as file:
            training = [("train", parts.train), ("validation", parts.validation)]
            _Table(file, ("X", "y", "train"), work).write(training)
            _Table(file, ("testX", "testy", "test"), work).write([("test", parts.test)])
            _describe(file, parts, form, work.summary)

    write_named(path, fill)
    return work.summary


def write_unlabelled(
    path: str | Path,
    entries: Sequence[str],
    places: Places,
    form: SetForm,
    progress: Progress | None = None,
) -> Summary:
    """Write stamps without labels: ``X``, their names in ``images``, facts as ``images_NAME``."""
    work = _Work(places, form, len(entries), progress)
    rows = Rows(tuple(entries), np.full(len(entries), REAL, np.int8))

    def fill(temporary: Path) -> None:
        import h5py

        with h5py.File(temporary, "w") as file:
            _Table(file, ("X", None, "images"), work).write([("images", rows)])
            if len(work.summary.left_out) == len(entries):
                message = f"no stamp of {len(entries)} could be read"
                raise InputFileError(message)
            _attributes(file, form, work.summary)

    write_named(path, fill)
    return work.summary


class _Work:
    """Reading of stamps with a count of those done and left out."""

    def __init__(
        self, places: Places, form: SetForm, total: int, progress: Progress | None
    ) -> None:
        self.places, self.form, self.total, self.progress = places, form, total, progress
        self.summary = Summary()
        self.done = 0

    def read(self, rows: Rows) -> Iterator[_Read]:
        """The stamps of a part, in its order, without those that are left out."""
        for entry, label in zip(rows.entries, rows.labels.tolist(), strict=True):
            try:
                yield self._one(entry, label)
            except InputFileError as error:
                if len(self.summary.left_out) >= self.form.skip:
                    raise
                self.summary.left_out[entry] = str(error)
            self.done += 1
            if self.progress is not None:
                self.progress(self.done, self.total)

    def _one(self, entry: str, label: int) -> _Read:
        path = find_stamp(entry, self.places.of(label), FOLDERS[0 if label == REAL else 1])
        if path is None:
            message = f"{entry}: no such stamp in {self.places.of(label)}"
            raise InputFileError(message)
        stamp = open_stamp(path, self.form.stamps)
        facts = facts_of_header(stamp.header) | self.places.facts.get(base_name(entry), {})
        return _Read(entry, label, to_vectors(stamp.pixels), facts)


class _Table:
    """Pixels, labels and names of one half of the file, growing as rows are written."""

    def __init__(self, file: h5py.File, names: tuple[str, str | None, str], work: _Work) -> None:
        self.pixels, self.labels, self.prefix = names
        self.file, self.work = file, work
        side = work.form.stamps.side
        self.values = file.create_dataset(
            self.pixels,
            shape=(0, side * side),
            maxshape=(None, side * side),
            dtype=work.form.dtype,
            chunks=(ROWS_OF_A_CHUNK, side * side),
        )
        self.columns = FactColumns()
        self.label_pieces: list[np.ndarray] = []

    def write(self, parts: Sequence[tuple[str, Rows]]) -> None:
        """Write the rows of the parts, one part after the other, then the columns."""
        for part, rows in parts:
            counts = dict.fromkeys(("real", "bogus"), 0)
            stamps = self.work.read(rows)
            while some := list(islice(stamps, ROWS_AT_ONCE)):
                self._append(some, part)
                real = sum(stamp.label for stamp in some)
                counts["real"] += real
                counts["bogus"] += len(some) - real
            self.work.summary.rows[part] = counts
        self._finish()

    def _append(self, stamps: Sequence[_Read], part: str) -> None:
        form = self.work.form
        vectors, flat = _normalised(stamps, form)
        self.work.summary.flat += int(flat.sum())
        turns = QUARTER_TURNS if form.rotations and part == "train" else 1
        if turns > 1:
            vectors = np.stack([turned(vectors, k) for k in range(turns)], axis=1)
            vectors = vectors.reshape(-1, vectors.shape[-1])
        first = len(self.values)
        self.values.resize(first + len(vectors), axis=0)
        self.values[first:] = vectors
        self._note(stamps, flat, part, turns)

    def _note(self, stamps: Sequence[_Read], flat: np.ndarray, part: str, turns: int) -> None:
        rows: list[Facts] = []
        for stamp, same in zip(stamps, flat, strict=True):
            names = {"files": stamp.entry, "group": object_of(stamp.entry)}
            if self.prefix == "train":
                names["split"] = part
            rows += [{**stamp.facts, **names, "flat": float(same)}] * turns
        self.columns.add(rows)
        labels = np.array([stamp.label for stamp in stamps], np.float64)
        self.label_pieces.append(np.repeat(labels, turns))

    def _finish(self) -> None:
        if self.labels is not None:
            values = np.concatenate(self.label_pieces) if self.label_pieces else np.empty(0)
            self.file.create_dataset(self.labels, data=values)
        for name, values in self.columns.arrays().items():
            is_main = name == "files" and self.labels is None
            full = self.prefix if is_main else f"{self.prefix}_{name}"
            self.file.create_dataset(full, data=values)


def _normalised(stamps: Sequence[_Read], form: SetForm) -> tuple[np.ndarray, np.ndarray]:
    """Normalised vectors, (n, pixels), and which stamps are flat, bool (n,)."""
    types = np.array([stamp.vector.dtype.str for stamp in stamps])
    vectors = np.empty((len(stamps), stamps[0].vector.size), form.dtype)
    flat = np.empty(len(stamps), bool)
    # by type: a stamp's numbers must not depend on its neighbours in the list
    for kind in np.unique(types):
        rows = np.flatnonzero(types == kind)
        stored = np.stack([stamps[row].vector for row in rows])
        vectors[rows], flat[rows] = normalise(stored, form.normalisation), is_flat(stored)
    return vectors, flat


def _describe(file: h5py.File, parts: Parts, form: SetForm, summary: Summary) -> None:
    file.attrs["split_rule"] = parts.rule
    file.attrs["validation_rows"] = sum(summary.rows["validation"].values())
    for part in ("train", "test"):
        for word, count in summary.rows[part].items():
            if not count:
                message = f"no {word} stamp for {part}, expected at least one of each class"
                raise InputFileError(message)
    _attributes(file, form, summary)


def _attributes(file: h5py.File, form: SetForm, summary: Summary) -> None:
    """How the file was made."""
    stamps = form.stamps
    file.attrs.update(
        {
            "normalisation": form.normalisation,
            "extent": stamps.extent,
            "extension": "auto" if stamps.extension is None else stamps.extension,
            "magic": "none" if stamps.magic is None else stamps.magic,
            "rotations": form.rotations,
            "seed": form.seed,
            "classes": json.dumps({"bogus": BOGUS, "real": REAL}),
            "left_out": len(summary.left_out),
            "software": f"benchmarker {__version__}",
        }
    )

"""Arrays in which prepared images lie, in memory or memory-mapped: sparse or dense.

Radio images are nearly empty once their noise is clipped, so only values that differ from
0 are stored, with their place: the layout of a compressed sparse row matrix, one row per
image. Images that are not empty are stored once per source, dense, and varied at reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from benchmarker.data.augment import expand, vary
from benchmarker.data.recipes import Recipe, Variant

DENSE_SHARE = 0.25  # above this share of non-zero pixels images are stored dense


class Column:
    """A growing array along its first axis: a ``.npy`` file, or memory if `folder` is None."""

    def __init__(self, folder: Path | None, name: str, dtype: str, tail: tuple[int, ...]) -> None:
        self.path = None if folder is None else folder / f"{name}.npy"
        self.dtype, self.tail, self.length = np.dtype(dtype), tail, 0
        self._parts: list[np.ndarray] = []
        self._stream: BinaryIO | None = None if self.path is None else self.path.open("wb")
        if self._stream:
            self._write_header(self._stream)

    def _write_header(self, stream: BinaryIO) -> None:
        # numpy leaves room for the first axis to grow, so the length can be filled in last
        shape = (self.length, *self.tail)
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)

    def append(self, values: np.ndarray) -> None:
        """Add `values`, of shape (k, *tail)."""
        values = np.ascontiguousarray(values, dtype=self.dtype)
        self.length += len(values)
        if self._stream:
            self._stream.write(values.data)
        else:
            self._parts.append(values)

    def finish(self) -> np.ndarray:
        """Write the final length; returns the array, memory-mapped where it is a file."""
        if self._stream is None or self.path is None:
            joined = np.concatenate(self._parts or [np.empty((0, *self.tail), self.dtype)])
            self._parts = []
            return joined
        self._stream.seek(0)
        self._write_header(self._stream)
        self.close()
        return load(self.path)

    def close(self) -> None:
        """Let go of the file; harmless if done before."""
        if self._stream:
            self._stream.close()


def load(path: Path) -> np.ndarray:
    """Memory-map a ``.npy`` file; raises ValueError or OSError if it is none."""
    mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    # a plain view of the mapped memory: slicing np.memmap itself is several times slower
    return np.asarray(mapped)


@dataclass(frozen=True, eq=False)
class SparseImages:
    """Stored images of `shape` (height, width, channels), zeros left out."""

    values: np.ndarray
    places: np.ndarray
    starts: np.ndarray
    shape: tuple[int, int, int]

    def read(self, rows: np.ndarray) -> np.ndarray:
        """float32 (k, height, width, channels)."""
        flat = np.zeros((len(rows), int(np.prod(self.shape))), np.float32)
        for image, row in zip(flat, rows, strict=True):
            part = slice(self.starts[row], self.starts[row + 1])
            image[self.places[part]] = self.values[part]
        return flat.reshape(len(rows), *self.shape)


@dataclass(frozen=True, eq=False)
class DenseImages:
    """Base images (sources, height, width, channels); variants are made at reading."""

    base: np.ndarray
    expansion: tuple[Variant, ...]

    def read(self, rows: np.ndarray) -> np.ndarray:
        """float32 (k, height, width, channels)."""
        images = np.empty((len(rows), *self.base.shape[1:]), np.float32)
        for place, row in enumerate(rows):
            source, variant = divmod(int(row), len(self.expansion))
            images[place] = vary(self.base[source], self.expansion[variant])
        return images


StoredImages = SparseImages | DenseImages


class SparseWriter:
    """Takes base images one after the other and stores all their variants."""

    kind = "sparse"
    columns = ("values", "places", "starts")

    def __init__(self, folder: Path | None, shape: tuple[int, int, int], recipe: Recipe) -> None:
        self.shape, self.recipe = shape, recipe
        self._values = Column(folder, "values", "<f4", ())
        self._places = Column(folder, "places", "<u4", ())
        self._starts = Column(folder, "starts", "<i8", ())
        self._starts.append(np.zeros(1, np.int64))

    def add(self, image: np.ndarray) -> None:
        """Store all variants of one base image, float32 (height, width, channels)."""
        for variant in expand(image, self.recipe):
            flat = variant.reshape(-1)
            # by bits, so that a negative zero is kept too
            places = np.flatnonzero(flat.view(np.uint32) != 0)
            self._values.append(flat[places])
            self._places.append(places)
            self._starts.append(np.array([self._values.length]))

    def finish(self) -> SparseImages:
        arrays = (self._values.finish(), self._places.finish(), self._starts.finish())
        return SparseImages(*arrays, shape=self.shape)

    def close(self) -> None:
        for column in (self._values, self._places, self._starts):
            column.close()


class DenseWriter:
    """Takes base images one after the other and stores them as they are."""

    kind = "dense"
    columns = ("base",)

    def __init__(self, folder: Path | None, shape: tuple[int, int, int], recipe: Recipe) -> None:
        self.recipe = recipe
        self._base = Column(folder, "base", "<f4", shape)

    def add(self, image: np.ndarray) -> None:
        """Store one base image, float32 (height, width, channels)."""
        self._base.append(image[np.newaxis])

    def finish(self) -> DenseImages:
        return DenseImages(self._base.finish(), self.recipe.expansion)

    def close(self) -> None:
        self._base.close()


WRITERS = {writer.kind: writer for writer in (SparseWriter, DenseWriter)}


def choose_writer(sample: Iterable[np.ndarray]) -> type[SparseWriter | DenseWriter]:
    """The layout that suits images like those of `sample`."""
    shares = [np.count_nonzero(image) / image.size for image in sample]
    return DenseWriter if shares and float(np.mean(shares)) > DENSE_SHARE else SparseWriter


def open_stored(folder: Path, kind: str, shape: tuple[int, ...], recipe: Recipe) -> StoredImages:
    """Memory-map what a writer of `kind` left in `folder`."""
    arrays = [load(folder / f"{name}.npy") for name in WRITERS[kind].columns]
    if kind == DenseWriter.kind:
        return DenseImages(arrays[0], recipe.expansion)
    height, width, channels = shape
    return SparseImages(*arrays, shape=(height, width, channels))

"""Prepared images on disk, kept by the digest of everything they depend on.

One folder per entry below the cache folder, named by its key; ``meta.json`` inside holds
the key and the SHA-256 of each file. An entry is built under a temporary name and moved
into place, so it is whole or absent; one that is damaged is built again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import (
    InputFileError,
    MissingDataError,
    Problems,
    SettingsError,
    suggest,
)
from benchmarker.core.files import lock, write_json
from benchmarker.core.hashing import digest_file, digest_json
from benchmarker.data.augment import interpolation_versions, is_interpolated
from benchmarker.data.images import ImageSet
from benchmarker.data.preparation import Preparation, count_nonfinite, last_scaling, prepare
from benchmarker.data.recipes import Recipe
from benchmarker.data.stored_images import (
    WRITERS,
    DenseWriter,
    SparseWriter,
    StoredImages,
    choose_writer,
    open_stored,
)

FORMAT = 1  # part of every key: raise it when the layout of an entry changes
META = "meta.json"
BUILDING = ".building-"
LEFTOVER_SECONDS = 600  # a build writes all the time; a folder silent for longer is left over
SAMPLE = 32  # images looked at to choose between sparse and dense
MOST_FAULTS = 50

_log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class PreparedImages:
    """Prepared images, all variants of a source side by side: row = source x variants + variant.

    Arguments
    ---------
    stored : where the pixels lie
    shape : (height, width, channels) of one image
    source_names : the sources in the order asked for
    source_labels : int64 (sources,)
    variants : stored images per source
    digest : the key: of stored content, preparation (but `standardise`) and expansion
    filled_pixels : source -> number of its pixels that were not finite and became 0
    standardise : (mean, deviation) that `finish` applies; None leaves the images as stored
    """

    stored: StoredImages
    shape: tuple[int, int, int]
    source_names: tuple[str, ...]
    source_labels: np.ndarray
    variants: int
    digest: str
    filled_pixels: dict[str, int]
    standardise: tuple[float, float] | None = None

    def __len__(self) -> int:
        return self.source_count * self.variants

    @property
    def source_count(self) -> int:
        """Number of sources."""
        return len(self.source_names)

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Source name of each row."""
        return tuple(name for name in self.source_names for _ in range(self.variants))

    @cached_property
    def labels(self) -> np.ndarray:
        """Label of each row, int64 (len,)."""
        return np.repeat(self.source_labels, self.variants)

    def read(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """The rows as the network sees them, float32 (k, height, width, channels).

        Safe in any thread. Raises IndexError for a row outside 0 .. len - 1.
        """
        return self.finish(self.raw(rows))

    def finish(self, images: np.ndarray) -> np.ndarray:
        """The last step, after random draws: (images - mean) / deviation where declared.

        Takes and returns float32 of any shape; a set without `standardise` returns `images`.
        """
        return last_scaling(images, self.standardise)

    def raw(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """The rows as stored, where 0 is empty sky: what rotations and random draws work on.

        float32 (k, height, width, channels), a copy, as `read` before `finish`.
        """
        rows = np.asarray(rows, dtype=np.int64).reshape(-1)
        if rows.size and (rows.min() < 0 or rows.max() >= len(self)):
            message = f"row {rows.min()}..{rows.max()} asked for, expected 0..{len(self) - 1}"
            raise IndexError(message)
        return self.stored.read(rows)


@dataclass(frozen=True)
class _Work:
    """What to prepare."""

    images: ImageSet
    indices: tuple[int, ...]
    preparation: Preparation
    recipe: Recipe
    progress: Progress | None

    def prepared(self, index: int) -> tuple[np.ndarray, int]:
        """One prepared image and its number of filled pixels."""
        where = f"{self.images.sources[index]} ({self.images.pixels.name(index)})"
        try:
            image = self.images.pixels.read(index)
        except OSError as error:
            message = f"{where} cannot be read: {error}"
            raise InputFileError(message) from error
        return prepare(image, self.preparation, where), count_nonfinite(np.asarray(image))

    def key(self) -> str:
        """Digest of everything the stored arrays depend on."""
        interpolated = any(is_interpolated(variant) for variant in self.recipe.expansion)
        content = {
            "format": FORMAT,
            "names": [self.images.sources[index] for index in self.indices],
            "pixels": self.images.pixels.digest(self.indices),
            "preparation": self.preparation.stored.digest,
            "expansion": [list(variant) for variant in self.recipe.expansion],
            "libraries": interpolation_versions() if interpolated else {},
        }
        return digest_json(content)


def prepared(  # noqa: PLR0913 - the contract of the data room, all six describe one thing
    images: ImageSet,
    names: Sequence[str],
    preparation: Preparation,
    recipe: Recipe,
    folder: Path | None,
    *,
    progress: Progress | None = None,
) -> PreparedImages:
    """The sources `names` of `images`, prepared and expanded, from the cache or built now.

    Arguments
    ---------
    images : the data set
    names : sources in the order wanted, each once
    preparation : steps for every image
    recipe : its expansion is stored; random transforms are left to the generator
    folder : the cache, made if absent; None keeps everything in memory
    progress : called with (sources done, sources in all) while building

    Raises `InputFileError` listing every unusable image, `MissingDataError` for names that
    are not in the set, `SettingsError` where the cache cannot be written.
    """
    indices = _indices(images, names)
    work = _Work(images, indices, preparation, recipe, progress)
    key = work.key()
    if folder is None:
        stored, meta = _build(work, key, None)
    else:
        stored, meta = _from_folder(work, key, Path(folder))
    height, width, channels = meta["shape"]
    return PreparedImages(
        stored=stored,
        shape=(height, width, channels),
        source_names=tuple(images.sources[index] for index in indices),
        source_labels=np.asarray(images.labels, dtype=np.int64)[list(indices)],
        variants=recipe.variants,
        digest=key,
        filled_pixels=meta["filled_pixels"],
        standardise=preparation.standardise,
    )


def _indices(images: ImageSet, names: Sequence[str]) -> tuple[int, ...]:
    if not names:
        message = f"no source of {images.name} to prepare, expected at least one"
        raise SettingsError(message)
    index_of = {name: index for index, name in enumerate(images.sources)}
    absent = [name for name in names if name not in index_of]
    if absent:
        shown = ", ".join(absent[:10]) + (" ..." if len(absent) > 10 else "")
        hint = suggest(absent[0], images.sources) if len(absent) == 1 else ""
        message = f"{images.name} has no source named {shown}{hint}"
        raise MissingDataError(message)
    if len(set(names)) != len(names):
        repeated = sorted({name for name in names if list(names).count(name) > 1})
        message = f"sources of {images.name} are asked for twice: {', '.join(repeated[:10])}"
        raise SettingsError(message)
    return tuple(index_of[name] for name in names)


def _from_folder(work: _Work, key: str, folder: Path) -> tuple[StoredImages, dict[str, Any]]:
    entry = folder / key
    found = _open(entry, key, work.recipe)
    if found:
        return found
    with _explained(folder), lock(folder / f"{key}.lock"):
        _remove_leftovers(folder)
        # another process may have built it while this one waited for the lock
        return _open(entry, key, work.recipe) or _build_entry(work, key, entry)


def _build_entry(work: _Work, key: str, entry: Path) -> tuple[StoredImages, dict[str, Any]]:
    building = entry.with_name(f"{BUILDING}{key[:16]}-{uuid.uuid4().hex}")
    try:
        building.mkdir()
        _, meta = _build(work, key, building)
        write_json(building / META, meta)
        _move(building, entry)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    found = _open(entry, key, work.recipe)
    if found is None:
        message = f"cannot read back what was just written to {entry}: is the disk in order?"
        raise SettingsError(message)
    return found


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = (
            f"cannot write the image cache {folder}: {error.strerror or error} "
            "(free some space or choose another folder)"
        )
        raise SettingsError(message) from error


def _move(building: Path, entry: Path) -> None:
    if entry.exists():
        shutil.rmtree(entry)
    try:
        building.rename(entry)
    except OSError:
        # where locks do not work another process may have come first, with the same content
        if not entry.exists():
            raise


def _remove_leftovers(folder: Path) -> None:
    """Delete what killed builds left behind; folders still being written to are kept."""
    for path in folder.glob(f"{BUILDING}*"):
        with contextlib.suppress(OSError):
            newest = max(part.stat().st_mtime for part in [path, *path.iterdir()])
            if time.time() - newest > LEFTOVER_SECONDS:
                shutil.rmtree(path, ignore_errors=True)


def _open(entry: Path, key: str, recipe: Recipe) -> tuple[StoredImages, dict[str, Any]] | None:
    """The entry if it is whole and meant for `key`; None, with a warning if it is damaged."""
    if not entry.exists():
        return None
    try:
        meta = json.loads((entry / META).read_text(encoding="utf-8"))
        fault = _fault(entry, key, meta)
        if fault is None:
            return open_stored(entry, meta["stored"], meta["shape"], recipe), meta
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        fault = f"{type(error).__name__}: {error}"
    _log.warning("cache entry %s is damaged (%s): it is built again", entry, fault)
    return None


def _fault(entry: Path, key: str, meta: dict[str, Any]) -> str | None:
    if meta["format"] != FORMAT or meta["key"] != key:
        return "made for another format or for other images"
    if sorted(meta["files"]) != sorted(f"{name}.npy" for name in WRITERS[meta["stored"]].columns):
        return "files differ from those expected"
    for name, digest in meta["files"].items():
        if digest_file(entry / name) != digest:
            return f"checksum of {name} differs"
    return None


def _build(work: _Work, key: str, folder: Path | None) -> tuple[StoredImages, dict[str, Any]]:
    """Prepare every image; returns the stored images and the content of ``meta.json``."""
    layout = choose_writer(_sample(work))
    filled: dict[str, int] = {}
    writer: SparseWriter | DenseWriter | None = None
    shape: tuple[int, ...] = ()
    with contextlib.ExitStack() as stack:
        for name, image, nonfinite in _usable(work):
            if writer is None:
                shape = image.shape
                writer = layout(folder, image.shape, work.recipe)
                stack.callback(writer.close)
            writer.add(image)
            if nonfinite:
                filled[name] = nonfinite
        if writer is None:
            message = f"data set {work.images.name} holds no image that can be used"
            raise InputFileError(message)
        stored = writer.finish()
    if filled:
        _log.warning(
            "%d of %d images hold pixels that are not finite; they are 0 now",
            len(filled),
            len(work.indices),
        )
    meta = {
        "format": FORMAT,
        "key": key,
        "stored": layout.kind,
        "shape": list(shape),
        "filled_pixels": filled,
        "files": _file_digests(folder, layout.columns),
    }
    return stored, meta


def _file_digests(folder: Path | None, columns: Sequence[str]) -> dict[str, str]:
    if folder is None:
        return {}
    return {f"{name}.npy": digest_file(folder / f"{name}.npy") for name in columns}


def _sample(work: _Work) -> Iterator[np.ndarray]:
    step = max(1, len(work.indices) // SAMPLE)
    for index in work.indices[::step][:SAMPLE]:
        with contextlib.suppress(InputFileError):  # told with all others while building
            yield work.prepared(index)[0]


def _usable(work: _Work) -> Iterator[tuple[str, np.ndarray, int]]:
    """Name, prepared image and filled pixels of each source, until one is unusable.

    From then on the rest is only looked at, to tell the user about all faults at once.
    """
    problems = Problems(f"data set {work.images.name}")
    shape: tuple[int, ...] | None = None
    for done, index in enumerate(work.indices, 1):
        name = work.images.sources[index]
        try:
            image, nonfinite = work.prepared(index)
        except InputFileError as error:
            problems.add(str(error))
            continue
        shape = shape or image.shape
        if image.shape != shape:
            problems.add(
                f"{name}: image has {_size(image.shape)} pixels, expected {_size(shape)} as the "
                "first one (a crop size makes them equal)"
            )
        if not problems:
            yield name, image, nonfinite
        if work.progress is not None:
            work.progress(done, len(work.indices))
    _shorten(problems)
    problems.raise_if_any()


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} x {shape[1]}"


def _shorten(problems: Problems) -> None:
    more = len(problems.texts) - MOST_FAULTS
    if more > 0:
        problems.texts[MOST_FAULTS:] = [f"and {more} more"]

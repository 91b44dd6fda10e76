"""Pickled batches in the form of CIFAR (MiraBest, FR-DEEP), read once and then kept as `.npz`."""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import BenchmarkerError, InputFileError, MissingDataError, Problems
from benchmarker.core.files import write_with
from benchmarker.core.hashing import digest_file
from benchmarker.data.images import ImageSet
from benchmarker.data.reading_arrays import images_from_arrays
from benchmarker.data.reading_names import natural_key
from benchmarker.data.reading_npz import read_arrays
from benchmarker.data.reading_options import DEFAULTS, ReadOptions
from benchmarker.data.unpickling import load_pickle

BATCH = re.compile(r"(?:data_batch_(\d+)|test_batch)$")
META = "batches.meta"
SPLIT_NAMES = ("train", "test")


def read_batches(folder: str | Path, options: ReadOptions = DEFAULTS) -> ImageSet:
    """Images of a folder with ``data_batch_1 ... n``, ``test_batch`` and ``batches.meta``.

    Unpickled under restrictions the first time (see `unpickling`); with
    ``options.convert`` the arrays are then kept in ``FOLDER.converted.npz`` beside the
    folder, where it can be written, and read from there as long as the batches stay the
    same. Raises `InputFileError` listing every fault, `MissingDataError` without batches.
    """
    folder = Path(folder)
    files = batch_files(folder)
    if not files:
        message = f"no batches in {folder}; expected data_batch_1, data_batch_2, ..., test_batch"
        raise MissingDataError(message)
    _refuse_gaps(folder, files)
    origin = _origin(folder, files)
    kept = folder.with_name(f"{folder.name}.converted.npz")
    arrays = _kept_arrays(kept, origin, options)
    if arrays is None:
        arrays = _unpickled(folder, files)
        if options.convert:
            _keep(kept, {**arrays, "origin": np.array(origin)})
    return images_from_arrays(arrays, str(folder), reader="batches", options=options)


def batch_files(folder: Path) -> list[Path]:
    """The batch files of a folder, training batches in numeric order first."""
    found = [path for path in folder.iterdir() if BATCH.match(path.name) and path.is_file()]
    return sorted(found, key=lambda path: natural_key(path.name))


def _refuse_gaps(folder: Path, files: list[Path]) -> None:
    numbers = {int(found[1]) for path in files if (found := BATCH.match(path.name)) and found[1]}
    missing = sorted(set(range(1, max(numbers, default=0) + 1)) - numbers)
    if missing or not numbers:
        lost = ", ".join(f"data_batch_{number}" for number in missing) or "every data_batch"
        message = f"{folder}: {lost} missing, found {', '.join(path.name for path in files)}"
        raise InputFileError(message)


def _origin(folder: Path, files: list[Path]) -> str:
    """One digest over names and bytes of all batch files."""
    meta = folder / META
    lines = [f"{path.name} {digest_file(path)}" for path in [*files, *([meta] * meta.is_file())]]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _kept_arrays(kept: Path, origin: str, options: ReadOptions) -> dict[str, np.ndarray] | None:
    """The converted arrays if they belong to these batches; a damaged file counts as none."""
    if not (options.convert and kept.is_file()):
        return None
    try:
        arrays = read_arrays(kept, limit=options.max_bytes)
    except InputFileError:
        return None
    return arrays if str(arrays.pop("origin", "")) == origin else None


def _keep(path: Path, arrays: dict[str, np.ndarray]) -> None:
    # a read-only place costs only the time of the next conversion
    with contextlib.suppress(BenchmarkerError, OSError):
        write_with(path, lambda stream: np.savez_compressed(stream, **arrays))


def _unpickled(folder: Path, files: list[Path]) -> dict[str, np.ndarray]:
    problems = Problems(folder)
    batches = [_batch(path, problems) for path in files]
    names = _label_names(folder, problems)
    shapes = {
        path.name: batch["images"].shape[1:]
        for path, batch in zip(files, batches, strict=True)
        if batch
    }
    for name, shape in shapes.items():
        if shape != (expected := next(iter(shapes.values()))):
            problems.add(f"{name}: images of {shape} pixels, expected {expected} as in the first")
    problems.raise_if_any()
    arrays = {
        key: np.concatenate([batch[key] for batch in batches if batch is not None])
        for key in ("images", "labels", "split", "batch_file", "batch_index", "filenames")
    }
    if names is not None:
        arrays["label_names"] = names
    return {**arrays, "split_names": np.array(SPLIT_NAMES)}


def _batch(path: Path, problems: Problems) -> dict[str, np.ndarray] | None:
    """The arrays of one batch file; faults are noted with the file's name."""
    content = _dictionary(path, problems)
    if content is None:
        return None
    data = content.get("data")
    labels = content.get("labels", content.get("fine_labels"))
    filenames = content.get("filenames", [])
    if not isinstance(data, np.ndarray) or data.ndim < 2 or not len(data):
        shape = getattr(data, "shape", type(data).__name__)
        problems.add(f"{path.name}: 'data' is {shape}, expected an array (n, pixels)")
        return None
    count, pixels = len(data), math.prod(data.shape[1:])
    side = math.isqrt(pixels)
    if side * side != pixels:
        problems.add(f"{path.name}: {pixels} values per image, expected a square grey image")
        return None
    if not isinstance(labels, list | np.ndarray) or len(labels) != count:
        found = len(labels) if isinstance(labels, list | np.ndarray) else "no"
        problems.add(f"{path.name}: {found} labels for {count} images")
        return None
    if any(not isinstance(label, int | np.integer) for label in labels):
        problems.add(f"{path.name}: a label is no whole number")
        return None
    if len(filenames) != count:
        filenames = [""] * count
    return {
        "images": data.reshape(count, side, side),
        "labels": np.asarray(labels),
        "split": np.full(count, int(path.name == "test_batch")),
        "batch_file": np.full(count, path.name),
        "batch_index": np.arange(count),
        "filenames": np.array([_text(name) for name in filenames]),
    }


def _dictionary(path: Path, problems: Problems) -> dict[str, Any] | None:
    try:
        content = load_pickle(path)
    except InputFileError as error:
        problems.add(str(error))
        return None
    if not isinstance(content, dict):
        problems.add(f"{path.name}: holds a {type(content).__name__}, expected a dictionary")
        return None
    return {_text(key): value for key, value in content.items()}


def _label_names(folder: Path, problems: Problems) -> np.ndarray | None:
    path = folder / META
    if not path.is_file():
        return None
    content = _dictionary(path, problems)
    names = None if content is None else content.get("label_names")
    if content is not None and not isinstance(names, list):
        problems.add(f"{META}: no list 'label_names'")
        return None
    return np.array([_text(name) for name in names]) if names else None


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)

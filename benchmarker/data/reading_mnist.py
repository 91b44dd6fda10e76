"""MNIST: the four idx files (plain or gzipped), or ``mnist.npz`` as Keras ships it."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np

from benchmarker.core.errors import InputFileError, MissingDataError, Problems
from benchmarker.data.images import ImageSet
from benchmarker.data.reading_arrays import images_from_arrays
from benchmarker.data.reading_npz import read_arrays
from benchmarker.data.reading_options import DEFAULTS, GZIP_MAGIC, ReadOptions, read_gzip

# as in the original comparison: a twentieth of the 60 000 training images
VALIDATION_IMAGES = 3000
FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
DIGITS = 10
_UNSIGNED_BYTES = 8


def read_mnist(path: str | Path, options: ReadOptions = DEFAULTS) -> ImageSet:
    """The digits as uint8 (28, 28, 1), classes ``0`` to ``9``, names ``train-00000`` and so on.

    `path` is ``mnist.npz`` or a folder with the four idx files. The first 3000 training
    images are the validation part (a twentieth, where the set is a smaller one). Raises
    `InputFileError` listing every fault, `MissingDataError` without these files.
    """
    path = Path(path)
    if path.is_dir():
        arrays = _idx_arrays(path, options)
    else:
        arrays = read_arrays(path, limit=options.max_bytes, wanted=FILES.__contains__)
    problems = Problems(path)
    for key in [key for key in FILES if key not in arrays]:
        problems.add(f"no array {key!r}, found {', '.join(sorted(arrays)) or 'none'}")
    problems.raise_if_any()
    if arrays["x_train"].shape[1:] != arrays["x_test"].shape[1:]:
        problems.add(
            f"training images are {arrays['x_train'].shape[1:]}, "
            f"test images {arrays['x_test'].shape[1:]}; expected one shape"
        )
    for part in ("train", "test"):
        images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if len(images) != len(labels):
            problems.add(f"{len(images)} {part} images for {len(labels)} labels")
    problems.raise_if_any()
    return images_from_arrays(_joined(arrays), str(path), reader="mnist", options=options)


def idx_files(folder: Path) -> dict[str, Path]:
    """The idx files found in `folder` (with dot or dash before ``idx``), by array name."""
    found = {}
    for key, name in FILES.items():
        for spelling in (name, name.replace("-idx", ".idx")):
            for candidate in (folder / spelling, folder / f"{spelling}.gz"):
                if candidate.is_file():
                    found.setdefault(key, candidate)
    return found


def _joined(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    train, test = len(arrays["x_train"]), len(arrays["x_test"])
    validation = min(VALIDATION_IMAGES, train // 20)
    parts = ["validation"] * validation + ["train"] * (train - validation) + ["test"] * test
    names = [f"train-{row:05d}" for row in range(train)] + [
        f"test-{row:05d}" for row in range(test)
    ]
    return {
        "images": np.concatenate([arrays["x_train"], arrays["x_test"]]),
        "labels": np.concatenate([arrays["y_train"], arrays["y_test"]]),
        "label_names": np.array([str(digit) for digit in range(DIGITS)]),
        "sources": np.array(names),
        "split": np.array(parts),
    }


def _idx_arrays(folder: Path, options: ReadOptions) -> dict[str, np.ndarray]:
    files = idx_files(folder)
    missing = [f"{name}[.gz]" for key, name in FILES.items() if key not in files]
    if missing:
        message = f"no {', '.join(missing)} in {folder}; expected the four MNIST files"
        raise MissingDataError(message)
    arrays, problems = {}, Problems(folder)
    for key, path in files.items():
        try:
            arrays[key] = read_idx(path, limit=options.max_bytes)
        except InputFileError as error:
            problems.add(str(error))
    problems.raise_if_any()
    return arrays


def read_idx(path: str | Path, *, limit: int) -> np.ndarray:
    """One idx file of unsigned bytes, plain or gzipped, as uint8 of the shape it states.

    Raises `InputFileError` where the file is no idx file or its length differs from that.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            is_packed = stream.read(2) == GZIP_MAGIC
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise InputFileError(message) from error
    data = read_gzip(path, limit=limit) if is_packed else path.read_bytes()
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != _UNSIGNED_BYTES or data[3] not in {1, 3}:
        message = f"{path}: not an idx file of bytes, begins with {data[:4]!r}"
        raise InputFileError(message)
    start = 4 + 4 * data[3]
    shape = struct.unpack(f">{data[3]}I", data[4:start].ljust(4 * data[3], b"\0"))
    if len(data) - start != math.prod(shape):
        message = (
            f"{path}: holds {len(data) - start} bytes, expected {math.prod(shape)} for {shape}"
        )
        raise InputFileError(message)
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape)

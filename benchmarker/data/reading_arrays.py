"""Named arrays to an image set: what `.npz` and HDF5 files and converted batches share.

Accepted names: ``images``; ``labels``; ``label_names``; ``split`` with ``split_names``;
source names in ``sources``, ``names``, ``source_key``, ``filenames`` or ``filepath``;
``batch_file`` with ``batch_index``; ``ra_deg``, ``dec_deg``; ``group`` (images of one group stay
in one part of a split); ``fact_NAME`` (what else is known of an image). Other arrays are
passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarker.core.errors import Problems
from benchmarker.data.images import SPLIT_PARTS, ArrayPixels, ImageSet
from benchmarker.data.reading_names import batch_names, is_distinct, positions, split_word, stem
from benchmarker.data.reading_options import ReadOptions

NAME_ARRAYS = ("sources", "names", "source_key", "filenames", "filepath")
USED_ARRAYS = (
    "images",
    "labels",
    "label_names",
    "split",
    "split_names",
    *NAME_ARRAYS,
    "batch_file",
    "batch_index",
    "ra_deg",
    "dec_deg",
    "group",
)
FACT = "fact_"  # before the name of each
MOST_CHANNELS = 4


@dataclass
class _Reading:
    """Arrays of one file, with the faults found so far."""

    arrays: Mapping[str, np.ndarray]
    options: ReadOptions
    problems: Problems
    notes: dict[str, Any] = field(default_factory=dict)

    def column(self, name: str, count: int) -> np.ndarray | None:
        """Array `name` if it is there and has one value per image."""
        array = self.arrays.get(name)
        if array is not None and array.shape != (count,):
            self.problems.add(f"array {name!r} has shape {array.shape}, expected ({count},)")
            return None
        return array


def is_used(name: str) -> bool:
    """Whether an array of this name means anything here; others need not be read."""
    return name in USED_ARRAYS or name.startswith(FACT)


def images_from_arrays(
    arrays: Mapping[str, np.ndarray], origin: str, *, reader: str, options: ReadOptions
) -> ImageSet:
    """Check and name the arrays of one file.

    `origin` names the file for messages and the set. Images become uint8 or native
    float32 of shape (n, height, width, channels); labels may be whole numbers or texts.
    Raises `InputFileError` listing every fault.
    """
    reading = _Reading(arrays, options, Problems(origin))
    images = _images(reading)
    reading.problems.raise_if_any()
    count = len(images)
    labels, classes = _labels(reading, count)
    sources = _sources(reading, count)
    split = _split(reading, count)
    ra, dec = _positions(reading, count, sources)
    groups, facts = reading.column("group", count), _facts(reading, count)
    reading.problems.raise_if_any()
    return ImageSet(
        name=re.sub(r"\.(npz|h5|hdf5)$", "", stem(origin)),
        pixels=ArrayPixels(images, origin),
        labels=labels,
        classes=classes,
        sources=tuple(sources),
        ra_deg=ra,
        dec_deg=dec,
        published_split=split,
        groups=None if groups is None else tuple(_texts(groups)),
        facts=facts,
        provenance={"reader": reader, **reading.notes},
    )


def _images(reading: _Reading) -> np.ndarray:
    images = reading.arrays.get("images")
    found = ", ".join(sorted(reading.arrays)) or "none"
    if images is None:
        reading.problems.add(f"no array 'images', found: {found}")
        return np.empty((0,), np.uint8)
    if "labels" not in reading.arrays:
        reading.problems.add(f"no array 'labels', found: {found}")
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if 0 in images.shape[:1]:
        reading.problems.add(f"array 'images' holds no image, shape {images.shape}")
        return images
    if images.ndim != 4 or not 1 <= images.shape[3] <= MOST_CHANNELS or 0 in images.shape:
        reading.problems.add(
            f"array 'images' has shape {images.shape}, "
            "expected (n, height, width) or (n, height, width, 1 to 4)"
        )
        return images
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind not in "iufb":
        reading.problems.add(f"array 'images' holds {images.dtype}, expected numbers")
        return images
    return _finite(reading, images)


def _finite(reading: _Reading, images: np.ndarray) -> np.ndarray:
    """Native float32 copy; pixels that are not finite are counted and follow the policy."""
    with np.errstate(all="ignore"):
        pixels = np.array(images, dtype=np.float32)
    bad = [
        (row, int(image.size - np.count_nonzero(np.isfinite(image))))
        for row, image in enumerate(pixels)
    ]
    bad = [(row, count) for row, count in bad if count]
    policy = reading.options.non_finite
    for row, count in bad:
        if count == pixels[row].size:
            reading.problems.add(f"image in row {row} has no finite pixel, expected an image")
        elif policy == "reject":
            reading.problems.add(f"image in row {row} has {count} NaN or infinite pixels")
    for row, _ in bad if policy == "zero" else []:
        pixels[row][~np.isfinite(pixels[row])] = 0.0
    if bad:
        total = sum(count for _, count in bad)
        reading.notes["non_finite"] = {"images": len(bad), "pixels": total, "policy": policy}
    return pixels


def _labels(reading: _Reading, count: int) -> tuple[np.ndarray, tuple[str, ...]]:
    labels = reading.column("labels", count)
    names = reading.arrays.get("label_names")
    if names is not None and (names.ndim != 1 or names.dtype.kind not in "US"):
        reading.problems.add(f"array 'label_names' is {names.dtype} {names.shape}, expected texts")
        names = None
    known = None if names is None else tuple(_texts(names))
    if labels is None:
        return np.zeros(count, np.int64), known or ("unknown",)
    if labels.dtype.kind in "US":
        return _text_labels(reading, _texts(labels), known)
    if labels.dtype.kind == "b" or not _is_whole(labels):
        reading.problems.add(f"array 'labels' holds {labels.dtype}, expected whole numbers")
        return np.zeros(count, np.int64), known or ("unknown",)
    numbers = labels.astype(np.int64)
    if known is None:
        # bounded by the number of images: one wild label must not make 10^9 class names
        largest = max(int(numbers.max()), 0)
        known = tuple(str(number) for number in range(min(largest, count) + 1))
    bad = np.flatnonzero((numbers < 0) | (numbers >= len(known)))
    for row in bad[:10]:
        reading.problems.add(f"label in row {row} is {numbers[row]}, expected 0..{len(known) - 1}")
    return numbers, known


def _is_whole(labels: np.ndarray) -> bool:
    if labels.dtype.kind in "iu":
        return True
    # the HDF5 release stores labels as float64
    return labels.dtype.kind == "f" and bool(
        np.all(np.isfinite(labels)) and np.all(labels == np.round(labels))
    )


def _text_labels(
    reading: _Reading, words: list[str], known: tuple[str, ...] | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    classes = known or tuple(sorted(set(words)))
    foreign = sorted(set(words) - set(classes))
    if foreign:
        reading.problems.add(f"labels {foreign[:10]} are not in label_names {list(classes)}")
    index = {name: number for number, name in enumerate(classes)}
    return np.array([index.get(word, 0) for word in words], dtype=np.int64), classes


def _sources(reading: _Reading, count: int) -> list[str]:
    """Distinct names: the first name array without repeats, batch and place, or row numbers."""
    for name in NAME_ARRAYS:
        column = reading.column(name, count)
        if column is not None and column.dtype.kind in "US":
            names = [stem(text) for text in _texts(column)]
            if is_distinct(names):
                reading.notes["source_names"] = name
                return names
    batches, places = reading.column("batch_file", count), reading.column("batch_index", count)
    if batches is not None and places is not None and places.dtype.kind in "iu":
        names = batch_names(_texts(batches), places.tolist())
        if is_distinct(names):
            reading.notes["source_names"] = "batch_file and batch_index"
            return names
    reading.notes["source_names"] = "row numbers"
    return [f"row-{row:06d}" for row in range(count)]


def _split(reading: _Reading, count: int) -> tuple[str, ...] | None:
    split = reading.column("split", count)
    if split is None:
        return None
    is_text = split.dtype.kind in "US"
    words = _texts(split) if is_text else _numbered_split(reading, split)
    parts = [split_word(word) for word in words]
    foreign = sorted(set(parts) - set(SPLIT_PARTS))
    if foreign:
        reading.problems.add(f"split words {foreign[:10]}, expected {', '.join(SPLIT_PARTS)}")
    return tuple(parts)


def _numbered_split(reading: _Reading, split: np.ndarray) -> list[str]:
    names = reading.arrays.get("split_names")
    if names is None or names.dtype.kind not in "US" or split.dtype.kind not in "iu":
        reading.problems.add("array 'split' holds numbers, expected texts 'split_names' for them")
        return ["train"] * len(split)
    words = _texts(names.reshape(-1))
    bad = sorted({int(part) for part in split if not 0 <= part < len(words)})
    if bad:
        reading.problems.add(f"split numbers {bad[:10]}, expected 0..{len(words) - 1}")
        return ["train"] * len(split)
    return [words[part] for part in split]


def _positions(
    reading: _Reading, count: int, sources: list[str]
) -> tuple[np.ndarray | None, np.ndarray | None]:
    ra, dec = reading.column("ra_deg", count), reading.column("dec_deg", count)
    if ra is None or dec is None:
        return positions(sources)
    if ra.dtype.kind not in "iuf" or dec.dtype.kind not in "iuf":
        reading.problems.add("arrays 'ra_deg' and 'dec_deg' hold no numbers, expected degrees")
        return None, None
    return ra.astype(np.float64), dec.astype(np.float64)


def _facts(reading: _Reading, count: int) -> dict[str, np.ndarray]:
    """Words, or float64 for numbers."""
    found = {}
    for name in reading.arrays:
        values = reading.column(name, count) if name.startswith(FACT) else None
        if values is not None:
            texts = values.dtype.kind in "USOb"
            fact = np.array(_texts(values)) if texts else values.astype(np.float64)
            found[name.removeprefix(FACT)] = fact
    return found


def _texts(array: np.ndarray) -> list[str]:
    if array.dtype.kind == "S":
        array = np.char.decode(array, "latin-1")
    return [str(text) for text in array.tolist()]

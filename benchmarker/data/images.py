"""A data set in the harness: names and labels first, pixels only when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarker.core.errors import InputFileError, Problems
from benchmarker.core.hashing import digest_arrays, digest_json

SPLIT_PARTS = ("train", "validation", "test")


class Pixels(Protocol):
    """Where the pixels of a data set come from."""

    def __len__(self) -> int:
        """Number of images."""
        ...

    def read(self, index: int) -> np.ndarray:
        """Image `index` as stored: (height, width, channels), uint8 or native float32.

        Raises `InputFileError` naming the file if it cannot be used.
        """
        ...

    def name(self, index: int) -> str:
        """Where image `index` lies, for messages: a file name or ``file row 17``."""
        ...

    def digest(self, indices: Sequence[int]) -> str:
        """Digest of the stored content of these images, in this order."""
        ...


@dataclass(frozen=True)
class ArrayPixels:
    """Pixels in memory (or memory-mapped): array of shape (n, height, width, channels)."""

    array: np.ndarray
    origin: str

    def __len__(self) -> int:
        return len(self.array)

    def read(self, index: int) -> np.ndarray:
        return self.array[index]

    def name(self, index: int) -> str:
        return f"{self.origin} row {index}"

    def digest(self, indices: Sequence[int]) -> str:
        return digest_arrays([self.array[index] for index in indices])


@dataclass(frozen=True)
class ImageSet:
    """Images with labels, as a reader returns them; nothing is prepared or split yet.

    Arguments
    ---------
    name : word that records and tables show, e.g. ``first``
    pixels : the images, read one at a time
    labels : int64 array of shape (n,), each in 0 .. len(classes) - 1
    classes : class names in label order
    sources : n distinct names; splits and predictions refer to them
    ra_deg, dec_deg : float64 arrays of shape (n,), J2000 degrees, NaN where unknown; or None
    published_split : n words out of ``train``, ``validation``, ``test``; or None
    pixel_scale_arcsec : arcsec per pixel; or None
    groups : n words; images of one group (an observation, an object) stay in one part of a
        split; or None
    facts : what else is known of the images, by name: arrays of shape (n,) of words or of
        float64, NaN where unknown. Scores are shown apart by them; no network sees them
    provenance : what a record should say of the origin (reader, file, its sha256, policies)

    Raises `InputFileError` listing every fault: empty set, labels out of range, repeated
    names, lengths that differ.
    """

    name: str
    pixels: Pixels
    labels: np.ndarray
    classes: tuple[str, ...]
    sources: tuple[str, ...]
    ra_deg: np.ndarray | None = None
    dec_deg: np.ndarray | None = None
    published_split: tuple[str, ...] | None = None
    pixel_scale_arcsec: float | None = None
    groups: tuple[str, ...] | None = None
    facts: dict[str, np.ndarray] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems = Problems(f"data set {self.name}")
        for text in _faults(self):
            problems.add(text)
        problems.raise_if_any()

    def __len__(self) -> int:
        return len(self.sources)

    @cached_property
    def digest(self) -> str:
        """Digest of names, labels, classes and stored pixels: the data digest of a record.

        The order of the rows does not matter, so it does not depend on how a folder is listed.
        """
        order = [int(i) for i in np.argsort(np.asarray(self.sources))]
        parts = {
            "classes": list(self.classes),
            "sources": [self.sources[i] for i in order],
            "labels": [int(self.labels[i]) for i in order],
            "pixels": self.pixels.digest(order),
        }
        return digest_json(parts)

    def take(self, indices: Sequence[int], *, name: str | None = None) -> ImageSet:
        """The images at `indices`, in that order."""
        index = np.asarray(indices, dtype=np.int64)
        split = self.published_split
        return replace(
            self,
            name=name or self.name,
            pixels=_TakenPixels(self.pixels, tuple(int(i) for i in index)),
            labels=self.labels[index],
            sources=tuple(self.sources[i] for i in index),
            ra_deg=None if self.ra_deg is None else self.ra_deg[index],
            dec_deg=None if self.dec_deg is None else self.dec_deg[index],
            published_split=None if split is None else tuple(split[i] for i in index),
            groups=None if self.groups is None else tuple(self.groups[i] for i in index),
            facts={name: values[index] for name, values in self.facts.items()},
        )


@dataclass(frozen=True)
class _TakenPixels:
    whole: Pixels
    rows: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, index: int) -> np.ndarray:
        return self.whole.read(self.rows[index])

    def name(self, index: int) -> str:
        return self.whole.name(self.rows[index])

    def digest(self, indices: Sequence[int]) -> str:
        return self.whole.digest([self.rows[index] for index in indices])


def _faults(images: ImageSet) -> list[str]:
    count = len(images.sources)
    faults = []
    if count == 0:
        faults.append("holds no image; expected at least one per class")
    checked = ("pixels", "labels", "ra_deg", "dec_deg", "published_split", "groups")
    values = {what: getattr(images, what) for what in checked} | images.facts
    for what, value in values.items():
        if value is not None and len(value) != count:
            faults.append(f"{len(value)} {what} for {count} source names")
    if len(set(images.classes)) != len(images.classes):
        faults.append(f"a class name is repeated: {', '.join(images.classes)}")
    faults += _label_faults(images) + _name_faults(images)
    foreign = sorted(set(images.published_split or ()) - set(SPLIT_PARTS))
    if foreign:
        faults.append(f"split words {foreign}, expected {', '.join(SPLIT_PARTS)}")
    return faults


def _label_faults(images: ImageSet) -> list[str]:
    labels = np.asarray(images.labels)
    if labels.size and not np.issubdtype(labels.dtype, np.integer):
        return [f"labels are {labels.dtype}, expected whole numbers"]
    bad = np.flatnonzero((labels < 0) | (labels >= len(images.classes)))
    return [
        f"label {labels[i]} of source {images.sources[i]} is outside 0..{len(images.classes) - 1}"
        for i in bad[:10]
        if i < len(images.sources)
    ]


def _name_faults(images: ImageSet) -> list[str]:
    seen: set[str] = set()
    repeated: list[str] = []
    for source in images.sources:
        if source in seen:
            repeated.append(source)
        seen.add(source)
    return [f"source name {name!r} is repeated" for name in repeated[:10]]


def require_shape(image: np.ndarray, where: str | Path) -> np.ndarray:
    """Return `image` as (height, width, channels); refuse any other number of axes."""
    if image.ndim == 2:
        return image[:, :, np.newaxis]
    if image.ndim == 3:
        return image
    message = f"{where}: image has shape {image.shape}, expected (height, width[, channels])"
    raise InputFileError(message)

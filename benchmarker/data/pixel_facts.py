"""One pass over the pixels of a set: which images are alike, odd or broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from benchmarker.core.errors import InputFileError
from benchmarker.core.hashing import digest_arrays
from benchmarker.data.images import ImageSet


@dataclass
class Facts:
    """What one pass over the pixels tells; every list has one entry per image.

    `digests` is None where an image cannot be read (`faults` says why) and where it is
    constant: such images are alike without being repeats.
    """

    digests: list[str | None] = field(default_factory=list)
    shapes: list[tuple[int, ...] | None] = field(default_factory=list)
    all_zero: list[int] = field(default_factory=list)
    constant: list[int] = field(default_factory=list)
    non_finite: dict[int, int] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)


def scan(images: ImageSet, progress: Callable[[int], None] | None = None) -> Facts:
    """Read every image once; only digests and shapes are kept, so memory stays small."""
    facts = Facts()
    for row in range(len(images)):
        try:
            image = images.pixels.read(row)
        except InputFileError as error:
            facts.faults[row] = str(error)
            facts.digests.append(None)
            facts.shapes.append(None)
        else:
            facts.shapes.append(image.shape)
            facts.digests.append(None if _note(facts, row, image) else digest_arrays([image]))
        if progress is not None:
            progress(row + 1)
    return facts


def _note(facts: Facts, row: int, image: np.ndarray) -> bool:
    """Note what is odd about an image; returns whether it is constant."""
    if image.dtype.kind == "f":
        bad = image.size - int(np.count_nonzero(np.isfinite(image)))
        if bad:
            facts.non_finite[row] = bad
            return bad == image.size
    if image.size and image.min() != image.max():
        return False
    (facts.constant if image.any() else facts.all_zero).append(row)
    return True

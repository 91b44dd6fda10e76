"""Which sources a simulated set holds, their truth, and their pixels when asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarker.core.errors import SettingsError, suggest
from benchmarker.core.hashing import digest_arrays
from benchmarker.data.images import ImageSet
from benchmarker.simulate.populations import CLASSES
from benchmarker.simulate.rendering import image
from benchmarker.simulate.survey import Survey
from benchmarker.simulate.truth import COLUMNS, Truth, draw

SMALLEST_PX, LARGEST_PX = 64, 300


@dataclass(frozen=True)
class SimulatedPixels:
    """Images that are drawn when they are read."""

    truths: tuple[Truth, ...]
    indices: tuple[int, ...]
    seed: int
    size: int
    survey: Survey

    def __len__(self) -> int:
        return len(self.truths)

    def read(self, index: int) -> np.ndarray:
        truth, number = self.truths[index], self.indices[index]
        return image(truth, self.seed, number, size=self.size, survey=self.survey)

    def name(self, index: int) -> str:
        return f"simulated row {index} ({self.truths[index].source})"

    def digest(self, indices: Sequence[int]) -> str:
        return digest_arrays(self.read(index) for index in indices)


def columns_of(truths: Sequence[Truth]) -> dict[str, np.ndarray]:
    """Truths as columns of equal length; names and units are the fields of `Truth`."""
    return {name: np.array([getattr(truth, name) for truth in truths]) for name in COLUMNS}


def truth_of(images: ImageSet) -> dict[str, np.ndarray]:
    """The drawn truth of a simulated set, or of a part of one, in the order of its rows.

    Raises `SettingsError` if the set is not simulated.
    """
    origin = images.provenance
    if origin.get("reader") != "simulated":
        message = f"{images.name} is not a simulated set, so there is no drawn truth"
        raise SettingsError(message)
    survey = Survey(**origin["survey"])
    drawn = [draw(origin["seed"], label, i, survey) for label, i in plan(origin["counts"])]
    by_name = {truth.source: truth for truth in drawn}
    return columns_of([by_name[source] for source in images.sources])


def plan(counts: Mapping[str, int] | int) -> list[tuple[str, int]]:
    """Class and number of every row: the classes in turn, those used up left out."""
    wanted = dict.fromkeys(CLASSES, counts) if isinstance(counts, int) else dict(counts)
    for name, count in wanted.items():
        if name not in CLASSES:
            message = f"no class {name!r} to simulate{suggest(name, CLASSES)}; known: {CLASSES}"
            raise SettingsError(message)
        if count < 0:
            message = f"{count} sources of class {name} asked for, expected 0 or more"
            raise SettingsError(message)
    most = max(wanted.values(), default=0)
    if most == 0:
        message = "no source to simulate, expected a count of at least 1 for some class"
        raise SettingsError(message)
    return [(name, i) for i in range(most) for name in CLASSES if i < wanted.get(name, 0)]


def check(size: int, seed: int) -> None:
    """Raise `SettingsError` for an image size or a seed that is not allowed."""
    if not SMALLEST_PX <= size <= LARGEST_PX:
        message = (
            f"simulated images of {size} px asked for, expected {SMALLEST_PX} to {LARGEST_PX} px: "
            "smaller ones do not hold the sources"
        )
        raise SettingsError(message)
    if seed < 0:
        message = f"seed is {seed}, expected 0 or more"
        raise SettingsError(message)

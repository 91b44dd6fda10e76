"""Prepared images under random draws, for tests and validation in several passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarker.core.seeds import derive_seed
from benchmarker.data.augment import draw, vary
from benchmarker.data.recipes import Recipe, Variant
from benchmarker.runs import scores as scoring

ANGLES = 24  # steps of 15 degrees
MOST_TURNED = 200  # sources: enough for a share known to a few per cent, seconds to compute


@dataclass(frozen=True)
class DrawnImages:
    """Prepared images, each varied by `recipe` as pass `number` of `purpose` says.

    The draws are a function of (seed, purpose, number, row) alone.
    """

    prepared: Any
    recipe: Recipe
    seed: int
    purpose: str
    number: int

    def __len__(self) -> int:
        return len(self.prepared)

    @property
    def labels(self) -> np.ndarray:
        """int64 (n,)."""
        return self.prepared.labels

    def read(self, rows: np.ndarray) -> np.ndarray:
        """float32 (k, height, width, channels)."""
        images = self.prepared.raw(rows)
        seed = derive_seed(self.seed, self.purpose)
        for place, row in enumerate(rows):
            images[place] = draw(images[place], self.recipe, seed, self.number, int(row))
        return self.prepared.finish(images)


def drawn_passes(
    prepared: Any, recipe: Recipe, *, seed: int, purpose: str, passes: range
) -> Iterator[DrawnImages]:
    """One set of drawn images per pass number."""
    for number in passes:
        yield DrawnImages(prepared, recipe, seed, purpose, number)


def pass_scores(model: Any, prepared: Any, recipe: Recipe, *, seed: int, passes: int) -> np.ndarray:
    """Scores of `passes` augmented passes over the test images, float64 (passes, n, classes)."""
    drawn = drawn_passes(prepared, recipe, seed=seed, purpose="test pass", passes=range(passes))
    return np.stack([scoring.scores(model, images) for images in drawn])


@dataclass(frozen=True)
class TurnedImages:
    """The `rows` of prepared images, turned by one angle: degrees counter-clockwise as stored."""

    prepared: Any
    rows: np.ndarray
    angle_deg: float

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """float32 (k, height, width, channels)."""
        images = self.prepared.raw(self.rows[rows])
        turned = [vary(image, Variant(self.angle_deg, mirrored=False)) for image in images]
        return self.prepared.finish(np.stack(turned))


def turn_scores(
    model: Any, prepared: Any, *, angles: int = ANGLES, most: int = MOST_TURNED
) -> tuple[np.ndarray, np.ndarray]:
    """Scores while the images turn through 360 degrees in equal steps.

    Returns the rows that were turned, int64 (k,): all, or `most` of them evenly spaced in
    stored order; and the scores, float64 (angles, k, classes).
    """
    count = len(prepared)
    rows = np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))
    steps = [360.0 * step / angles for step in range(angles)]
    found = [scoring.scores(model, TurnedImages(prepared, rows, angle)) for angle in steps]
    return rows, np.stack(found)

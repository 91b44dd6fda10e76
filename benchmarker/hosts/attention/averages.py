"""Mean images and mean maps of groups of sources, over random draws of a set.

Bowles et al. 2021, section 5: the maps of 100 random augmentations of the test set, averaged
over all images of a true class, of certain or uncertain sources, or of a true and a
predicted class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarker.hosts.attention.maps import MapMaker, Maps, map_batches
from benchmarker.metrics.groups import certainty_of

Group = tuple[int, str | None, int]  # true class, certain or uncertain or None, predicted class


@dataclass(frozen=True)
class Average:
    """Mean over some images.

    Arguments
    ---------
    image : float64 (height, width), between 0 and 1 where the preparation is
    maps : float64 (g, height, width), the mean of each map
    count : how many images; of none the means are zeros
    """

    image: np.ndarray
    maps: np.ndarray
    count: int

    @property
    def mean(self) -> np.ndarray:
        """Mean over the g maps, (height, width)."""
        return self.maps.mean(axis=0)


class Sums:
    """Sums of images and maps by group, of which means of larger groups are made."""

    def __init__(self, labels: np.ndarray, sources: Sequence[str], names: Sequence[str]) -> None:
        self.labels = np.asarray(labels)
        self.certainty = [certainty_of(source) for source in sources]
        self.names = tuple(names)
        self._sums: dict[Group, Average] = {}
        self._empty: Average | None = None

    def add(self, rows: np.ndarray, images: np.ndarray, maps: Maps) -> None:
        """Add maps of the images (n, height, width) of these rows."""
        if self._empty is None:
            shape = images.shape[1:]
            self._empty = Average(np.zeros(shape), np.zeros((len(self.names), *shape)), 0)
        keys = [
            (int(self.labels[row]), self.certainty[row], int(predicted))
            for row, predicted in zip(rows, maps.predicted, strict=True)
        ]
        for key in dict.fromkeys(keys):
            mine = [place for place, other in enumerate(keys) if other == key]
            old = self._sums.get(key, self._empty)
            self._sums[key] = Average(
                old.image + images[mine].sum(axis=0, dtype=np.float64),
                old.maps + maps.resized[mine].sum(axis=0, dtype=np.float64),
                old.count + len(mine),
            )

    def average(self, wanted: Callable[[Group], bool]) -> Average:
        """The mean over all groups that are wanted."""
        if self._empty is None:
            message = "no maps were added"
            raise ValueError(message)
        found = [self._empty, *(one for key, one in self._sums.items() if wanted(key))]
        count = sum(one.count for one in found)
        return Average(
            sum(one.image for one in found) / max(count, 1),
            sum(one.maps for one in found) / max(count, 1),
            count,
        )

    def of_class(self, label: int, certainty: str | None = None) -> Average:
        """Mean over a true class, or over its certain or uncertain sources."""
        return self.average(lambda key: key[0] == label and certainty in (None, key[1]))

    def of_cell(self, label: int, predicted: int) -> Average:
        """Mean over the images of a true class that were given a predicted class."""
        return self.average(lambda key: key[0] == label and key[2] == predicted)

    @property
    def knows_certainty(self) -> bool:
        """Whether any source says that it is certain or uncertain."""
        return any(word is not None for word in self.certainty)


def sum_maps(
    maker: MapMaker,
    passes: Iterable[Any],
    prepared: Any,
    *,
    step: Callable[[], None] | None = None,
) -> Sums:
    """Sums over all images of all passes; `step` is called after each pass.

    `prepared` gives labels, sources and the last scaling, which is undone in the mean image.
    """
    sums = Sums(prepared.labels, prepared.sources, maker.names)
    for one in passes:
        for rows, images, maps in map_batches(maker, one):
            sums.add(rows, unscaled(images, prepared.preparation), maps)
        if step is not None:
            step()
    return sums


def unscaled(images: np.ndarray, preparation: Any) -> np.ndarray:
    """Images (n, h, w, 1) before the last scaling, (n, h, w)."""
    mean, deviation = preparation.standardise or (0.0, 1.0)
    return images[..., 0] * np.float32(deviation) + np.float32(mean)

"""What is asked of an evaluation, on which sources, and what comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarker.data.images import ImageSet
from benchmarker.data.sharing import Shared
from benchmarker.runs.settings import RunSettings
from benchmarker.runs.trained import Trained

Step = Callable[[str, int, int], None]


def _silent(_what: str, _done: int, _total: int) -> None:
    """No progress."""


@dataclass(frozen=True)
class TrainingSet:
    """The data set of a network.

    Arguments
    ---------
    name : what the record calls it; empty where nothing is known
    images : None where they cannot be opened
    seen : names of those that trained or validated the network
    settings : with which they were opened, where a record says so
    reason : why they cannot be opened; empty where they can
    """

    name: str
    images: ImageSet | None = None
    seen: tuple[str, ...] = ()
    settings: RunSettings | None = None
    reason: str = ""

    @property
    def digest(self) -> str | None:
        """Data digest, None where the images cannot be opened."""
        return None if self.images is None else self.images.digest


@dataclass(frozen=True)
class Wanted:
    """What is measured, and how.

    Arguments
    ---------
    part : of the split, ``test`` or another, or ``all``
    passes : augmented passes; 0 makes none
    recipe : name of their random draws; None is the run's, or that of Bowles et al. 2021
    dropout_passes : passes with dropout; 0 makes none
    crop : whether larger images may be cut to their centre
    step : told of progress
    """

    part: str = "test"
    passes: int = 0
    recipe: str | None = None
    dropout_passes: int = 0
    crop: bool = False
    step: Step = _silent


@dataclass(frozen=True)
class Chosen:
    """The sources on which a network is tested.

    Arguments
    ---------
    images : the set, with the network's classes
    names : of the sources
    own : whether they are of the run's own split
    shared : what was left out because it trained the network; None for its own split
    inherited : left out too, because they trained weights that it started from
    unchecked : why nothing could be left out; empty where it could
    notes : what else is to be said
    """

    images: ImageSet
    names: tuple[str, ...]
    own: bool
    shared: Shared | None = None
    inherited: tuple[str, ...] = ()
    unchecked: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tested:
    """What came out.

    Arguments
    ---------
    trained : the network
    training : what it was trained on
    chosen : the tested sources; `images` holds them alone, in their order
    part : of the split
    prepared : the images as they were shown, to draw them
    scores : float64 (n, classes)
    passes, dropout : float64 (passes, n, classes) or None
    metrics : ready for JSON
    notes : what is to be said of it
    """

    trained: Trained
    training: TrainingSet
    chosen: Chosen
    part: str
    prepared: Any
    scores: np.ndarray
    metrics: dict[str, Any]
    passes: np.ndarray | None = None
    dropout: np.ndarray | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def labels(self) -> np.ndarray:
        """int64 (n,)."""
        return self.prepared.labels

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the n tested sources."""
        return self.prepared.sources

    @property
    def tested_on(self) -> str:
        """Name of the set, with the part where that is not the test."""
        name = self.chosen.images.name
        return name if self.part == "test" else f"{name} ({self.part})"


def on_kept(tested: Tested) -> ImageSet:
    """The tested sources as a set of their own, in the order of the predictions."""
    images = tested.chosen.images
    place = {name: row for row, name in enumerate(images.sources)}
    return images.take([place[name] for name in tested.sources])

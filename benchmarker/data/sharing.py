"""Scoring a model on another data set: which sources it was trained on, which classes it knows.

Surveys and catalogues overlap: 39 of the 600 FR-DEEP images are MiraBest images as well. A
source that trained a model must not score it, so what two sets share is found by pixels and
by place on the sky, and left out of the test.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarker.core.errors import SettingsError, suggest
from benchmarker.data.images import ImageSet, Pixels
from benchmarker.data.pixel_facts import scan
from benchmarker.data.sky import SAME_SOURCE_ARCSEC, pairs_between

_FEWEST_CLASSES = 2
_Shape = tuple[int, ...]


@dataclass(frozen=True)
class Shared:
    """The tested sources that a model was trained on.

    Arguments
    ---------
    tested, trained : names of the two sets
    by_position : tested sources within `arcsec` of a trained one
    by_pixels : tested sources whose image is that of a trained one
    names : their union
    kept : the other tested sources
    arcsec : largest separation of two positions of one source
    unplaced : what is said of sources without positions; empty if every one has one

    All names are those of the tested set, in the order in which they were given.
    """

    tested: str
    trained: str
    by_position: tuple[str, ...]
    by_pixels: tuple[str, ...]
    names: tuple[str, ...]
    kept: tuple[str, ...]
    arcsec: float
    unplaced: str = ""

    def text(self) -> str:
        """One line for the terminal and the report: how many were left out, and why."""
        note = f" ({self.unplaced}: more may be shared unseen)" if self.unplaced else ""
        return (
            f"{len(self.names)} of {len(self.names) + len(self.kept)} test sources of "
            f"{self.tested} left out: {len(self.by_pixels)} with the pixels of training sources "
            f"of {self.trained}, {len(self.by_position)} within {self.arcsec:g} arcsec{note}"
        )


def shared_sources(
    tested: ImageSet,
    tested_names: Sequence[str],
    trained: ImageSet,
    trained_names: Sequence[str],
    *,
    arcsec: float = SAME_SOURCE_ARCSEC,
) -> Shared:
    """Which of `tested_names` a model was trained on, by position and by pixels.

    Arguments
    ---------
    tested : the set that tests
    tested_names : those of its sources that shall be scored
    trained : the set that trained; may be the same one
    trained_names : those of its sources that the model saw: those that trained it and those
        that validated, since they chose its epoch
    arcsec : positions at most so far apart are one source; 0 or more

    Pixels are compared as stored, one by one; see `pixel_pairs`. Raises `SettingsError` for
    names that a set does not hold, repeated names, or an impossible `arcsec`.
    """
    if not (math.isfinite(arcsec) and arcsec >= 0):
        message = f"arcsec is {arcsec}, expected a separation from 0"
        raise SettingsError(message)
    tests = tested.take(_rows(tested, tested_names))
    training = trained.take(_rows(trained, trained_names))
    near = {row for row, _ in position_pairs(tests, training, arcsec)}
    alike = {row for row, _ in pixel_pairs(tests, training)}
    known = near | alike
    return Shared(
        tested=tested.name,
        trained=trained.name,
        by_position=tuple(tests.sources[row] for row in sorted(near)),
        by_pixels=tuple(tests.sources[row] for row in sorted(alike)),
        names=tuple(tests.sources[row] for row in sorted(known)),
        kept=tuple(name for row, name in enumerate(tests.sources) if row not in known),
        arcsec=arcsec,
        unplaced="; ".join(filter(None, map(_unplaced, (tests, training)))),
    )


def position_pairs(first: ImageSet, second: ImageSet, arcsec: float) -> list[tuple[int, int]]:
    """Rows (of `first`, of `second`) at most `arcsec` apart; sources without position have none."""
    if first.ra_deg is None or first.dec_deg is None:
        return []
    if second.ra_deg is None or second.dec_deg is None:
        return []
    places = (first.ra_deg, first.dec_deg), (second.ra_deg, second.dec_deg)
    pairs = pairs_between(*places, arcsec)
    return list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))


def pixel_pairs(first: ImageSet, second: ImageSet) -> list[tuple[int, int]]:
    """Rows (of `first`, of `second`) with the same image, sorted.

    The same are images with equal stored values of one type, and a large image whose centre
    is the small one (where the sizes differ by an odd number, either of its two centres).
    Images of one value, above all empty ones, and unreadable ones are like no other.
    """
    facts = scan(first), scan(second)
    pairs = set(_equal(facts[0].digests, facts[1].digests))
    shapes = [set(filter(None, one.shapes)) for one in facts]
    for small in sorted(shapes[1]):
        for centres in _centres(first, facts[0].shapes, small):
            pairs.update(_equal(centres, facts[1].digests))
    for small in sorted(shapes[0]):
        for centres in _centres(second, facts[1].shapes, small):
            pairs.update((a, b) for b, a in _equal(centres, facts[0].digests))
    return sorted(pairs)


def _equal(first: Sequence[str | None], second: Sequence[str | None]) -> list[tuple[int, int]]:
    """Places of equal digests in two lists; None equals nothing."""
    rows_of = defaultdict(list)
    for row, digest in enumerate(second):
        if digest is not None:
            rows_of[digest].append(row)
    return [(a, b) for a, digest in enumerate(first) if digest for b in rows_of.get(digest, ())]


def _centres(
    images: ImageSet, shapes: Sequence[_Shape | None], small: _Shape
) -> Iterator[list[str | None]]:
    """Digests of the centres of size `small` of all larger images, None for the others."""
    rows = [row for row, shape in enumerate(shapes) if shape and _larger(shape, small)]
    if not rows:
        return
    larger = images.take(rows)
    for up in (False, True):
        centres = replace(larger, pixels=_Centre(larger.pixels, small, up))
        digests: list[str | None] = [None] * len(images)
        for row, digest in zip(rows, scan(centres).digests, strict=True):
            digests[row] = digest
        yield digests
        if all((shapes[row][axis] - small[axis]) % 2 == 0 for row in rows for axis in (0, 1)):
            return  # there is one centre only


def _larger(shape: _Shape, small: _Shape) -> bool:
    wider = shape[0] >= small[0] and shape[1] >= small[1]
    return wider and shape != small and shape[2:] == small[2:]


@dataclass(frozen=True)
class _Centre:
    """The centres of images; `up` rounds the corner up where the margin is odd."""

    whole: Pixels
    shape: _Shape
    up: bool

    def __len__(self) -> int:
        return len(self.whole)

    def read(self, index: int) -> np.ndarray:
        image = self.whole.read(index)
        top, left = ((image.shape[axis] - self.shape[axis] + self.up) // 2 for axis in (0, 1))
        return image[top : top + self.shape[0], left : left + self.shape[1]]

    def name(self, index: int) -> str:
        return f"centre of {self.whole.name(index)}"

    def digest(self, indices: Sequence[int]) -> str:
        return self.whole.digest(indices)


def _rows(images: ImageSet, names: Sequence[str]) -> list[int]:
    place = {name: row for row, name in enumerate(images.sources)}
    foreign = [name for name in names if name not in place]
    if foreign or len(set(names)) != len(names) or not names:
        message = (
            f"{len(names)} names for {images.name}, {len(set(names))} of them different and "
            f"{len(foreign)} unknown there ({', '.join(foreign[:5]) or 'none'}): expected at "
            f"least one of its {len(images)} sources, each once"
        )
        raise SettingsError(message)
    return [place[name] for name in names]


def _unplaced(images: ImageSet) -> str:
    """What to say where positions are missing: the position tells nothing of those sources."""
    if images.ra_deg is None or images.dec_deg is None:
        return f"{images.name} has no positions"
    missing = int(np.count_nonzero(~np.isfinite(images.ra_deg + images.dec_deg)))
    if missing == len(images):
        return f"{images.name} has no positions"
    return f"{missing} of {len(images)} sources of {images.name} without position" * bool(missing)


@dataclass(frozen=True)
class CommonClasses:
    """The classes that a model and a set have in common, by their names.

    Arguments
    ---------
    trained, tested : class names of the model and of the set, in label order
    mapping : label in the set to label of the model, for the common classes
    """

    trained: tuple[str, ...]
    tested: tuple[str, ...]
    mapping: dict[int, int]

    @property
    def names(self) -> tuple[str, ...]:
        """The common classes, in the order of the model's labels."""
        return tuple(self.trained[label] for label in sorted(self.mapping.values()))

    @property
    def left_out(self) -> tuple[str, ...]:
        """Classes of the set that the model does not know."""
        return tuple(name for name in self.tested if name not in self.trained)

    @property
    def untested(self) -> tuple[str, ...]:
        """Classes of the model that the set does not hold."""
        return tuple(name for name in self.trained if name not in self.tested)

    def text(self) -> str:
        """One line: what is compared, what is left out, what cannot be tested."""
        parts = [f"classes {', '.join(self.names)}"]
        if self.left_out:
            parts.append(f"left out, unknown to the model: {', '.join(self.left_out)}")
        if self.untested:
            parts.append(f"known to the model and not tested: {', '.join(self.untested)}")
        return "; ".join(parts)

    def apply(self, images: ImageSet) -> ImageSet:
        """The images of common classes with the model's labels and classes, in their order.

        Raises `InputFileError` if no image is left.
        """
        new = np.array([self.mapping.get(label, -1) for label in range(len(self.tested))])
        labels = new[images.labels]
        rows = np.flatnonzero(labels >= 0)
        # classes of the whole set until the rows are taken: the set checks its labels
        kept = images.take(rows.tolist())
        return replace(kept, labels=labels[rows], classes=self.trained)


def common_classes(trained_classes: Sequence[str], tested_classes: Sequence[str]) -> CommonClasses:
    """Which label of the tested set is which label of the model: classes of the same name.

    Raises `SettingsError` for fewer than two common classes: nothing could be told apart.
    """
    trained, tested = tuple(trained_classes), tuple(tested_classes)
    mapping = {label: trained.index(name) for label, name in enumerate(tested) if name in trained}
    if len(mapping) < _FEWEST_CLASSES:
        near = next(filter(None, (suggest(name, trained) for name in tested)), "")
        message = (
            f"the model tells {', '.join(trained)} and the set holds {', '.join(tested)}{near}: "
            f"{len(mapping)} classes of the same name, expected at least {_FEWEST_CLASSES} "
            "(a subset of the set may name its classes otherwise: --subset; "
            "`benchmarker data list` shows which there are)"
        )
        raise SettingsError(message)
    return CommonClasses(trained, tested, mapping)

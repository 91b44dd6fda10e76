"""Which images are explained: a part of a set, some of its sources, or single files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import (
    MissingDataError,
    Problems,
    SettingsError,
    suggest,
)
from benchmarker.data.images import SPLIT_PARTS, ImageSet
from benchmarker.data.opening import open_data
from benchmarker.data.reading_files import FilePixels, first_shape, fits_decoder
from benchmarker.data.reading_names import FITS_SUFFIXES, PNG_SUFFIXES, positions, stem
from benchmarker.data.reading_options import DEFAULTS, ReadOptions
from benchmarker.data.splits import Split, choose_split

PARTS = (*SPLIT_PARTS, "all")
UNKNOWN = "unknown"  # the class of images that come without one
_SINGLE = (*FITS_SUFFIXES, *PNG_SUFFIXES)
_QUOTAS = re.compile(r"quotas per class: train (\d+), validation (\d+); seed \d+( \(legacy\))?")


@dataclass(frozen=True)
class Chosen:
    """Sources of a set, in the order in which they are shown.

    Arguments
    ---------
    images : the whole set
    part : of which they are a part, one of `PARTS`
    rows : int64, the rows of the part in the set
    picked : int64, places within `rows` that were asked for by name or number; None: all
    """

    images: ImageSet
    part: str
    rows: np.ndarray
    picked: np.ndarray | None = None

    @property
    def has_classes(self) -> bool:
        """Whether the true classes are known."""
        return self.images.classes != (UNKNOWN,)

    @property
    def places(self) -> np.ndarray:
        """Places within the part: those picked, else all."""
        return np.arange(len(self.rows)) if self.picked is None else self.picked

    def names(self, places: np.ndarray) -> tuple[str, ...]:
        """Source names at these places."""
        return tuple(self.images.sources[row] for row in self.rows[places])

    def spread(self, most: int) -> np.ndarray:
        """At most `most` places: those picked, else taking turns over the classes."""
        if self.picked is not None:
            return self.picked[:most]
        labels = self.images.labels[self.rows]
        turn = np.empty(len(labels), np.int64)
        for label in np.unique(labels):
            turn[labels == label] = np.arange(np.count_nonzero(labels == label))
        order = np.lexsort((np.arange(len(labels)), turn))
        return np.sort(order[:most])

    def examples(self, most: int) -> np.ndarray:
        """Places for a comparison: those picked (at most `most`), else the first of each class."""
        if self.picked is not None:
            return self.picked[:most]
        labels = self.images.labels[self.rows]
        return np.sort(np.unique(labels, return_index=True)[1])[:most]


def open_images(
    paths: Sequence[str], subset: str | None, trained: Any
) -> tuple[ImageSet, str | None]:
    """The images that the command names: one data set, or single FITS and PNG files.

    A run that was trained on a subset of the set takes that subset where none is asked for;
    its name comes second.
    """
    if all(path.lower().endswith(_SINGLE) and not Path(path).is_dir() for path in paths):
        return single_files([Path(path) for path in paths]), None
    if len(paths) > 1:
        message = (
            f"{len(paths)} sets of images ({', '.join(paths)}), expected one, or single FITS "
            "or PNG files"
        )
        raise SettingsError(message)
    images = open_data(paths[0], options=ReadOptions(subset=subset))
    own = None if subset else subset_of(trained, images)
    if own is None:
        return images, None
    return open_data(paths[0], options=ReadOptions(subset=own)), own


def subset_of(trained: Any, images: ImageSet) -> str | None:
    """The subset of `images` that a run was trained on, None where it is all or unknown."""
    if trained.record is None:
        return None
    base, card = images.provenance.get("card"), trained.record.data.get("card")
    if base is None or card is None or not card.startswith(f"{base}-"):
        return None
    return card.removeprefix(f"{base}-")


def single_files(paths: Sequence[Path]) -> ImageSet:
    """Images that lie one in a file, without classes; all of one kind and size."""
    problems = Problems("images")
    for path in paths:
        if not path.is_file():
            problems.add(f"no file {path}")
    kinds = {str(path).lower().endswith(PNG_SUFFIXES) for path in paths}
    if len(kinds) > 1:
        problems.add("FITS and PNG files together, expected one kind")
    names = [stem(path.name) for path in paths]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(f"{name} is there more than once")
    problems.raise_if_any()
    decode = _read_png if kinds == {True} else fits_decoder(DEFAULTS)
    ra, dec = positions(names)
    return ImageSet(
        name=names[0] if len(names) == 1 else f"{len(names)} files",
        pixels=FilePixels(tuple(paths), decode, first_shape(paths, decode, 0)),
        labels=np.zeros(len(paths), np.int64),
        classes=(UNKNOWN,),
        sources=tuple(names),
        ra_deg=ra,
        dec_deg=dec,
        provenance={"reader": "files"},
    )


def _read_png(path: Path) -> np.ndarray:
    from benchmarker.data.reading_png_folder import read_png

    return read_png(path, DEFAULTS)


def choose(images: ImageSet, trained: Any, part: str | None) -> Chosen:
    """The part of the set: that asked for, else the test images where they are known."""
    if part == "all" or images.classes == (UNKNOWN,):
        return Chosen(images, "all", np.arange(len(images)))
    split = _split(images, trained)
    if split is None and part is None:
        return Chosen(images, "all", np.arange(len(images)))
    if split is None:
        message = (
            f"which images of {images.name} are for {part} is not known: it has no published "
            "split, and is not what the network was trained on; expected --part all"
        )
        raise MissingDataError(message)
    rows = np.sort(split.rows(images.sources)[part or "test"])
    if not len(rows):
        message = f"the split of {images.name} has no {part} images; expected another --part"
        raise MissingDataError(message)
    return Chosen(images, part or "test", rows)


def _split(images: ImageSet, trained: Any) -> Split | None:
    """The split of the run where it was trained on these images, else the published one."""
    record = trained.record
    if record is not None and record.data["digest"] == images.digest:
        return _split_of_run(images, record)
    if images.published_split is None or "test" not in images.published_split:
        return None
    return choose_split(images, train=None, validation=None, seed=0)


def _split_of_run(images: ImageSet, record: Any) -> Split:
    """Make the split of a run again from its rule; its digest says whether it is the same."""
    from benchmarker.data.cards import load_card

    quotas = _QUOTAS.match(record.split["rule"])
    card = images.provenance.get("card")
    split = choose_split(
        images,
        train=int(quotas[1]) if quotas else None,
        validation=int(quotas[2]) if quotas else None,
        seed=record.seed,
        legacy=bool(quotas and quotas[3]),
        card_validation_share=load_card(card).validation_share if card else None,
    )
    if split.digest == record.split["digest"]:
        return split
    # of a split from a file the record keeps the test sources alone
    tested = record.predictions("best").sources
    others = tuple(name for name in images.sources if name not in set(tested))
    return Split(others, (), tuple(tested), rule=record.split["rule"])


def pick(chosen: Chosen, names: Sequence[str], numbers: Sequence[int]) -> Chosen:
    """Only the sources of these names, then those at these places of the part, from 0.

    A name may be shortened as long as it means one source. Raises `SettingsError` listing
    every name and number that is not there.
    """
    if not names and not numbers:
        return chosen
    known = chosen.names(np.arange(len(chosen.rows)))
    problems = Problems(f"{chosen.part} images of {chosen.images.name}", SettingsError)
    found = [_place(name, known, chosen.images.sources, problems) for name in names]
    for number in numbers:
        if not 0 <= number < len(known):
            problems.add(f"no row {number}, expected 0 to {len(known) - 1}")
        found.append(number)
    problems.raise_if_any()
    return replace(chosen, picked=np.array(list(dict.fromkeys(found)), np.int64))


def _place(name: str, known: Sequence[str], whole: Sequence[str], problems: Problems) -> int:
    if name in known:
        return known.index(name)
    parts = [place for place, one in enumerate(known) if name in one]
    if len(parts) == 1:
        return parts[0]
    if parts:
        shown = ", ".join(known[place] for place in parts[:3])
        problems.add(f"{name!r} means {len(parts)} sources ({shown}, ...), expected one")
    elif name in whole:
        problems.add(f"{name!r} is none of them: --part all has it")
    else:
        problems.add(f"no source {name!r}{suggest(name, known)}")
    return -1

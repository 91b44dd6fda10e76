"""Which images trained the weights that a run starts from, and whether they test it too.

A score on sources that the source of the weights was trained on says nothing of new
sources; so a run that starts from other weights looks for them, and its record says
what was found, or that nobody can tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarker.core.errors import BenchmarkerError
from benchmarker.core.records import MODELS, Record, read_record
from benchmarker.data.images import ImageSet
from benchmarker.data.sharing import shared_sources
from benchmarker.runs.resolve import reopen, split_of, stated_settings
from benchmarker.runs.settings import RunSettings
from benchmarker.runs.transfer import Transfer


def ancestors(place: str) -> Iterator[Record | None]:
    """Records of the run at `place`, of the run that it started from, and so on.

    `place` is a run folder or a file of weights in one. None stands for weights whose
    training nobody recorded here; it is the last.
    """
    seen: set[str] = set()
    while place not in seen:
        seen.add(place)
        path = Path(place)
        try:
            record = read_record(path if path.is_dir() else path.parent)
        except BenchmarkerError:
            yield None
            return
        yield record
        place = record.run.get("place", {}).get("init", place)


def training_images(
    record: Record, near: ImageSet | None = None
) -> tuple[ImageSet, tuple[str, ...]] | None:
    """The set that a run was trained on, and its sources that trained or validated it.

    Where the split cannot be made again these are all sources that did not test the run.
    `near` is a set that is open already. None where the set is not to be found any more.
    """
    found = _opened(record, near)
    if found is None:
        return None
    settings, images = found
    with suppress(BenchmarkerError, OSError):
        split = split_of(settings, images)
        if split.digest == record.split["digest"]:
            return images, (*split.train, *split.validation)
    with suppress(BenchmarkerError, OSError):
        tested = set(record.predictions(MODELS[0]).sources)
        return images, tuple(name for name in images.sources if name not in tested)
    return images, images.sources


def _opened(record: Record, near: ImageSet | None) -> tuple[RunSettings, ImageSet] | None:
    """The set with the record's digest, the one near if it is that, and how it was found."""
    if near is not None and near.digest == record.data["digest"]:
        return stated_settings(record), near
    with suppress(BenchmarkerError, OSError):
        return reopen(record)
    return None


def note(transfer: Transfer, tested: ImageSet, names: tuple[str, ...]) -> dict[str, Any]:
    """What a record says of its source: layers, the sets that trained it, shared test sources.

    Arguments
    ---------
    transfer : of the run
    tested : its data set
    names : the test sources in it

    ``shared_test_sources`` lists the test sources that trained the weights; it is None
    where a set is not known or not to be found. ``compared_by_pixels_alone`` says which
    sets have no positions, so that more may be shared unseen.
    """
    trained_on, shared, unplaced, told = [], set(), set(), True
    for record in ancestors(transfer.source.place):
        found = None if record is None else training_images(record, tested)
        if record is not None:
            trained_on.append({key: record.data.get(key) for key in ("name", "digest", "card")})
        if found is None:
            told = False
            continue
        common = shared_sources(tested, names, *found)
        shared |= set(common.names)
        unplaced |= {common.unplaced} - {""}
    known = sorted(shared)
    return {
        **transfer.identity,
        "new_layers": list(transfer.new),
        "frozen_layers": list(transfer.frozen),
        "trained_on": trained_on,
        "test_sources": len(names),
        "shared_test_sources": known if told or known else None,
        "all_training_sets_known": told,
        "compared_by_pixels_alone": sorted(unplaced),
    }


def marks(said: dict[str, Any]) -> list[str]:
    """Warnings for the record and the leaderboard, from what `note` says."""
    found = []
    shared = said["shared_test_sources"]
    if shared:
        found.append(
            f"{len(shared)} of {said['test_sources']} test sources were in the training set of init"
        )
    if not said["all_training_sets_known"]:
        found.append("whether test sources trained init is not known")
    return found

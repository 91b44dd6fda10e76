"""The images that a network was trained on, opened again as its record says."""

from __future__ import annotations

from benchmarker.core.errors import (
    BenchmarkerError,
    InputFileError,
    MissingDataError,
    SettingsError,
)
from benchmarker.core.hashing import digest_names
from benchmarker.core.records import Record
from benchmarker.data.images import SPLIT_PARTS, ImageSet
from benchmarker.hosts.evaluation.tested import TrainingSet
from benchmarker.runs.resolve import open_images, reopen, split_of
from benchmarker.runs.settings import RunSettings
from benchmarker.runs.trained import Trained

ALL = "all"
PARTS = (*SPLIT_PARTS, ALL)


def training_set(trained: Trained, given: str | None = None) -> TrainingSet:
    """The images that `trained` was trained on; `given` says where they lie now.

    A record's images must be those of its data digest. A weights file does not know its data:
    without `given` nothing is known. Every source that is not in the record's test counts as
    seen. Raises for `given` alone: `MissingDataError` and the like where it is not there,
    `InputFileError` where it holds other images than the record says.
    """
    if trained.record is None:
        return (
            TrainingSet("", reason="a file of weights does not say what trained it")
            if given is None
            else _given(given)
        )
    try:
        settings, images = reopen(trained.record, given)
    except BenchmarkerError as error:
        if given is not None:
            raise
        return TrainingSet(trained.record.data["name"], reason=str(error))
    tested = set(_test_names(trained.record))
    seen = tuple(name for name in images.sources if name not in tested)
    return TrainingSet(trained.record.data["name"], images, seen, settings)


def _given(data: str) -> TrainingSet:
    """A set that the user names: its published training part, else all of it."""
    from benchmarker.data.opening import open_data

    images = open_data(data)
    words = images.published_split or ("train",) * len(images)
    seen = tuple(n for n, word in zip(images.sources, words, strict=True) if word != "test")
    return TrainingSet(images.name, images, seen)


def own_names(trained: Trained, own: TrainingSet, part: str) -> tuple[str, ...]:
    """Sources of one part of the record's own split, as its digest says.

    Raises `SettingsError` for ``all``, which would test on what was trained, and
    `InputFileError` where the split cannot be made again.
    """
    record = trained.record
    if record is None or own.images is None or own.settings is None:
        message = f"{trained.where} has no data set of its own that can be opened"
        raise MissingDataError(message)
    if part == ALL:
        message = (
            f"all of {own.name} would test on sources that trained the network: expected one of "
            f"{', '.join(SPLIT_PARTS)}"
        )
        raise SettingsError(message)
    if part == "test":
        return _test_names(record)
    split = split_of(own.settings, own.images)
    if split.digest != record.split["digest"]:
        message = (
            f"the split of {record.folder} cannot be made again: its record has the rule "
            f"'{record.split['rule']}', here the rule is '{split.rule}' and other sources come "
            "out; only the part test can be used"
        )
        raise InputFileError(message)
    return split.parts[part]


def set_names(images: ImageSet, part: str) -> tuple[tuple[str, ...], str]:
    """Sources of one published part of a set, and what is to be said of that choice."""
    words = images.published_split
    if part == ALL:
        return images.sources, ""
    if words is None and part == "test":
        return images.sources, f"{images.name} has no published split: all of it is tested"
    names = tuple(
        name for name, word in zip(images.sources, words or (), strict=words is not None)
        if word == part
    )  # fmt: skip
    if not names:
        known = sorted(set(words or ())) or ["none"]
        message = f"{images.name} has no part {part!r}; published parts: {', '.join(known)}, or all"
        raise SettingsError(message)
    return names, ""


def open_set(what: str, subset: str | None) -> ImageSet:
    """A data set by card name or path, opened once for all networks of one command."""
    return open_images(RunSettings("none", 1.0, 1, data=what, subset=subset))


def _test_names(record: Record) -> tuple[str, ...]:
    names = record.predictions("best").sources
    stated = record.split.get("digests", {}).get("test")
    if stated not in (None, digest_names(names)):
        message = (
            f"{record.folder}/predictions.csv does not hold the test sources of the run: their "
            "digest is not that of run.json"
        )
        raise InputFileError(message)
    return names

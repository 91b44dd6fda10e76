"""Splits: which source trains, which validates, which tests - decided before any image is read.

Everything works on names, labels and positions. A split is a value: its digests depend on
the names in it and on their order alone, so the same digest means the same split however it
was made.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarker.core.errors import InputFileError, MissingDataError, Problems, SettingsError
from benchmarker.core.files import read_json, write_json
from benchmarker.core.hashing import digest_json, digest_names
from benchmarker.data.dealing import Sources, deal, shuffled
from benchmarker.data.images import SPLIT_PARTS
from benchmarker.data.sky import SAME_SOURCE_ARCSEC, sky_groups

DEFAULT_SHARES = (0.7, 0.1, 0.2)
DEFAULT_VALIDATION_SHARE = 0.1

_FORMAT = 1
_FEWEST_FOLDS = 3  # one to train, one to validate, one to test
_FIRST_PIXEL_ARCSEC = 1.8
_REACH_PX = 75  # half of the customary 150-pixel crop: closer neighbours show in the image
_LARGEST_GROUP = 1 / 3  # more of a set at one place means that its positions are no positions


class SourceLists(Protocol):
    """What a split needs to know of a data set; an `ImageSet` has all of it."""

    @property
    def sources(self) -> tuple[str, ...]: ...
    @property
    def labels(self) -> np.ndarray: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def ra_deg(self) -> np.ndarray | None: ...
    @property
    def dec_deg(self) -> np.ndarray | None: ...
    @property
    def published_split(self) -> tuple[str, ...] | None: ...
    @property
    def pixel_scale_arcsec(self) -> float | None: ...
    @property
    def groups(self) -> tuple[str, ...] | None: ...


@dataclass(frozen=True)
class Split:
    """Source names of the three parts, in order, and the rule that chose them.

    `train` and `test` hold at least one name; `validation` may be empty in a published
    split. Raises `InputFileError` if a name stands in two parts or twice in one.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    rule: str

    def __post_init__(self) -> None:
        problems = Problems(f"split '{self.rule}'")
        for part in ("train", "test"):
            if not getattr(self, part):
                problems.add(f"no source in {part}; expected at least one")
        for text in _repeats(self.parts):
            problems.add(text)
        problems.raise_if_any()

    @property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """Names by part: ``train``, ``validation``, ``test``."""
        return {part: getattr(self, part) for part in SPLIT_PARTS}

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each part's names joined by newlines, in split order."""
        return {part: digest_names(names) for part, names in self.parts.items()}

    @property
    def digest(self) -> str:
        """One SHA-256 for the split, made of the three digests and not of the rule."""
        return digest_json(self.digests)

    def rows(self, sources: Sequence[str]) -> dict[str, np.ndarray]:
        """Row numbers in `sources` of each part's names, int64 arrays in split order.

        Raises `InputFileError` naming the split's names that `sources` lacks.
        """
        place = {name: row for row, name in enumerate(sources)}
        _refuse_foreign(self, place)
        return {
            part: np.array([place[name] for name in names], dtype=np.int64)
            for part, names in self.parts.items()
        }


def published_split(images: SourceLists) -> Split:
    """The split that the data set was published with, each part in the order of the data.

    Raises `MissingDataError` if there is none.
    """
    words = images.published_split
    if words is None:
        message = "the data set has no published split; give quotas per class or a seed"
        raise MissingDataError(message)
    names = {
        part: tuple(n for n, w in zip(images.sources, words, strict=True) if w == part)
        for part in SPLIT_PARTS
    }
    return Split(**names, rule="published")


def quota_split(  # noqa: PLR0913 - three lists describe the sources, four words the split
    names: Sequence[str],
    labels: np.ndarray,
    classes: Sequence[str],
    *,
    train: int,
    validation: int,
    seed: int,
    legacy: bool = False,
) -> Split:
    """The same number of sources of every class to train and to validate; the rest tests.

    The sources are walked in random order; each goes to training while its class has fewer
    than `train` there, then to validation up to `validation`, then to the test.

    Arguments
    ---------
    names : n distinct source names
    labels : int array of shape (n,), each in 0 .. len(classes) - 1
    classes : class names in label order
    train : training sources per class, at least 1
    validation : validation sources per class, at least 1
    seed : run seed
    legacy : the original's order, Python's `random.shuffle` of the names as listed. Without
        it the order follows from (seed, name) alone: neither the order of the list nor a
        source more or less moves the others.

    Raises `SettingsError` listing every class that the quotas leave without a test source.
    """
    _check_quotas(np.asarray(labels), classes, train, validation)
    label_of = dict(zip(names, (int(label) for label in labels), strict=True))
    order = list(names)
    if legacy:
        random.Random(seed).shuffle(order)  # noqa: S311 - the original's generator, no secret
    else:
        order = shuffled(names, seed)
    taken = {part: [0] * len(classes) for part in ("train", "validation")}
    quotas = {"train": train, "validation": validation}
    parts: dict[str, list[str]] = {part: [] for part in SPLIT_PARTS}
    for name in order:
        label = label_of[name]
        part = next((p for p in quotas if taken[p][label] < quotas[p]), "test")
        if part != "test":
            taken[part][label] += 1
        parts[part].append(name)
    how = f"seed {seed}{' (legacy)' if legacy else ''}"
    return _split(parts, f"quotas per class: train {train}, validation {validation}; {how}")


def stratified_split(
    names: Sequence[str],
    labels: np.ndarray,
    *,
    seed: int,
    shares: tuple[float, float, float] = DEFAULT_SHARES,
    groups: Sequence[int] | None = None,
) -> Split:
    """The same share of every class in each part, as far as whole sources allow.

    `shares` are those of train, validation and test and sum to 1; a class of at least three
    sources that do not hang together has one in each part. Sources with the same number in
    `groups` (shape (n,), e.g. of `sky_groups`) stay on one side. Raises `SettingsError` for
    impossible shares.
    """
    if len(shares) != len(SPLIT_PARTS) or min(shares) < 0 or not np.isclose(sum(shares), 1):
        message = f"shares are {shares}, expected three that are not negative and sum to 1"
        raise SettingsError(message)
    part = deal(Sources(names, labels, groups), np.asarray(shares), seed)
    parts = _by_part(names, [SPLIT_PARTS[p] for p in part], seed)
    shown = " / ".join(f"{share:g}" for share in shares)
    return _split(parts, f"stratified {shown}{_grouped(groups)}; seed {seed}")


def grouped_split(
    names: Sequence[str],
    labels: np.ndarray,
    positions: tuple[np.ndarray, np.ndarray],
    *,
    radius_arcsec: float,
    seed: int,
) -> Split:
    """`stratified_split` 70 / 10 / 20 that keeps sources closer than `radius_arcsec` together.

    `positions` is (ra_deg, dec_deg), NaN where unknown.
    """
    groups = sky_groups(*positions, radius_arcsec)
    return stratified_split(names, labels, seed=seed, groups=[int(group) for group in groups])


def stratified_folds(  # noqa: PLR0913 - which sources, which fold, drawn how
    names: Sequence[str],
    labels: np.ndarray,
    *,
    folds: int,
    fold: int,
    seed: int,
    groups: Sequence[int] | None = None,
) -> Split:
    """Fold `fold` (0 .. folds - 1) tests, the next one validates, the others train.

    Over all folds every source tests once. Classes and `groups` as in `stratified_split`.
    Raises `SettingsError` for fewer than 3 folds or a fold out of range.
    """
    if folds < _FEWEST_FOLDS or not 0 <= fold < folds:
        message = f"fold {fold} of {folds}, expected at least 3 folds and 0 <= fold < folds"
        raise SettingsError(message)
    number = deal(Sources(names, labels, groups), np.full(folds, 1 / folds), seed)
    words = {fold: "test", (fold + 1) % folds: "validation"}
    parts = _by_part(names, [words.get(int(n), "train") for n in number], seed)
    return _split(parts, f"fold {fold} of {folds}, stratified{_grouped(groups)}; seed {seed}")


def choose_fold(images: SourceLists, *, folds: int, fold: int, seed: int) -> Split:
    """`stratified_folds` of a data set; sources in one another's images stay together."""
    groups, _ = _groups(images, _reach_arcsec(images))
    return stratified_folds(
        images.sources, images.labels, folds=folds, fold=fold, seed=seed, groups=groups
    )


def with_validation(
    split: Split,
    labels: Mapping[str, int],
    *,
    share: float,
    seed: int,
    groups: Mapping[str, int] | None = None,
) -> Split:
    """Move a share of the training sources of every class to validation; the test stays.

    Arguments
    ---------
    split : a split without a validation part
    labels : class number of each training name
    share : part of the training sources, between 0 and 1 (both excluded)
    seed : run seed
    groups : group number of each training name; a group stays on one side

    A class with one training source keeps it, and is absent from validation. Raises
    `SettingsError` for an impossible share or if the split validates already.
    """
    if split.validation or not 0 < share < 1:
        message = (
            f"cannot take {share:g} of the training part for validation: the share must lie "
            f"between 0 and 1, and the split has {len(split.validation)} validation sources"
        )
        raise SettingsError(message)
    names = split.train
    numbers = None if groups is None else [groups[name] for name in names]
    sources = Sources(names, np.array([labels[name] for name in names]), numbers)
    chosen = deal(sources, np.array([1 - share, share]), seed)
    return Split(
        train=tuple(name for name, part in zip(names, chosen, strict=True) if part == 0),
        validation=tuple(name for name, part in zip(names, chosen, strict=True) if part == 1),
        test=split.test,
        rule=f"{split.rule}, validation {share:g} of train{_grouped(numbers)}; seed {seed}",
    )


def choose_split(  # noqa: PLR0913 - the choices of the command line
    images: SourceLists,
    *,
    train: int | None = None,
    validation: int | None = None,
    seed: int,
    legacy: bool = False,
    card_validation_share: float | None = None,
) -> Split:
    """The harness's rule: quotas if given, else the published split, else 70 / 10 / 20.

    Both quotas per class (`train`, `validation`) give `quota_split`, in the original's order
    if `legacy`. A published split without validation part gets one by seed: a share of
    `card_validation_share`, or 0.1. Without quotas and published split the sources are
    stratified by seed, and where positions are known those that show in each other's image
    stay on one side. The split's `rule` says which way was taken. Raises `SettingsError` if
    only one quota is given.
    """
    if (train is None) != (validation is None):
        message = f"quotas are train {train}, validation {validation}; give both or neither"
        raise SettingsError(message)
    if train is not None and validation is not None:
        lists = (images.sources, images.labels, images.classes)
        return quota_split(*lists, train=train, validation=validation, seed=seed, legacy=legacy)
    if images.published_split is None:
        groups, note = _groups(images, _reach_arcsec(images))
        split = stratified_split(images.sources, images.labels, seed=seed, groups=groups)
        return Split(**split.parts, rule=split.rule + note)
    split = published_split(images)
    if split.validation:
        return split
    share = DEFAULT_VALIDATION_SHARE if card_validation_share is None else card_validation_share
    groups, note = _groups(images, SAME_SOURCE_ARCSEC)
    by_name = None if groups is None else dict(zip(images.sources, groups, strict=True))
    labels = dict(zip(images.sources, (int(n) for n in images.labels), strict=True))
    split = with_validation(split, labels, share=share, seed=seed, groups=by_name)
    return Split(**split.parts, rule=split.rule + note)


def write_split(path: str | Path, split: Split) -> Path:
    """Write a split as JSON with its digests, whole or not at all."""
    value = {
        "format": _FORMAT,
        "rule": split.rule,
        "digest": split.digest,
        "digests": split.digests,
        **{part: list(names) for part, names in split.parts.items()},
    }
    return write_json(path, value)


def read_split(path: str | Path, sources: Sequence[str] | None = None) -> Split:
    """Read what `write_split` wrote.

    Raises `InputFileError` if the file is not such a file, if its names do not give its
    digests (it was edited or cut), or if `sources` lacks a name of it.
    """
    if not Path(path).is_file():
        message = f"no split file {path}"
        raise MissingDataError(message)
    value = read_json(path)
    faults = _file_faults(value)
    problems = Problems(path)
    for fault in faults:
        problems.add(fault)
    problems.raise_if_any()
    split = Split(**{part: tuple(value[part]) for part in SPLIT_PARTS}, rule=value["rule"])
    for part, digest in split.digests.items():
        if value["digests"].get(part) != digest:
            problems.add(f"the names of {part} do not match their digest: edited or damaged")
    if value["digest"] != split.digest:
        problems.add("the parts do not match the digest of the split: edited or damaged")
    problems.raise_if_any()
    if sources is not None:
        _refuse_foreign(split, dict.fromkeys(sources, 0))
    return split


def _by_part(names: Sequence[str], words: Sequence[str], seed: int) -> dict[str, list[str]]:
    part_of = dict(zip(names, words, strict=True))
    parts: dict[str, list[str]] = {part: [] for part in SPLIT_PARTS}
    for name in shuffled(names, seed):
        parts[part_of[name]].append(name)
    return parts


def _split(parts: Mapping[str, Sequence[str]], rule: str) -> Split:
    return Split(**{part: tuple(parts[part]) for part in SPLIT_PARTS}, rule=rule)


def _grouped(groups: Sequence[int] | None) -> str:
    return "" if groups is None else ", neighbours kept together"


def _groups(images: SourceLists, radius_arcsec: float) -> tuple[list[int] | None, str]:
    """Group numbers and a note for the rule: the set's own groups, else by position.

    None where neither is known.
    """
    if images.groups is not None:
        numbers = {group: number for number, group in enumerate(dict.fromkeys(images.groups))}
        return [numbers[group] for group in images.groups], f" ({len(numbers)} groups)"
    if images.ra_deg is None or images.dec_deg is None or np.isnan(images.ra_deg).all():
        return None, ""
    groups = sky_groups(images.ra_deg, images.dec_deg, radius_arcsec)
    largest = int(np.bincount(groups).max())
    if largest > max(2, _LARGEST_GROUP * len(groups)):
        return None, f" (positions not used: {largest} sources lie at one place)"
    return [int(group) for group in groups], f" (within {radius_arcsec:g} arcsec)"


def _reach_arcsec(images: SourceLists) -> float:
    return _REACH_PX * (images.pixel_scale_arcsec or _FIRST_PIXEL_ARCSEC)


def _check_quotas(labels: np.ndarray, classes: Sequence[str], train: int, validation: int) -> None:
    if train < 1 or validation < 1:
        message = f"quotas are train {train}, validation {validation}; expected at least 1 each"
        raise SettingsError(message)
    problems = Problems(f"quotas train {train} + validation {validation} per class", SettingsError)
    for name, count in zip(classes, np.bincount(labels, minlength=len(classes)), strict=True):
        if count <= train + validation:
            problems.add(
                f"class {name} has {count} sources: none is left to test; train + validation "
                f"can be {max(int(count) - 1, 0)} at most"
            )
    problems.raise_if_any()


def _repeats(parts: Mapping[str, Sequence[str]]) -> list[str]:
    seen: dict[str, str] = {}
    texts = []
    for part, names in parts.items():
        for name in names:
            if name in seen:
                texts.append(f"source {name} stands in {seen[name]} and in {part}")
            seen.setdefault(name, part)
    return texts[:10]


def _refuse_foreign(split: Split, known: Mapping[str, int]) -> None:
    foreign = [name for names in split.parts.values() for name in names if name not in known]
    if foreign:
        shown = ", ".join(foreign[:5]) + (", ..." if len(foreign) > len(foreign[:5]) else "")
        message = (
            f"split '{split.rule}' names {len(foreign)} sources that the data set "
            f"does not hold: {shown}"
        )
        raise InputFileError(message)


def _file_faults(value: Any) -> list[str]:
    if not isinstance(value, dict) or value.get("format") != _FORMAT:
        return [f"is not a split file of format {_FORMAT}"]
    faults = [
        f"{part} is missing or not a list of names"
        for part in SPLIT_PARTS
        if not isinstance(value.get(part), list)
        or not all(isinstance(name, str) for name in value[part])
    ]
    for key, kind in (("rule", str), ("digest", str), ("digests", dict)):
        if not isinstance(value.get(key), kind):
            faults.append(f"{key} is missing or of a wrong type")
    return faults

"""Which stamps train, validate and test, decided on names alone.

All stamps of one object stay in one part. `legacy_parts` repeats the order of psat-ml to the
letter, with its two parts and its leak of one group for each class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarker.core.errors import SettingsError
from benchmarker.data.dealing import shuffled
from benchmarker.data.reading_psat import object_of
from benchmarker.data.splits import stratified_split

REAL, BOGUS = 1, 0
SHARES = (0.5625, 0.1875, 0.25)  # train, validation, test: what psat-ml's quarters come to
TEST_FROM = 0.75  # of each class, in the original


@dataclass(frozen=True)
class Rows:
    """Stamps of one part in the order in which they are written.

    entries : n names as the lists have them; labels : int8 (n,), 1 for real and 0 for bogus
    """

    entries: tuple[str, ...]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def groups(self) -> list[str]:
        """The object of each stamp."""
        return [object_of(entry) for entry in self.entries]


@dataclass(frozen=True)
class Parts:
    """The three parts of a set, and the rule that made them; `validation` may be empty."""

    train: Rows
    validation: Rows
    test: Rows
    rule: str

    @property
    def torn(self) -> set[str]:
        """Objects with stamps in more than one part: none, but for the original's leak."""
        train, validation, test = (set(rows.groups) for rows in self._all)
        return (train & test) | (validation & test) | (train & validation)

    def entries_of(self, label: int) -> list[str]:
        """All stamps of a class, part after part."""
        return [
            entry
            for rows in self._all
            for entry, own in zip(rows.entries, rows.labels.tolist(), strict=True)
            if own == label
        ]

    @property
    def _all(self) -> tuple[Rows, Rows, Rows]:
        return self.train, self.validation, self.test


def grouped_parts(good: Sequence[str], bad: Sequence[str], *, skew: int | None, seed: int) -> Parts:
    """Whole objects to each part, every class shared alike, rows in random order.

    Arguments
    ---------
    good : distinct names of real stamps
    bad : those of bogus stamps
    skew : bogus stamps kept for each real one, drawn by `seed`; None keeps all
    seed : of draws and order, which follow from it and from each name alone

    Raises `SettingsError` where a class has too few objects for a training and a test part.
    """
    if skew is not None and len(bad) > skew * len(good):
        bad = shuffled(bad, seed)[: skew * len(good)]
    entries = [*good, *bad]
    labels = np.repeat(np.array([REAL, BOGUS], np.int64), [len(good), len(bad)])
    groups = {name: number for number, name in enumerate(dict.fromkeys(map(object_of, entries)))}
    numbers = [groups[object_of(entry)] for entry in entries]
    _refuse_few(entries, labels)
    split = stratified_split(entries, labels, seed=seed, shares=SHARES, groups=numbers)
    label_of = dict(zip(entries, labels, strict=True))
    rows = {
        part: Rows(names, np.array([label_of[name] for name in names], np.int8))
        for part, names in split.parts.items()
    }
    return Parts(**rows, rule=f"{split.rule} ({len(groups)} objects)")


def _refuse_few(entries: Sequence[str], labels: np.ndarray) -> None:
    for label, word in ((REAL, "real"), (BOGUS, "bogus")):
        objects = {object_of(entries[row]) for row in np.flatnonzero(labels == label)}
        if len(objects) < len(SHARES):
            message = (
                f"{len(objects)} objects with {word} stamps, expected at least {len(SHARES)}: "
                "one for each of training, validation and test"
            )
            raise SettingsError(message)


def legacy_parts(good: Sequence[str], bad: Sequence[str], *, skew: int | None) -> Parts:
    """Training and test part in the order of psat-ml, with its generator and its leak.

    Bogus stamps are cut to the first `skew` for each real one, as listed. The group of an entry
    is all before its first underscore, folders included. Raises `SettingsError` where a class
    has one group only, on which the original fails.
    """
    if skew is not None:
        bad = bad[: skew * len(good)]
    state = np.random.RandomState(0)
    halves = [_legacy_class(good, state, "real"), _legacy_class(bad, state, "bogus")]
    train, test = (_permuted([half[part] for half in halves], state) for part in range(len(halves)))
    nothing = Rows((), np.empty(0, np.int8))
    return Parts(train, nothing, test, "legacy: groups in the order of seed 0, cut at 0.75")


def _legacy_class(
    entries: Sequence[str], state: np.random.RandomState, word: str
) -> tuple[list[str], list[str]]:
    state.seed(0)
    members: dict[str, list[str]] = {}
    for entry in sorted(entries):
        members.setdefault(entry.partition("_")[0], []).append(entry)
    if len(members) < 2:
        message = f"{len(members)} objects with {word} stamps, expected at least 2"
        raise SettingsError(message)
    keys = list(members)
    state.shuffle(keys)
    ordered = [entry for key in keys for entry in members[key]]
    boundary = int(TEST_FROM * len(ordered))
    # the last of this group goes to the test part, its companions train: the original's slip
    while boundary + 1 < len(ordered) and _same_group(ordered[boundary : boundary + 2]):
        boundary += 1
    return ordered[:boundary], ordered[boundary:]


def _same_group(pair: Sequence[str]) -> bool:
    return pair[0].partition("_")[0] == pair[1].partition("_")[0]


def _permuted(halves: Sequence[list[str]], state: np.random.RandomState) -> Rows:
    real, bogus = halves
    entries = [*real, *bogus]
    labels = np.repeat(np.array([REAL, BOGUS], np.int8), [len(real), len(bogus)])
    order = state.permutation(len(entries))
    return Rows(tuple(entries[row] for row in order), labels[order])

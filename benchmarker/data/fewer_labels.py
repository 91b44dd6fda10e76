"""A split with fewer training sources: what a learning curve trains on, size after size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarker.core.errors import Problems, SettingsError
from benchmarker.data.dealing import shuffled
from benchmarker.data.splits import SourceLists, Split

# how the rule of a split tells that it keeps some of the training sources of another one
MARK = "of each class to train"


def fewer_labels(split: Split, images: SourceLists, *, per_class: int, seed: int) -> Split:
    """Keep `per_class` training sources of every class; validation and test stay as they are.

    The sources of a class are put in the random order of (seed, name) and the first ones
    kept, so that for one seed the smaller set is part of every larger one. They stand in the
    order of `split`, and all of them give `split` itself. Raises `SettingsError` listing every
    class that has fewer training sources.
    """
    counts = training_counts(split, images)
    problems = Problems(f"{per_class} training sources of each class", SettingsError)
    if per_class < 1:
        problems.add(f"{per_class} sources, expected at least 1")
    for name, count in counts.items():
        if count < per_class:
            text = f"class {name} has {count} to train, {per_class} of each class were asked for"
            problems.add(f"{text} (seed {seed})")
    problems.raise_if_any()
    if all(count == per_class for count in counts.values()):
        return split
    label_of = dict(zip(images.sources, images.labels, strict=True))
    kept = _first_of_each_class(shuffled(split.train, seed), label_of, per_class)
    return Split(
        train=tuple(name for name in split.train if name in kept),
        validation=split.validation,
        test=split.test,
        rule=f"{split.rule}, {per_class} {MARK}; seed {seed}",
    )


def training_counts(split: Split, images: SourceLists) -> dict[str, int]:
    """Number of training sources of each class, by class name in label order."""
    label_of = dict(zip(images.sources, images.labels, strict=True))
    labels = np.array([label_of[name] for name in split.train], dtype=np.int64)
    counts = np.bincount(labels, minlength=len(images.classes))
    return dict(zip(images.classes, counts.tolist(), strict=True))


def _first_of_each_class(
    order: Sequence[str], label_of: Mapping[str, int], per_class: int
) -> set[str]:
    taken: dict[int, list[str]] = {}
    for name in order:
        names = taken.setdefault(int(label_of[name]), [])
        if len(names) < per_class:
            names.append(name)
    return {name for names in taken.values() for name in names}

"""Dealing sources out to parts so that every class is shared alike and groups stay whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarker.core.seeds import derive_seed


@dataclass(frozen=True)
class Sources:
    """n distinct names, int labels of shape (n,), and a group number for each or None."""

    names: Sequence[str]
    labels: np.ndarray
    groups: Sequence[int] | None = None


def shuffled(names: Sequence[str], seed: int) -> list[str]:
    """Names in an order that follows from (seed, name) alone, whatever order they came in.

    A name more or less moves none of the others.
    """
    return sorted(names, key=lambda name: (derive_seed(seed, "split", name), name))


def deal(sources: Sources, shares: np.ndarray, seed: int) -> np.ndarray:
    """Part number of each source, an int64 array of shape (n,), so that classes share alike.

    `shares` holds one number per part and sums to 1. Groups are dealt out largest first,
    then in the random order of the seed; each goes to the part that lacks most of its
    classes, measured against what the part shall have.
    """
    labels = np.asarray(sources.labels)
    wanted = targets(np.bincount(labels), shares)
    lacking = wanted.astype(np.float64)
    scale = np.maximum(wanted, 1)
    part_of = np.empty(len(labels), dtype=np.int64)
    for rows in _dealing_order(sources, seed):
        counts = np.bincount(labels[rows], minlength=wanted.shape[1])
        # a part that shall have none of a class takes it last of all
        need = np.where(wanted > 0, lacking / scale, np.minimum(lacking, 0.0) - 1.0)
        part = int(np.argmax((need * counts).sum(axis=1)))  # no BLAS: same bits everywhere
        lacking[part] -= counts
        part_of[rows] = part
    return part_of


def targets(counts: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Sources of each class that each part shall have: int64 array (parts, classes).

    Every class is shared out whole by the largest remainders (ties move from part to part
    with the class), and no part goes without a class that has a source for each part.
    """
    wanted = np.zeros((len(shares), len(counts)), dtype=np.int64)
    parts = np.arange(len(shares))
    used = shares > 0
    for label, count in enumerate(counts):
        exact = shares * count
        column = np.floor(exact + 1e-9).astype(np.int64)
        remainder = np.round(exact - column, 9)
        order = np.lexsort(((parts - label) % len(shares), -remainder))
        column[order[: count - column.sum()]] += 1
        while count >= used.sum() and (column[used] == 0).any():
            column[np.flatnonzero(used & (column == 0))[0]] += 1
            column[int(np.argmax(column))] -= 1
        wanted[:, label] = column
    return wanted


def _dealing_order(sources: Sources, seed: int) -> list[list[int]]:
    """Rows of each group; largest group first, ties in the random order of the seed."""
    members: dict[Any, list[int]] = {}
    place = {name: row for row, name in enumerate(sources.names)}
    for name in shuffled(sources.names, seed):
        row = place[name]
        key = ("alone", row) if sources.groups is None else ("group", sources.groups[row])
        members.setdefault(key, []).append(row)
    return sorted(members.values(), key=len, reverse=True)

"""Rotations and mirror images of the plane, and what they do to a square kernel.

The cyclic group ``cN`` holds N rotations in steps of 360/N degrees, the dihedral group
``dN`` also their mirror images. Quarter turns move the pixels of a kernel; other angles
interpolate between them, so that only ``c1, c2, c4, d1, d2, d4`` are exact on a pixel grid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

LARGEST = 32  # rotations; the largest of Scaife & Porter 2021 is 20
QUARTERS = (1, 2, 4)


@dataclass(frozen=True)
class PlaneGroup:
    """The group of `rotations` rotations, with their mirror images if `mirrored`.

    Element ``m * rotations + r`` mirrors left and right if m is 1, then turns by
    r * 360 / rotations degrees counter-clockwise (the direction of `numpy.rot90`).
    """

    rotations: int
    mirrored: bool = False

    @property
    def name(self) -> str:
        """``c4``, ``d8``, ..."""
        return f"{'d' if self.mirrored else 'c'}{self.rotations}"

    @property
    def order(self) -> int:
        """Number of elements."""
        return self.rotations * (1 + self.mirrored)

    @property
    def is_exact(self) -> bool:
        """True if every element only moves pixels."""
        return self.rotations in QUARTERS

    def product(self, first: int, second: int) -> int:
        """The element that does `second`, then `first`."""
        mirror, turn = divmod(first, self.rotations)
        other_mirror, other_turn = divmod(second, self.rotations)
        # a mirror image turns the other way
        angle = (turn + (-other_turn if mirror else other_turn)) % self.rotations
        return (mirror ^ other_mirror) * self.rotations + angle

    def inverse(self, element: int) -> int:
        """The element that undoes another."""
        mirror, turn = divmod(element, self.rotations)
        return element if mirror else (-turn) % self.rotations

    def matrix(self, element: int) -> np.ndarray:
        """float64 (2, 2) on (right, up); entries of quarter turns are exactly -1, 0 or 1."""
        mirror, turn = divmod(element, self.rotations)
        angle = 2 * np.pi * turn / self.rotations
        cosine, sine = np.round([np.cos(angle), np.sin(angle)], 12)
        rotation = np.array([[cosine, -sine], [sine, cosine]])
        return rotation @ np.diag([-1.0, 1.0]) if mirror else rotation


def plane_group(name: str) -> PlaneGroup:
    """The group called ``cN`` or ``dN``, N from 1 to 32.

    Raises `ValueError` that says what is allowed.
    """
    found = re.fullmatch(r"([cd])([1-9]\d?)", name.lower())
    if not found or int(found[2]) > LARGEST:
        message = f"{name!r} is not a group; expected cN or dN with N from 1 to {LARGEST}, e.g. d4"
        raise ValueError(message)
    return PlaneGroup(int(found[2]), mirrored=found[1] == "d")


@lru_cache(maxsize=64)
def kernel_moves(group: PlaneGroup, side: int) -> np.ndarray:
    """What each element does to a kernel of `side` x `side` pixels, as matrices.

    Returns float32 (order, side², side²), read-only: row p of matrix g holds the weights
    with which the pixels of the kernel enter pixel p of its transformed copy. Where the
    group is not exact, pixels outside the disc that touches the kernel's edges are 0 in
    every copy (corners would leave the kernel when turned) and values between pixels are
    bilinear.
    """
    centre = (side - 1) / 2
    rows, columns = np.divmod(np.arange(side * side), side)
    places = np.stack([columns - centre, centre - rows])
    moves = np.zeros((group.order, side * side, side * side))
    for element in range(group.order):
        right, up = group.matrix(group.inverse(element)) @ places
        moves[element] = _bilinear(centre - up, right + centre, side)
    if not group.is_exact:
        moves[:, np.hypot(*places) > side / 2] = 0
    moves = moves.astype(np.float32)
    moves.flags.writeable = False
    return moves


def _bilinear(rows: np.ndarray, columns: np.ndarray, side: int) -> np.ndarray:
    """Weights of a grid's pixels at the given places; outside of the grid all are 0."""
    weights = np.zeros((len(rows), side * side))
    points = np.arange(len(rows))
    low_rows, low_columns = np.floor(rows).astype(int), np.floor(columns).astype(int)
    for down in (0, 1):
        for along in (0, 1):
            row, column = low_rows + down, low_columns + along
            weight = (1 - np.abs(rows - row)) * (1 - np.abs(columns - column))
            inside = (row >= 0) & (row < side) & (column >= 0) & (column < side)
            weights[points[inside], (row * side + column)[inside]] += weight[inside]
    return weights


@lru_cache(maxsize=64)
def group_moves(group: PlaneGroup) -> np.ndarray:
    """The group's action on its own feature maps, as permutations.

    Returns float32 (order, order, order), read-only: entry [g, h, j] is 1 where j is the
    element g⁻¹h, else 0.
    """
    moves = np.zeros((group.order,) * 3, np.float32)
    for g in range(group.order):
        for h in range(group.order):
            moves[g, h, group.product(group.inverse(g), h)] = 1
    moves.flags.writeable = False
    return moves

"""Who is whose neighbour on the sky: pairs, groups, and positions written in source names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SAME_SOURCE_ARCSEC = 15.0
"""Two positions closer than this are taken for one source (FIRST beam: 5.4 arcsec; catalogues
differ by up to the size of a core-jet structure)."""

_ARCSEC_PER_RADIAN = 180.0 * 3600.0 / np.pi
_NAME = re.compile(r"J(\d\d)(\d\d)(\d\d(?:\.\d+)?)([+-])(\d\d)(\d\d)(\d\d(?:\.\d+)?)")


@dataclass(frozen=True)
class SkyPairs:
    """Pairs of positions that lie close together.

    `first`, `second`: int64 arrays of shape (m,), rows of the two lists compared;
    `arcsec`: float64 array of shape (m,), their separation. Sorted by (first, second).
    """

    first: np.ndarray
    second: np.ndarray
    arcsec: np.ndarray

    def __len__(self) -> int:
        return len(self.first)


def pairs_within(ra_deg: np.ndarray, dec_deg: np.ndarray, radius_arcsec: float) -> SkyPairs:
    """All pairs of one list at most `radius_arcsec` apart, each pair once (first < second).

    `ra_deg`, `dec_deg`: arrays of shape (n,), degrees; rows with NaN have no neighbour.
    """
    known, tree = _tree(ra_deg, dec_deg)
    if tree is None:
        return _no_pairs()
    rows = tree.query_pairs(_chord(radius_arcsec), output_type="ndarray")
    rows = np.sort(rows.astype(np.int64), axis=1)
    return _measured(tree.data, tree.data, known, known, rows)


def pairs_between(
    first: tuple[np.ndarray, np.ndarray],
    second: tuple[np.ndarray, np.ndarray],
    radius_arcsec: float,
) -> SkyPairs:
    """All pairs (row of `first`, row of `second`) at most `radius_arcsec` apart.

    Each list is (ra_deg, dec_deg); rows with NaN have no neighbour.
    """
    known_a, tree_a = _tree(*first)
    known_b, tree_b = _tree(*second)
    if tree_a is None or tree_b is None:
        return _no_pairs()
    near = tree_a.query_ball_tree(tree_b, _chord(radius_arcsec))
    rows = np.array([(i, j) for i, js in enumerate(near) for j in js], dtype=np.int64)
    return _measured(tree_a.data, tree_b.data, known_a, known_b, rows.reshape(-1, 2))


def sky_groups(ra_deg: np.ndarray, dec_deg: np.ndarray, radius_arcsec: float) -> np.ndarray:
    """Number of the group each position belongs to, an int64 array of shape (n,).

    Positions closer than `radius_arcsec` share a group, and so do neighbours of
    neighbours (connected components). A position that is NaN is a group of its own.
    Groups are numbered in the order in which they first occur.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(ra_deg)
    pairs = pairs_within(ra_deg, dec_deg, radius_arcsec)
    links = coo_array((np.ones(len(pairs)), (pairs.first, pairs.second)), shape=(count, count))
    _, component = connected_components(links, directed=False)
    _, first_row, group = np.unique(component, return_index=True, return_inverse=True)
    rank = np.empty(len(first_row), dtype=np.int64)
    rank[np.argsort(first_row)] = np.arange(len(first_row))
    return rank[group]


def positions_of_names(names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Right ascension and declination in degrees read from names like ``J000330.73+002756.1``.

    Returns two float64 arrays of shape (n,), NaN where a name holds no J2000 position.
    """
    positions = np.array([_position(name) for name in names], dtype=np.float64).reshape(-1, 2)
    return positions[:, 0], positions[:, 1]


def _position(name: str) -> tuple[float, float]:
    found = _NAME.match(name)
    if found is None:
        return float("nan"), float("nan")
    hours, minutes, seconds, sign, degrees, arcmin, arcsec = found.groups()
    ra_deg = 15.0 * (int(hours) + int(minutes) / 60 + float(seconds) / 3600)
    dec_deg = int(degrees) + int(arcmin) / 60 + float(arcsec) / 3600
    return ra_deg, -dec_deg if sign == "-" else dec_deg


def _tree(ra_deg: np.ndarray, dec_deg: np.ndarray) -> tuple[np.ndarray, object | None]:
    """Rows with a position, and a search tree over their unit vectors (None if there is none)."""
    from scipy.spatial import cKDTree

    ra = np.radians(np.asarray(ra_deg, dtype=np.float64))
    dec = np.radians(np.asarray(dec_deg, dtype=np.float64))
    known = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    if not known.size:
        return known, None
    ra, dec = ra[known], dec[known]
    vectors = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
    return known, cKDTree(vectors)


def _chord(radius_arcsec: float) -> float:
    """Straight-line distance on the unit sphere of an angle."""
    return 2.0 * float(np.sin(min(radius_arcsec / _ARCSEC_PER_RADIAN, np.pi) / 2.0))


def _measured(
    vectors_a: np.ndarray,
    vectors_b: np.ndarray,
    known_a: np.ndarray,
    known_b: np.ndarray,
    rows: np.ndarray,
) -> SkyPairs:
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    chord = np.linalg.norm(vectors_a[rows[:, 0]] - vectors_b[rows[:, 1]], axis=1)
    arcsec = 2.0 * np.arcsin(np.minimum(chord / 2.0, 1.0)) * _ARCSEC_PER_RADIAN
    return SkyPairs(known_a[rows[:, 0]], known_b[rows[:, 1]], arcsec)


def _no_pairs() -> SkyPairs:
    none = np.empty(0, dtype=np.int64)
    return SkyPairs(none, none, np.empty(0, dtype=np.float64))

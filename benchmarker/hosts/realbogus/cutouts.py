"""Stamps cut from an exposure: every tile that is needed is read once, in bounded memory.

The stamps are cut from the top of the image to its end, through a window of some hundred rows
that moves along. What lies outside the detector has the value of masked pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarker.core.errors import SettingsError
from benchmarker.hosts.realbogus.exposures import Exposure

ATLAS_MASK = -31415
SIDE = 40  # pixels
# catalogues of ATLAS count the centre of the first pixel as 0.5
OFFSET = -0.5
ROWS_AT_ONCE = 256  # of the window, besides the side of a stamp
STAMPS_AT_ONCE = 512
FARTHEST = 2**30  # positions beyond are no pixels of any detector
MOST_SIDE = 4096


@dataclass(frozen=True)
class CutForm:
    """How stamps are cut.

    Arguments
    ---------
    side : height and width in pixels
    offset : added to a catalogue's x and y, which gives 0-based pixels after rounding: -0.5
        where the centre of the first pixel is 0.5, -1 where it is 1 (FITS)
    mask : value of masked pixels and of what lies outside the detector
    """

    side: int = SIDE
    offset: float = OFFSET
    mask: int = ATLAS_MASK

    def __post_init__(self) -> None:
        if not 1 <= self.side <= MOST_SIDE:
            message = f"stamp size is {self.side}, expected 1 to {MOST_SIDE} pixels"
            raise SettingsError(message)
        if not -FARTHEST < self.offset < FARTHEST:
            message = f"offset is {self.offset}, expected a number of pixels such as -0.5"
            raise SettingsError(message)


DEFAULT_FORM = CutForm()


def corners(x: np.ndarray, y: np.ndarray, form: CutForm = DEFAULT_FORM) -> np.ndarray:
    """First row and column, 0-based, of the stamps of detections at x, y: int64 (n, 2).

    The detection is in row and column ``side // 2`` of its stamp. Places that are no number or
    far beyond any detector get a corner that is outside of every image.
    """
    positions = np.stack([np.asarray(y, float), np.asarray(x, float)], axis=-1) + form.offset
    sane = np.nan_to_num(positions, nan=FARTHEST, posinf=FARTHEST, neginf=-FARTHEST)
    pixels = np.floor(np.clip(sane, -FARTHEST, FARTHEST) + 0.5)
    return pixels.astype(np.int64) - form.side // 2


def touches(first: np.ndarray, side: int, shape: tuple[int, int]) -> np.ndarray:
    """Which stamps, by their corners (n, 2), have a pixel on a detector of that shape."""
    return ((first < np.array(shape)) & (first + side > 0)).all(axis=-1)


def cut(
    exposure: Exposure, first: np.ndarray, form: CutForm = DEFAULT_FORM
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Stamps with the corners `first`, (n, 2), in pieces.

    Each piece is the places of its stamps in `first` and the stamps, (pieces, side, side) in the
    exposure's type. Stamps that touch no pixel of the detector do not come. Raises
    `InputFileError` where the exposure cannot be decoded.
    """
    side = form.side
    places = np.flatnonzero(touches(first, side, exposure.shape))
    places = places[np.argsort(first[places, 0], kind="stable")]
    window = _Window(exposure, form)
    tops = first[places, 0]
    begin = 0
    while begin < len(places):
        end = int(np.searchsorted(tops, tops[begin] + ROWS_AT_ONCE))
        of_band = places[begin:end]
        window.move(int(tops[begin]), int(tops[end - 1]) + side, first[of_band])
        for start in range(0, len(of_band), STAMPS_AT_ONCE):
            piece = of_band[start : start + STAMPS_AT_ONCE]
            yield piece, window.stamps(first[piece])
        begin = end


class _Window:
    """Whole tile rows of an exposure with a margin of one stamp around them."""

    def __init__(self, exposure: Exposure, form: CutForm) -> None:
        self.exposure, self.side, self.mask = exposure, form.side, form.mask
        self.tile_rows = range(0)
        self.pixels = np.empty((0, 0), exposure.dtype)
        self.have = np.empty((0, 0), bool)

    def move(self, low: int, high: int, first: np.ndarray) -> None:
        """Hold rows `low` to `high` of the image, with the tiles that stamps at `first` need."""
        (height, width), (tile_height, tile_width) = self.exposure.shape, self.exposure.tile
        low, high = max(low, 0), min(high, height)
        rows = range(low // tile_height, -(-high // tile_height))
        span = min(rows.stop * tile_height, height) - rows.start * tile_height
        shape = (span + 2 * self.side, width + 2 * self.side)
        pixels = np.full(shape, self.mask, self.exposure.dtype)
        have = np.zeros((len(rows), -(-width // tile_width)), bool)
        self._keep(rows, pixels, have)
        self.tile_rows, self.pixels, self.have = rows, pixels, have
        self._fetch(self._needed(first))

    def _keep(self, rows: range, pixels: np.ndarray, have: np.ndarray) -> None:
        """Take over the tile rows that the old window has, too: no tile is decoded twice."""
        start, stop = max(rows.start, self.tile_rows.start), min(rows.stop, self.tile_rows.stop)
        if start >= stop:
            return
        old, new = start - self.tile_rows.start, start - rows.start
        have[new : new + stop - start] = self.have[old : old + stop - start]
        tile = self.exposure.tile[0]
        lines = min(stop * tile, self.exposure.shape[0]) - start * tile
        above_old, above_new = old * tile + self.side, new * tile + self.side
        pixels[above_new : above_new + lines] = self.pixels[above_old : above_old + lines]

    def _needed(self, first: np.ndarray) -> np.ndarray:
        """Which tiles of the window hold pixels of the stamps, bool (tile rows, tile columns)."""
        tile = np.array(self.exposure.tile)
        limit = np.array(self.exposure.shape)
        begin = np.maximum(first, 0) // tile - (self.tile_rows.start, 0)
        end = -(-np.minimum(first + self.side, limit) // tile) - (self.tile_rows.start, 0)
        # +1 and -1 at the corners of each stamp's tiles: their sums count the stamps in a tile
        steps = np.zeros((self.have.shape[0] + 1, self.have.shape[1] + 1), np.int64)
        np.add.at(steps, (begin[:, 0], begin[:, 1]), 1)
        np.add.at(steps, (end[:, 0], end[:, 1]), 1)
        np.add.at(steps, (begin[:, 0], end[:, 1]), -1)
        np.add.at(steps, (end[:, 0], begin[:, 1]), -1)
        return steps.cumsum(axis=0).cumsum(axis=1)[:-1, :-1] > 0

    def _fetch(self, needed: np.ndarray) -> None:
        missing = needed & ~self.have
        # neighbouring rows of tiles that lack the same columns are read together
        changes = np.flatnonzero((missing[1:] != missing[:-1]).any(axis=1)) + 1
        edges = [0, *changes.tolist(), len(missing)]
        for top, bottom in pairwise(edges):
            for left, right in _runs(missing[top]):
                self._read(range(top, bottom), range(left, right))
        self.have |= missing

    def _read(self, tile_rows: range, tile_columns: range) -> None:
        (height, width), (tile_height, tile_width) = self.exposure.shape, self.exposure.tile
        above = self.tile_rows.start * tile_height
        top = above + tile_rows.start * tile_height
        bottom = min(above + tile_rows.stop * tile_height, height)
        left, right = tile_columns.start * tile_width, min(tile_columns.stop * tile_width, width)
        inside = (
            slice(top - above + self.side, bottom - above + self.side),
            slice(left + self.side, right + self.side),
        )
        self.pixels[inside] = self.exposure.read(slice(top, bottom), slice(left, right))

    def stamps(self, first: np.ndarray) -> np.ndarray:
        """Stamps at corners inside the window, (n, side, side), a copy."""
        views = np.lib.stride_tricks.sliding_window_view(self.pixels, (self.side, self.side))
        above = self.tile_rows.start * self.exposure.tile[0]
        return views[first[:, 0] - above + self.side, first[:, 1] + self.side]


def _runs(wanted: np.ndarray) -> Iterator[tuple[int, int]]:
    """Begin and end of each stretch of true values."""
    padded = np.concatenate([[False], wanted, [False]]).astype(np.int8)
    steps = np.diff(padded)
    begins, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    yield from zip(begins.tolist(), ends.tolist(), strict=True)

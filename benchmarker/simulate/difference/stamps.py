"""Stamps of simulated detections without exposures: for training and tests, one at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmarker.core.errors import SettingsError
from benchmarker.core.seeds import generator
from benchmarker.simulate.difference import bogus as bogus_kinds
from benchmarker.simulate.difference import reals
from benchmarker.simulate.difference.finder import matched_filter
from benchmarker.simulate.difference.reals import draw_kind
from benchmarker.simulate.difference.scene import (
    MASK,
    Canvas,
    Conditions,
    draw_conditions,
    magnitude_of,
)

LEAST_SIZE, MOST_SIZE = 12, 200
MARGIN_PX = 6  # around a stamp: the finder's peak may lie so far from what was drawn
SEARCH_PX = 3
NOISE_SIDE = 140  # of the empty sky in which the highest peak is looked for


@dataclass(frozen=True, eq=False)
class Stamps:
    """Simulated stamps, the real ones first.

    Arguments
    ---------
    pixels : float32 (n, size, size), whole ADU, masked pixels -31415
    labels : int64 (n,), 1 real, 0 bogus
    kinds : str (n,), of `reals.SHARES` or `bogus.SHARES`
    snr : float64 (n,), of a real source as put in, of a bogus one as found
    magnitude : float64 (n,), NaN where no flux is found
    """

    pixels: np.ndarray
    labels: np.ndarray
    kinds: np.ndarray
    snr: np.ndarray
    magnitude: np.ndarray


def simulate_stamps(real: int, bogus: int, *, size: int = 40, seed: int) -> Stamps:
    """So many real and bogus stamps; each depends on the seed and its own number alone.

    The detection lies in pixel ``size // 2`` of both axes, where the peak of the matched filter
    is. Raises `SettingsError` for counts or sizes that are not allowed.
    """
    if real < 0 or bogus < 0 or real + bogus < 1:
        message = f"{real} real and {bogus} bogus stamps, expected at least one in all"
        raise SettingsError(message)
    if not LEAST_SIZE <= size <= MOST_SIZE:
        message = f"stamps of {size} pixels, expected {LEAST_SIZE} to {MOST_SIZE}"
        raise SettingsError(message)
    found = [real_stamp(index, size, seed) for index in range(real)]
    found += [bogus_stamp(index, size, seed) for index in range(bogus)]
    return Stamps(
        pixels=np.stack([stamp for stamp, *_ in found]),
        labels=np.repeat(np.array([1, 0], np.int64), [real, bogus]),
        kinds=np.array([kind for _, kind, *_ in found]),
        snr=np.array([snr for *_, snr, _ in found]),
        magnitude=np.array([magnitude for *_, magnitude in found]),
    )


Stamp = tuple[np.ndarray, str, float, float]


def real_stamp(index: int, size: int, seed: int) -> Stamp:
    """Pixels, kind, signal to noise and magnitude of one real source."""
    draw = generator(seed, "difference stamp", "real", index)
    canvas = _canvas(size + 2 * MARGIN_PX, draw)
    place = _middle(canvas, draw)
    kind = draw_kind(draw, reals.SHARES)
    canvas.begin()
    source = reals.add_real(canvas, place, kind, reals.draw_snr(draw), draw)
    image = canvas.finish(draw)
    row, column, _ = _peak(image, canvas.conditions, SEARCH_PX)
    return _cut(image, row, column, size), kind, source.snr, source.magnitude


def bogus_stamp(index: int, size: int, seed: int) -> Stamp:
    """Pixels, kind, signal to noise and magnitude of one bogus detection."""
    draw = generator(seed, "difference stamp", "bogus", index)
    kind = draw_kind(draw, bogus_kinds.SHARES)
    empty = kind == bogus_kinds.NOISE_PEAK
    search = {
        bogus_kinds.NOISE_PEAK: NOISE_SIDE // 2 - 1,
        # nothing is found in a masked core, but beside it
        bogus_kinds.BRIGHT_STAR: MARGIN_PX,
    }.get(kind, SEARCH_PX)
    canvas = _canvas(size + 2 * MARGIN_PX + (NOISE_SIDE if empty else 0), draw)
    canvas.begin()
    bogus_kinds.add_bogus(canvas, _middle(canvas, draw), kind, draw)
    image = canvas.finish(draw)
    row, column, flux = _peak(image, canvas.conditions, search)
    snr = flux * canvas.conditions.snr_per_flux(canvas.conditions.matched)
    return _cut(image, row, column, size), kind, snr, magnitude_of(flux)


def _canvas(side: int, draw: np.random.Generator) -> Canvas:
    return Canvas((side, side), draw_conditions(draw))


def _middle(canvas: Canvas, draw: np.random.Generator) -> tuple[float, float]:
    half = canvas.shape[0] // 2
    return half + draw.uniform(-0.5, 0.5), half + draw.uniform(-0.5, 0.5)


def _peak(image: np.ndarray, conditions: Conditions, search: int) -> tuple[int, int, float]:
    """Row, column and flux of the highest filtered pixel near the middle, which is not masked."""
    middle = image.shape[0] // 2
    near = slice(middle - search, middle + search + 1)
    filtered = matched_filter(image, conditions)[near, near].astype(np.float64)
    filtered[image[near, near] == MASK] = -math.inf
    place = int(filtered.argmax())
    flux = filtered.flat[place]
    row, column = divmod(place, filtered.shape[1])
    if not math.isfinite(flux):  # all masked: a bright star's core
        return middle, middle, math.nan
    return middle - search + row, middle - search + column, float(flux)


def _cut(image: np.ndarray, row: int, column: int, size: int) -> np.ndarray:
    top, left = row - size // 2, column - size // 2
    return image[top : top + size, left : left + size].astype(np.float32)

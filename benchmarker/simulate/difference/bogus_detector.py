"""Bogus detections that do not come from stars: the detector's faults, particles, trails."""

from __future__ import annotations

import math

import numpy as np

from benchmarker.simulate.difference.scene import Canvas, offsets

Place = tuple[float, float]
RAY_SIGMAS, RAY_MEAN_PX, RAY_MOST_PX = (8.0, 200.0), 2.5, 10.0
TRAIL_SIGMAS, TRAIL_HALF_PX = (3.0, 30.0), (25, 120)
SPIKE_DECAY_PX = (10.0, 40.0)
COLUMN_SIGMAS, COLUMN_HALF_PX = (4.0, 40.0), (20, 150)
BURN_SIGMAS, BURN_DECAY_PX, BURN_HALF_PX = (8.0, 80.0), (5.0, 25.0), 60
EDGE_HALF_PX, EDGE_SIGMAS = 24, (4.0, 25.0)
GHOST_RADIUS_PX, GHOST_SIGMAS, GHOST_HALF_PX = (2.5, 6.0), (2.0, 10.0), 12


def _even(draw: np.random.Generator, bounds: tuple[float, float]) -> float:
    """Even in the logarithm."""
    return float(np.exp(draw.uniform(*np.log(bounds))))


def add_cosmic_ray(canvas: Canvas, place: Place, draw: np.random.Generator) -> None:
    """A particle: one to ten pixels long and not blurred by the optics."""
    length = min(draw.exponential(RAY_MEAN_PX), RAY_MOST_PX - 1.0)
    angle = draw.uniform(0.0, math.pi)
    charge = canvas.conditions.noise * _even(draw, RAY_SIGMAS)
    box = canvas.box(*place, 8)
    down, across = offsets(box, *place)
    patch = np.zeros((down.size, across.size))
    points = 1 + int(8 * length)
    for step in np.linspace(-length / 2.0, length / 2.0, points).tolist():
        hit = (np.abs(down - step * math.sin(angle)) <= 0.5) & (
            np.abs(across - step * math.cos(angle)) <= 0.5
        )
        patch[hit] += 1.0
    if patch.size:
        patch *= charge / max(float(patch.max()), 1.0)
        canvas.add(box, patch * draw.uniform(0.7, 1.0, patch.shape))


def add_trail(canvas: Canvas, place: Place, draw: np.random.Generator) -> None:
    """A satellite or aircraft (even in brightness), or a spike of a bright star (fading)."""
    angle = draw.uniform(0.0, math.pi)
    half = int(draw.integers(*TRAIL_HALF_PX))
    box = canvas.box(*place, half)
    down, across = offsets(box, *place)
    beside = down * math.cos(angle) - across * math.sin(angle)
    along = across * math.cos(angle) + down * math.sin(angle)
    width = canvas.conditions.psf.fwhm / 2.355 * draw.uniform(0.9, 1.5)
    shape = np.exp(-0.5 * (beside / width) ** 2) * (np.abs(along) < half)
    if draw.random() < 0.5:
        decay, start = draw.uniform(*SPIKE_DECAY_PX), draw.uniform(5.0, 15.0)
        shape *= np.where(along > -start, np.exp(-(along + start) / decay), 0.0)
    canvas.add(box, canvas.conditions.noise * _even(draw, TRAIL_SIGMAS) * shape)


def add_column(canvas: Canvas, place: Place, draw: np.random.Generator) -> None:
    """A hot or dead column; its neighbour is masked."""
    half = int(draw.integers(*COLUMN_HALF_PX))
    box = canvas.box(*place, half)
    down, across = offsets(box, math.floor(place[0] + 0.5), math.floor(place[1] + 0.5))
    # a dead column goes down as often as a hot one goes up, but is seen by its masked neighbour
    sign = 1.0 if draw.random() < 0.6 else -1.0
    height = sign * canvas.conditions.noise * _even(draw, COLUMN_SIGMAS)
    here = np.broadcast_to(across == 0, (down.size, across.size))
    uneven = 1.0 + 0.15 * draw.standard_normal((down.size, 1))
    canvas.add(box, height * uneven * here)
    side = 1 if draw.random() < 0.5 else -1
    canvas.hide(box, np.broadcast_to(across == side, here.shape))


def add_burn(canvas: Canvas, place: Place, draw: np.random.Generator) -> None:
    """Charge of a bright star left in its column, released over the next rows."""
    box = canvas.box(*place, BURN_HALF_PX)
    down, across = offsets(box, *place)
    decay, width = draw.uniform(*BURN_DECAY_PX), draw.uniform(0.5, 1.2)
    start = draw.uniform(0.0, 4.0)
    way = 1.0 if draw.random() < 0.5 else -1.0
    fall = np.where(way * down >= -start, np.exp(-(way * down + start) / decay), 0.0)
    patch = fall * np.exp(-0.5 * (across / width) ** 2)
    canvas.add(box, canvas.conditions.noise * _even(draw, BURN_SIGMAS) * patch)


def add_edge(canvas: Canvas, place: Place, draw: np.random.Generator) -> None:
    """The edge of a detector or amplifier: nothing beyond, and a ridge of light along it."""
    box = canvas.box(*place, EDGE_HALF_PX)
    down, across = offsets(box, *place)
    # the edge runs along rows or columns, one to five pixels from the detection
    along, towards = (across, down) if draw.random() < 0.5 else (down, across)
    way = 1.0 if draw.random() < 0.5 else -1.0
    inside = way * towards + draw.uniform(0.5, 5.0)
    inside, along = np.broadcast_arrays(inside, along)
    glow = np.exp(-np.maximum(inside, 0.0) / draw.uniform(0.8, 3.0))
    knot = 0.4 + np.exp(-0.5 * (along / draw.uniform(1.0, 3.0)) ** 2)
    height = canvas.conditions.noise * _even(draw, EDGE_SIGMAS)
    canvas.add(box, height * glow * knot * (inside > 0))
    beyond = inside <= 0
    if draw.random() < 0.5:
        canvas.hide(box, beyond)
    else:
        canvas.zeroed[box] |= beyond
        canvas.owner[box] = np.where(beyond, canvas.things, canvas.owner[box])


def add_crosstalk(canvas: Canvas, place: Place, draw: np.random.Generator) -> None:
    """A ghost of a bright star read by another amplifier: wide, flat, of either sign."""
    box = canvas.box(*place, GHOST_HALF_PX)
    down, across = offsets(box, *place)
    stretch = draw.uniform(0.7, 1.4)
    distance = np.hypot(down * stretch, across / stretch)
    soft = np.clip((draw.uniform(*GHOST_RADIUS_PX) - distance) + 0.5, 0.0, 1.0)
    sign = 1.0 if draw.random() < 0.5 else -1.0
    canvas.add(box, sign * canvas.conditions.noise * _even(draw, GHOST_SIGMAS) * soft)

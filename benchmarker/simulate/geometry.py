"""The ridge lines of a source: two arms that may turn, seen under an inclination."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

PATH_STEPS = 16


@dataclass(frozen=True)
class Shape:
    """Shape of a source in space; every field is a number or an array of shape (n,).

    Lengths are in arcsec as seen from the side, angles in radians. Arm 0 approaches,
    arm 1 recedes. `turn` bends an arm within a plane through the jet axis that stands at
    `plane` to the line of sight; an arm starts to turn at the share `onset` of its length.
    """

    length_0: np.ndarray
    length_1: np.ndarray
    turn_0: np.ndarray
    turn_1: np.ndarray
    onset: np.ndarray
    inclination: np.ndarray
    plane: np.ndarray

    def take(self, index: int) -> Shape:
        """Shape number `index` of many."""
        return Shape(*(getattr(self, f.name)[index] for f in fields(self)))


def ridge(shape: Shape, arm: int, along: np.ndarray) -> np.ndarray:
    """Points on the sky of an arm at the shares `along` of its length.

    Arguments
    ---------
    shape : one shape, or n of them
    arm : 0 (approaching) or 1
    along : shares from 0 (core) to 1 (end), shape (k,)

    Returns offsets from the core in arcsec, shape (..., k, 2): along the projected jet
    axis, and across it.
    """
    length, turn = (shape.length_0, shape.turn_0) if arm == 0 else (shape.length_1, shape.turn_1)
    steps = (np.arange(PATH_STEPS) + 0.5) / PATH_STEPS
    # half of the arm's length is enough for the turn: a jet that meets a wind bends at once
    turned = np.clip((steps - np.expand_dims(shape.onset, -1)) / 0.5, 0.0, 1.0)
    direction = np.expand_dims(turn, -1) * turned * (2.0 - turned)
    straight = _running_sum(np.cos(direction), along) * np.expand_dims(length, -1)
    sideways = _running_sum(np.sin(direction), along) * np.expand_dims(length, -1)
    sign = 1.0 if arm == 0 else -1.0
    lean, plane = np.expand_dims(shape.inclination, -1), np.expand_dims(shape.plane, -1)
    on_axis = sign * straight * np.sin(lean) + sideways * np.cos(plane) * np.cos(lean)
    return np.stack([on_axis, sideways * np.sin(plane)], axis=-1)


def _running_sum(values: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Integral of `values`, shape (..., PATH_STEPS), from 0 to each share of `along`."""
    sums = np.cumsum(values, axis=-1) / PATH_STEPS
    sums = np.concatenate([np.zeros((*values.shape[:-1], 1)), sums], axis=-1)
    place = np.clip(along, 0.0, 1.0) * PATH_STEPS
    low = np.minimum(place.astype(np.int64), PATH_STEPS - 1)
    return sums[..., low] + (sums[..., low + 1] - sums[..., low]) * (place - low)


ENDS = np.array([0.5, 1.0])


def bending_deg(shape: Shape) -> np.ndarray:
    """Bending angle on the sky: 180 degrees less the angle between the arms' ends at the core."""
    first, second = ridge(shape, 0, ENDS)[..., -1, :], ridge(shape, 1, ENDS)[..., -1, :]
    inner = np.sum(first * second, axis=-1)
    lengths = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    cosine = np.clip(-inner / np.maximum(lengths, 1e-12), -1.0, 1.0)
    return np.degrees(np.arccos(cosine))


def extent_arcsec(shape: Shape) -> np.ndarray:
    """Largest distance on the sky between core, middles and ends of the arms."""
    arms = [ridge(shape, 0, ENDS), ridge(shape, 1, ENDS)]
    points = np.concatenate([np.zeros_like(arms[0][..., :1, :]), *arms], axis=-2)
    apart = points[..., :, np.newaxis, :] - points[..., np.newaxis, :, :]
    return np.linalg.norm(apart, axis=-1).max(axis=(-1, -2))

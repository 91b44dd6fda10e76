"""Simulated FIRST-like radio galaxies: the data set that is there when no data is.

Compact, FR I, FR II and bent sources, drawn from physical parameters and seen as VLA
FIRST would: ``docs/simulated-radio-galaxies.md`` says what is and is not realistic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from benchmarker.data.images import ArrayPixels, ImageSet
from benchmarker.simulate.fits_files import write_fits
from benchmarker.simulate.populations import CLASSES
from benchmarker.simulate.sample import (
    LARGEST_PX,
    SimulatedPixels,
    check,
    columns_of,
    plan,
    truth_of,
)
from benchmarker.simulate.survey import FIRST, Survey
from benchmarker.simulate.truth import draw

__all__ = [
    "CLASSES",
    "FIRST",
    "Survey",
    "lazy_images",
    "parameters",
    "simulate_images",
    "truth_of",
    "write_fits",
]

VERSION = 1  # raise it when the same seed gives other images; records hold it
# 60, 15 and 25 percent of every twenty sources of a class, mixed so that five hold all three
SPLIT_ORDER = tuple(
    {"t": "train", "v": "validation", "s": "test"}[letter] for letter in "ttstvtsttvsttstttvst"
)


def simulate_images(
    counts: Mapping[str, int] | int,
    *,
    size: int = 150,
    seed: int = 8901,
    split: bool = True,
    survey: Survey = FIRST,
) -> ImageSet:
    """Simulate radio galaxies, with the images in memory.

    Source `i` of a class depends on (seed, class, i) alone, so a larger set begins with
    the smaller one. Rows take the classes in turn.

    Arguments
    ---------
    counts : number per class, or one number for all four
    size : height and width in pixels, 64 to 300
    seed : not negative
    split : whether to publish a split (60 % train, 15 % validation, 25 % test of a class)
    survey : beam, pixels, noise and background

    Returns images of shape (size, size, 1), float32, Jy/beam, row 0 south, column 0 east.

    Raises `SettingsError` for unknown classes, counts below 0, no source at all, other
    sizes, a negative seed.
    """
    lazy = lazy_images(counts, size=size, seed=seed, split=split, survey=survey)
    array = np.stack([lazy.pixels.read(row) for row in range(len(lazy))])
    return replace(lazy, pixels=ArrayPixels(array, lazy.name))


def lazy_images(
    counts: Mapping[str, int] | int,
    *,
    size: int = 150,
    seed: int = 8901,
    split: bool = True,
    survey: Survey = FIRST,
) -> ImageSet:
    """The same set as `simulate_images`, each image drawn when it is read (some 3 ms)."""
    check(size, seed)
    rows = plan(counts)
    truths = tuple(draw(seed, label, index, survey) for label, index in rows)
    numbers = tuple(index for _, index in rows)
    return ImageSet(
        name="simulated",
        pixels=SimulatedPixels(truths, numbers, seed, size, survey),
        labels=np.array([CLASSES.index(label) for label, _ in rows], dtype=np.int64),
        classes=CLASSES,
        sources=tuple(truth.source for truth in truths),
        ra_deg=np.array([truth.ra_deg for truth in truths]),
        dec_deg=np.array([truth.dec_deg for truth in truths]),
        published_split=tuple(SPLIT_ORDER[i % len(SPLIT_ORDER)] for i in numbers)
        if split
        else None,
        pixel_scale_arcsec=survey.pixel_arcsec,
        provenance={
            "reader": "simulated",
            "version": VERSION,
            "seed": seed,
            "size": size,
            "counts": {name: sum(label == name for label, _ in rows) for name in CLASSES},
            "survey": survey.as_dict(),
        },
    )


def parameters(
    counts: Mapping[str, int] | int, *, seed: int = 8901, survey: Survey = FIRST
) -> dict[str, np.ndarray]:
    """The drawn truth of `simulate_images` with the same arguments: columns of equal length.

    Column names and units are the fields of `Truth`.
    """
    check(LARGEST_PX, seed)
    return columns_of([draw(seed, label, index, survey) for label, index in plan(counts)])

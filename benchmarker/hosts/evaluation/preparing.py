"""Images from anywhere, made what a trained network takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.data.images import ImageSet
from benchmarker.data.preparation import NAMED, Preparation, named_preparation, prepare
from benchmarker.runs.trained import PreparedInMemory, Trained

# MiraBest images are the central 150 x 150 pixels; padded to 151 they are `scaife2021`
_PADDED = {(151, 151): (150, 150)}


@dataclass(frozen=True)
class Fitting:
    """From a stored image to one that a network takes.

    Arguments
    ---------
    trained : the network
    preparation : of images like those it was trained on
    crop : whether larger images may be cut to their centre
    named : name of a preparation that the user chose, which is used as it is
    """

    trained: Trained
    preparation: Preparation
    crop: bool = False
    named: str | None = None

    @classmethod
    def of(cls, trained: Trained, *, crop: bool = False, named: str | None = None) -> Fitting:
        """The network's own preparation, or the one called `named`."""
        if named is None:
            return cls(trained, trained.preparation, crop)
        return cls(trained, named_preparation(named, trained.preparation.size), crop, named)

    def for_image(self, image: np.ndarray, where: str) -> Preparation:
        """The preparation that fits a stored image, (height, width[, channels]).

        Prepared uint8 images are only divided by 255; a cut-out in physical units has to be
        clipped and scaled first, as `fits_counterpart` does. Raises `InputFileError` where
        the image does not come to the size that the network takes.
        """
        chosen = self.preparation
        if chosen.normalise == "scale255" and image.dtype != np.uint8:
            chosen = self._for_floats(where)
        wanted = self.trained.shape[:2]
        height, width = (int(side) for side in image.shape[:2])
        found = chosen.shape_of(height, width)
        if found == wanted:
            return chosen
        size = f"{where} is {height} x {width} pixels, {self.trained.network} takes "
        larger = all(side >= need for side, need in zip(found, wanted, strict=True))
        if larger and self.crop:
            return replace(chosen, size=_before_padding(chosen, wanted))
        advice = "--crop takes its centre" if larger else "images are never enlarged"
        message = f"{size}{wanted[0]} x {wanted[1]}: {advice}"
        raise InputFileError(message)

    def prepare(self, image: np.ndarray, where: str) -> np.ndarray:
        """float32 (height, width, 1), before the last scaling; raises `InputFileError`."""
        return prepare(image, self.for_image(image, where), where)

    def _for_floats(self, where: str) -> Preparation:
        found = None if self.named else fits_counterpart(self.preparation, self.trained.shape[:2])
        if found is not None:
            return found
        taking = [name for name, one in NAMED.items() if one.normalise != "scale255"]
        message = (
            f"{where} holds numbers in its own unit, and preparation "
            f"{self.named or 'of ' + self.trained.network} is for prepared images of 8 bits: "
            f"expected --preparation with one of {', '.join(taking)}"
        )
        raise InputFileError(message)


def fits_counterpart(preparation: Preparation, shape: Sequence[int]) -> Preparation | None:
    """What makes from a cut-out in physical units the image that `preparation` expects.

    Clip and scaling are those by which MiraBest was made (3 sigma-clipped deviations, central
    crop, 8 bits); the rest is as in `preparation`. `shape` is (height, width) of a prepared
    image. None where the size before padding is not known.
    """
    height, width = (int(side) for side in shape)
    size = preparation.size
    if size is None:
        size = (height, width) if preparation.pad is None else _PADDED.get((height, width))
    if size is None:
        return None
    return replace(preparation, clip="mirabest", normalise="minmax", size=size)


def name_of(preparation: Preparation) -> str:
    """The name of a preparation, or its clip where it has none."""
    found = (name for name, one in NAMED.items() if one == preparation)
    return next(found, f"that of the network, clipped as {preparation.clip}")


def prepare_set(images: ImageSet, names: Sequence[str], fitting: Fitting) -> PreparedInMemory:
    """The named images of a set in memory, as the network takes them.

    Raises `InputFileError` naming an image that cannot be used, `SettingsError` for no name.
    """
    if not names:
        message = f"no image of {images.name} is left to test"
        raise SettingsError(message)
    place = {name: row for row, name in enumerate(images.sources)}
    values = np.empty((len(names), *fitting.trained.shape), np.float32)
    for row, name in enumerate(names):
        image = images.pixels.read(place[name])
        values[row] = fitting.prepare(image, f"{name} of {images.name}")
    labels = np.array([images.labels[place[name]] for name in names], np.int64)
    return PreparedInMemory(values, tuple(names), labels, fitting.preparation)


def _before_padding(preparation: Preparation, wanted: tuple[int, int]) -> tuple[int, int]:
    return wanted if preparation.pad is None else _PADDED.get(wanted, wanted)

"""Variants of an image; with `radio_transforms` the only module that knows albumentations.

Fixed variants turn about the centre of the pixel grid, ((columns - 1) / 2, (rows - 1) / 2),
counter-clockwise as an array is printed (the direction of `numpy.rot90`), keep the shape,
interpolate bilinearly and fill with 0. Multiples of 90 degrees only move pixels.
"""

from __future__ import annotations

import copy
import os
import threading
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarker.core.errors import SettingsError
from benchmarker.core.seeds import derive_seed
from benchmarker.data.recipes import CLASS, OWN_TRANSFORMS, Recipe, Variant

_of_thread = threading.local()  # transforms hold state, so each thread has its own
_building = threading.Lock()
_prototypes: dict[str, Any] = {}


def _albumentations() -> Any:
    # without this its import asks the network for a newer version
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    import albumentations
    import cv2

    # one thread: the order of additions, and with it the last bit, stays the same
    cv2.setNumThreads(1)
    return albumentations


def interpolation_versions() -> dict[str, str]:
    """Versions of the libraries that compute interpolated variants."""
    albumentations = _albumentations()
    import cv2

    return {"albumentations": albumentations.__version__, "opencv": cv2.__version__}


def is_interpolated(variant: Variant) -> bool:
    """Whether pixels are mixed, so that library versions matter to the last bit."""
    return variant.angle_deg % 90 != 0


def expand(image: np.ndarray, recipe: Recipe) -> np.ndarray:
    """All stored variants of one prepared image.

    Takes float32 (height, width, channels); returns float32 (variants, height, width,
    channels), in the order of ``recipe.expansion``, each within the range of the image and 0.
    """
    return np.stack([vary(image, variant) for variant in recipe.expansion])


def vary(image: np.ndarray, variant: Variant) -> np.ndarray:
    """One variant of a prepared image (height, width, channels); a fixed function."""
    source = image[:, ::-1] if variant.mirrored else image
    quarter_turns, rest = divmod(variant.angle_deg % 360, 90)
    # a quarter turn of an image that is not square would change its shape
    if rest == 0 and (image.shape[0] == image.shape[1] or quarter_turns % 2 == 0):
        return np.ascontiguousarray(np.rot90(source, int(quarter_turns)))
    turned = _rotation(variant.angle_deg % 360)(image=np.ascontiguousarray(source))["image"]
    # the sum of bilinear weights may exceed 1 by a rounding error
    low, high = min(float(image.min()), 0.0), max(float(image.max()), 0.0)
    return np.clip(turned.reshape(image.shape), low, high)


def _rotation(angle_deg: float) -> Any:
    known = _of_thread.__dict__.setdefault("rotations", {})
    if angle_deg not in known:
        limit = (angle_deg, angle_deg)
        known[angle_deg] = _albumentations().Rotate(
            limit=limit, interpolation=1, border_mode=0, fill=0, p=1
        )
    return known[angle_deg]


def draw(image: np.ndarray, recipe: Recipe, seed: int, epoch: int, index: int) -> np.ndarray:
    """The image as a random recipe shows it in one epoch.

    A pure function of its arguments: the same in any thread, order and process. Takes and
    returns float32 (height, width, channels). A recipe without transforms returns the
    image unchanged. Raises `SettingsError` for a transform that albumentations refuses or
    that changes the shape.
    """
    if not recipe.transforms:
        return image
    pipeline = _pipeline(recipe)
    pipeline.set_random_seed(derive_seed(seed, epoch, index, "augment"))
    drawn = np.asarray(pipeline(image=np.ascontiguousarray(image))["image"])
    if drawn.size != image.size or drawn.shape[:2] != image.shape[:2]:
        message = (
            f"recipe {recipe.name} changes the shape of an image: expected {image.shape}, "
            f"got {drawn.shape}"
        )
        raise SettingsError(message)
    return np.ascontiguousarray(drawn.reshape(image.shape), dtype=np.float32)


def _pipeline(recipe: Recipe) -> Any:
    known = _of_thread.__dict__.setdefault("pipelines", {})
    if recipe.digest not in known:
        # catching warnings changes the whole process: done once, not once per thread
        with _building:
            if recipe.digest not in _prototypes:
                _prototypes[recipe.digest] = _build_pipeline(recipe)
            known[recipe.digest] = copy.deepcopy(_prototypes[recipe.digest])
    return known[recipe.digest]


def check_transforms(recipe: Recipe) -> None:
    """Raise `SettingsError` if albumentations refuses the transforms of `recipe`."""
    if recipe.transforms:
        _pipeline(recipe)


def _build_pipeline(recipe: Recipe) -> Any:
    albumentations = _albumentations()
    transforms = [_serialised(transform) for transform in recipe.transforms]
    serialised = {
        "__version__": albumentations.__version__,
        "transform": {CLASS: "Compose", "p": 1.0, "transforms": transforms},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # an argument it does not know is only warned about
        try:
            return albumentations.from_dict(serialised)
        except Exception as error:
            message = f"recipe {recipe.name}: albumentations refuses it: {error}"
            raise SettingsError(message) from error


def _serialised(transform: Mapping[str, Any]) -> dict[str, Any]:
    """A transform of a recipe as albumentations finds it: ours under their full names."""
    if transform[CLASS] not in OWN_TRANSFORMS:
        return dict(transform)
    from benchmarker.data import radio_transforms  # being imported makes them known

    return {**transform, CLASS: f"{radio_transforms.__name__}.{transform[CLASS]}"}

"""Augmentation recipes: which variants of an image are stored, and what is drawn per epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from benchmarker.core.errors import InputFileError, Problems, SettingsError, suggest
from benchmarker.core.folders import find_text
from benchmarker.core.hashing import digest_json

VERSION = 1  # part of every digest: raise it when a recipe of the same text does something else
KEYS = ("about", "rotations", "flips", "draw", "transforms")
DRAWS = ("all", "one")
MOST_ROTATIONS = 360
PUBLISHED_RECIPE = "affine"  # rotation, small shift and scale of Bowles et al. 2021

# What a recipe may name: transforms that keep the shape and read nothing but the image.
OWN_TRANSFORMS = (  # of `benchmarker.data.radio_transforms`
    "BeamConvolution", "CorrelatedNoise", "SidelobeRipples", "SkyAffine",
)  # fmt: skip
TRANSFORMS = (
    "Affine", "CoarseDropout", "D4", "ElasticTransform", "GaussNoise", "GaussianBlur",
    "GridDistortion", "HorizontalFlip", "MultiplicativeNoise", "RandomBrightnessContrast",
    "RandomGamma", "RandomRotate90", "Rotate", "ShiftScaleRotate", "Transpose", "VerticalFlip",
    *OWN_TRANSFORMS,
)  # fmt: skip
CLASS = "__class_fullname__"


class Variant(NamedTuple):
    """One stored variant: mirrored left-right if asked, then turned counter-clockwise."""

    angle_deg: float
    mirrored: bool


PLAIN = Variant(0.0, False)


@dataclass(frozen=True)
class Recipe:
    """How images are varied for training.

    Arguments
    ---------
    name : word for records
    expansion : the variants of each source that are prepared once and stored
    draw : ``all``: an epoch shows every variant; ``one``: one variant of each source,
        drawn anew each epoch
    transforms : transforms in the serialised form of albumentations, drawn anew for each
        image and epoch; empty for a fixed recipe
    """

    name: str
    expansion: tuple[Variant, ...] = (PLAIN,)
    draw: str = "all"
    transforms: tuple[Mapping[str, Any], ...] = ()

    @property
    def variants(self) -> int:
        """Number of stored images per source."""
        return len(self.expansion)

    @property
    def is_random(self) -> bool:
        """Whether an image looks different from epoch to epoch."""
        return bool(self.transforms)

    @property
    def draws_one(self) -> bool:
        """Whether an epoch shows one variant of each source instead of all."""
        return self.draw == "one" and self.variants > 1

    def as_dict(self) -> dict[str, Any]:
        """The whole recipe, JSON-ready, as a run record shows it."""
        return {
            "name": self.name,
            "expansion": [list(variant) for variant in self.expansion],
            "draw": self.draw,
            "transforms": [dict(transform) for transform in self.transforms],
        }

    @cached_property
    def digest(self) -> str:
        """Digest of what the recipe does; the name does not count."""
        content = {key: value for key, value in self.as_dict().items() if key != "name"}
        return digest_json({"version": VERSION, **content})


def rotations(step: int) -> Recipe:
    """The classic option ``-r STEP``: rotations by 0, step, 2 step ... below 360 degrees.

    >>> rotations(90).expansion[1]
    Variant(angle_deg=90.0, mirrored=False)

    Raises `SettingsError` unless `step` is a whole number from 1 to 360.
    """
    if int(step) != step or not 1 <= step <= MOST_ROTATIONS:
        message = f"rotation step must be a whole number of degrees from 1 to 360, got {step}"
        raise SettingsError(message)
    angles = [float(angle) for angle in range(0, 360, int(step))]
    name = f"rotations{len(angles)}" if 360 % step == 0 else f"rotations-step{step}"
    return Recipe(name, _expansion(angles, flips=False))


def _expansion(angles: list[float], *, flips: bool) -> tuple[Variant, ...]:
    plain = [Variant(angle, False) for angle in angles]
    return tuple(plain + [Variant(angle, True) for angle in angles] if flips else plain)


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Read a recipe from ``augment/NAME.yaml`` or from a path.

    The file is a YAML mapping: ``about`` (text), ``rotations`` (number of equal steps of a
    full turn), ``flips`` (true also stores the mirror images), ``draw`` (``all`` or
    ``one``), ``transforms`` (list of serialised albumentations transforms).

    Raises `MissingDataError` if there is no such file, `InputFileError` listing all faults.
    """
    path = find_text("augment", str(name_or_path), ".yaml")
    content = _read_yaml(path)
    problems = Problems(path)
    _check_keys(content, problems)
    _check_values(content, problems)
    problems.raise_if_any()
    count = content.get("rotations", 1)
    angles = [360.0 * turn / count for turn in range(count)]
    return Recipe(
        name=path.stem,
        expansion=_expansion(angles, flips=content.get("flips", False)),
        draw=content.get("draw", "all"),
        transforms=tuple(content.get("transforms") or ()),
    )


def recipe_of_passes(recipe: Recipe) -> Recipe:
    """The run's recipe where it draws at random, else that of the published evaluation."""
    return recipe if recipe.is_random else load_recipe(PUBLISHED_RECIPE)


def _read_yaml(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, OSError, ValueError, RecursionError) as error:
        message = f"cannot read {path} as YAML: {error}"
        raise InputFileError(message) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        message = f"{path}: expected keys and values, got {type(content).__name__}"
        raise InputFileError(message)
    return content


def _check_keys(content: dict[str, Any], problems: Problems) -> None:
    for key in content:
        if key not in KEYS:
            hint = suggest(str(key), KEYS)
            problems.add(f"unknown key {key!r}{hint}; known: {', '.join(KEYS)}")


def _check_values(content: dict[str, Any], problems: Problems) -> None:
    count = content.get("rotations", 1)
    if type(count) is not int or not 1 <= count <= MOST_ROTATIONS:
        problems.add(f"rotations must be a whole number from 1 to 360, got {count!r}")
    if type(content.get("flips", False)) is not bool:
        problems.add(f"flips must be true or false, got {content['flips']!r}")
    if content.get("draw", "all") not in DRAWS:
        problems.add(f"draw must be all or one, got {content['draw']!r}")
    transforms = content.get("transforms") or []
    if not isinstance(transforms, list):
        problems.add(f"transforms must be a list, got {type(transforms).__name__}")
        return
    for number, transform in enumerate(transforms, 1):
        _check_transform(number, transform, problems)


def _check_transform(number: int, transform: Any, problems: Problems) -> None:
    if not isinstance(transform, dict) or CLASS not in transform:
        problems.add(f"transform {number} must be a mapping with the key {CLASS}")
        return
    name = transform[CLASS]
    if name not in TRANSFORMS:
        hint = suggest(str(name), TRANSFORMS)
        problems.add(f"transform {number}: {name!r} is not allowed{hint}; {', '.join(TRANSFORMS)}")
    try:
        digest_json(transform)
    except (TypeError, ValueError) as error:
        problems.add(f"transform {number}: a value is not plain text, number or list ({error})")

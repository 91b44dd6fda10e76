"""The settings of one run: what a run-list line, the options and the defaults come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from benchmarker.core.errors import SettingsError, suggest

OPTIMIZERS = ("adam", "adamw", "sgd")
SCHEDULES = ("plateau", "plateau2020", "cosine", "constant")
CLASS_WEIGHTS = ("none", "sqrt", "balanced")
MONITORS = ("cross_entropy", "total")
PROTOCOLS = ("standard", "legacy")
PRECISIONS = ("float32",)


@dataclass(frozen=True)
class RunSettings:
    """One network, trained once, from one seed, on one data set.

    Arguments
    ---------
    network : name in the network registry
    learning_rate : initial rate, > 0
    epochs : passes over the training images, >= 1
    seed : run seed; everything random derives from it
    data : card name or path
    manifest, labels : classic manifest and label file for a folder of FITS
    fr0 : what becomes of FR0 sources (code ``1F``): ``drop``, ``merge`` or ``own``; None is
        ``own`` where the label file lists them, else ``drop``
    skip : missing or unreadable images that may be left out, recorded
    batch : images per step
    size : (height, width) of the central crop in pixels; None is the data's own size
    recipe : augmentation recipe, a name in ``augment/`` or ``rotations:STEP``
    preparation : name of a preparation; None is the one its card names
    train, validation : sources per class; None uses the published split
    split : file of a stored split, which decides instead
    optimizer, schedule, class_weights, monitor, precision, protocol : words, see the tuples above
    early_stopping : patience in epochs on the monitored loss; 0 is off
    bin_threshold : the original's 0.8-of-maximum option of its clip
    """

    network: str
    learning_rate: float
    epochs: int
    seed: int = 8901
    data: str = "simulated"
    manifest: str | None = None
    labels: str | None = None
    fr0: str | None = None
    skip: int = 0
    batch: int = 32
    size: tuple[int, int] | None = None
    recipe: str = "rotations24"
    preparation: str | None = None
    train: int | None = None
    validation: int | None = None
    split: str | None = None
    optimizer: str = "adam"
    schedule: str = "plateau"
    class_weights: str = "none"
    early_stopping: int = 0
    monitor: str = "cross_entropy"
    precision: str = "float32"
    protocol: str = "standard"
    bin_threshold: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; sizes become lists."""
        values = asdict(self)
        values["size"] = None if self.size is None else list(self.size)
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunSettings:
        """The settings that `as_dict` wrote; unknown keys raise `SettingsError`."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            message = f"unknown settings {', '.join(unknown)}; known: {', '.join(sorted(known))}"
            raise SettingsError(message)
        size = values.get("size")
        return cls(**{**values, "size": None if size is None else tuple(size)})

    @property
    def label(self) -> str:
        """Short text for progress lines."""
        return f"{self.network} lr {self.learning_rate:g} seed {self.seed}"


def parse_size(text: str) -> tuple[int, int]:
    """``150`` or ``150x200`` or ``150,200`` (rows, columns) as (height, width).

    Raises `ValueError` with a text that says what is allowed.
    """
    parts = text.lower().replace("x", ",").split(",")
    try:
        numbers = [int(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or min(numbers, default=0) < 1:
        message = f"size {text!r} is not a number of pixels; expected e.g. 150 or 150x200"
        raise ValueError(message)
    return (numbers[0], numbers[-1])


def _whole(minimum: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = minimum - 1
        if number < minimum:
            message = f"{text!r} is not a whole number of at least {minimum}"
            raise ValueError(message)
        return number

    return convert


def _rate(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0 < number < float("inf"):
        message = f"{text!r} is not a number above 0"
        raise ValueError(message)
    return number


def _word(allowed: tuple[str, ...]) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if text not in allowed:
            message = f"{text!r} is not one of {', '.join(allowed)}{suggest(text, allowed)}"
            raise ValueError(message)
        return text

    return convert


def _text(text: str) -> str:
    if not text:
        message = "the value is empty"
        raise ValueError(message)
    return text


# The keys of a run-list line beyond its three columns, each with its reader
RUN_LIST_KEYS: dict[str, Callable[[str], Any]] = {
    "batch": _whole(1),
    "size": parse_size,
    "optimizer": _word(OPTIMIZERS),
    "schedule": _word(SCHEDULES),
    "precision": _word(PRECISIONS),
    "recipe": _text,
    "data": _text,
    "preparation": _text,
    "train": _whole(1),
    "validation": _whole(1),
    "class_weights": _word(CLASS_WEIGHTS),
    "early_stopping": _whole(0),
    "monitor": _word(MONITORS),
}
read_learning_rate = _rate
read_epochs = _whole(1)

"""The settings of one run: what a run-list line, the options and the defaults come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from benchmarker.core.errors import SettingsError
from benchmarker.networks.entries import number, whole, words

OPTIMIZERS = ("adam", "adamw", "sgd")
SCHEDULES = ("plateau", "plateau2020", "cosine", "constant")
CLASS_WEIGHTS = ("none", "sqrt", "balanced")
MONITORS = ("cross_entropy", "total")
PROTOCOLS = ("standard", "legacy")
LOSSES = ("cross_entropy", "double_softmax")
KEPT = ("none", "improved", "all")
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
    subset : part of the data set that its card names, e.g. ``nohybrid``; None is all of it
    manifest, labels : classic manifest and label file for a folder of FITS
    fr0 : what becomes of FR0 sources (code ``1F``): ``drop``, ``merge`` or ``own``; None is
        ``own`` where the label file lists them, else ``drop``
    skip : missing or unreadable images that may be left out, recorded
    batch : images per step
    size : (height, width) of the central crop in pixels; None is the data's own size
    recipe : augmentation recipe, a name in ``augment/`` or ``rotations:STEP``
    preparation : name of a preparation; None is the one its card names
    train, validation : sources per class; None uses the published split. `train` alone keeps
        so many of the split's training sources and leaves its validation and test as they are
    split : file of a stored split, which decides instead
    passes : times that the training images are shown in one epoch, each time varied anew
    validation_passes : passes over the validation images with the recipe's random draws,
        whose mean cross-entropy is monitored; 0 shows them once as they are
    test_passes : passes over the test images with random draws, beside the plain test; they
        change no weight and are no part of the run's identity
    loss : ``cross_entropy`` of the scores, or ``double_softmax``: of the probabilities taken
        for scores, which cannot fall below ln(1 + (classes - 1) / e) (Bowles et al. 2021)
    weight_decay : decoupled from the gradient, per step and times the learning rate; 0 is the
        optimizer's own, 0.004 for ``adamw`` and none for the others
    keep : weights kept during training: ``none``, those of epochs that ``improved`` the
        monitored loss, or of ``all`` epochs
    init : run folder or weights file to start from; None starts at random
    freeze : layers that stay as they were: a name, or ``trunk`` for all but the last layer
    rate_factor : learning rate of the layers taken from `init`, relative to the new ones
    network_settings : pairs (name, value) that the network declares, e.g. ("gates", "3")
    optimizer, schedule, class_weights, monitor, precision, protocol : words, see the tuples above
    early_stopping : patience in epochs on the monitored loss; 0 is off
    bin_threshold : the original's 0.8-of-maximum option of its clip
    """

    network: str
    learning_rate: float
    epochs: int
    seed: int = 8901
    data: str = "simulated"
    subset: str | None = None
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
    passes: int = 1
    validation_passes: int = 0
    test_passes: int = 0
    loss: str = "cross_entropy"
    weight_decay: float = 0.0
    keep: str = "none"
    init: str | None = None
    freeze: str | None = None
    rate_factor: float = 1.0
    network_settings: tuple[tuple[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; sizes become lists, the network's settings a dictionary."""
        values = asdict(self)
        values["size"] = None if self.size is None else list(self.size)
        values["network_settings"] = dict(self.network_settings)
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
        chosen = tuple(sorted(values.get("network_settings", {}).items()))
        tuples = {"size": None if size is None else tuple(size), "network_settings": chosen}
        return cls(**{**values, **tuples})

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


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = float("nan")
    if not 0 < rate < float("inf"):
        message = f"{text!r} is not a number above 0"
        raise ValueError(message)
    return rate


def read_rate_factor(text: str) -> float:
    """A learning rate relative to another, above 0; raises `ValueError` in words."""
    try:
        return _rate(text)
    except ValueError as error:
        message = f"{error} (layers that shall not learn at all: freeze, e.g. freeze trunk)"
        raise ValueError(message) from error


def _text(text: str) -> str:
    if not text:
        message = "the value is empty"
        raise ValueError(message)
    return text


# The keys of a run-list line beyond its three columns, each with its reader
RUN_LIST_KEYS: dict[str, Callable[[str], Any]] = {
    "batch": whole(1),
    "size": parse_size,
    "optimizer": words(*OPTIMIZERS),
    "schedule": words(*SCHEDULES),
    "precision": words(*PRECISIONS),
    "recipe": _text,
    "data": _text,
    "preparation": _text,
    "train": whole(1),
    "validation": whole(1),
    "class_weights": words(*CLASS_WEIGHTS),
    "early_stopping": whole(0),
    "monitor": words(*MONITORS),
    "subset": _text,
    "passes": whole(1),
    "validation_passes": whole(0),
    "test_passes": whole(0),
    "loss": words(*LOSSES),
    "weight_decay": number(0.0),
    "keep": words(*KEPT),
    "init": _text,
    "freeze": _text,
    "rate_factor": read_rate_factor,
}
read_learning_rate = _rate
read_epochs = whole(1)

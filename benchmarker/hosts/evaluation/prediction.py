"""A stream of images through a trained network, in batches: memory does not grow with it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

import numpy as np

from benchmarker.core.errors import InputFileError
from benchmarker.data.preparation import Preparation, last_scaling, prepare
from benchmarker.hosts.evaluation.images_to_predict import Images
from benchmarker.hosts.evaluation.preparing import Fitting, name_of
from benchmarker.runs.scores import batch_of, scorer, softmax


@dataclass
class Outcome:
    """What came of a stream.

    Arguments
    ---------
    predicted : number of images by predicted class
    right, labelled : of the images whose label is a class of the network
    broken : reason by image name, for those that could not be used
    used : how images were prepared otherwise than in training, with their number
    """

    predicted: Counter[str] = field(default_factory=Counter)
    right: int = 0
    labelled: int = 0
    broken: dict[str, str] = field(default_factory=dict)
    used: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """Number of images predicted."""
        return sum(self.predicted.values())


@dataclass(frozen=True)
class Prediction:
    """What the network said of one image: scores float64 (classes,)."""

    name: str
    label: str | None
    scores: np.ndarray


def predict(
    fitting: Fitting,
    images: Images,
    outcome: Outcome,
    *,
    batch: int | None = None,
    step: Callable[[int, int], None] = lambda *_: None,
) -> Iterator[Prediction]:
    """Predictions in the order of the images, without those that could not be used.

    These are noted in `outcome` with their reasons. `step` is told how many are done.
    """
    head = scorer(fitting.trained.model)
    batch = batch_of(fitting.trained.model) if batch is None else batch
    waiting: list[tuple[int, np.ndarray]] = []
    total = len(images.names)
    for number in range(total):
        try:
            waiting.append((number, _prepared(fitting, images, number, outcome)))
        except InputFileError as error:
            outcome.broken[images.names[number]] = str(error)
        if len(waiting) == batch or (number == total - 1 and waiting):
            scores = head.predict_on_batch(np.stack([image for _, image in waiting]))
            rows = [number for number, _ in waiting]
            waiting = []
            yield from _noted(fitting, images, rows, np.asarray(scores, np.float64), outcome)
        step(number + 1, total)


def _prepared(fitting: Fitting, images: Images, number: int, outcome: Outcome) -> np.ndarray:
    name = images.names[number]
    image = images.read(number)
    chosen = fitting.for_image(image, name)
    values = prepare(image, chosen, name)
    _note_preparation(chosen, fitting, outcome)
    return last_scaling(values, chosen.standardise)


def _note_preparation(chosen: Preparation, fitting: Fitting, outcome: Outcome) -> None:
    usual = fitting.preparation
    if chosen.clip != usual.clip:
        outcome.used[f"prepared as {name_of(chosen)}: clipped, cropped and scaled"] += 1
    elif chosen.size != usual.size:
        outcome.used[f"cropped to their central {chosen.size[0]} x {chosen.size[1]} pixels"] += 1


def _noted(
    fitting: Fitting, images: Images, rows: Sequence[int], scores: np.ndarray, outcome: Outcome
) -> Iterator[Prediction]:
    classes = fitting.trained.classes
    for row, values in zip(rows, scores, strict=True):
        label = images.labels[row] if images.labels else None
        said = classes[int(values.argmax())]
        outcome.predicted[said] += 1
        if label in classes:
            outcome.labelled += 1
            outcome.right += said == label
        yield Prediction(images.names[row], label, values)


def header(classes: Sequence[str], *, labelled: bool) -> list[str]:
    """Columns of the table."""
    letters = [f"{letter}_{name}" for letter in "ps" for name in classes]
    return ["source", *(["label"] if labelled else []), "predicted", *letters]


def write_rows(
    stream: TextIO, classes: Sequence[str], predictions: Iterator[Prediction], *, labelled: bool
) -> None:
    """Write the table as it comes, each row as soon as its batch is done."""
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(header(classes, labelled=labelled))
    for one in predictions:
        table.writerow(_row(one, classes, labelled=labelled))


def _row(one: Prediction, classes: Sequence[str], *, labelled: bool) -> list[Any]:
    values = [*softmax(one.scores), *one.scores]
    label = [one.label or ""] if labelled else []
    said = classes[int(one.scores.argmax())]
    return [one.name, *label, said, *(repr(float(value)) for value in values)]


def text_into(binary: Any) -> io.TextIOWrapper:
    """A text stream on top of a binary one that stays open when the text ends."""
    return io.TextIOWrapper(binary, encoding="utf-8", newline="", write_through=True)

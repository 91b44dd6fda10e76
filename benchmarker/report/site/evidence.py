"""What the pages of a network show, in numbers, from the records of its seeds.

Everything is about the best weights (lowest validation loss) on the test set. Seeds may
have test sets of their own, where the split is drawn by the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from benchmarker.core.errors import InputFileError
from benchmarker.core.prediction_cache import predictions_of
from benchmarker.core.record_tables import Predictions
from benchmarker.core.records import Record
from benchmarker.metrics.calibration import calibration
from benchmarker.metrics.classification import confusion
from benchmarker.metrics.roc import log_odds, roc_curve
from benchmarker.metrics.selection import coverage

MODEL = "best"
# rates of false positives at which the curves of seeds are averaged: dense where they are low
RATES = np.r_[0.0, np.geomspace(5e-4, 1.0, 120)]
SHARES = np.linspace(0.02, 1.0, 50)  # coverages at which the accuracy is drawn
MOST_MISTAKES = 16

Found = TypeVar("Found")


@dataclass(frozen=True)
class SeedTest:
    """What the best weights of one seed said about its test images."""

    record: Record
    said: Predictions

    @property
    def seed(self) -> int:
        return self.record.seed

    @property
    def labels(self) -> np.ndarray:
        """The truth, int64 (n,)."""
        return self.said.labels

    @cached_property
    def ranking(self) -> np.ndarray:
        """What orders images by class, float (n, classes): as for the AUC of metrics.json."""
        scores = self.said.scores
        return self.said.probabilities if scores is None else log_odds(scores)

    @property
    def right(self) -> np.ndarray:
        """Whether the class of highest probability is the true one, bool (n,)."""
        return self.said.probabilities.argmax(axis=1) == self.labels


class Reader:
    """Reads parts of records; what cannot be read is left out and said."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def read(self, what: Callable[[], Found]) -> Found | None:
        """What `what` returns; None, and a text in `faults`, where a file is damaged."""
        try:
            return what()
        except InputFileError as error:
            self.faults.append(str(error))
            return None

    def tested(self, runs: Sequence[Record]) -> list[SeedTest]:
        """The test of each seed whose predictions are whole."""
        pairs = ((run, self.read(lambda run=run: predictions_of(run, MODEL))) for run in runs)
        return [SeedTest(run, said) for run, said in pairs if said is not None]

    def histories(self, runs: Sequence[Record]) -> dict[int, Sequence[dict[str, float]]]:
        """Epochs of each seed."""
        pairs = ((run.seed, self.read(lambda run=run: run.history)) for run in runs)
        return {seed: found for seed, found in pairs if found}


def confusion_counts(tests: Sequence[SeedTest], classes: int) -> np.ndarray:
    """Test images by true (row) and predicted class (column), added up over the seeds."""
    counts = np.zeros((classes, classes), dtype=np.int64)
    for test in tests:
        counts += confusion(test.labels, test.said.probabilities.argmax(axis=1), classes)
    return counts


@dataclass(frozen=True)
class ClassCurve:
    """How well one class is told from the others.

    areas : under the ROC curve, one per seed; None where a test set has no image of the
        class, or no other
    true_rates : float (seeds with a curve, rates), at the false-positive rates `RATES`
    """

    name: str
    areas: tuple[float | None, ...]
    true_rates: np.ndarray


def class_curves(tests: Sequence[SeedTest], classes: Sequence[str]) -> list[ClassCurve]:
    """ROC curves of each class against the others, seed by seed."""
    found = []
    for index, name in enumerate(classes):
        curves = [roc_curve(test.labels == index, test.ranking[:, index]) for test in tests]
        there = [curve for curve in curves if curve[0].size]
        areas = tuple(
            float(np.trapezoid(true, false)) if false.size else None for false, true in curves
        )
        found.append(ClassCurve(name, areas, np.array([_at_rates(*curve) for curve in there])))
    return found


def _at_rates(false_rate: np.ndarray, true_rate: np.ndarray) -> np.ndarray:
    # a rise at one rate of false positives counts with its upper end
    last = np.r_[false_rate[1:] != false_rate[:-1], True]
    return np.interp(RATES, false_rate[last], true_rate[last])


def pooled_calibration(tests: Sequence[SeedTest]) -> dict[str, Any]:
    """Reliability over the test images of all seeds together, see `calibration`."""
    labels = np.concatenate([test.labels for test in tests])
    return calibration(labels, np.concatenate([test.said.probabilities for test in tests]))


def calibration_errors(tests: Sequence[SeedTest]) -> list[dict[str, Any]]:
    """Expected calibration error and Brier score of each seed."""
    return [
        {"seed": test.seed, **calibration(test.labels, test.said.probabilities)} for test in tests
    ]


def coverages(tests: Sequence[SeedTest]) -> np.ndarray:
    """Accuracy of the most confident share of the images, float (seeds, shares), at `SHARES`."""
    found = [
        coverage(test.labels, test.said.probabilities, scores=test.said.scores, at=SHARES.tolist())
        for test in tests
    ]
    return np.array([[entry["accuracy"] for entry in one["at"]] for one in found], dtype=float)


def turned_accuracy(run: Record) -> np.ndarray | None:
    """Accuracy at each angle of a full turn, float (angles,); None where it was not measured."""
    table = run.rotation(MODEL)
    # without a table the scores would be compared with all predictions, read for nothing
    scores = None if table is None else run.all_scores("rotation", MODEL)
    if table is None or scores is None:
        return None
    return (scores.argmax(axis=2) == table.labels).mean(axis=1)


@dataclass(frozen=True)
class Mistake:
    """A test image that seeds got wrong, with what the surest of them said.

    image : uint8 (height, width) or (height, width, 3)
    ra_deg, dec_deg : J2000 degrees; None where unknown
    seeds : those that kept this mistake among their surest
    """

    source: str
    image: np.ndarray
    label: str
    predicted: str
    probability: float
    ra_deg: float | None
    dec_deg: float | None
    seeds: tuple[int, ...]


def common_mistakes(
    kept: Sequence[tuple[Record, dict[str, np.ndarray]]], classes: Sequence[str]
) -> list[Mistake]:
    """At most 16 mistakes of several runs: those of most seeds first, then the surest.

    `kept` pairs each run with the arrays of its mistakes.npz.
    """
    found: dict[str, list[tuple[float, int, int]]] = {}
    for number, (_, arrays) in enumerate(kept):
        for row, source in enumerate(arrays["sources"].tolist()):
            found.setdefault(source, []).append((float(arrays["probability"][row]), number, row))
    order = sorted(found, key=lambda name: (-len(found[name]), -max(found[name])[0], name))
    return [_mistake(kept, found[name], classes) for name in order[:MOST_MISTAKES]]


def _mistake(
    kept: Sequence[tuple[Record, dict[str, np.ndarray]]],
    places: list[tuple[float, int, int]],
    classes: Sequence[str],
) -> Mistake:
    probability, number, row = max(places)
    arrays = kept[number][1]
    ra_deg, dec_deg = (float(arrays[name][row]) for name in ("ra_deg", "dec_deg"))
    known = np.isfinite([ra_deg, dec_deg]).all()
    return Mistake(
        source=str(arrays["sources"][row]),
        image=arrays["images"][row],
        label=classes[arrays["labels"][row]],
        predicted=classes[arrays["predicted"][row]],
        probability=probability,
        ra_deg=ra_deg if known else None,
        dec_deg=dec_deg if known else None,
        seeds=tuple(sorted(kept[place][0].seed for _, place, _ in places)),
    )

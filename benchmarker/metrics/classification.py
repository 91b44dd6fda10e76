"""How well a classifier did on a test set: every number, each with its interval.

One function computes all statistics for given weights of the images. With weights of one
it gives the values, with bootstrap weights the intervals: a value and its interval cannot
follow different definitions. The values agree with scikit-learn's (the tests compare).

Rules where a definition leaves room:

- the prediction is the class of highest probability, ties go to the lowest index;
- a class that is never predicted has no precision (null, named in ``undefined`` and
  ``flags``); its F1, 2 hits / (predictions + images), is 0;
- a class absent from the truth has no recall, F1 or AUC (null, named in ``undefined``);
  means over classes are over the classes present, said so in ``flags``;
- MPCA (mean per class accuracy) is the mean recall of the classes present;
- *balanced* precision and F1 come from the row-normalised confusion matrix, as if every
  class had equally many test images (the definition of Becker et al. 2021);
- AUC is one-vs-rest, ties count one half, the mean over classes is unweighted; where the
  scores before the softmax are given it ranks by their log-odds, because probabilities that
  are rounded to exactly 0 or 1 are tied and hide the order (``auc_from``);
- cross-entropy, calibration error and Brier score are those of `metrics.calibration`, the
  area under accuracy against coverage that of `metrics.selection`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarker.core.errors import Problems, RunFailedError
from benchmarker.metrics.calibration import Reliability
from benchmarker.metrics.intervals import LEVEL, bootstrap_weights, wilson, with_interval
from benchmarker.metrics.roc import RankedScores, log_odds
from benchmarker.metrics.selection import RankedConfidence, confidence_of

METRICS_VERSION = 2  # raise it when a definition changes: rows of two versions are not ranked
SCALARS = (
    "accuracy", "mpca", "macro_f1", "auc", "cross_entropy", "calibration_error", "brier",
    "coverage_area",
)  # fmt: skip
PER_CLASS = ("precision", "recall", "f1", "balanced_precision", "balanced_f1", "auc")


def evaluate(  # noqa: PLR0913 - the predictions, and how to resample them
    labels: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    *,
    seed: int = 0,
    resamples: int = 1000,
    scores: np.ndarray | None = None,
) -> dict[str, Any]:
    """Every metric of one set of predictions, ready for JSON (null, never NaN).

    Arguments
    ---------
    labels : int array of shape (n,), the truth as indices into `classes`
    probabilities : float array of shape (n, len(classes)), not negative
    classes : class names in label order
    seed : of the bootstrap over images (95 %, percentiles, stratified by class)
    resamples : number of bootstrap resamples; 0 leaves the intervals null
    scores : float array of shape (n, len(classes)), before the softmax; the AUC ranks by
        them, everything else is from the probabilities

    Returns a dictionary: ``n``, ``classes``, ``confusion_matrix`` (rows truth, columns
    prediction), ``normalised_confusion_matrix`` (a null row for an absent class), the
    scalars in `SCALARS` and, in ``per_class``, those in `PER_CLASS`, each as
    ``{"value", "low", "high"}``; ``support`` per class; ``accuracy_wilson``; ``flags`` and
    ``undefined`` in words; ``auc_from`` is ``"scores"`` where they were given, else absent.

    Raises `RunFailedError` listing every fault: no image, shapes that do not agree,
    labels out of range, probabilities that are negative, NaN or infinite, scores that are
    NaN or infinite.
    """
    labels = np.asarray(labels)
    probabilities = np.asarray(probabilities, dtype=np.float64)
    scores = None if scores is None else np.asarray(scores, dtype=np.float64)
    _refuse_unusable(labels, probabilities, classes, scores)
    sample = _Sample.of(labels.astype(np.int64), probabilities, scores)
    values = _statistics(sample, np.ones((1, sample.count)))
    draws = [
        _statistics(sample, weights)
        for weights in bootstrap_weights(sample.labels, seed=seed, resamples=resamples)
    ]
    names = (*SCALARS, *_class_names())
    table = {name: with_interval(values[name], [draw[name] for draw in draws]) for name in names}
    found = _report(sample, tuple(classes), table, {"seed": int(seed), "resamples": resamples})
    return found if scores is None else {**found, "auc_from": "scores"}


def predicted_classes(probabilities: np.ndarray) -> np.ndarray:
    """Class of highest probability, ties to the lowest index: (n, classes) to int (n,)."""
    return np.argmax(probabilities, axis=1)


def confusion(labels: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Counts of shape (classes, classes), rows truth, columns prediction."""
    cells = np.asarray(labels) * num_classes + np.asarray(predicted)
    counts = np.bincount(cells, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def _refuse_unusable(
    labels: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    scores: np.ndarray | None,
) -> None:
    problems = Problems("prediction table", RunFailedError)
    if len(set(classes)) != len(classes) or not len(classes):
        problems.add(f"class names {list(classes)}, expected distinct names")
    expected = (len(labels), len(classes))
    if labels.ndim != 1 or probabilities.shape != expected:
        shapes = f"labels of shape {labels.shape} and probabilities {probabilities.shape}"
        problems.add(f"{shapes}, expected (n,) and (n, {len(classes)})")
    elif not len(labels):
        problems.add("no image to evaluate, expected at least one")
    else:
        _refuse_values(labels, probabilities, problems)
    if scores is not None and scores.shape != probabilities.shape:
        text = f"scores of shape {scores.shape}"
        problems.add(f"{text}, expected that of the probabilities, {probabilities.shape}")
    elif scores is not None:
        _refuse_infinite("scores", scores, problems)
    problems.raise_if_any()


def _refuse_values(labels: np.ndarray, probabilities: np.ndarray, problems: Problems) -> None:
    if not np.issubdtype(labels.dtype, np.integer):
        problems.add(f"labels are {labels.dtype}, expected whole numbers")
    highest = probabilities.shape[1] - 1
    outside = np.flatnonzero(~((labels >= 0) & (labels <= highest)))
    if outside.size:
        row = outside[0]
        text = f"label {labels[row]} in row {row}, expected 0..{highest}"
        problems.add(f"{text} ({outside.size} rows like it)")
    _refuse_infinite("probabilities", probabilities, problems)
    negative = np.flatnonzero((probabilities < 0).any(axis=1))
    if negative.size:
        text = f"a negative probability in row {negative[0]}: {probabilities[negative[0]].tolist()}"
        problems.add(f"{text} ({negative.size} rows like it)")


def _refuse_infinite(what: str, values: np.ndarray, problems: Problems) -> None:
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if bad.size:
        text = f"{what} {values[bad[0]].tolist()} in row {bad[0]}"
        problems.add(f"{text}, expected finite numbers ({bad.size} rows like it)")


@dataclass(frozen=True)
class _Sample:
    """Everything about the predictions that does not depend on the weights.

    labels, predicted : int (n,); present : bool (classes,); counts : int (classes, classes)
    reliability, confidence : for calibration, and for accuracy against coverage
    ranked : one ranking of all images per class
    """

    labels: np.ndarray
    predicted: np.ndarray
    present: np.ndarray
    counts: np.ndarray
    reliability: Reliability
    confidence: RankedConfidence
    ranked: tuple[RankedScores, ...]

    @property
    def count(self) -> int:
        return len(self.labels)

    @classmethod
    def of(
        cls, labels: np.ndarray, probabilities: np.ndarray, scores: np.ndarray | None
    ) -> _Sample:
        num_classes = probabilities.shape[1]
        predicted = predicted_classes(probabilities)
        ranking = probabilities if scores is None else log_odds(scores)
        confidence = confidence_of(probabilities, scores)
        return cls(
            labels=labels,
            predicted=predicted,
            present=np.bincount(labels, minlength=num_classes) > 0,
            counts=confusion(labels, predicted, num_classes),
            reliability=Reliability.of(labels, probabilities),
            confidence=RankedConfidence.of(confidence, predicted == labels),
            ranked=tuple(
                RankedScores.of(labels == index, ranking[:, index]) for index in range(num_classes)
            ),
        )


def _class_names() -> list[str]:
    return [f"class_{name}" for name in PER_CLASS]


def _statistics(sample: _Sample, weights: np.ndarray) -> dict[str, np.ndarray]:
    """All metrics for weights of shape (resamples, n): arrays (resamples[, classes])."""
    num_classes = len(sample.present)
    cells = sample.labels * num_classes + sample.predicted
    # whole numbers in float64: the sum is exact in whatever order the library adds
    one_hot = (cells[:, np.newaxis] == np.arange(num_classes**2)).astype(np.float64)
    counts = (weights @ one_hot).reshape(-1, num_classes, num_classes)
    auc = np.stack([ranked.area(weights) for ranked in sample.ranked], axis=1)
    return {
        **count_statistics(counts, sample.present),
        "auc": mean_of_defined(auc),
        **sample.reliability.statistics(weights),
        "coverage_area": sample.confidence.area(weights),
        "class_auc": auc,
    }


def count_statistics(counts: np.ndarray, present: np.ndarray) -> dict[str, np.ndarray]:
    """What follows from confusion matrices alone, one value per matrix.

    Arguments
    ---------
    counts : float64 (resamples, classes, classes), rows truth, columns prediction
    present : bool (classes,), which classes the truth has

    Returns ``accuracy``, ``mpca`` and ``macro_f1`` of shape (resamples,), and precision,
    recall, F1 and their balanced forms as ``class_...`` of shape (resamples, classes), NaN
    where undefined.
    """
    support = counts.sum(axis=2, keepdims=True)
    rates = np.divide(counts, support, out=np.zeros_like(counts), where=support > 0)
    recall = np.where(present, np.einsum("rii->ri", rates), np.nan)
    precision, balanced = _precision(counts), _precision(rates)
    f1 = _harmonic(precision, recall)
    return {
        "accuracy": np.einsum("rii->r", counts) / counts.sum(axis=(1, 2)),
        "mpca": mean_of_defined(recall),
        "macro_f1": mean_of_defined(f1),
        "class_precision": precision,
        "class_recall": recall,
        "class_f1": f1,
        "class_balanced_precision": balanced,
        "class_balanced_f1": _harmonic(balanced, recall),
    }


def _precision(counts: np.ndarray) -> np.ndarray:
    """Diagonal over column sums; NaN for a class that is never predicted."""
    predicted = counts.sum(axis=1)
    hits = np.einsum("rii->ri", counts)
    return np.divide(hits, predicted, out=np.full_like(hits, np.nan), where=predicted > 0)


def _harmonic(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """F1; 0 for a class that is there and never predicted, NaN for an absent one."""
    precision = np.where(np.isnan(precision), 0.0, precision)
    total = precision + recall
    nothing = np.where(np.isnan(total), np.nan, 0.0)
    return np.divide(2 * precision * recall, total, out=nothing, where=total > 0)


def mean_of_defined(values: np.ndarray) -> np.ndarray:
    """Mean over the classes that are defined, NaN where none is: (n, classes) to (n,)."""
    defined = ~np.isnan(values)
    number = defined.sum(axis=1)
    total = np.where(defined, values, 0.0).sum(axis=1)
    return np.divide(total, number, out=np.full(len(values), np.nan), where=number > 0)


def _report(
    sample: _Sample,
    classes: tuple[str, ...],
    table: dict[str, list[dict[str, float | None]]],
    bootstrap: dict[str, int],
) -> dict[str, Any]:
    support = sample.counts.sum(axis=1)
    per_class = {
        name: {
            **{metric: table[f"class_{metric}"][index] for metric in PER_CLASS},
            "support": int(support[index]),
        }
        for index, name in enumerate(classes)
    }
    scalars = {name: table[name][0] for name in SCALARS}
    low, high = wilson(int(np.trace(sample.counts)), sample.count)
    return {
        "version": METRICS_VERSION,
        "n": sample.count,
        "classes": list(classes),
        "confusion_matrix": sample.counts.tolist(),
        "normalised_confusion_matrix": [
            (row / row.sum()).tolist() if row.sum() else None for row in sample.counts
        ],
        **scalars,
        "accuracy_wilson": {"low": low, "high": high},
        "per_class": per_class,
        "interval": {"kind": "stratified bootstrap percentiles", "level": LEVEL, **bootstrap},
        "flags": _flags(sample, classes),
        "undefined": _undefined(scalars, per_class),
    }


def _flags(sample: _Sample, classes: tuple[str, ...]) -> list[str]:
    flags = []
    never = sample.counts.sum(axis=0) == 0
    for name, is_present, is_never in zip(classes, sample.present, never, strict=True):
        if is_present and is_never:
            flags.append(f"{name} is never predicted: its precision is undefined, its F1 0")
        if not is_present:
            flags.append(f"{name} is absent from the truth: its recall, F1 and AUC are undefined")
    if not sample.present.all():
        number = int(sample.present.sum())
        flags.append(f"means over classes are over the {number} present of {len(classes)} classes")
    return flags


def _undefined(scalars: dict[str, Any], per_class: dict[str, Any]) -> list[str]:
    names = [name for name, entry in scalars.items() if entry["value"] is None]
    for label, entries in per_class.items():
        names += [
            f"per_class.{label}.{metric}"
            for metric in PER_CLASS
            if entries[metric]["value"] is None
        ]
    return names

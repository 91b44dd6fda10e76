"""The tables of a run folder: what a model said about each test source, once or many times.

``predictions.csv`` is there in every complete run, and ``validation.csv`` of the same form,
with the validation sources, in newer ones. ``augmented.csv`` (each source shown many
times, varied at random) and ``rotation.csv`` (turned through a full circle) are there where
the run measured that.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import InputFileError, Problems

MODELS = ("best", "final")
# arrays of mistakes.npz, and the letters of the NumPy types that each may have
MISTAKES = {
    "sources": "U",
    "images": "u",
    "labels": "iu",
    "predicted": "iu",
    "probability": "f",
    "ra_deg": "f",
    "dec_deg": "f",
}


@dataclass(frozen=True)
class Predictions:
    """What one model said about the test images.

    sources : n names; labels : int64 (n,); probabilities : float64 (n, classes)
    scores : float64 (n, classes) before the softmax; None where the run did not write them
    """

    sources: tuple[str, ...]
    labels: np.ndarray
    probabilities: np.ndarray
    scores: np.ndarray | None = None


@dataclass(frozen=True)
class AugmentedTable:
    """What one model said about test images shown several times, each time varied.

    sources : n names; labels : int64 (n,)
    passes, wrong : int64 (n,), how often each was shown, and how often it was wrong
    probabilities, scores : float64 (n, classes), means over the passes
    """

    sources: tuple[str, ...]
    labels: np.ndarray
    passes: np.ndarray
    wrong: np.ndarray
    probabilities: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class RotationTable:
    """How steady one model was while the test images turned through a full circle.

    sources : n names; labels : int64 (n,)
    agreement : float64 (n,), share of the angles with the most frequent class
    entropy : float64 (n,), of the shares of the predicted classes, nats
    turns : int64 (n,), number of angles at which each was shown
    """

    sources: tuple[str, ...]
    labels: np.ndarray
    agreement: np.ndarray
    entropy: np.ndarray
    turns: np.ndarray


def csv_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """(line number, row) of a CSV file with a header; raises `InputFileError`."""
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            return [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        message = f"cannot read {path}: {error}"
        raise InputFileError(message) from error


def read_predictions(path: Path, classes: Sequence[str]) -> dict[str, Predictions]:
    """Content of predictions.csv by model; raises `InputFileError` listing every bad line.

    The probabilities ``p_CLASS`` may be followed by scores ``s_CLASS``, all or none.
    """
    shares, scores = _columns("p", classes), _columns("s", classes)
    rows = csv_rows(path)
    found = set(rows[0][1]) if rows else set()
    with_scores = bool(found & set(scores))
    values = [*shares, *scores] if with_scores else shares

    def read(row: dict[str, Any]) -> tuple[list[float]]:
        return ([float(row[column]) for column in values],)

    tables = _by_model(path, rows, values, classes, read)
    number = len(classes)
    made = {}
    for model, (sources, labels, (numbers,)) in tables.items():
        array = np.array(numbers)
        made[model] = Predictions(
            sources, labels, array[:, :number], array[:, number:] if with_scores else None
        )
    return made


def prediction_table(
    tables: Mapping[str, Predictions], classes: Sequence[str]
) -> tuple[list[str], Iterator[list[str]]]:
    """Header and rows of a predictions.csv; numbers are written so that they read back unchanged.

    `tables` by model; all have scores, or none has.
    """
    letters = "ps" if all(found.scores is not None for found in tables.values()) else "p"
    header = ["model", "source", "label"]
    header += [column for letter in letters for column in _columns(letter, classes)]
    return header, _prediction_rows(tables, classes, letters)


def _prediction_rows(
    tables: Mapping[str, Predictions], classes: Sequence[str], letters: str
) -> Iterator[list[str]]:
    for model, found in tables.items():
        parts = [found.probabilities, *([found.scores] if "s" in letters else [])]
        values = np.hstack(parts).tolist()
        for source, label, row in zip(found.sources, found.labels, values, strict=True):
            yield [model, source, classes[label], *map(repr, row)]


def read_augmented(path: Path, classes: Sequence[str]) -> dict[str, AugmentedTable]:
    """Content of augmented.csv by model, at least ``best``; see `read_predictions`."""
    shares, scores = _columns("p", classes), _columns("s", classes)

    def read(row: dict[str, Any]) -> tuple[int, int, list[float], list[float]]:
        means = ([float(row[column]) for column in names] for names in (shares, scores))
        return int(row["passes"]), int(row["wrong"]), *means

    columns = ["passes", "wrong", *shares, *scores]
    tables = _by_model(path, csv_rows(path), columns, classes, read, needed=MODELS[:1])
    return {
        model: AugmentedTable(sources, labels, *map(np.array, values))
        for model, (sources, labels, values) in tables.items()
    }


def read_rotation(path: Path, classes: Sequence[str]) -> dict[str, RotationTable]:
    """Content of rotation.csv by model, at least ``best``; see `read_predictions`."""

    def read(row: dict[str, Any]) -> tuple[float, float, int]:
        return float(row["agreement"]), float(row["entropy"]), int(row["turns"])

    columns = ["agreement", "entropy", "turns"]
    tables = _by_model(path, csv_rows(path), columns, classes, read, needed=MODELS[:1])
    return {
        model: RotationTable(sources, labels, *map(np.array, values))
        for model, (sources, labels, values) in tables.items()
    }


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Arrays of an ``.npz`` archive; no object array is opened. Raises `InputFileError`."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except Exception as error:  # a damaged archive fails in many ways, none of ours
        message = f"cannot read {path} as arrays: {error}"
        raise InputFileError(message) from error


def read_mistakes(path: Path, classes: int) -> dict[str, np.ndarray]:
    """Arrays of mistakes.npz: k images that a model got wrong, the surest first.

    ``sources`` (k names), ``images`` uint8 (k, height, width[, 3]), ``labels`` and
    ``predicted`` int (k,), ``probability`` float (k,), ``ra_deg`` and ``dec_deg`` float (k,),
    NaN where unknown. Raises `InputFileError` listing what is of another form.
    """
    found = read_arrays(path)
    problems = Problems(path)
    for name, kinds in MISTAKES.items():
        if name not in found:
            problems.add(f"no array {name}")
        elif found[name].dtype.kind not in kinds:
            problems.add(f"{name} is {found[name].dtype}, expected one of the kinds {kinds}")
    problems.raise_if_any()
    count, images = found["sources"].size, found["images"]
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or images.shape[3:] not in ((), (3,)):
        problems.add(f"images are {images.dtype} {images.shape}, expected uint8 (k, h, w[, 3])")
    for name in MISTAKES:
        if found[name].shape[: None if name != "images" else 1] != (count,):
            problems.add(f"{name} has the shape {found[name].shape}, expected {count} entries")
    numbers = np.concatenate([found["labels"].reshape(-1), found["predicted"].reshape(-1)])
    if ((numbers < 0) | (numbers >= classes)).any():
        problems.add(f"a class number outside 0..{classes - 1}")
    problems.raise_if_any()
    return {name: found[name] for name in MISTAKES}


def _columns(letter: str, classes: Sequence[str]) -> list[str]:
    return [f"{letter}_{name}" for name in classes]


def _by_model(  # noqa: PLR0913 (one table, its columns and its reader)
    path: Path,
    rows: list[tuple[int, dict[str, Any]]],
    columns: Sequence[str],
    classes: Sequence[str],
    read: Callable[[dict[str, Any]], tuple],
    *,
    needed: Sequence[str] = MODELS,
) -> dict[str, tuple[tuple[str, ...], np.ndarray, tuple[tuple, ...]]]:
    """For each model: sources, labels, and what `read` made of the rows, column by column."""
    problems = Problems(path)
    expected = ["model", "source", "label", *columns]
    if rows and list(rows[0][1])[: len(expected)] != expected:
        problems.add(f"columns {list(rows[0][1])}, expected {expected}")
        problems.raise_if_any()
    number_of = {name: index for index, name in enumerate(classes)}
    found: dict[str, list[tuple]] = {model: [] for model in MODELS}
    for line, row in rows:
        try:
            found[row["model"]].append((row["source"], number_of[row["label"]], *read(row)))
        except (KeyError, TypeError, ValueError):
            problems.add(f"{shown(list(row.values()))} is no prediction", line=line)
    for model in needed:
        if not found[model]:
            problems.add(f"no prediction of the {model} model")
    problems.raise_if_any()
    tables = {}
    for model, entries in found.items():
        if not entries:
            continue
        sources, labels, *values = zip(*entries, strict=True)
        tables[model] = (sources, np.array(labels, dtype=np.int64), tuple(values))
    return tables


def shown(value: Any) -> str:
    """A value for a message, cut to 40 characters."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."

"""Parsed test predictions, kept beside the runs so that a thousand of them open in seconds.

Reading ``predictions.csv`` of one run takes some ten milliseconds, most of it turning text
into numbers. What was read is kept in ``results/.cache/predictions/RUN.npz``, together with
what it was read from: the SHA-256 that run.json records, size and time of the file. Where any
of these differs, or the entry is damaged or foreign, the table is read again and the entry
replaced. Entries are moved into place whole, so that two processes may fill the cache at the
same time; where nothing may be written, everything works without. The folder may be deleted
at any time.

A table is accepted only if its SHA-256 is the one in run.json: a file that was edited, cut
short or exchanged after the run is no result.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarker.core.errors import InputFileError, Problems, SettingsError
from benchmarker.core.files import write_with
from benchmarker.core.hashing import digest_file, digest_json
from benchmarker.core.record_tables import MODELS, Predictions, read_predictions
from benchmarker.core.records import Record

FORMAT = 2  # raise it when an entry holds something else
FOLDER = Path(".cache") / "predictions"
TABLE = "predictions.csv"

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Answers:
    """The classes that one model gave, without the probabilities.

    test_digest : of names and labels of the sources in order; equal for equal test sets
    labels : int64 (n,), the truth
    predicted : int64 (n,), the class of highest probability, ties to the lowest index
    """

    test_digest: str
    labels: np.ndarray
    predicted: np.ndarray


def answers_of(record: Record) -> dict[str, Answers]:
    """What ``best`` and ``final`` answered; raises `InputFileError` as `predictions_of` does."""
    parts = [f"{model}_{part}" for model in MODELS for part in ("labels", "predicted")]
    found = _load(record, ["description", *parts])
    digests = _described(found)["tests"]
    return {
        model: Answers(
            digests[model],
            found[f"{model}_labels"].astype(np.int64),
            found[f"{model}_predicted"].astype(np.int64),
        )
        for model in MODELS
    }


def sources_of(record: Record, model: str) -> tuple[str, ...]:
    """Names of the test sources in order; raises as `predictions_of` does."""
    return _names(_load(record, [f"{model}_sources"]), model)


def predictions_of(record: Record, model: str) -> Predictions:
    """What `Record.predictions` gives, from the cache where the file is unchanged.

    Raises `InputFileError` where the table is missing, was changed after the run (its SHA-256
    is not that of run.json), or holds a source twice or a probability that is none.
    """
    parts = ("labels", "sources", "shares", "scores")
    found = _load(record, [f"{model}_{part}" for part in parts])
    labels, shares, scores = (found[f"{model}_{part}"] for part in ("labels", "shares", "scores"))
    return Predictions(
        _names(found, model), labels.astype(np.int64), shares, scores if scores.size else None
    )


def _load(record: Record, names: Sequence[str]) -> Arrays:
    """These arrays of a run's entry, which is made or replaced first where it must be."""
    path, key = _path(record), _key(record)
    if path is None:
        return _arrays(record, key)
    try:
        # archives hold a checksum of each array: a flipped bit is an error on reading
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            found = {name: stored[name] for name in {"description", *names}}
        if _described(found)["key"] == key:
            return found
    except Exception:  # noqa: BLE001, S110 - absent, or damaged in one of many ways
        pass
    return _rebuilt(record, path, key)


def _path(record: Record) -> Path | None:
    """Where the entry lies; None for a run that is in no results folder, which keeps no cache."""
    folder = record.folder.resolve()
    if folder.parent.name != "runs":
        return None
    return folder.parent.parent / FOLDER / f"{folder.name}.npz"


def _key(record: Record) -> list[object]:
    path = record.folder / TABLE
    try:
        status = path.stat()
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise InputFileError(message) from error
    file = [_recorded(record), status.st_size, status.st_mtime_ns]
    return [FORMAT, *file, list(record.classes)]


def _recorded(record: Record) -> str | None:
    return record.run["digests"].get("files", {}).get(TABLE)


def _described(found: Arrays) -> dict:
    return json.loads(found["description"].tobytes())


def _names(found: Arrays, model: str) -> tuple[str, ...]:
    return tuple(json.loads(found[f"{model}_sources"].tobytes()))


def _rebuilt(record: Record, path: Path, key: list[object]) -> Arrays:
    """Read the table, keep what was read."""
    arrays = _arrays(record, key)
    # a shared folder that only others may write can still be read, only slower
    with contextlib.suppress(SettingsError, OSError):
        write_with(path, lambda stream: np.savez(stream, **arrays))
    return arrays


def _arrays(record: Record, key: list[object]) -> Arrays:
    path, recorded = record.folder / TABLE, _recorded(record)
    if recorded is not None and digest_file(path) != recorded:
        message = f"{path} was changed after the run: its SHA-256 does not match run.json"
        raise InputFileError(message)
    # not by way of the record, which would hold on to every table of a thousand runs
    tables = read_predictions(path, record.classes)
    arrays: Arrays = {}
    problems = Problems(path)
    digests = {}
    for model in MODELS:
        found = tables[model]
        _note_unusable(found, model, problems)
        digests[model] = digest_json([found.sources, found.labels.tolist()])
        arrays |= {
            f"{model}_sources": _text(list(found.sources)),
            f"{model}_labels": found.labels.astype(np.int32),
            f"{model}_predicted": np.argmax(found.probabilities, axis=1).astype(np.int32),
            f"{model}_shares": found.probabilities,
            f"{model}_scores": np.empty(0) if found.scores is None else found.scores,
        }
    problems.raise_if_any()
    return arrays | {"description": _text({"key": key, "tests": digests})}


def _note_unusable(found: Predictions, model: str, problems: Problems) -> None:
    shares = found.probabilities
    if len(set(found.sources)) != len(found.sources):
        problems.add(f"{model}: a source is there more than once")
    if not (np.isfinite(shares).all() and (shares >= 0).all()):
        problems.add(f"{model}: a probability is negative or not finite")


def _text(value: object) -> np.ndarray:
    return np.frombuffer(json.dumps(value).encode(), dtype=np.uint8)

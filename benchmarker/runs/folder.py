"""The run folder: one run's record, written piece by piece, each piece whole."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import InputFileError
from benchmarker.core.files import (
    LockedError,
    lock,
    read_json,
    write_csv,
    write_json,
    write_with,
)
from benchmarker.core.hashing import digest_file, digest_json
from benchmarker.core.record_tables import Predictions, prediction_table
from benchmarker.core.records import DIGESTED, FORMAT, OPTIONAL

LOCK_SECONDS = 5.0
HISTORY = (
    "epoch",
    "cross_entropy",
    "penalty",
    "accuracy",
    "val_cross_entropy",
    "val_accuracy",
    "learning_rate",
    "seconds",
    "images_per_second",
)
OWN_LOSS = ("loss", "val_loss")  # where it is not the cross-entropy
PREDICTIONS, VALIDATION = "predictions.csv", "validation.csv"
TIMING_COLUMNS = ("seconds", "images_per_second")


def utc_now() -> str:
    """The time in UTC to the second, ISO 8601."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class RunFolder:
    """Paths and files of one run below ``<results>/runs/``."""

    path: Path

    @classmethod
    def find(cls, runs: Path, name: str) -> RunFolder:
        """The folder ``runs/name``, or the one there of the same seed and identity.

        The name of a run begins with that of its data, which may be renamed meanwhile.
        """
        path = runs / name
        if not path.is_dir():
            ending = "-".join(name.split("-")[-2:])
            same = sorted(found for found in runs.glob(f"*-{ending}") if found.is_dir())
            path = same[0] if same else path
        return cls(path)

    @property
    def checkpoint(self) -> Path:
        """Where the state lies while the run is not complete."""
        return self.path / "checkpoint"

    @property
    def kept(self) -> Path:
        """Where the weights of epochs lie, if the settings ask for some."""
        return self.path / "epochs"

    @property
    def log(self) -> Path:
        """What the run said."""
        return self.path / "log.txt"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold this run; raises `LockedError` if another process goes on holding it.

        Waits a little: the process of a command that was killed needs a moment to save.
        """
        give_up = time.monotonic() + LOCK_SECONDS
        with ExitStack() as stack:
            while True:
                try:
                    stack.enter_context(lock(self.path / ".lock", wait=False))
                    break
                except LockedError:
                    if time.monotonic() > give_up:
                        raise
                    time.sleep(0.2)
            yield

    def read(self) -> dict[str, Any] | None:
        """The content of run.json, or None before the run has begun.

        Raises `InputFileError` if somebody damaged it.
        """
        path = self.path / "run.json"
        if not path.is_file():
            return None
        try:
            record = read_json(path)
            begun = (record["status"]["state"], record["identity"]["digest"])
            record["fingerprint"]["threads"]
        except (InputFileError, KeyError, TypeError) as error:
            message = f"{path} is damaged ({error}); --again makes this run anew"
            raise InputFileError(message) from error
        return record if all(isinstance(word, str) for word in begun) else None

    @property
    def state(self) -> str:
        """``new``, ``running`` (begun, not ended), ``complete``, ``failed`` or ``interrupted``."""
        record = self.read()
        return "new" if record is None else record["status"]["state"]

    def clear(self) -> None:
        """Forget everything but the lock, to begin again."""
        for path in self.path.iterdir() if self.path.is_dir() else ():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != ".lock":
                path.unlink()

    def sweep(self) -> None:
        """Remove what killed processes left half-written; call with the lock held."""
        for path in self.path.rglob(".part-*"):
            path.unlink(missing_ok=True)

    def write(self, record: dict[str, Any]) -> None:
        """Write run.json."""
        write_json(self.path / "run.json", record)

    def change(self, **parts: dict[str, Any] | str | None) -> dict[str, Any]:
        """Merge `parts` into run.json (dictionaries key by key) and write it."""
        record = self.read() or {}
        for key, value in parts.items():
            old = record.get(key)
            record[key] = (
                {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
            )
        self.write(record)
        return record

    def begin(self, identity: dict[str, Any], fingerprint: dict[str, Any], network: dict) -> None:
        """Write the first run.json of a run."""
        self.write(
            {
                "format": FORMAT,
                "identity": identity,
                "fingerprint": fingerprint,
                "network": network,
                "digests": {},
                "status": {"state": "running", "reason": None, "epochs_done": 0, "marks": []},
                "timings": {},
                "created": utc_now(),
                "finished": None,
            }
        )

    def write_history(self, rows: list[dict[str, float]]) -> None:
        """Write history.csv, one row per finished epoch; a loss of its own has two more columns."""
        header = [*HISTORY, *(key for key in OWN_LOSS if rows and key in rows[0])]
        write_csv(self.path / "history.csv", header, [[row[key] for key in header] for row in rows])

    def write_predictions(
        self,
        shown: Any,
        classes: tuple[str, ...],
        scores: dict[str, np.ndarray],
        *,
        file: str = PREDICTIONS,
    ) -> None:
        """Write predictions.csv: one row per model (best, final) and test source.

        `shown` are the prepared images, `scores` float64 (n, classes) before the softmax by
        model; the probabilities are made from them. `file` may be `VALIDATION`.
        """
        from scipy.special import softmax

        tables = {
            model: Predictions(shown.sources, shown.labels, softmax(values, axis=1), values)
            for model, values in scores.items()
        }
        write_csv(self.path / file, *prediction_table(tables, classes))

    def write_measured(self, measured: dict[str, Any], classes: tuple[str, ...]) -> None:
        """Write what was measured besides the plain test, per model: tables and all scores.

        augmented.csv and augmented.npz (float32 (passes, n, classes)) where passes were
        made, rotation.csv and rotation.npz (float32 (angles, n, classes)) where images turned.
        """
        from benchmarker.runs.evaluation import augmented_rows, rotation_rows

        letters = [f"{letter}_{name}" for letter in "ps" for name in classes]
        tables = {
            "augmented": (["passes", "wrong", *letters], augmented_rows, "passes"),
            "rotation": (["agreement", "entropy", "turns"], rotation_rows, "turns"),
        }
        for name, (columns, rows_of, attribute) in tables.items():
            rows = [row for model, one in measured.items() for row in rows_of(one, model, classes)]
            if rows:
                header = ["model", "source", "label", *columns]
                write_csv(self.path / f"{name}.csv", header, rows)
            found = {model: getattr(one, attribute) for model, one in measured.items()}
            arrays = {
                k: values.astype(np.float32) for k, values in found.items() if values is not None
            }
            if arrays:
                write_with(
                    self.path / f"{name}.npz",
                    lambda stream, arrays=arrays: np.savez_compressed(stream, **arrays),
                )

    def file_digests(self) -> dict[str, str]:
        """SHA-256 of each file that a check compares."""
        names = [*DIGESTED, *(name for name in OPTIONAL if (self.path / name).is_file())]
        return {name: digest_file(self.path / name) for name in names}


def history_digest(rows: list[dict[str, float]]) -> str:
    """Digest of a history without its timings, which differ from run to run."""
    kept = [{k: repr(v) for k, v in row.items() if k not in TIMING_COLUMNS} for row in rows]
    return digest_json(kept)

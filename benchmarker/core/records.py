"""Run folders as records: everything after training reads these and nothing else.

``run.json`` says what was run and how it ended, ``history.csv`` holds the epochs,
``predictions.csv`` the test set, ``metrics.json`` the numbers. Reading is strict about the
form, so that the rest of the package need not be; whether the files still are what the run
wrote is the business of `benchmarker.core.record_check`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import UnionType
from typing import Any

import numpy as np

from benchmarker.core import corruption_table
from benchmarker.core.errors import InputFileError, MissingDataError, Problems
from benchmarker.core.files import read_json
from benchmarker.core.hashing import digest_json
from benchmarker.core.record_tables import (
    MODELS,
    AugmentedTable,
    Predictions,
    RotationTable,
    csv_rows,
    read_arrays,
    read_augmented,
    read_mistakes,
    read_predictions,
    read_rotation,
    shown,
)

FORMAT = 1
STATES = ("running", "complete", "failed", "interrupted")
# the files of a complete run whose SHA-256 stands in run.json
DIGESTED = (
    "history.csv",
    "predictions.csv",
    "metrics.json",
    "best.safetensors",
    "final.safetensors",
)
# files that only some runs write; where there, their SHA-256 stands in run.json too
OPTIONAL = (
    "augmented.csv", "rotation.csv", "augmented.npz", "rotation.npz",
    "validation.csv", "mistakes.npz", "corruptions.csv", "sources.csv", "network.json",
)  # fmt: skip
# what determines a result: these parts of the identity as they are, those by their digest
DETERMINING = (
    "version", "network", "network_digest", "settings", "seed", "precision", "protocol",
)  # fmt: skip
BY_CONTENT = ("data", "split", "preparation", "recipe")
NOT_BEGUN = (".lock", "log.txt")

Form = type | UnionType | dict[str, "Form"]
_NUMBER = int | float
_SCORE = {"value": _NUMBER | None, "low": _NUMBER | None, "high": _NUMBER | None}

IDENTITY_FORM: dict[str, Form] = {
    "digest": str,
    "version": int,
    "network": str,
    "network_digest": str,
    "settings": {"learning_rate": _NUMBER, "epochs": int, "batch": int, "size": list},
    "data": {"name": str, "digest": str, "classes": list},
    "split": {"rule": str, "digest": str, "train": int, "validation": int, "test": int},
    "preparation": {"digest": str},
    "recipe": {"name": str, "digest": str},
    "seed": int,
    "precision": str,
    "protocol": str,
}
RUN_FORM: dict[str, Form] = {
    "format": int,
    "identity": IDENTITY_FORM,
    "fingerprint": dict,
    "digests": dict,
    "status": {"state": str, "reason": str | None, "epochs_done": int, "marks": list},
    "network": dict,
    "timings": dict,
    "created": str,
    "finished": str | None,
}
COMPLETE_FORM: dict[str, Form] = {
    "digests": {
        "initial_weights": str,
        "best_weights": str,
        "final_weights": str,
        "history": str,
        "predictions": str,
        "files": dict,
    },
    "network": {"parameters": int, "trainable_parameters": int, "multiply_adds": int},
    "timings": {"training_seconds": _NUMBER, "training_images_per_second": _NUMBER},
    "finished": str,
}
METRICS_FORM: dict[str, Form] = {
    "n": int,
    "classes": list,
    "confusion_matrix": list,
    "accuracy": _SCORE,
    "mpca": _SCORE,
    "macro_f1": _SCORE,
    "auc": _SCORE,
    "cross_entropy": _SCORE,
    "calibration_error": _SCORE,
    "per_class": dict,
}
DESCRIPTION_FORM: dict[str, Form] = {
    "name": str,
    "input_shape": list,
    "classes": int,
    "parameters": int,
    "multiply_adds": int,
    "layers": list,
}
LAYER_FORM: dict[str, Form] = {
    **dict.fromkeys(("name", "layer", "setting", "activation"), str),
    "output_shape": list,
    **dict.fromkeys(("parameters", "multiply_adds"), int),
}
# what only newer runs have
LATER_METRICS_FORM: dict[str, Form] = {
    "brier": _SCORE,
    "coverage_area": _SCORE,
    "temperature": {
        **_SCORE,
        "n": int,
        "fitted_on": str,
        "bound": _NUMBER | None,
        "reason": str | None,
        **dict.fromkeys(("cross_entropy", "calibration_error", "brier"), _SCORE),
    },
}
CLASS_FORM: dict[str, Form] = {
    **dict.fromkeys(("precision", "recall", "f1", "balanced_precision", "balanced_f1"), _SCORE),
    "support": int,
}


@dataclass(frozen=True)
class Record:
    """One run, as its folder tells it; the larger files are read when first asked for."""

    folder: Path
    run: Mapping[str, Any]

    @property
    def identity(self) -> Mapping[str, Any]:
        """What determines the result."""
        return self.run["identity"]

    @property
    def network(self) -> str:
        """Name of the network."""
        return self.identity["network"]

    @property
    def seed(self) -> int:
        """The run seed."""
        return self.identity["seed"]

    @property
    def settings(self) -> Mapping[str, Any]:
        """Learning rate, epochs, batch, size ..."""
        return self.identity["settings"]

    @property
    def data(self) -> Mapping[str, Any]:
        """Name, digest and classes of the data set."""
        return self.identity["data"]

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in label order."""
        return tuple(self.data["classes"])

    @property
    def split(self) -> Mapping[str, Any]:
        """Rule, digest and sizes of the split."""
        return self.identity["split"]

    @property
    def state(self) -> str:
        """One of `STATES`."""
        return self.run["status"]["state"]

    @property
    def is_complete(self) -> bool:
        return self.state == "complete"

    @property
    def reason(self) -> str | None:
        """Why the run failed or stopped; None for others."""
        return self.run["status"].get("reason")

    @property
    def facts(self) -> Mapping[str, Any]:
        """Parameters and multiply-adds of the network."""
        return self.run["network"]

    @property
    def timings(self) -> Mapping[str, Any]:
        """Seconds of training, images per second."""
        return self.run["timings"]

    @cached_property
    def metrics(self) -> Mapping[str, Any]:
        """Content of metrics.json; raises `InputFileError` listing what is not as it should be."""
        path = self.folder / "metrics.json"
        value = read_json(path)
        problems = Problems(path)
        for text in metrics_faults(value, self.classes):
            problems.add(text)
        problems.raise_if_any()
        return value

    @cached_property
    def history(self) -> tuple[dict[str, float], ...]:
        """history.csv, one dictionary of numbers per epoch; raises `InputFileError`."""
        path = self.folder / "history.csv"
        problems = Problems(path)
        rows = []
        for line, row in csv_rows(path):
            try:
                rows.append({key: float(value) for key, value in row.items()})
            except (TypeError, ValueError):
                problems.add(f"{list(row.values())}, expected a number per column", line=line)
        problems.raise_if_any()
        return tuple(rows)

    def predictions(self, model: str) -> Predictions:
        """Test predictions of ``best`` or ``final``; raises `InputFileError` listing all faults."""
        return self._predictions[model]

    @cached_property
    def _predictions(self) -> dict[str, Predictions]:
        return read_predictions(self.folder / "predictions.csv", self.classes)

    def validation(self, model: str) -> Predictions | None:
        """validation.csv of ``best`` or ``final``; None where the run did not write it."""
        return (self._validation or {}).get(model)

    @cached_property
    def _validation(self) -> dict[str, Predictions] | None:
        path = self.folder / "validation.csv"
        return read_predictions(path, self.classes) if path.is_file() else None

    def augmented(self, model: str) -> AugmentedTable | None:
        """augmented.csv of ``best`` or ``final``; None where the run did not measure it."""
        return (self._augmented or {}).get(model)

    @cached_property
    def _augmented(self) -> dict[str, AugmentedTable] | None:
        path = self.folder / "augmented.csv"
        return read_augmented(path, self.classes) if path.is_file() else None

    def rotation(self, model: str) -> RotationTable | None:
        """rotation.csv of ``best`` or ``final``; None where the run did not measure it."""
        return (self._rotation or {}).get(model)

    @cached_property
    def _rotation(self) -> dict[str, RotationTable] | None:
        path = self.folder / "rotation.csv"
        return read_rotation(path, self.classes) if path.is_file() else None

    def mistakes(self) -> dict[str, np.ndarray] | None:
        """Arrays of mistakes.npz; None where the run did not keep any. See `read_mistakes`."""
        path = self.folder / "mistakes.npz"
        return read_mistakes(path, len(self.classes)) if path.is_file() else None

    def description(self) -> dict[str, Any] | None:
        """Layers and counts of the network as they were when the run began, as `show --json`.

        None where the run did not keep them; raises `InputFileError` for another form.
        """
        path = self.folder / "network.json"
        if not path.is_file():
            return None
        value = read_json(path)
        problems = Problems(path)
        faults = form_faults(value, DESCRIPTION_FORM)
        rows = [] if faults else value["layers"]
        faults += [
            text
            for number, row in enumerate(rows)
            for text in form_faults(row, LAYER_FORM, f"layers[{number}]")
        ]
        for text in faults:
            problems.add(text)
        problems.raise_if_any()
        return value

    def source_facts(self) -> dict[str, tuple[str, ...]]:
        """What else is known of the test sources, as words in the order of the predictions.

        Nothing where the data set said no more than their classes. Raises `InputFileError`
        where sources.csv does not hold the sources of predictions.csv.
        """
        path = self.folder / "sources.csv"
        if not path.is_file():
            return {}
        rows = {row.pop("source", ""): row for _, row in csv_rows(path)}
        sources = self.predictions(MODELS[0]).sources
        missing = [source for source in sources if source not in rows]
        if missing:
            message = f"{path}: no row of {missing[0]}, expected every source of predictions.csv"
            raise InputFileError(message)
        names = rows[sources[0]]
        return {name: tuple(rows[source][name] or "" for source in sources) for name in names}

    def corruptions(self) -> list[dict[str, Any]] | None:
        """Rows of corruptions.csv; None where nobody tested the run on damaged images."""
        path = self.folder / corruption_table.FILE
        if not path.is_file():
            return None
        return corruption_table.read_corruptions(path, csv_rows(path), MODELS)

    def all_scores(self, what: str, model: str) -> np.ndarray | None:
        """Scores of every pass, or at every angle: float (passes or angles, n, classes).

        `what` is ``augmented`` or ``rotation``; the sources are those of that table, in its
        order, or else of the predictions. None where the run did not keep them in
        ``augmented.npz`` or ``rotation.npz`` (arrays ``best`` and ``final``); raises
        `InputFileError` where they have another shape.
        """
        path = self.folder / f"{what}.npz"
        found = read_arrays(path).get(model) if path.is_file() else None
        table = self.augmented(model) if what == "augmented" else self.rotation(model)
        expected = (len((table or self.predictions(model)).sources), len(self.classes))
        if found is not None and (found.ndim != 3 or found.shape[1:] != expected):
            text = f"{model} has the shape {found.shape}"
            message = f"{path}: {text}, expected (n, {expected[0]}, {expected[1]})"
            raise InputFileError(message)
        return found


def read_record(folder: str | Path) -> Record:
    """The record in `folder`.

    Raises `MissingDataError` where there is no run.json and `InputFileError` listing
    every fault where it has not the form of a record.
    """
    folder = Path(folder)
    path = folder / "run.json"
    if not path.is_file():
        message = f"{folder} holds no run: there is no run.json in it"
        raise MissingDataError(message)
    run = read_json(path)
    problems = Problems(path)
    for text in run_faults(run):
        problems.add(text)
    problems.raise_if_any()
    return Record(folder, run)


def identity_digest(identity: Mapping[str, Any]) -> str:
    """Digest of what determines a result; the names by which it was found do not count.

    A renamed file, the name of a card or a recipe and the wording of a split rule make no
    other run: their contents stand in by digest.
    """
    determining = {key: identity[key] for key in DETERMINING}
    by_content = {key: identity[key]["digest"] for key in BY_CONTENT}
    return digest_json({**determining, **by_content})


def run_folders(path: str | Path) -> list[Path]:
    """Run folders at or below `path`: itself, ``path/runs/*`` or ``path/*``, by name.

    `path` may be one run folder, a results folder, or its ``runs`` folder.
    """
    path = Path(path)
    if (path / "run.json").is_file():
        return [path]
    runs = path / "runs"
    if runs.is_dir():
        return sorted(entry for entry in runs.iterdir() if _may_be_run(entry))
    found = path.iterdir() if path.is_dir() else ()
    return sorted(entry for entry in found if (entry / "run.json").is_file())


def _may_be_run(entry: Path) -> bool:
    if not entry.is_dir() or entry.name.startswith("."):
        return False
    # a run that was refused before it began leaves its lock and its log
    return any(path.name not in NOT_BEGUN for path in entry.iterdir())


def find_records(results: str | Path, *, problems: Problems | None = None) -> list[Record]:
    """All records of a results folder, whatever their state, by folder name.

    A folder that cannot be read is left out, and named in `problems` if that is given: one
    broken run never hides the others.
    """
    records = []
    for folder in run_folders(results):
        try:
            record = read_record(folder)
            if record.is_complete:
                _ = record.metrics
        except MissingDataError:
            continue  # a run that has not begun, or was removed meanwhile
        except InputFileError as error:
            if problems is not None:
                problems.add(str(error))
            continue
        records.append(record)
    return records


def run_faults(run: Any) -> list[str]:
    """What is wrong with the content of a run.json, in words; nothing if it is fine."""
    if isinstance(run, dict) and run.get("format") not in (None, FORMAT):
        return [f"format {run['format']!r}, this version reads format {FORMAT}"]
    faults = form_faults(run, RUN_FORM)
    if faults:
        return faults
    state = run["status"]["state"]
    if state not in STATES:
        faults.append(f"status.state is {state!r}, expected one of {', '.join(STATES)}")
    if state == "failed" and not run["status"]["reason"]:
        faults.append("status.reason is empty, expected the reason of the failure")
    if state == "complete":
        faults += form_faults(run, COMPLETE_FORM)
    return faults + _class_name_faults(run["identity"]["data"]["classes"])


def _class_name_faults(classes: list[Any]) -> list[str]:
    words = all(isinstance(name, str) for name in classes)
    if words and classes and len(set(classes)) == len(classes):
        return []
    return [f"identity.data.classes is {classes}, expected distinct names"]


def metrics_faults(value: Any, classes: Sequence[str]) -> list[str]:
    """What is wrong with the content of a metrics.json, in words."""
    faults = form_faults(value, dict.fromkeys(MODELS, METRICS_FORM))
    if faults:
        return faults
    for model in MODELS:
        entry = value[model]
        there = {key: form for key, form in LATER_METRICS_FORM.items() if key in entry}
        faults += form_faults(entry, there, model)
        form = dict.fromkeys(classes, CLASS_FORM)
        faults += form_faults(entry["per_class"], form, f"{model}.per_class")
        if list(entry["classes"]) != list(classes):
            faults.append(f"{model}.classes is {entry['classes']}, run.json has {list(classes)}")
        counts = np.array(entry["confusion_matrix"], dtype=object)
        if counts.shape != (len(classes),) * 2 or not all(type(n) is int for n in counts.flat):
            faults.append(f"{model}.confusion_matrix is not {len(classes)} rows of counts")
    return faults


def form_faults(value: Any, form: Form, where: str = "") -> list[str]:
    """Keys that are missing or of another type than `form` asks for; more keys are welcome."""
    if isinstance(form, dict):
        if not isinstance(value, dict):
            return [f"{where or 'content'} is {shown(value)}, expected an object"]
        faults = []
        for key, inner in form.items():
            name = f"{where}.{key}" if where else key
            if key in value:
                faults += form_faults(value[key], inner, name)
            else:
                faults.append(f"{name} is missing")
        return faults
    # JSON's true and false are no numbers, though Python counts them among its integers
    if isinstance(value, bool) or not isinstance(value, form):
        expected = form.__name__ if isinstance(form, type) else str(form)
        return [f"{where} is {shown(value)}, expected {expected}"]
    return []

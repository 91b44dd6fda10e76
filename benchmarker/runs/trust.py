"""What a third party can find out about a record without training anything.

`benchmarker.core.record_check` compares files with their digests. Somebody who edits a file
can write its new digest beside it; so here the contents are held against each other: the
weights against the digests of their numbers and against what the record says of the network,
history and scores against the digests that were made before any file was written, the
probabilities against the scores, and every metric against the predictions. No Keras is
needed. Whether the weights follow from the data only `benchmarker verify` can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import BenchmarkerError
from benchmarker.core.hashing import digest_arrays, digest_json
from benchmarker.core.record_check import ROUNDING, check_record
from benchmarker.core.record_tables import MODELS, Predictions, csv_rows
from benchmarker.core.records import Record, read_record
from benchmarker.metrics.classification import METRICS_VERSION, evaluate
from benchmarker.report.temperature_check import temperature_faults
from benchmarker.runs.folder import TIMING_COLUMNS
from benchmarker.runs.notes import read_notes
from benchmarker.runs.weights import read_tensors

CHANGED = " was changed after the run"
MOST_SHOWN = 3  # rows or metrics named in one fault


@dataclass(frozen=True)
class Findings:
    """What was found in one run folder.

    Arguments
    ---------
    folder : of the run
    state : as its record says; None where that cannot be read
    faults : in words; nothing if it is sound
    """

    folder: Path
    state: str | None
    faults: tuple[str, ...]

    @property
    def edited(self) -> tuple[str, ...]:
        """Names of the files whose content is not the recorded one."""
        return tuple(text.split(CHANGED)[0] for text in self.faults if CHANGED in text)

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "folder": str(self.folder),
            "state": self.state,
            "sound": not self.faults,
            "edited": list(self.edited),
            "faults": list(self.faults),
        }


def inspect(folder: str | Path, *, intervals: bool = False) -> Findings:
    """Everything that can be found about one run folder.

    With `intervals` the bootstrap is repeated too, which takes seconds for thousands of test
    sources.
    """
    folder = Path(folder)
    faults = check_record(folder)
    try:
        record = read_record(folder)
    except BenchmarkerError:
        return Findings(folder, None, tuple(faults))
    if record.is_complete:
        for text in _contents(record, intervals=intervals):
            if text not in faults:
                faults.append(text)
    return Findings(folder, record.state, tuple(faults))


def _contents(record: Record, *, intervals: bool) -> Iterator[str]:
    checks: list[Callable[[], Iterator[str]]] = [lambda: _history(record)]
    for model in MODELS:
        checks += [
            lambda model=model: weights_faults(record, model),
            lambda model=model: _probabilities(record, model),
            lambda model=model: _metrics(record, model, intervals=intervals),
        ]
    checks += [lambda: _scores(record), lambda: _labels(record)]
    checks += [lambda: iter(temperature_faults(record))]
    for check in checks:
        try:
            yield from check()
        except BenchmarkerError as error:
            yield from str(error).splitlines()


def weights_faults(record: Record, model: str) -> Iterator[str]:
    """Why the weights in a complete run's folder are not those that its record speaks of.

    They must be readable, of the recorded numbers, and their notes must agree with run.json.
    Raises `InputFileError` where the file cannot be read.
    """
    path = record.folder / f"{model}.safetensors"
    tensors, texts = read_tensors(path)
    broken = sorted(name for name, array in tensors.items() if not np.isfinite(array).all())
    if broken:
        yield f"{path.name}: {_some(broken)} not finite"
    ordered = {name: tensors[name] for name in sorted(tensors, key=_place)}
    if digest_arrays(ordered) != record.run["digests"][f"{model}_weights"]:
        yield f"{path.name}: the weights are not those whose digest is in run.json"
    said = read_notes(texts)
    if said is None:
        return
    stated = {
        "network": record.network,
        "network_digest": record.identity["network_digest"],
        "classes": list(record.classes),
        "preparation": {k: v for k, v in record.identity["preparation"].items() if k != "digest"},
    }
    for key, value in stated.items():
        if key in said and digest_json(said[key]) != digest_json(value):
            yield f"{path.name}: its {key} is {said[key]}, run.json has {value}"


def _place(name: str) -> tuple[int, str]:
    number, _, _ = name.partition("|")
    return (int(number) if number.isdigit() else -1, name)


def _history(record: Record) -> Iterator[str]:
    rows = [
        {key: text for key, text in row.items() if key not in TIMING_COLUMNS}
        for _, row in csv_rows(record.folder / "history.csv")
    ]
    # the digest was made of the numbers' texts, which are those in the table
    if digest_json(rows) != record.run["digests"]["history"]:
        yield "history.csv: its epochs are not those whose digest is in run.json"


def _scores(record: Record) -> Iterator[str]:
    found = {model: record.predictions(model).scores for model in MODELS}
    if any(values is None for values in found.values()):
        return
    if digest_arrays(found) != record.run["digests"]["predictions"]:
        yield "predictions.csv: its scores are not those whose digest is in run.json"


def _probabilities(record: Record, model: str) -> Iterator[str]:
    """Each row must be the softmax of its scores."""
    table = record.predictions(model)
    if table.scores is None or not np.isfinite(table.scores).all():
        return
    shifted = np.exp(table.scores - table.scores.max(axis=1, keepdims=True))
    expected = shifted / shifted.sum(axis=1, keepdims=True)
    unlike = np.abs(table.probabilities - expected).max(axis=1) > ROUNDING
    names = [name for name, is_unlike in zip(table.sources, unlike, strict=True) if is_unlike]
    if names:
        yield (
            f"predictions.csv, {model}: the probabilities do not follow from the scores for "
            f"{_some(names)}"
        )


def _labels(record: Record) -> Iterator[str]:
    one, other = (record.predictions(model) for model in MODELS)
    known = dict(zip(other.sources, other.labels.tolist(), strict=True))
    pairs = zip(one.sources, one.labels.tolist(), strict=True)
    names = [name for name, label in pairs if known.get(name, label) != label]
    if names:
        yield f"predictions.csv: best and final have other labels for {_some(names)}"


def _metrics(record: Record, model: str, *, intervals: bool) -> Iterator[str]:
    """Every number that `evaluate` gives, worked out again."""
    stated, table = record.metrics[model], record.predictions(model)
    if stated.get("version", 1) != METRICS_VERSION or not _usable(table):
        return
    drawn = stated.get("interval", {})
    found = evaluate(
        table.labels,
        table.probabilities,
        record.classes,
        seed=drawn.get("seed", 0),
        resamples=drawn.get("resamples", 0) if intervals else 0,
        scores=table.scores if stated.get("auc_from") == "scores" else None,
    )
    keys = ("value", "low", "high") if intervals else ("value",)
    unlike = list(_unlike(found, stated, keys))
    if unlike:
        more = f", and {len(unlike) - MOST_SHOWN} more" if len(unlike) > MOST_SHOWN else ""
        shown = "; ".join(unlike[:MOST_SHOWN])
        yield f"metrics.json, {model}: predictions.csv gives other numbers: {shown}{more}"


def _usable(table: Predictions) -> bool:
    shares, scores = table.probabilities, table.scores
    fine = np.isfinite(shares).all() and (shares >= 0).all()
    return bool(fine and (scores is None or np.isfinite(scores).all()))


def _unlike(found: dict[str, Any], stated: Any, keys: tuple[str, ...]) -> Iterator[str]:
    """Numbers of `found` that `stated` has and has otherwise, as ``accuracy 0.8, stated 0.9``."""
    for name, value in found.items():
        beside = stated.get(name) if isinstance(stated, dict) else None
        if not isinstance(value, dict) or not isinstance(beside, dict):
            continue
        if "value" not in value:
            yield from (f"{name}.{text}" for text in _unlike(value, beside, keys))
            continue
        for key in keys:
            if not _same(value.get(key), beside.get(key)):
                word = name if key == "value" else f"{name} ({key})"
                yield f"{word} {_shown(value.get(key))}, stated {_shown(beside.get(key))}"


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    numbers = isinstance(other, int | float) and not isinstance(other, bool)
    return numbers and abs(one - other) <= ROUNDING


def _shown(number: Any) -> str:
    return f"{number:.6f}" if isinstance(number, float) else str(number)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
    return ", ".join(names[:MOST_SHOWN]) + more

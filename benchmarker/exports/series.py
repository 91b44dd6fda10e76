"""A record as rows of numbers over epochs: what trackers of experiments take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benchmarker.core.errors import MissingDataError
from benchmarker.core.records import MODELS, Record
from benchmarker.metrics.classification import SCALARS


@dataclass(frozen=True)
class Point:
    """One number: its name, the epoch it belongs to, and when it came to be (Unix seconds)."""

    name: str
    epoch: int
    seconds: float
    value: float


def points(record: Record) -> Iterator[Point]:
    """The history epoch by epoch, then the test metrics of both weights.

    Names are ``train/...``, ``validation/...``, ``epoch/...`` and ``test/MODEL/METRIC``; a
    metric that is undefined has no point. Raises `MissingDataError` for a run without epochs.
    """
    if not record.history:
        message = f"{record.folder} has no finished epoch"
        raise MissingDataError(message)
    now = begun(record)
    for row in record.history:
        now += row.get("seconds", 0.0)
        epoch = int(row["epoch"])
        yield from (Point(_word(k), epoch, now, v) for k, v in row.items() if k != "epoch")
    last = int(record.history[-1]["epoch"])
    for model in MODELS if record.is_complete else ():
        for name in SCALARS:
            value = record.metrics[model].get(name, {}).get("value")
            if value is not None:
                yield Point(f"test/{model}/{name}", last, now, float(value))


def _word(column: str) -> str:
    if column.startswith("val_"):
        return f"validation/{column.removeprefix('val_')}"
    of_epoch = column in ("learning_rate", "seconds", "images_per_second")
    return f"{'epoch' if of_epoch else 'train'}/{column}"


def begun(record: Record) -> float:
    """When the run began, Unix seconds; 0 where its record does not say."""
    return _unix(record.run["created"])


def ended(record: Record) -> float | None:
    """When it was finished, Unix seconds."""
    return None if record.run["finished"] is None else _unix(record.run["finished"])


def _unix(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0


def settings_of(record: Record) -> dict[str, Any]:
    """What was run, as flat names and plain values."""
    identity = record.identity
    flat: dict[str, Any] = {"network": record.network, "data": record.data["name"]}
    flat |= {key: identity[key] for key in ("seed", "precision", "protocol")}
    flat |= {"recipe": identity["recipe"]["name"], "split": record.split["rule"]}
    for key, value in record.settings.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{inner}": one for inner, one in value.items()}
        else:
            flat[key] = value
    return {key: value for key, value in flat.items() if value is not None}

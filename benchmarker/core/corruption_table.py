"""``corruptions.csv`` of a run folder: how well the network did on damaged test images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarker.core.errors import Problems

FILE = "corruptions.csv"
NONE = "none"  # the row of the images as they are, strength 0
SCORES = ("accuracy", "mpca", "macro_f1", "auc", "cross_entropy", "calibration_error")
COLUMNS = ("model", "corruption", "strength", "amount", "unit", "n", *SCORES)
_SHARES = ("accuracy", "mpca", "macro_f1", "auc", "calibration_error")
_ROUNDING = 1e-9


def read_corruptions(
    path: Path, lines: Sequence[tuple[int, Mapping[str, Any]]], models: Sequence[str]
) -> list[dict[str, Any]]:
    """Rows of corruptions.csv as dictionaries of `COLUMNS`, an undefined score None.

    `lines` are its numbered lines by column, `models` the words that its first one may have.
    Each model that is there begins with the row of the images as they are (corruption
    ``none``, strength 0). Raises `InputFileError` listing every bad line.
    """
    problems = Problems(path)
    columns = list(lines[0][1]) if lines else []
    if columns != list(COLUMNS):
        problems.add(f"columns {columns}, expected {list(COLUMNS)}")
    problems.raise_if_any()
    rows: list[dict[str, Any]] = []
    for line, values in lines:
        row = _row(values)
        if row is None or row["model"] not in models:
            problems.add(f"{values['model']} {values['corruption']} is no result", line=line)
        else:
            rows.append(row)
    for text in _faults(rows):
        problems.add(text)
    problems.raise_if_any()
    return rows


def table_rows(rows: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """The lines of corruptions.csv that `read_corruptions` reads back, in the order given."""
    return [["" if row[name] is None else row[name] for name in COLUMNS] for row in rows]


def _row(values: Mapping[str, str]) -> dict[str, Any] | None:
    try:
        scores = {name: _score(name, values[name]) for name in SCORES}
        row: dict[str, Any] = {
            "model": values["model"],
            "corruption": values["corruption"],
            "strength": int(values["strength"]),
            "amount": float(values["amount"]),
            "unit": values["unit"],
            "n": int(values["n"]),
        }
    except (KeyError, TypeError, ValueError):
        return None
    plain = row["corruption"] == NONE
    fine = (
        row["corruption"]
        and plain == (row["strength"] == 0)
        and row["strength"] >= 0
        and math.isfinite(row["amount"])
        and row["n"] > 0
    )
    return {**row, **scores} if fine else None


def _score(name: str, text: str) -> float | None:
    if text == "":
        return None
    value = float(text)
    highest = 1.0 + _ROUNDING if name in _SHARES else math.inf
    if not 0 <= value <= highest:
        raise ValueError(name)
    return value


def _faults(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    keys = [(row["model"], row["corruption"], row["strength"]) for row in rows]
    faults = [
        f"{' '.join(map(str, key))} is there more than once"
        for key in dict.fromkeys(keys)
        if keys.count(key) > 1
    ]
    there = dict.fromkeys(row["model"] for row in rows)
    faults += [
        f"no row of {model} without damage" for model in there if (model, NONE, 0) not in keys
    ]
    return faults if rows else ["no result in it"]


def corruption_faults(rows: Sequence[Mapping[str, Any]], metrics: Mapping[str, Any]) -> list[str]:
    """What in the rows does not agree with the metrics of the same models, in words."""
    faults = []
    for row in rows:
        stated, where = metrics[row["model"]], f"{row['model']} {row['corruption']}"
        if row["n"] != stated["n"]:
            faults.append(
                f"{where} {row['strength']}: {row['n']} images, tested were {stated['n']}"
            )
        if row["corruption"] == NONE:
            faults += [
                f"{where}: {name} {row[name]}, metrics.json has {stated[name]['value']}"
                for name in SCORES
                if not _agree(row[name], stated[name]["value"])
            ]
    return faults


def _agree(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return first is second
    return abs(first - second) <= _ROUNDING

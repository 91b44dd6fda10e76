"""The leaderboard: one row per configuration, averaged over its seeds.

A row stands for one network with its settings on one data set (by digest), under one split
rule, preparation, recipe, precision and protocol. Runs that differ in anything but the
seed are never averaged; failed runs have rows of their own and never enter a mean.

``mpca_low`` and ``mpca_high`` are the bounds of the mean at 95 %, over images and seeds
(`benchmarker.metrics.two_level`); ``mpca_iqm`` is the interquartile mean over the seeds. Rows
that cannot be told apart share a rank (`benchmarker.report.ranking`); ``note`` says what is
not alike.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarker.core.errors import Problems
from benchmarker.core.files import csv_text, lock, write_if_changed
from benchmarker.core.records import MODELS, Record, find_records
from benchmarker.metrics.seeds import check_seeds
from benchmarker.report import classic
from benchmarker.report.contenders import Readings, gathered, readings
from benchmarker.report.published import Published, shipped_numbers
from benchmarker.report.ranking import STRICT, Rules, fields, order
from benchmarker.report.rows import (
    HEAD,
    REPEATED,
    TAIL,
    failed_row,
    settings_digest,
    split_family,
)
from benchmarker.report.run_summary import run_table
from benchmarker.report.tables import table
from benchmarker.report.text import show, width_of

__all__ = [
    "cell",
    "check_expected_seeds",
    "collect",
    "columns",
    "print_runs",
    "read_rows",
    "refresh",
    "rows",
    "rows_of_runs",
    "run_table",
    "table",
    "write",
]


def collect(results: str | Path) -> list[Record]:
    """All readable records of a results folder, whatever their state."""
    return find_records(results)


def read_rows(
    results: str | Path, *, model: str | None = None, rules: Rules = STRICT
) -> list[dict[str, Any]]:
    """Rows of a results folder; folders that cannot be read have rows that say why."""
    return _read(results, model, rules)[0]


def _read(
    results: str | Path, model: str | None, rules: Rules
) -> tuple[list[dict[str, Any]], list[Record]]:
    """Rows, and the records that are behind them."""
    problems = Problems(results)
    records = find_records(results, problems=problems)
    told = readings(records, problems)
    found = _rows(told, records, _Asked(model, shipped_numbers(), rules))
    return [*found, *_broken_rows(problems)], [record for record, _ in told]


def _broken_rows(problems: Problems) -> list[dict[str, Any]]:
    blank = dict.fromkeys((*HEAD, *TAIL))
    same = {"state": "unreadable", "seeds": [], "n_seeds": 0, "network": "", "data": ""}
    return [{**blank, **same, "reason": text} for text in problems.texts]


def write(results: str | Path) -> Path:
    """Write ``leaderboard.csv`` and the classic per-network tables, whole, from the records.

    Runs that end at the same moment wait for each other at ``.leaderboard.lock``; the
    last one sees all records. Returns the path of ``leaderboard.csv``.
    """
    refresh(results)
    return Path(results) / "leaderboard.csv"


def refresh(results: str | Path) -> list[dict[str, Any]]:
    """Write as `write` does and return the rows of both models."""
    results = Path(results)
    with lock(results / ".leaderboard.lock"):
        found, records = _read(results, None, STRICT)
        header = columns(found)
        cells = [[cell(row.get(name)) for name in header] for row in found]
        write_if_changed(results / "leaderboard.csv", csv_text(header, cells))
        classic.write(results, records)
    return found


def columns(found: Sequence[dict[str, Any]]) -> list[str]:
    """Columns of the table: those of each class stand between the means and the rest."""
    known = {*HEAD, *TAIL}
    classes = dict.fromkeys(name for row in found for name in row if name not in known)
    return [*HEAD, *classes, *TAIL]


def cell(value: Any) -> Any:
    """A value as it stands in a CSV table: lists with blanks, nothing where undefined."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else value


def rows(
    records: Iterable[Record],
    *,
    model: str | None = None,
    published: Sequence[Published] | None = None,
    rules: Rules = STRICT,
    problems: Problems | None = None,
) -> list[dict[str, Any]]:
    """One row per configuration and model, sorted by data, then by MPCA, best first.

    Arguments
    ---------
    records : in any state; only complete ones are averaged, failed ones get their own rows
    model : ``best`` (lowest monitored validation loss, the headline), ``final`` or both
    published : numbers to show beside ours; the shipped ones if None
    rules : what is ranked with what
    problems : gets a text for each run that is left out, its predictions being damaged

    Rates are fractions; an undefined value is None.
    """
    numbers = shipped_numbers() if published is None else published
    records = list(records)
    asked = _Asked(model, numbers, rules)
    return _rows(readings(records, problems), records, asked)


@dataclass(frozen=True)
class _Asked:
    """Which model or both, the published numbers, and what is ranked with what."""

    model: str | None
    numbers: Sequence[Published]
    rules: Rules


def _rows(told: Readings, records: Sequence[Record], asked: _Asked) -> list[dict[str, Any]]:
    models = MODELS if asked.model is None else (asked.model,)
    made = [gathered(told, model, asked.numbers, asked.rules) for model in models]
    found = [contender.row for contenders in made for contender in contenders]
    found += [failed_row(record, asked.numbers) for record in records if record.state == "failed"]
    found.sort(key=order)
    for field in fields(found):
        _note_differences(field)
    return found


def _note_differences(field: list[dict[str, Any]]) -> None:
    texts = []
    fingerprints = {row["fingerprint"] for row in field}
    if len(fingerprints) > 1:
        texts.append("ranked with runs of other fingerprints")
    if len({row["auc_from"] for row in field} - {"mixed"}) > 1:
        texts.append("the AUC ranks by scores in some rows, by probabilities in others")
    for row in field:
        row["note"] = "; ".join(filter(None, [row["note"], *texts]))


def rows_of_runs(results: str | Path, records: Sequence[Record]) -> list[dict[str, Any]]:
    """Rows of the best models that these runs belong to, with their ranks among all rows."""
    keys = {
        (record.data["digest"], record.data["name"], split_family(record), settings_digest(record))
        for record in records
        if record.is_complete
    }
    return [row for row in read_rows(results, model="best") if _row_key(row) in keys]


def _row_key(row: dict[str, Any]) -> tuple:
    same = ("data_digest", "data", "split_family", "settings_digest")
    return tuple(row.get(name) for name in same)


def print_runs(records: Sequence[Record], found: Sequence[dict[str, Any]]) -> None:
    """Print the table of each run, then their rows of the leaderboard, to standard output."""
    for record in records:
        show(run_table(record), sys.stdout)
    if found:
        show(table(found, width=width_of(sys.stdout)), sys.stdout)


def check_expected_seeds(found: Sequence[dict[str, Any]], expected: Sequence[int]) -> list[str]:
    """Rows whose seeds are not exactly the expected ones, one text each."""
    texts = []
    for row in found:
        if row["state"] != "complete":
            continue
        check = check_seeds(row["seeds"], expected)
        repeated = [text for text in row["note"].split("; ") if REPEATED in text]
        faults = [*check.texts(), *repeated]
        if faults:
            texts.append(f"{row['network']} on {row['data']}: {'; '.join(faults)}")
    return texts

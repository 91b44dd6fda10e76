"""The leaderboard: one row per configuration, averaged over its seeds.

A row stands for one network with its settings on one data set (by digest), under one split
rule, preparation, recipe, precision and protocol. Runs that differ in anything but the
seed are never averaged; failed runs have rows of their own and never enter a mean.

``mpca_low`` and ``mpca_high``: the mean 95 % bootstrap bounds over images of the seeds,
widened in quadrature by the standard deviation over seeds; those of the accuracy likewise.
Rows share a rank when the interval of the MPCA reaches that of the best row of their rank;
ranks are given within one data digest, split rule and metric version only. ``note`` says
what else differs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarker.core.errors import Problems
from benchmarker.core.files import lock, write_csv
from benchmarker.core.records import MODELS, Record, find_records
from benchmarker.metrics.seeds import check_seeds
from benchmarker.report import classic
from benchmarker.report.published import Published, shipped_numbers
from benchmarker.report.rows import (
    HEAD,
    REPEATED,
    TAIL,
    complete_row,
    failed_row,
    group_key,
)
from benchmarker.report.run_summary import run_table
from benchmarker.report.tables import RANKED_WITHIN, table
from benchmarker.report.text import show, width_of

__all__ = [
    "check_expected_seeds",
    "collect",
    "columns",
    "print_runs",
    "read_rows",
    "rows",
    "rows_of_runs",
    "run_table",
    "table",
    "write",
]


def collect(results: str | Path) -> list[Record]:
    """All readable records of a results folder, whatever their state."""
    return find_records(results)


def read_rows(results: str | Path, *, model: str | None = None) -> list[dict[str, Any]]:
    """Rows of a results folder; folders that cannot be read have rows that say why."""
    problems = Problems(results)
    records = find_records(results, problems=problems)
    return [*rows(records, model=model), *_broken_rows(problems)]


def _broken_rows(problems: Problems) -> list[dict[str, Any]]:
    blank = dict.fromkeys((*HEAD, *TAIL))
    same = {"state": "unreadable", "seeds": [], "n_seeds": 0, "network": "", "data": ""}
    return [{**blank, **same, "reason": text} for text in problems.texts]


def write(results: str | Path) -> Path:
    """Write ``leaderboard.csv`` and the classic per-network tables, whole, from the records.

    Runs that end at the same moment wait for each other at ``.leaderboard.lock``; the
    last one sees all records. Returns the path of ``leaderboard.csv``.
    """
    results = Path(results)
    with lock(results / ".leaderboard.lock"):
        problems = Problems(results)
        records = find_records(results, problems=problems)
        found = [*rows(records), *_broken_rows(problems)]
        header = columns(found)
        cells = [[_cell(row.get(name)) for name in header] for row in found]
        path = write_csv(results / "leaderboard.csv", header, cells)
        classic.write(results, records)
    return path


def columns(found: Sequence[dict[str, Any]]) -> list[str]:
    """Columns of the table: those of each class stand between the means and the rest."""
    known = {*HEAD, *TAIL}
    classes = dict.fromkeys(name for row in found for name in row if name not in known)
    return [*HEAD, *classes, *TAIL]


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else value


def rows(
    records: Iterable[Record],
    *,
    model: str | None = None,
    published: Sequence[Published] | None = None,
) -> list[dict[str, Any]]:
    """One row per configuration and model, sorted by data, then by MPCA, best first.

    Arguments
    ---------
    records : in any state; only complete ones are averaged, failed ones get their own rows
    model : ``best`` (lowest monitored validation loss, the headline), ``final`` or both
    published : numbers to show beside ours; the shipped ones if None

    Rates are fractions; an undefined value is None.
    """
    numbers = shipped_numbers() if published is None else published
    records = list(records)
    groups: dict[str, list[Record]] = {}
    for record in records:
        if record.is_complete:
            groups.setdefault(group_key(record), []).append(record)
    wanted = MODELS if model is None else (model,)
    found = [complete_row(group, which, numbers) for group in groups.values() for which in wanted]
    found += [failed_row(record, numbers) for record in records if record.state == "failed"]
    found.sort(key=_order)
    _rank(found)
    return found


def _order(row: dict[str, Any]) -> tuple:
    mpca = row["mpca_mean"]
    model = MODELS.index(row["model"]) if row["model"] else len(MODELS)
    place = (row["data"], row["data_digest"], model, row["split_rule"], row["split_family"])
    return (*place, mpca is None, -(mpca or 0.0), row["network"], row["settings_digest"])


def _rank(found: list[dict[str, Any]]) -> None:
    """Fill ``rank`` and the notes on what is compared; `found` is sorted."""
    fields: dict[tuple, list[dict[str, Any]]] = {}
    for row in found:
        if row["state"] == "complete" and row["mpca_mean"] is not None:
            fields.setdefault(tuple(row[name] for name in RANKED_WITHIN), []).append(row)
    for field in fields.values():
        _rank_field(field)
        _note_differences(field)


def _rank_field(field: list[dict[str, Any]]) -> None:
    leader = field[0]
    rank = 1
    for place, row in enumerate(field, start=1):
        if _high(row) < _low(leader):
            leader, rank = row, place
        row["rank"] = rank


def _low(row: dict[str, Any]) -> float:
    return row["mpca_mean"] if row["mpca_low"] is None else row["mpca_low"]


def _high(row: dict[str, Any]) -> float:
    return row["mpca_mean"] if row["mpca_high"] is None else row["mpca_high"]


def _note_differences(field: list[dict[str, Any]]) -> None:
    texts = []
    if len({tuple(row["seeds"]) for row in field}) > 1:
        texts.append("ranked with rows of other seeds")
    fingerprints = {row["fingerprint"] for row in field}
    if len(fingerprints) > 1:
        texts.append("ranked with runs of other fingerprints")
    if len({row["auc_from"] for row in field} - {"mixed"}) > 1:
        texts.append("the AUC ranks by scores in some rows, by probabilities in others")
    for row in field:
        row["note"] = "; ".join(filter(None, [row["note"], *texts]))


def rows_of_runs(results: str | Path, records: Sequence[Record]) -> list[dict[str, Any]]:
    """Rows of the best models that these runs belong to, with their ranks among all rows."""
    keys = {_row_key(row) for row in rows(r for r in records if r.is_complete)}
    return [row for row in read_rows(results, model="best") if _row_key(row) in keys]


def _row_key(row: dict[str, Any]) -> tuple:
    same = ("data_digest", "data", "split_family", "settings_digest", "metrics_version", "state")
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
        faults = [*check.texts(), *([row["note"]] if REPEATED in row["note"] else [])]
        if faults:
            texts.append(f"{row['network']} on {row['data']}: {'; '.join(faults)}")
    return texts

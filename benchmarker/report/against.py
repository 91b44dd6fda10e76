"""Our numbers against the published ones, each with its source and whether it may be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarker.report.names import network_settings
from benchmarker.report.published import Published, all_beside, published_names
from benchmarker.report.text import one_line, percent

HEADINGS = ("network", "data", "metric", "ours %", "published %", "same protocol", "source")
MEANS = ("mpca", "accuracy", "macro_f1", "auc")


def published_of(row: dict[str, Any], numbers: Sequence[Published]) -> list[dict[str, Any]]:
    """Every published number of a row's network on its data, ready for JSON.

    Each has ``metric``, ``ours`` (None where we do not measure that), ``value``,
    ``uncertainty`` as published or None, ``source``, ``same_protocol`` and ``note``. A number
    of another protocol (split, classes or data) is shown, never to be ranked with ours.
    """
    for name in published_names(row["network"], network_settings(row)):
        found = all_beside(numbers, name, row["data"])
        if found:
            return [_entry(row, number) for number in found.values()]
    return []


def _entry(row: dict[str, Any], number: Published) -> dict[str, Any]:
    metric = number.metric
    return {
        "metric": metric,
        "ours": row.get(f"{metric}_mean" if metric in MEANS else metric),
        "value": number.value,
        "uncertainty": number.uncertainty,
        "source": number.source,
        "same_protocol": number.same_protocol,
        "note": number.note,
    }


def fill(rows: Sequence[dict[str, Any]], numbers: Sequence[Published]) -> None:
    """Put the list of published numbers into each complete row as ``against``."""
    for row in rows:
        row["against"] = published_of(row, numbers) if row["state"] == "complete" else []


def lines(rows: Sequence[dict[str, Any]]) -> list[list[str]]:
    """One line of cells under `HEADINGS` for each published number of these rows."""
    found = []
    for row in rows:
        for entry in row.get("against", ()):
            uncertainty = entry["uncertainty"]
            spread = "" if uncertainty is None else f" ± {percent(uncertainty)}"
            cells = [row["network"], row["data"], entry["metric"], percent(entry["ours"])]
            cells += [percent(entry["value"]) + spread, "yes" if entry["same_protocol"] else "no"]
            found.append([one_line(cell) for cell in [*cells, entry["source"]]])
    return found


def columns(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Names of the columns that `flat` fills, for a table of one line per row."""
    metrics = dict.fromkeys(entry["metric"] for row in rows for entry in row.get("against", ()))
    parts = ("", "_uncertainty", "_source", "_same_protocol")
    return [f"published_{metric}{part}" for metric in metrics for part in parts]


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """The published numbers of a row under the names of `columns`."""
    found: dict[str, Any] = {}
    for entry in row.get("against", ()):
        name = f"published_{entry['metric']}"
        found |= {name: entry["value"], f"{name}_uncertainty": entry["uncertainty"]}
        found |= {f"{name}_source": entry["source"]}
        found |= {f"{name}_same_protocol": "yes" if entry["same_protocol"] else "no"}
    return found


def explained(rows: Sequence[dict[str, Any]]) -> str:
    """What must be said of the published numbers of these rows."""
    entries = [entry for row in rows for entry in row.get("against", ())]
    if not entries:
        return "No published number is known of these networks on these data."
    other = sum(not entry["same_protocol"] for entry in entries)
    if not other:
        return "The published numbers are of the same protocol."
    return (
        f"{other} of {len(entries)} published numbers are of another protocol (other split, "
        "classes or data): they cannot be compared with ours as they stand."
    )

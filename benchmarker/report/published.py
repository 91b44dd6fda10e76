"""Numbers from papers, to stand beside ours: ``results/published.csv``."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from benchmarker.core.errors import MissingDataError, Problems
from benchmarker.core.folders import find_text

COLUMNS = (
    "network",
    "data",
    "metric",
    "value",
    "uncertainty",
    "source",
    "same_protocol",
    "note",
)
# the first of these that a paper gives is shown beside our mean per class accuracy
COMPARABLE = ("mpca", "accuracy")
# each of these stands beside ours where a paper gives it
SHOWN = ("accuracy", "macro_f1", "auc")
# the proposed network of Bowles et al. 2021, which they published under the family's name
AGCNN = {"gates": 3, "normalisation": "range_norm", "aggregation": "ft"}


@dataclass(frozen=True)
class Published:
    """One number of a paper; rates are fractions.

    uncertainty : as published, None where none is given
    same_protocol : whether split, classes and data agree with ours, so that it may be compared
    """

    network: str
    data: str
    metric: str
    value: float
    uncertainty: float | None
    source: str
    same_protocol: bool
    note: str


def shipped_numbers() -> tuple[Published, ...]:
    """The published numbers that ship (the user's own file hides them); empty if absent."""
    try:
        path = find_text("results", "published", ".csv")
    except MissingDataError:
        return ()
    return read_published(path)


@lru_cache(maxsize=4)
def read_published(path: Path) -> tuple[Published, ...]:
    """Read a table of published numbers; raises `InputFileError` listing every bad line."""
    problems = Problems(path)
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            found = ",".join(reader.fieldnames or ())
            problems.add(f"columns {found}, expected {','.join(COLUMNS)}", line=1)
            problems.raise_if_any()
        rows = [_number(row, reader.line_num, problems) for row in reader]
    problems.raise_if_any()
    return tuple(row for row in rows if row is not None)


def _number(row: dict[str, str], line: int, problems: Problems) -> Published | None:
    try:
        uncertainty = float(row["uncertainty"]) if row["uncertainty"] else None
        value = float(row["value"])
    except (TypeError, ValueError):
        text = f"value {row['value']!r} and uncertainty {row['uncertainty']!r}, expected numbers"
        problems.add(text, line=line)
        return None
    if row["same_protocol"] not in ("yes", "no"):
        problems.add(f"same_protocol {row['same_protocol']!r}, expected yes or no", line=line)
    if not row["source"]:
        problems.add("source is empty, expected the paper", line=line)
    return Published(
        network=row["network"],
        data=row["data"],
        metric=row["metric"],
        value=value,
        uncertainty=uncertainty,
        source=row["source"],
        same_protocol=row["same_protocol"] == "yes",
        note=row["note"] or "",
    )


def beside(numbers: Sequence[Published], network: str, data: str) -> Published | None:
    """The number to show beside a network's row: its MPCA if published, else its accuracy."""
    found = all_beside(numbers, network, data)
    return next((found[metric] for metric in COMPARABLE if metric in found), None)


def all_beside(numbers: Sequence[Published], network: str, data: str) -> dict[str, Published]:
    """Everything published of a network on these data: metric to number, the first of each."""
    found: dict[str, Published] = {}
    for number in numbers:
        if (number.network, number.data) == (network, data):
            found.setdefault(number.metric, number)
    return found


def published_names(network: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Names under which a network with these settings of its own may be published.

    The best first. The AG-CNN family is published by gates, normalisation and aggregation,
    which a run list may choose by the name of a variant or by settings: both must find the
    same numbers, and ``agcnn`` with other settings must not find those of the proposed one.
    """
    if network.split("_", maxsplit=1)[0] != "agcnn" or not settings:
        return (network,)
    gates, normalisation, aggregation = ({**AGCNN, **settings}[key] for key in AGCNN)
    proposed = (normalisation, aggregation) == (AGCNN["normalisation"], AGCNN["aggregation"])
    if gates == 0 or (gates < AGCNN["gates"] and proposed):
        return (f"agcnn_gates{gates}",)
    if gates < AGCNN["gates"]:
        return ()
    variant = f"agcnn_{normalisation}_{aggregation}"
    if not proposed:
        return (variant,)
    return tuple(dict.fromkeys((network, variant, "agcnn")))

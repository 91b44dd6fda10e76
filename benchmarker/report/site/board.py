"""The leaderboard as the index page shows it: cells with the values that sort them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarker.report.contender import Contender
from benchmarker.report.names import labels
from benchmarker.report.ranking import fields
from benchmarker.report.site import figures, words
from benchmarker.report.site.material import Material


@dataclass(frozen=True)
class Cell:
    """One cell: `text`, a second line `under` it, the `value` that sorts it, and a link."""

    text: str
    value: float | str | None = None
    under: str = ""
    href: str = ""
    title: str = ""

    @property
    def sorts_by(self) -> str:
        """What the page sorts by; nothing where the number is not defined."""
        return "" if self.value is None else str(self.value)


@dataclass(frozen=True)
class Column:
    """A column: whether it holds numbers, and whether more of it is better."""

    heading: str
    number: bool = True
    falling: bool = False
    title: str = ""


COLUMNS = (
    Column("Rank", title="equal ranks cannot be told apart"),
    Column("Network", number=False),
    Column("Data", number=False),
    Column("MPCA %", falling=True, title="mean per class accuracy"),
    Column("Accuracy %", falling=True),
    Column("F1 %", falling=True, title="mean over the classes"),
    Column("AUC %", falling=True, title="mean over the classes, each against the others"),
    Column("ECE %", title="expected calibration error: lower is better"),
    Column("Seeds", falling=True),
    Column("Params", title="parameters of the network"),
    Column("MACs", title="multiply-adds for one image"),
    Column("Train/s", falling=True, title="training images per second"),
    Column("Test/s", falling=True, title="images per second, the network alone"),
    Column("Published %", falling=True, title="the number of a paper, see below the table"),
)


def index_page(material: Material) -> dict[str, Any]:
    """What the template of the index needs."""
    rows = [contender.row for contender in material.contenders]
    # the last column is for papers; most results have none to stand beside
    kept = len(COLUMNS) if any(row["published_value"] is not None for row in rows) else -1
    ties, names = tied(rows), short_names(rows)
    table = [
        {
            "id": f"row-{number}",
            "cells": cells(contender.row, name, tie, f"networks/{page}.html")[:kept],
            "data": contender.row["data"],
            "protocol": contender.row["protocol"],
            "search": search_text(contender),
        }
        for number, (contender, name, tie, page) in enumerate(
            zip(material.contenders, names, ties, material.network_pages, strict=True)
        )
    ]
    return {
        "columns": COLUMNS[:kept],
        "rows": table,
        "choices": {name: _distinct(rows, name) for name in ("data", "protocol")},
        "cost": _cost_charts(rows, names),
        "notes": notes(material.contenders),
        "left_out": [words.printable(text) for text in material.left_out],
        "states": Counter(record.state for record in material.records),
        "unfinished": [
            {"record": record, "page": material.run_page(record)}
            for record in material.records
            if not record.is_complete
        ],
    }


def short_names(rows: Sequence[dict[str, Any]]) -> list[str]:
    """A name for each row that no other row on the same data and split has."""
    found = [""] * len(rows)
    for places in _tests(rows).values():
        for place, name in zip(places, labels([rows[one] for one in places]), strict=True):
            found[place] = name
    return found


def _tests(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, ...], list[int]]:
    """Places of the rows of each data set and split rule: what a reader compares."""
    found: dict[tuple[str, ...], list[int]] = {}
    for place, row in enumerate(rows):
        found.setdefault((row["data"], row["split_rule"]), []).append(place)
    return found


def cells(row: Mapping[str, Any], name: str, tie: bool, href: str) -> list[Cell]:  # noqa: FBT001
    """Cells of one row, in the order of `COLUMNS`."""
    rank, seeds = row["rank"], ", ".join(map(str, row["seeds"]))
    return [
        Cell(
            words.UNDEFINED if rank is None else f"{'=' if tie else ''}{rank}",
            rank,
            title="tied: cannot be told apart from others of this rank" if tie else "",
        ),
        Cell(name, name.lower(), href=href),
        Cell(row["data"], row["data"].lower(), under=row["split_rule"]),
        _score(row, "mpca"),
        _score(row, "accuracy"),
        _score(row, "macro_f1"),
        _score(row, "auc"),
        Cell(words.share(row["calibration_error"]), row["calibration_error"]),
        Cell(str(row["n_seeds"]), row["n_seeds"], title=f"seeds {seeds}"),
        *(Cell(words.short(row[name]), row[name]) for name in ("parameters", "multiply_adds")),
        Cell(words.short(row["training_images_per_second"]), row["training_images_per_second"]),
        Cell(words.short(row["inference_images_per_second"]), row["inference_images_per_second"]),
        _published(row),
    ]


def _score(row: Mapping[str, Any], name: str) -> Cell:
    mean = row[f"{name}_mean"]
    inside = words.between(row.get(f"{name}_low"), row.get(f"{name}_high"))
    return Cell(words.share_with_sd(mean, row[f"{name}_sd"]), mean, under=inside)


def _published(row: Mapping[str, Any]) -> Cell:
    value = row["published_value"]
    if value is None:
        return Cell("")
    return Cell(
        words.share(value), value, under=row["published_metric"], title=row["published_source"]
    )


def tied(rows: Sequence[dict[str, Any]]) -> list[bool]:
    """Whether each row shares its rank with another one that it is ranked with."""
    shared = set()
    for field in fields(rows):
        counts = Counter(row["rank"] for row in field)
        shared |= {id(row) for row in field if row["rank"] and counts[row["rank"]] > 1}
    return [id(row) in shared for row in rows]


def search_text(contender: Contender) -> str:
    """What the filter of the page looks into, in lower case."""
    row = contender.row
    names = ("data", "split_rule", "recipe", "preparation", "protocol", "precision")
    found = [contender.label, *(str(row[name]) for name in names), str(row["other_settings"])]
    return " ".join(found).lower()


def notes(contenders: Sequence[Contender]) -> list[str]:
    """What must be known of single rows, each text once with the names of its rows."""
    texts: dict[str, list[str]] = {}
    for contender in contenders:
        for text in filter(None, (contender.row["note"] or "").split("; ")):
            texts.setdefault(text, []).append(contender.label)
    sources: dict[str, list[str]] = {}
    for contender in contenders:
        source = contender.row["published_source"]
        if source:
            sources.setdefault(f"published by {source}", []).append(contender.label)
    return [f"{', '.join(_few(names))}: {text}" for text, names in {**texts, **sources}.items()]


def _few(names: Sequence[str]) -> list[str]:
    return list(names) if len(names) <= 6 else [*names[:5], f"{len(names) - 5} more"]


def _distinct(rows: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    return sorted({row[name] for row in rows})


def _cost_charts(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """One chart for each data set and split, as other scores cannot be compared."""
    found = []
    for (data, rule), places in _tests(rows).items():
        points = [(rows[place], names[place], f"row-{place}") for place in places]
        chart = figures.cost(points, f"{data}, {rule}")
        if chart is not None:
            found.append(chart.drawn())
    return found

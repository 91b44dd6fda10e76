"""`benchmarker data list`: the data-set cards, and which of them are on this machine."""

from __future__ import annotations

import argparse
import json
from typing import Any

NAME = "list"
HELP = "list the data sets: classes, images, terms, and where they were found"
COLUMNS = ("name", "classes", "images", "pixels", "found")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The one option of this verb."""
    parser.add_argument("--json", action="store_true", help="print JSON with all that cards say")


def run(arguments: argparse.Namespace) -> int:
    """Print one row per card; returns 0."""
    rows = card_rows()
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return 0
    table = [COLUMNS, *([_cell(row[column]) for column in COLUMNS] for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(COLUMNS))]
    for line in table:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        print("  ".join(cells).rstrip())
    print()
    for row in rows:
        if row["licence"] and not row["subset_of"]:
            print(f"{row['name']}: {row['title']}; terms: {row['licence']}")
    for row in rows:
        if row["subsets"]:
            words = ", ".join(_subset_words(one) for one in row["subsets"])
            print(f"{row['name']}: subsets for --subset: {words}")
    return 0


def card_rows() -> list[dict[str, Any]]:
    """What the table shows of each card; a card with faults has its error as `found`."""
    from benchmarker.core.errors import BenchmarkerError
    from benchmarker.data.cards import list_cards, load_card

    rows = []
    for name in list_cards():
        try:
            rows.append(_row(load_card(name)))
        except BenchmarkerError as error:
            empty = dict.fromkeys(("title", "licence", "images", "pixels", "subset_of"))
            fault = f"card has faults: {str(error).splitlines()[-1].strip()}"
            rows.append({"name": name, **empty, "classes": [], "subsets": [], "found": fault})
    return rows


def _row(card: Any) -> dict[str, Any]:
    from benchmarker.data.opening_cards import find_form

    counts = card.total or tuple(card.settings.get("counts", {}).values())
    return {
        "name": card.name,
        "title": card.title,
        "subset_of": card.base,
        "subsets": [
            {"name": one.name, "aliases": list(one.aliases), "title": one.title}
            for one in card.subsets
        ],
        "classes": list(card.classes),
        "images": sum(counts) or None,
        "counts": {part: list(numbers) for part, numbers in card.counts.items()},
        "pixels": f"{card.image[0]}x{card.image[1]}",
        "pixel_scale_arcsec": card.pixel_scale_arcsec,
        "preparation": card.preparation,
        "licence": card.licence,
        "citation": list(card.citation),
        "homepage": card.homepage,
        "found": _found(card, find_form(card)),
    }


def _subset_words(subset: dict[str, Any]) -> str:
    return " = ".join((subset["name"], *subset["aliases"]))


def _found(card: Any, found: Any) -> str:
    if card.reader == "simulate":
        return "drawn on demand"
    if found is not None:
        return str(found[1])
    return f"benchmarker data fetch {card.folder}" if card.files else "not here"


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) if len(value) <= 4 else f"{len(value)} classes"
    return "-" if value is None else str(value)

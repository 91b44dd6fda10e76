"""The leaderboard as a text table, as wide as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarker.report.comparison import comparisons, sources
from benchmarker.report.names import names_with_settings
from benchmarker.report.rows import RANKED_WITHIN
from benchmarker.report.text import (
    bounds,
    one_line,
    percent,
    percent_with_sd,
    sentence,
    short_number,
)

PADDING = 3  # blanks between columns, as the box draws them


def _plain(value: Any) -> str:
    return "-" if value is None else str(value)


# heading, importance (the least important columns go first where space is short), cell
_COLUMNS = (
    ("#", 1, lambda row: _plain(row["rank"])),
    ("network", 0, lambda row: row["network"]),
    ("data", 2, lambda row: row["data"]),
    ("model", 1, lambda row: _plain(row["model"])),
    ("rate", 3, lambda row: f"{row['learning_rate']:g}"),
    ("epochs", 6, lambda row: _plain(row["epochs"])),
    ("size", 4, lambda row: _plain(row["size"])),
    ("recipe", 5, lambda row: _plain(row["recipe"])),
    ("seeds", 2, lambda row: _plain(row["n_seeds"])),
    ("MPCA %", 0, lambda row: percent_with_sd(row["mpca_mean"], row["mpca_sd"])),
    ("accuracy %", 7, lambda row: percent_with_sd(row["accuracy_mean"], row["accuracy_sd"])),
    ("95 %", 15, lambda row: bounds(row["accuracy_low"], row["accuracy_high"])),
    ("F1 %", 11, lambda row: percent_with_sd(row["macro_f1_mean"], row["macro_f1_sd"])),
    ("AUC %", 12, lambda row: percent_with_sd(row["auc_mean"], row["auc_sd"])),
    ("params", 8, lambda row: short_number(row["parameters"])),
    ("MACs", 9, lambda row: short_number(row["multiply_adds"])),
    ("train/s", 13, lambda row: short_number(row["training_images_per_second"])),
    ("test/s", 10, lambda row: short_number(row["inference_images_per_second"])),
    ("published %", 14, lambda row: percent(row["published_value"])),
    ("steady %", 16, lambda row: percent(row["rotation_agreement"])),
    ("passes %", 17, lambda row: percent(row["augmented_accuracy"])),
)
_LEFT = ("network", "data", "model", "recipe")
# shown only where the rows differ in it
_IF_DIFFERENT = ("data", "model", "rate", "epochs", "size", "recipe")
# shown only where some row has a value
_IF_THERE = ("published %", "steady %", "passes %", "95 %")


def table(rows: Sequence[dict[str, Any]], *, width: int = 100) -> Group:
    """The leaderboard as text: as many columns as fit into `width` characters.

    ``95 %`` is the interval of the accuracy over sources and seeds, ``steady %`` the
    agreement while the image turns, ``passes %`` the accuracy pooled over augmented passes.
    Networks with published numbers stand once more, beside those, in a table for each data
    set. Failed and unreadable runs stand below with their reasons, then notes on what is
    compared. Where rows agree in a setting, its column is left out.
    """
    complete = [row for row in rows if row["state"] == "complete"]
    parts: list[RenderableType] = []
    if complete:
        parts.append(_fitted(complete, width))
    parts += comparisons(complete, width=width)
    parts += [sentence(text) for text in _remarks(rows)]
    return Group(*parts)


def _fitted(rows: Sequence[dict[str, Any]], width: int) -> Table:
    cells = {name: [one_line(cell(row)) for row in rows] for name, _, cell in _COLUMNS}
    cells["network"] = names_with_settings(rows)
    dull = {name for name in _IF_DIFFERENT if len(set(cells[name])) == 1}
    dull |= {name for name in _IF_THERE if set(cells[name]) == {"-"}}
    space = width
    kept = set()
    for name, _, _ in sorted(_COLUMNS, key=lambda column: column[1]):
        needed = max(len(text) for text in [name, *cells[name]]) + PADDING
        if name not in dull and (needed <= space or not kept):
            kept.add(name)
            space -= needed
    names = [name for name, _, _ in _COLUMNS if name in kept]
    found = Table(title=_title(rows, dull), title_justify="left", box=box.SIMPLE_HEAD)
    found.pad_edge = False
    for name in names:
        left = name in _LEFT
        found.add_column(name, justify="left" if left else "right", no_wrap=name != "network")
    for number in range(len(rows)):
        found.add_row(*(Text(cells[name][number]) for name in names))
    return found


def _title(rows: Sequence[dict[str, Any]], dull: set[str]) -> Text:
    row = rows[0]
    words = [row["data"] if "data" in dull else "all data sets"]
    words += [f"{row['size']} px"] if "size" in dull else []
    words += [f"{row['model']} model"] if "model" in dull else []
    words += [f"{row['epochs']} epochs"] if "epochs" in dull else []
    return Text(one_line(", ".join(map(str, words))), style="bold")


def _remarks(rows: Sequence[dict[str, Any]]) -> list[str]:
    complete = [row for row in rows if row["state"] == "complete"]
    texts = []
    if any(row["mpca_sd"] is not None for row in complete):
        texts.append("± is the standard deviation over seeds.")
    texts += [f"Published: {text}." for text in sources(complete)]
    ranks = [(*(row[name] for name in RANKED_WITHIN), row["rank"]) for row in complete]
    if len(ranks) > len(set(ranks)):
        texts.append("Rows of equal rank cannot be told apart (intervals over images and seeds).")
    for text in dict.fromkeys(row["note"] for row in complete if row["note"]):
        names = sorted({row["network"] for row in complete if row["note"] == text})
        texts.append(f"Note: {text} ({', '.join(names)}).")
    for row in rows:
        if row["state"] == "failed":
            seed = row["seeds"][0]
            texts.append(f"Failed: {row['network']} on {row['data']}, seed {seed}: {row['reason']}")
        elif row["state"] == "unreadable":
            texts.append(f"Unreadable: {row['reason']}")
    return texts

"""Columns of a leaderboard that is to be read: headings, cells, and which are worth showing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarker.report.names import names_with_settings
from benchmarker.report.text import bounds, one_line, percent, percent_with_sd, short_number


def _plain(value: Any) -> str:
    return "-" if value is None else str(value)


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


# heading, importance (the least important columns go first where space is short), cell
COLUMNS = (
    ("#", 1, lambda row: _plain(row["rank"])),
    ("both #", 1, lambda row: _plain(row.get("combined_rank"))),
    ("cost #", 1, lambda row: _plain(row.get("cost_rank"))),
    ("network", 0, lambda row: row["network"]),
    ("data", 2, lambda row: row["data"]),
    ("model", 1, lambda row: _plain(row["model"])),
    ("protocol", 2, lambda row: _plain(row["protocol"])),
    ("rate", 3, lambda row: f"{row['learning_rate']:g}"),
    ("epochs", 6, lambda row: _plain(row["epochs"])),
    ("size", 4, lambda row: _plain(row["size"])),
    ("recipe", 5, lambda row: _plain(row["recipe"])),
    ("seeds", 2, lambda row: _plain(row["n_seeds"])),
    ("MPCA %", 0, lambda row: percent_with_sd(row["mpca_mean"], row["mpca_sd"])),
    ("MPCA 95 %", 8, lambda row: bounds(row["mpca_low"], row["mpca_high"])),
    ("accuracy %", 7, lambda row: percent_with_sd(row["accuracy_mean"], row["accuracy_sd"])),
    ("accuracy 95 %", 15, lambda row: bounds(row["accuracy_low"], row["accuracy_high"])),
    ("F1 %", 11, lambda row: percent_with_sd(row["macro_f1_mean"], row["macro_f1_sd"])),
    ("AUC %", 12, lambda row: percent_with_sd(row["auc_mean"], row["auc_sd"])),
    ("params", 8, lambda row: short_number(row["parameters"])),
    ("MACs", 9, lambda row: short_number(row["multiply_adds"])),
    ("train/s", 13, lambda row: short_number(row["training_images_per_second"])),
    ("test/s", 10, lambda row: short_number(row["inference_images_per_second"])),
    ("published %", 14, lambda row: percent(row["published_value"])),
    ("steady %", 16, lambda row: percent(row["rotation_agreement"])),
    ("passes %", 17, lambda row: percent(row["augmented_accuracy"])),
    ("cost score", 18, lambda row: _score(row.get("cost_score"))),
    ("both score", 18, lambda row: _score(row.get("combined_score"))),
)
LEFT = ("network", "data", "model", "protocol", "recipe")
# shown only where the rows differ in it
IF_DIFFERENT = ("data", "model", "protocol", "rate", "epochs", "size", "recipe")
# shown only where some row has a value
IF_THERE = (
    "both #", "cost #", "published %", "steady %", "passes %", "MPCA 95 %",
    "accuracy 95 %", "cost score", "both score",
)  # fmt: skip


def cells(rows: Sequence[dict[str, Any]]) -> tuple[dict[str, list[str]], set[str]]:
    """Cells of each column by heading, and the headings that say nothing in these rows.

    A setting in which all rows agree says nothing, and neither does a column without values.
    """
    found = {name: [one_line(cell(row)) for row in rows] for name, _, cell in COLUMNS}
    found["network"] = names_with_settings(rows)
    dull = {name for name in IF_DIFFERENT if len(set(found[name])) == 1}
    dull |= {name for name in IF_THERE if set(found[name]) == {"-"}}
    return found, dull

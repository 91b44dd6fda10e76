"""The original's per-network tables: ``results/<network>.csv`` and ``<network>_final.csv``.

One row per complete run, in the columns of rg-benchmarker. MPCA is in percent; precision
and F1 are the balanced ones, as there. The original's header ends in a comma, and so does
ours. Where a network ran on more than one data set, the name of the data fills that last,
nameless column's place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarker.core.files import csv_text, write_if_changed
from benchmarker.core.records import Record

HEAD = (
    "Architectures",
    "Seed",
    "LearningRate",
    "Epochs",
    "train_acc",
    "val_acc",
    "train_loss",
    "val_loss",
    "loss_ratio",
    "acc_ratio",
    "MPCA",
)
SCORES = (("P", "balanced_precision"), ("R", "recall"), ("F1", "balanced_f1"))
# the four classes of Becker et al. 2021 in their order, and how data sets spell them
PAPER_CLASSES = ("Comp", "FRI", "FRII", "Bent")
SPELLINGS = {"comp": "Comp", "compact": "Comp", "fri": "FRI", "frii": "FRII", "bent": "Bent"}
TAKEN = ("leaderboard", "published")
ENDINGS = (("best", ""), ("final", "_final"))


def write(results: Path, records: Iterable[Record]) -> list[Path]:
    """Write both tables of every network that has complete runs; returns their paths."""
    written = []
    for stem, runs in _files(records).items():
        for model, ending in ENDINGS:
            header, body = table_of(runs, model)
            path = results / f"{stem}{ending}.csv"
            written.append(write_if_changed(path, csv_text(header, body)))
    return written


def _files(records: Iterable[Record]) -> dict[str, list[Record]]:
    """File stems with their runs: one column layout per file, the paper's gets the plain name."""
    networks: dict[str, dict[tuple[str, ...], list[Record]]] = {}
    for record in records:
        if record.is_complete:
            layouts = networks.setdefault(record.network, {})
            layouts.setdefault(class_columns(record.classes), []).append(record)
    files: dict[str, list[Record]] = {}
    for network, layouts in networks.items():
        plain = PAPER_CLASSES if PAPER_CLASSES in layouts else min(layouts)
        for layout, runs in layouts.items():
            suffix = "" if layout == plain else f"_{runs[0].data['name']}"
            files.setdefault(_stem(f"{network}{suffix}"), []).extend(runs)
    return files


def _stem(name: str) -> str:
    # a name from a record becomes a path: keep it inside the folder
    stem = re.sub(r"[^\w.@+-]", "_", name).lstrip(".") or "unnamed"
    return f"{stem}_network" if stem in TAKEN else stem


def class_columns(classes: Sequence[str]) -> tuple[str, ...]:
    """The paper's short names in the paper's order for its four classes, else the names."""
    short = {SPELLINGS.get(name.lower(), "") for name in classes}
    return PAPER_CLASSES if short == set(PAPER_CLASSES) else tuple(classes)


def table_of(runs: Sequence[Record], model: str) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of one file for ``best`` or ``final``."""
    columns = class_columns(runs[0].classes)
    header = [*HEAD, *(f"{name}-{letter}" for letter, _ in SCORES for name in columns)]
    many = len({run.data["digest"] for run in runs}) > 1
    ordered = sorted(runs, key=_order)
    body = [[*_row(run, model, columns), run.data["name"] if many else ""] for run in ordered]
    return [*header, "Data" if many else ""], body


def _order(run: Record) -> tuple:
    settings = run.settings
    rate, epochs = settings["learning_rate"], settings["epochs"]
    return (run.data["name"], rate, epochs, run.seed, run.identity["digest"])


def _row(run: Record, model: str, columns: Sequence[str]) -> list[Any]:
    train = run.metrics.get(f"train_{model}") or {}
    validation = run.metrics.get(f"validation_{model}") or {}
    metrics = run.metrics[model]
    losses = (train.get("cross_entropy"), validation.get("cross_entropy"))
    accuracies = (train.get("accuracy"), validation.get("accuracy"))
    mpca = metrics["mpca"]["value"]
    by_column = dict(zip(_own_columns(run.classes), run.classes, strict=True))
    scores = [
        metrics["per_class"][by_column[column]][score]["value"]
        for _, score in SCORES
        for column in columns
    ]
    cells = [
        run.network,
        run.seed,
        run.settings["learning_rate"],
        run.settings["epochs"],
        *accuracies,
        *losses,
        _ratio(*losses),
        _ratio(*accuracies),
        None if mpca is None else round(100 * mpca, 9),
        *scores,
    ]
    return ["" if cell is None else cell for cell in cells]


def _own_columns(classes: Sequence[str]) -> list[str]:
    """The column name of each class, in the data set's own order."""
    is_paper = class_columns(classes) == PAPER_CLASSES
    return [SPELLINGS[name.lower()] if is_paper else name for name in classes]


def _ratio(upper: float | None, lower: float | None) -> float | None:
    return None if upper is None or not lower else upper / lower

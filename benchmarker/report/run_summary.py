"""What a finished run prints last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from benchmarker.core.records import Record
from benchmarker.report.rows import inference_speed
from benchmarker.report.text import duration, interval, one_line, percent, sentence


def run_table(record: Record) -> Group:
    """What a finished run prints last: scores of both models, confusion, speed, folder."""
    metrics = record.metrics
    parts: list[RenderableType] = [
        _scores(record),
        _classes(record),
        _confusion(record, metrics["best"]),
    ]
    parts += [sentence(f"Note: {text}.") for text in metrics["best"].get("flags", [])]
    parts.append(sentence("\n".join(_facts(record))))
    return Group(*parts)


def _new_table(title: str, columns: Iterable[str]) -> Table:
    found = Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD)
    found.pad_edge = False
    for number, name in enumerate(columns):
        found.add_column(escape(one_line(name)), justify="right" if number else "left")
    return found


def _scores(record: Record) -> Table:
    names = {
        "mpca": "MPCA",
        "accuracy": "accuracy",
        "macro_f1": "macro F1",
        "auc": "AUC",
        "calibration_error": "calibration error",
    }
    models = {"best": "best (lowest validation loss)", "final": "final (last epoch)"}
    title = f"{record.network} on {record.data['name']}, seed {record.seed}: % (95 % interval)"
    found = _new_table(title, ["", *models.values()])
    for name, text in names.items():
        found.add_row(text, *(interval(record.metrics[model][name]) for model in models))
    return found


def _classes(record: Record) -> Table:
    found = _new_table(
        "per class, best model: % (95 % interval)",
        ["class", "images", "precision", "recall", "F1"],
    )
    for name, entry in record.metrics["best"]["per_class"].items():
        scores = (interval(entry[score]) for score in ("precision", "recall", "f1"))
        found.add_row(Text(one_line(name)), str(entry["support"]), *scores)
    return found


def _confusion(record: Record, metrics: dict[str, Any]) -> Table:
    found = _new_table("confusion, best model: images (% of the row)", ["truth", *record.classes])
    for name, row in zip(record.classes, metrics["confusion_matrix"], strict=True):
        total = sum(row)
        shares = [f"{n} ({percent(n / total)})" if total else str(n) for n in row]
        found.add_row(Text(one_line(name)), *shares)
    return found


def _facts(record: Record) -> list[str]:
    timings, split = record.timings, record.split
    speed = inference_speed(record)
    size = " x ".join(map(str, record.settings["size"]))
    images = f"{split['train']} train, {split['validation']} validation, {split['test']} test"
    trained = duration(timings["training_seconds"])
    epochs = record.run["status"]["epochs_done"]
    rate = timings["training_images_per_second"]
    macs = f"{record.facts['multiply_adds']:,} multiply-adds per image"
    facts = {
        "images": f"{images} sources, {size} px ({split['rule']})",
        "network": f"{record.facts['parameters']:,} parameters, {macs}",
        "training": f"{epochs} epochs in {trained}, {rate:.0f} images/s",
        "testing": "not timed" if speed is None else f"{speed:.0f} images/s",
        "record": str(record.folder),
    }
    return [f"{name:<9} {text}" for name, text in facts.items()]

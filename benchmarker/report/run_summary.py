"""What a finished run prints last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from benchmarker.core.records import MODELS, Record
from benchmarker.metrics.augmented import ALWAYS_WRONG, always_wrong
from benchmarker.report.rows import inference_speed
from benchmarker.report.text import duration, interval, one_line, percent, sentence

UNDEFINED = "undefined"
MOST_NAMES = 12  # sources named in a sentence; augmented.csv has them all


def run_table(record: Record) -> Group:
    """What a finished run prints last: scores of both models, confusion, speed, folder."""
    metrics = record.metrics
    parts: list[RenderableType] = [
        _scores(record),
        *_calibration(record),
        *_varied(record),
        *_groups(record),
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


def _calibration(record: Record) -> list[RenderableType]:
    """Temperature, Brier score and selection, where the run measured them."""
    entries = [record.metrics[model] for model in MODELS]
    if not all("temperature" in entry and "brier" in entry for entry in entries):
        return []
    fitted = [entry["temperature"] for entry in entries]
    title = f"calibration, temperature from {fitted[0]['n']} validation images (95 % interval)"
    found = _new_table(title, ["", *(f"{model} model" for model in MODELS)])
    rows = {
        "temperature": [_plain_interval(entry) for entry in fitted],
        "tempered calibration error %": [
            UNDEFINED if entry["value"] is None else interval(entry["calibration_error"])
            for entry in fitted
        ],
        "Brier score (sum over classes)": [_plain_interval(entry["brier"]) for entry in entries],
        "tempered Brier score": [_plain_interval(entry["brier"]) for entry in fitted],
        "mean accuracy % over coverages": [interval(entry["coverage_area"]) for entry in entries],
    }
    for name, cells in rows.items():
        found.add_row(name, *cells)
    reasons = [
        sentence(f"The temperature of the {model} model is undefined: {entry['reason']}.")
        for model, entry in zip(MODELS, fitted, strict=True)
        if entry["reason"]
    ]
    return [found, *reasons]


def _plain_interval(entry: dict[str, Any]) -> str:
    """``0.193 (0.152-0.240)``, no percent."""
    if entry["value"] is None:
        return UNDEFINED
    if entry["low"] is None:
        return f"{entry['value']:.3f}"
    return f"{entry['value']:.3f} ({entry['low']:.3f}-{entry['high']:.3f})"


def _varied(record: Record) -> list[RenderableType]:
    """What test sources shown many times say, where the run did that."""
    entries = {model: record.metrics[model] for model in MODELS}
    found: list[RenderableType] = []
    if all("augmented" in entry for entry in entries.values()):
        found.append(_passes([entry["augmented"] for entry in entries.values()]))
        found += [sentence(text) for text in _always_wrong(record)]
    if all("rotation" in entry for entry in entries.values()):
        found.append(_turns([entry["rotation"] for entry in entries.values()]))
    return found


def _passes(entries: list[dict[str, Any]]) -> Table:
    title = f"over {entries[0]['passes']} augmented passes: % (95 % interval over sources)"
    found = _new_table(title, ["", *(f"{model} model" for model in MODELS)])
    for what, text in (("pooled", ""), ("averaged", ", mean probability")):
        for name, word in {"accuracy": "accuracy", "macro_f1": "macro F1", "auc": "AUC"}.items():
            found.add_row(f"{word}{text}", *(interval(entry[what][name]) for entry in entries))
    spreads = (percent(entry["over_passes"]["accuracy"]["sd"]) for entry in entries)
    found.add_row("sd of accuracy over passes", *spreads)
    share = 100 * entries[0]["always_wrong"]["at_least"]
    always = (str(entry["always_wrong"]["sources"]) for entry in entries)
    found.add_row(f"sources wrong in {share:g} % or more", *always)
    return found


def _always_wrong(record: Record) -> list[str]:
    """The sources that the best model gets wrong in nearly every pass, by name."""
    found = record.augmented("best")
    if found is None:
        return []
    rows = always_wrong(found.wrong / found.passes)
    names = [found.sources[row] for row in rows[:MOST_NAMES]]
    more = [f"and {len(rows) - len(names)} more"] if len(rows) > len(names) else []
    share = f"{100 * ALWAYS_WRONG:g} %"
    text = f"Wrong in {share} or more of the passes (best model): {', '.join([*names, *more])}."
    return [text] if names else []


def _turns(entries: list[dict[str, Any]]) -> Table:
    title = f"turned to {entries[0]['angles']} angles (95 % interval over sources)"
    found = _new_table(title, ["", *(f"{model} model" for model in MODELS)])
    for name, text in (("agreement", "agreement %"), ("steady_share", "always of one class %")):
        found.add_row(text, *(interval(entry[name]) for entry in entries))
    found.add_row("entropy (nats)", *(f"{entry['entropy']['value']:.3f}" for entry in entries))
    return found


def _groups(record: Record) -> list[Table]:
    groups = record.metrics["best"].get("groups")
    if not groups:
        return []
    title = "groups of sources, best model: % (95 % interval)"
    found = _new_table(title, ["group", "images", "accuracy", "macro F1", "AUC"])
    for name, entry in groups.items():
        scores = (interval(entry[score]) for score in ("accuracy", "macro_f1", "auc"))
        found.add_row(Text(one_line(name)), str(entry["n"]), *scores)
    return [found]


def _classes(record: Record) -> Table:
    found = _new_table(
        "per class, best model: % (purity is precision, completeness recall)",
        ["class", "images", "purity", "completeness", "F1"],
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

"""The numbers of a model card: metrics over seeds, per class, calibration."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarker.core.records import Record
from benchmarker.exports.card_parts import Lines, table, text
from benchmarker.metrics.seeds import Average, average
from benchmarker.report.contender import Contender
from benchmarker.report.text import bounds, percent, percent_with_sd

SHARES = {"mpca": "MPCA %", "accuracy": "accuracy %", "macro_f1": "macro F1 %", "auc": "AUC %"}
RATES = ("precision", "recall", "f1")
UNDEFINED = "undefined"


def metrics(contender: Contender) -> Lines:
    """One line per metric: mean and spread over seeds, interval, and each seed."""
    row, model = contender.row, contender.model
    seeds = [f"seed {run.seed}" for run in contender.runs]
    body = []
    for name, heading in SHARES.items():
        values = [run.metrics[model][name]["value"] for run in contender.runs]
        found = average(values)
        interval = _interval(contender, name)
        each = [percent(value) for value in values]
        body.append([heading, percent_with_sd(found.mean, found.sd), interval, *each])
    lines = table(["metric", "mean ± sd over seeds", "95 % interval", *seeds], body)
    count = len(contender.runs)
    lines.append(
        "The interval is over test images and seeds."
        if count > 1
        else "The interval is over test images alone: with one seed, how much seeds differ is not "
        "known."
    )
    if row["published_value"] is not None:
        source = f"{row['published_metric']}, {row['published_source']}"
        lines += ["", f"Published: {percent(row['published_value'])} % ({text(source)})."]
    return lines


def _interval(contender: Contender, name: str) -> str:
    if f"{name}_low" in contender.row:
        return bounds(contender.row[f"{name}_low"], contender.row[f"{name}_high"])
    if len(contender.runs) == 1:
        entry = contender.runs[0].metrics[contender.model][name]
        return bounds(entry["low"], entry["high"])
    return "-"


def per_class(contender: Contender) -> Lines:
    """Precision, recall and F1 of each class, mean and spread over seeds."""
    body = []
    for name in contender.classes:
        entries = [run.metrics[contender.model]["per_class"][name] for run in contender.runs]
        support = sorted({entry["support"] for entry in entries})
        images = "-".join(str(number) for number in {support[0]: 0, support[-1]: 0})
        rates = [_share(average(entry[rate]["value"] for entry in entries)) for rate in RATES]
        body.append([name, images, *rates])
    return table(["class", "test images", "precision %", "recall %", "F1 %"], body)


def _share(found: Average) -> str:
    return UNDEFINED if found.mean is None else percent_with_sd(found.mean, found.sd)


def calibration(contender: Contender) -> Lines:
    """Whether probabilities mean what they say, before and after tempering."""
    entries = [run.metrics[contender.model] for run in contender.runs]
    milder = [entry["temperature"] for entry in entries if entry.get("temperature")]
    body = []
    names = {"calibration_error": "expected calibration error", "brier": "Brier score"}
    for name, heading in {**names, "cross_entropy": "cross-entropy (nats)"}.items():
        plain = [entry[name]["value"] for entry in entries if name in entry]
        tempered = [entry[name]["value"] for entry in milder if name in entry]
        if plain:
            body.append([heading, _number(average(plain)), _number(average(tempered))])
    lines = table(["", "as they are", "after tempering"], body)
    values = average(entry["value"] for entry in milder)
    if values.mean is None:
        return [*lines, "No temperature is recorded."]
    lines.append(
        f"Temperature, fitted on the validation images: {_number(values)}. Scores divided by it "
        "give other probabilities; it changes the class of no image."
    )
    return lines


def _number(found: Average) -> str:
    if found.mean is None:
        return "-"
    return f"{found.mean:.3f}" if found.sd is None else f"{found.mean:.3f} ± {found.sd:.3f}"


def cost(contender: Contender) -> list[tuple[str, object | None]]:
    """Parameters, work and time."""
    facts, runs = contender.runs[0].facts, contender.runs
    seconds = average(run.timings.get("training_seconds") for run in runs)
    epochs = sorted({run.run["status"]["epochs_done"] for run in runs})
    machines = sorted({_machine(run) for run in runs})
    return [
        ("parameters", f"{facts['parameters']:,}"),
        ("trainable", f"{facts['trainable_parameters']:,}"),
        ("multiply-adds per image", f"{facts['multiply_adds']:,}"),
        ("epochs", " to ".join(str(number) for number in {epochs[0]: 0, epochs[-1]: 0})),
        ("training", _seconds(seconds)),
        ("images per second in training", _rate(contender, "training_images_per_second")),
        ("images per second in inference", _rate(contender, "inference_images_per_second")),
        ("on", "; ".join(machines) or None),
    ]


def _seconds(found: Average) -> str | None:
    return None if found.mean is None else f"{found.mean:,.0f} s a run"


def _rate(contender: Contender, name: str) -> str | None:
    value = contender.row[name]
    return None if value is None else f"{value:,.0f}"


def _machine(record: Record) -> str:
    fingerprint = record.run["fingerprint"]
    devices: Sequence[str] = fingerprint.get("devices") or []
    words = [fingerprint.get("processor") if list(devices) == ["CPU"] else ", ".join(devices)]
    threads = fingerprint.get("threads")
    words += [f"{threads} thread{'' if threads == 1 else 's'}"] if threads else []
    return ", ".join(str(word) for word in words if word)

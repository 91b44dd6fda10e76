"""The page of one network with its settings on one data set, over all of its seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarker.core.records import Record
from benchmarker.metrics.seeds import average
from benchmarker.report.contender import Contender
from benchmarker.report.curves import corruption_curves
from benchmarker.report.published import published_names, shipped_numbers
from benchmarker.report.site import evidence, figures, words
from benchmarker.report.site.fact_part import by_facts
from benchmarker.report.site.material import METRIC, Material

# what is known of a record's network besides: `description`, `reference` and `paper`
Known = Callable[[Record], Mapping[str, Any]]
SCORES = (
    ("mpca", "MPCA"),
    ("accuracy", "accuracy"),
    ("macro_f1", "F1"),
    ("auc", "AUC"),
    ("calibration_error", "calibration error"),
)
NOT_RECORDED = "not recorded"
PER_CLASS = ("precision", "recall", "f1")


def network_page(material: Material, contender: Contender, known: Known) -> dict[str, Any]:
    """What the template of a network's page needs; files that cannot be read are named."""
    reader = evidence.Reader()
    tests = reader.tested(contender.runs)
    curves = evidence.class_curves(tests, contender.classes) if tests else []
    page = {
        "contender": contender,
        "row": contender.row,
        "facts": facts(contender),
        "scores": score_table(contender),
        "classes": class_table(contender, curves),
        "learning": [c.drawn() for c in figures.learning(reader.histories(contender.runs))],
        "confusion": confusion_table(tests, contender.classes),
        "separation": _separation(curves),
        "calibration": _calibration(tests),
        "rotation": _rotation(contender.runs, reader),
        "by_facts": by_facts(tests, contender.classes, reader),
        "over_runs": _over_runs(material, contender, reader),
        "mistakes": _mistakes(contender, reader),
        "layers": layers(contender, known, reader),
        "runs": [{"record": run, "page": material.run_page(run)} for run in contender.runs],
        "siblings": _siblings(material, contender),
    }
    return page | {"faults": [words.printable(text) for text in reader.faults]}


def facts(contender: Contender) -> list[tuple[str, str]]:
    """What the runs of a contender have in common."""
    row = contender.row
    run = contender.runs[0]
    images = ", ".join(f"{run.split[part]:,} {part}" for part in ("train", "validation", "test"))
    pairs = [
        ("data", row["data"]),
        ("classes", ", ".join(contender.classes)),
        ("split", row["split_rule"]),
        ("sources", images),
        ("image size", f"{row['size']} px"),
        ("preparation", row["preparation"]),
        ("recipe", row["recipe"]),
        ("learning rate", f"{row['learning_rate']:g}"),
        ("epochs", row["epochs"]),
        ("batch", row["batch"]),
        ("other settings", row["other_settings"]),
        ("protocol", row["protocol"]),
        ("precision", row["precision"]),
        ("rank", row["rank"]),
        ("note", row["note"]),
    ]
    return [(name, words.shown(value)) for name, value in pairs if value not in (None, "")]


def score_table(contender: Contender) -> dict[str, Any]:
    """Scores of each seed with their intervals over images, then the mean over seeds."""
    metrics = [run.metrics[evidence.MODEL] for run in contender.runs]
    seeds = [
        {"seed": run.seed, "cells": [words.with_interval(entry[name]) for name, _ in SCORES]}
        for run, entry in zip(contender.runs, metrics, strict=True)
    ]
    means = []
    for name, _ in SCORES:
        found = average(entry[name]["value"] for entry in metrics)
        inside = words.between(contender.row.get(f"{name}_low"), contender.row.get(f"{name}_high"))
        text = words.share_with_sd(found.mean, found.sd)
        means.append(text + (f" ({inside})" if inside else ""))
    return {"headings": [heading for _, heading in SCORES], "seeds": seeds, "means": means}


def class_table(
    contender: Contender, curves: Sequence[evidence.ClassCurve]
) -> list[dict[str, Any]]:
    """Scores of each class, mean and standard deviation over the seeds."""
    entries = [run.metrics[evidence.MODEL]["per_class"] for run in contender.runs]
    areas = {curve.name: average(curve.areas) for curve in curves}
    rows = []
    for name in contender.classes:
        found = [average(entry[name][score]["value"] for entry in entries) for score in PER_CLASS]
        found.append(areas.get(name, average([])))
        support = sorted({entry[name]["support"] for entry in entries})
        rows.append(
            {
                "name": name,
                "support": "–".join(f"{n:,}" for n in dict.fromkeys((support[0], support[-1]))),
                "cells": [words.share_with_sd(one.mean, one.sd) for one in found],
            }
        )
    return rows


def confusion_table(
    tests: Sequence[evidence.SeedTest], classes: Sequence[str]
) -> dict[str, Any] | None:
    """Counts over all seeds, and the share of each true class; None without predictions."""
    if not tests:
        return None
    counts = evidence.confusion_counts(tests, len(classes))
    rows = []
    for name, row in zip(classes, counts.tolist(), strict=True):
        total = sum(row)
        shares = [n / total if total else None for n in row]
        cells = [{"n": f"{n:,}", "share": s} for n, s in zip(row, shares, strict=True)]
        rows.append({"name": name, "cells": cells, "total": f"{total:,}"})
    return {"classes": classes, "rows": rows, "seeds": len(tests)}


def _separation(curves: Sequence[evidence.ClassCurve]) -> list[dict[str, Any]]:
    if not any(len(curve.true_rates) for curve in curves):
        return []
    return [figures.roc(curves).drawn(), figures.detection_error(curves).drawn()]


def _calibration(tests: Sequence[evidence.SeedTest]) -> dict[str, Any] | None:
    if not tests:
        return None
    pooled = evidence.pooled_calibration(tests)
    accuracies, seeds = evidence.coverages(tests), [test.seed for test in tests]
    rows = []
    for found, test, kept in zip(
        evidence.calibration_errors(tests), tests, accuracies, strict=True
    ):
        fitted = test.record.metrics[evidence.MODEL].get("temperature")
        at = [float(np.interp(share, evidence.SHARES, kept)) for share in (0.5, 0.8, 1.0)]
        rows.append(
            {
                "seed": found["seed"],
                "cells": [
                    words.share(found["expected_calibration_error"]),
                    words.decimal(found["brier"]),
                    NOT_RECORDED if fitted is None else words.decimal(fitted["value"]),
                    NOT_RECORDED if fitted is None else words.share(_calibrated(fitted)),
                    *map(words.share, at),
                ],
            }
        )
    charts = [figures.reliability(pooled).drawn(), figures.covered(accuracies, seeds).drawn()]
    return {"charts": charts, "rows": rows, "bins": [b for b in pooled["bins"] if b["n"]]}


def _calibrated(fitted: Mapping[str, Any]) -> float | None:
    return fitted["calibration_error"]["value"]


def _rotation(runs: Sequence[Record], reader: evidence.Reader) -> dict[str, Any] | None:
    """Steadiness of each seed while its test images turn; None where no seed measured it."""
    pairs = ((run, reader.read(lambda run=run: evidence.turned_accuracy(run))) for run in runs)
    curves = {run.seed: values for run, values in pairs if values is not None}
    rows = []
    for run in runs:
        found = run.metrics[evidence.MODEL].get("rotation")
        if found is not None:
            cells = [words.with_interval(found[name]) for name in ("agreement", "steady_share")]
            cells.append(words.decimal(found["entropy"]["value"]))
            rows.append({"seed": run.seed, "angles": found["angles"], "cells": cells})
    if not rows and not curves:
        return None
    return {"rows": rows, "chart": figures.turned(curves).drawn() if curves else None}


def _over_runs(
    material: Material, contender: Contender, reader: evidence.Reader
) -> list[dict[str, Any]]:
    """Curves over the number of training sources and over damage, where runs were made."""
    row = contender.row
    same = ("network", "settings_digest", "data_digest", "data")
    charts = [
        figures.training_size(curve)
        for curve in material.learning
        if all(curve[name] == row[name] for name in same)
    ]
    tested = [run for run in contender.runs if reader.read(run.corruptions)]
    damage = corruption_curves(tested, model=evidence.MODEL, metric=METRIC)
    if damage:
        charts.append(figures.damaged(damage))
    return [chart.drawn() for chart in charts]


def _mistakes(contender: Contender, reader: evidence.Reader) -> list[dict[str, Any]] | None:
    """The surest mistakes of the seeds; None where no run kept any."""
    pairs = [(run, reader.read(run.mistakes)) for run in contender.runs]
    kept = [(run, arrays) for run, arrays in pairs if arrays is not None]
    if not kept:
        return None
    found = []
    for mistake in evidence.common_mistakes(kept, contender.classes):
        known = mistake.ra_deg is not None and mistake.dec_deg is not None
        place = (mistake.ra_deg, mistake.dec_deg)
        found.append(
            {
                "mistake": mistake,
                "address": words.png_address(mistake.image),
                "sky": words.sky_address(*place) if known else None,
                "position": words.position(*place) if known else None,
            }
        )
    return found


def layers(contender: Contender, known: Known, reader: evidence.Reader) -> dict[str, Any]:
    """Layer table as recorded, else as the registry knows it, and counts beside the paper's."""
    run = contender.runs[0]
    besides = known(run)
    described = reader.read(run.description) or besides.get("description")
    counts = [("in these runs", _input(described), run.facts["parameters"])]
    reference = besides.get("reference")
    if reference is not None:
        shape = f"{' × '.join(map(str, reference['input_shape']))}, {reference['classes']} classes"
        counts.append(("at the input of Becker et al. 2021", shape, reference["parameters"]))
    names = published_names(run.network, run.settings.get("network_settings") or {})
    counts += [
        (f"published: {number.source}", number.data, int(number.value))
        for number in shipped_numbers()
        if number.metric == "parameters" and number.network in names
    ]
    return {
        "rows": (described or {}).get("layers", []),
        "counts": [(what, where, words.whole(value)) for what, where, value in counts],
        "paper": besides.get("paper", "") or (described or {}).get("paper", ""),
        "multiply_adds": words.whole(run.facts["multiply_adds"]),
        "trainable": words.whole(run.facts["trainable_parameters"]),
    }


def _input(described: Mapping[str, Any] | None) -> str:
    if described is None:
        return ""
    shape = " × ".join(map(str, described["input_shape"]))
    return f"{shape}, {described['classes']} classes"


def _siblings(material: Material, contender: Contender) -> list[tuple[str, str]]:
    """Other rows of the same network: their labels and pages."""
    return [
        (other.label, page)
        for other, page in zip(material.contenders, material.network_pages, strict=True)
        if other is not contender and other.row["network"] == contender.row["network"]
    ]

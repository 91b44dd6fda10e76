"""What a row says of tests over augmented passes and of turned images, where runs made them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarker.metrics.seeds import Average, average

AUGMENTED = ("accuracy", "macro_f1", "auc")
COLUMNS = (
    "augmented_passes",
    *(f"augmented_{name}{end}" for name in AUGMENTED for end in ("", "_sd")),
    "rotation_agreement",
)


def varied_columns(metrics: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """Means over the seeds of the numbers pooled over passes and of the agreement.

    `metrics` holds the entry of one model from each run's metrics.json. Returns `COLUMNS`,
    None where no run has the number, and what should be noted: runs of one row that were
    tested in different ways.
    """
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    notes = []
    passes = [entry["augmented"] for entry in metrics if "augmented" in entry]
    if passes:
        numbers = sorted({entry["passes"] for entry in passes})
        row["augmented_passes"] = numbers[0] if len(numbers) == 1 else None
        if len(numbers) > 1:
            notes.append(f"its runs were tested in {', '.join(map(str, numbers))} augmented passes")
        for name in AUGMENTED:
            found = average(entry["pooled"][name]["value"] for entry in passes)
            row |= {f"augmented_{name}": found.mean, f"augmented_{name}_sd": found.sd}
    turned = [entry["rotation"] for entry in metrics if "rotation" in entry]
    row["rotation_agreement"] = _mean(turned).mean
    for what, some in (("in augmented passes", passes), ("while they turn", turned)):
        if 0 < len(some) < len(metrics):
            notes.append(f"{len(some)} of its {len(metrics)} runs were tested {what}")
    return row, notes


def _mean(turned: Sequence[dict[str, Any]]) -> Average:
    return average(entry["agreement"]["value"] for entry in turned)


def auc_origin(metrics: Sequence[dict[str, Any]]) -> str:
    """``scores`` or ``probabilities``, by which the AUC of every run ranks, or ``mixed``."""
    origins = {entry.get("auc_from", "probabilities") for entry in metrics}
    return origins.pop() if len(origins) == 1 else "mixed"

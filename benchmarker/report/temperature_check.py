"""Whether the temperature that a record states follows from its validation predictions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from benchmarker.core.errors import BenchmarkerError
from benchmarker.core.records import MODELS, Record
from benchmarker.metrics.calibration import SCALARS, Reliability, tempered
from benchmarker.metrics.temperature import temperature

SAME_TEMPERATURE = 1e-5  # relative: the minimum is flat, other machines stop elsewhere in it
SAME_SCORE = 1e-6


def temperature_faults(record: Record) -> list[str]:
    """What does not agree with temperatures fitted anew, in words; nothing if all does.

    Compared are the temperature of each model and the cross-entropy, calibration error and
    Brier score of the test images after tempering. Records without a temperature, or without
    the predictions that it is fitted on, have none to compare; a record that is not complete
    or cannot be read is the business of `benchmarker.core.record_check`.
    """
    if not record.is_complete:
        return []
    try:
        return [
            f"metrics.json, {model}: {text}" for model in MODELS for text in _faults(record, model)
        ]
    except BenchmarkerError:
        return []


def _faults(record: Record, model: str) -> list[str]:
    stated, seen = record.metrics[model].get("temperature"), record.validation(model)
    if stated is None or seen is None or seen.scores is None:
        return []
    found = temperature(seen.labels, seen.scores)
    if None in (found.value, stated["value"]):
        same = found.value is stated["value"]
    else:
        same = math.isclose(found.value, stated["value"], rel_tol=SAME_TEMPERATURE)
    if not same:
        fitted = "undefined" if found.value is None else f"{found.value:.6g}"
        return [f"temperature {stated['value']}, validation.csv gives {fitted}"]
    return _after(record, model, stated)


def _after(record: Record, model: str, stated: Mapping[str, Any]) -> list[str]:
    """Scores after tempering that are not those of predictions.csv."""
    import numpy as np

    shown = record.predictions(model)
    if stated["value"] is None or shown.scores is None:
        return []
    sample = Reliability.of(shown.labels, tempered(shown.scores, stated["value"]))
    values = sample.statistics(np.ones((1, len(shown.labels))))
    return [
        f"{name} after tempering {stated[name]['value']}, predictions.csv gives {value[0]:.9g}"
        for name, value in ((name, values[name]) for name in SCALARS)
        if stated[name]["value"] is None or abs(stated[name]["value"] - value[0]) > SAME_SCORE
    ]

"""Ranks by cost, and by recognition and cost together.

Becker et al. 2021 propose to rank networks by recognition and computational performance, over
mean per class accuracy, parameters, multiply-adds and inference time. How they weight these is
not known here, so the weights are an option and always stated. By default recognition and
cost count one half each: MPCA 3, and 1 each for parameters, multiply-adds and time.

Rows are ranked by each measure within what is ranked together; equal rows share the mean of
their places, and so do rows whose MPCA cannot be told apart. The score is the weighted
mean of the ranks, the lowest is best; equal scores share a rank. A row that lacks a
measure has no score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarker.core.errors import Problems, SettingsError, suggest

RECOGNITION = "mpca"
COSTS = ("parameters", "multiply_adds", "inference_time")
DEFAULT_WEIGHTS = {RECOGNITION: 3.0, "parameters": 1.0, "multiply_adds": 1.0, "inference_time": 1.0}
# what to rank by, and the column that holds that rank
RANKINGS = {"recognition": "rank", "cost": "cost_rank", "both": "combined_rank"}
COLUMNS = ("cost_score", "cost_rank", "combined_score", "combined_rank", "rank_weights")


def read_weights(text: str | None) -> dict[str, float]:
    """Weights from ``mpca=3,parameters=1``; measures that are not named keep their default.

    Raises `SettingsError` listing every part that is no weight.
    """
    weights = dict(DEFAULT_WEIGHTS)
    problems = Problems(f"--weights {text}", SettingsError)
    for part in (text or "").split(","):
        name, sign, value = (word.strip() for word in part.partition("="))
        if not part.strip():
            continue
        if not sign or name not in weights:
            known = ", ".join(weights)
            problems.add(f"{part!r}{suggest(name, weights)}, expected NAME=NUMBER of {known}")
            continue
        try:
            weights[name] = float(value)
        except ValueError:
            weights[name] = -1.0
        if not 0 <= weights[name] < np.inf:
            problems.add(f"{part!r}, expected a number from 0 on")
    if not problems and not any(weights.values()):
        problems.add("every weight is 0, expected at least one above")
    problems.raise_if_any()
    return weights


def stated(weights: Mapping[str, float]) -> str:
    """The weights in words, e.g. ``mpca 3, parameters 1``."""
    return ", ".join(f"{name} {weight:g}" for name, weight in weights.items())


def fill(fields: Sequence[Sequence[dict[str, Any]]], weights: Mapping[str, float]) -> None:
    """Put `COLUMNS` into the rows; `fields` holds the rows that are ranked together."""
    for field in fields:
        for row in field:
            row.update(dict.fromkeys(COLUMNS) | {"rank_weights": stated(weights)})
        places = {name: _places([_measure(row, name) for row in field]) for name in weights}
        for what, names in (("cost", COSTS), ("combined", (RECOGNITION, *COSTS))):
            scores = _scores(places, names, weights)
            for row, score, place in zip(field, scores, _ranks(scores), strict=True):
                row.update({f"{what}_score": score, f"{what}_rank": place})


def _measure(row: dict[str, Any], name: str) -> float | None:
    if name == RECOGNITION:
        return row["rank"]
    if name != "inference_time":
        return row[name]
    speed = row["inference_images_per_second"]
    return 1 / speed if speed else None


def _places(values: Sequence[float | None]) -> list[float | None]:
    """Rank of each value, the lowest 1, equal ones at the mean of their places."""
    known = np.array([np.nan if value is None else float(value) for value in values])
    below = (known < known[:, np.newaxis]).sum(axis=1)
    equal = (known == known[:, np.newaxis]).sum(axis=1)
    places = below + (equal + 1) / 2
    return [None if np.isnan(value) else float(p) for value, p in zip(known, places, strict=True)]


def _scores(
    places: Mapping[str, Sequence[float | None]],
    names: Sequence[str],
    weights: Mapping[str, float],
) -> list[float | None]:
    used = [name for name in names if weights[name] > 0]
    total = sum(weights[name] for name in used)
    found: list[float | None] = []
    for row in zip(*(places[name] for name in used), strict=True):
        known = [place for place in row if place is not None]
        complete = len(known) == len(used)
        terms = (weights[name] * place for name, place in zip(used, known, strict=False))
        found.append(round(sum(terms) / total, 9) if complete else None)
    return found or [None] * len(next(iter(places.values())))


def _ranks(scores: Sequence[float | None]) -> list[int | None]:
    known = [score for score in scores if score is not None]
    return [None if score is None else 1 + sum(s < score for s in known) for score in scores]


def explained(rank_by: str, weights: Mapping[str, float]) -> str:
    """How the rank came about, as a sentence."""
    names = COSTS if rank_by == "cost" else (RECOGNITION, *COSTS)
    used = stated({name: weights[name] for name in names})
    what = "cost" if rank_by == "cost" else "recognition and cost"
    return f"Ranked by {what}: mean of the ranks in each measure, weighted {used}."

"""Curves over many runs, ready for JSON: scores against training sources, and against damage."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarker.core.corruption_table import NONE
from benchmarker.core.errors import InputFileError, Problems
from benchmarker.core.hashing import digest_json
from benchmarker.core.records import Record
from benchmarker.metrics.power_law import fit_power_law
from benchmarker.metrics.seeds import average
from benchmarker.report.names import labels
from benchmarker.report.rows import SEED_IN_RULE, base_row, group_key, one_per_seed, settings_digest

_LISTS = ("strengths", "amounts", "mean", "sd", "n_seeds", "seeds", "values")
# how `benchmarker.data.fewer_labels` marks a rule that keeps a part of the training sources
_FEWER = re.compile(r", \d+ of each class to train(; seed \d+)?$")


def learning_curves(
    records: Iterable[Record], *, model: str = "best", metric: str = "accuracy"
) -> list[dict[str, Any]]:
    """Scores against training sources per class, one dictionary for each network and settings.

    A curve is made of complete runs that differ in seed and in the number of training sources
    alone; for each seed all of them were tested on the same sources (by digest), or the seed
    is left out and said so. Keys: ``network``, ``label`` (unique), ``data``, ``sizes``
    (training sources per class, the mean over classes and seeds where all were used),
    ``whole`` (whether all were used), ``mean``, ``sd`` (None for one seed), ``n_seeds``,
    ``seeds`` and ``values`` (a list for each size), ``test`` (number of test sources), ``fit``
    (see `fit_power_law`) and ``notes``. Networks with a single size have no curve.
    """
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.is_complete:
            groups[_curve_key(record)].append(record)
    found = [_learning_curve(group, model, metric) for group in groups.values()]
    kept = [curve for curve in found if curve is not None]
    return _labelled(sorted(kept, key=lambda curve: (curve["data"], curve["network"])))


def _curve_key(record: Record) -> str:
    parts = [record.network, settings_digest(record), record.data["digest"], _base_rule(record)]
    return digest_json([*parts, record.metrics["best"].get("version", 1)])


def _base_rule(record: Record) -> str:
    return SEED_IN_RULE.sub("", _FEWER.sub("", record.split["rule"])).strip()


def _learning_curve(runs: list[Record], model: str, metric: str) -> dict[str, Any] | None:
    runs, notes = _on_one_test(runs)
    sizes: dict[float | None, list[Record]] = defaultdict(list)
    for run in runs:
        sizes[_size(run)].append(run)
    points = [_point(same, metric, model) for same in sizes.values()]
    points.sort(key=lambda point: point["sizes"])
    if len(points) < 2:
        return None
    seeds = sorted({run.seed for run in runs})
    notes += [
        f"{point['sizes']:g} per class: no run of seed {', '.join(map(str, lost))}"
        for point in points
        if (lost := sorted(set(seeds) - set(point["seeds"])))
    ]
    rule, facts = _base_rule(runs[0]), _facts(runs[0], model, metric)
    # the number of training sources is what varies along the curve, no part of its name
    facts["row"] |= {"split_rule": rule, "split_family": rule}
    return {
        **facts,
        "split_rule": rule,
        "test": _common([run.split["test"] for run in runs]),
        **{key: [point[key] for point in points] for key in points[0]},
        "fit": _fit(points),
        "notes": notes,
    }


def _on_one_test(runs: list[Record]) -> tuple[list[Record], list[str]]:
    """Runs of those seeds for which all were tested on the same sources, and what was left out."""
    tests: dict[int, set[str | None]] = defaultdict(set)
    for run in runs:
        tests[run.seed].add(run.split.get("digests", {}).get("test"))
    fine = {seed for seed, found in tests.items() if len(found) == 1 and None not in found}
    notes = [
        f"seed {seed} is left out: its runs were not surely tested on the same sources"
        for seed in sorted(tests.keys() - fine)
    ]
    return [run for run in runs if run.seed in fine], notes


def _size(run: Record) -> float | None:
    """Training sources per class; None where the split was left whole."""
    if _FEWER.search(run.split["rule"]) is None:
        return None
    return run.split["train"] / len(run.classes)


def _point(same: list[Record], metric: str, model: str) -> dict[str, Any]:
    runs, _ = one_per_seed(same)
    values = [run.metrics[model][metric]["value"] for run in runs]
    size = sum(run.split["train"] for run in runs) / len(runs) / len(runs[0].classes)
    return {
        "sizes": int(size) if size == int(size) else size,
        "whole": _size(runs[0]) is None,
        **_averaged(values),
        "seeds": [run.seed for run in runs],
        "values": values,
    }


def _averaged(values: Sequence[float | None]) -> dict[str, Any]:
    found = average(values)
    return {"mean": found.mean, "sd": found.sd, "n_seeds": found.n}


def _fit(points: Sequence[dict[str, Any]]) -> dict[str, Any]:
    pairs = [
        (point["sizes"], 1 - value)
        for point in points
        for value in point["values"]
        if value is not None
    ]
    return fit_power_law([size for size, _ in pairs], [error for _, error in pairs])


def _facts(run: Record, model: str, metric: str) -> dict[str, Any]:
    row = {**base_row(run, ()), "model": model}
    kept = ("network", "data", "model", "data_digest", "settings_digest")
    return {
        "label": "",
        **{key: row[key] for key in kept},
        "classes": len(run.classes),
        "metric": metric,
        "row": row,
    }


def _common(values: Sequence[Any]) -> Any:
    return values[0] if len(set(values)) == 1 else None


def _labelled(curves: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each network with its settings a name that no other has; the rows have served."""
    rows = {digest_json(curve["row"]): curve["row"] for curve in curves}
    names = dict(zip(rows, labels(list(rows.values())), strict=True))
    for curve in curves:
        curve["label"] = names[digest_json(curve.pop("row"))]
    return curves


def corruption_curves(
    records: Iterable[Record],
    *,
    model: str = "best",
    metric: str = "accuracy",
    problems: Problems | None = None,
) -> list[dict[str, Any]]:
    """Scores against the strength of damage, one dictionary for each network and kind.

    Of complete runs with corruptions.csv; runs that differ in their seed alone are averaged.
    Keys: ``network``, ``label`` (unique), ``data``, ``corruption``, ``unit``, ``strengths``
    (0 is undamaged), ``amounts`` (in ``unit``), ``mean``, ``sd``, ``n_seeds``, ``seeds`` and
    ``values`` (a list for each strength), ``runs`` (folder names). A table that
    cannot be read is left out and named in `problems`.
    """
    found = []
    for group in _tested_groups(records, model, problems):
        damage: dict[str, dict[int, dict[int, dict[str, Any]]]] = {}
        for run, rows in group:
            for row in rows:
                strengths = damage.setdefault(row["corruption"], {})
                strengths.setdefault(row["strength"], {})[run.seed] = row
        plain = damage.pop(NONE)
        facts = _facts(group[0][0], model, metric)
        facts["runs"] = [run.folder.name for run, _ in group]
        for kind, strengths in damage.items():
            found.append(_corruption_curve({0: plain[0], **strengths}, kind, facts))
    return _labelled(found)


def _tested_groups(
    records: Iterable[Record], model: str, problems: Problems | None
) -> list[list[tuple[Record, list[dict[str, Any]]]]]:
    """Runs tested on damage with their rows, those that differ in their seed alone together."""
    groups: dict[str, list[Record]] = defaultdict(list)
    tables = {}
    for record in records:
        try:
            rows = record.corruptions() if record.is_complete else None
        except InputFileError as error:
            rows = None
            if problems is not None:
                problems.add(str(error))
        tables[record.folder] = [row for row in rows or () if row["model"] == model]
        if tables[record.folder]:
            groups[group_key(record)].append(record)
    return [
        [(run, tables[run.folder]) for run in one_per_seed(group)[0]] for group in groups.values()
    ]


def _corruption_curve(
    strengths: dict[int, dict[int, dict[str, Any]]], kind: str, facts: dict[str, Any]
) -> dict[str, Any]:
    order = sorted(strengths)
    rows = [
        [strengths[strength][seed] for seed in sorted(strengths[strength])] for strength in order
    ]
    values = [[row[facts["metric"]] for row in found] for found in rows]
    averaged = [_averaged(found) for found in values]
    return {
        **facts,
        "seeds": [sorted(strengths[strength]) for strength in order],
        "corruption": kind,
        "unit": rows[-1][0]["unit"],
        "strengths": order,
        "amounts": [found[0]["amount"] for found in rows],
        **{key: [one[key] for one in averaged] for key in averaged[0]},
        "values": values,
    }


def asked_only(
    curves: Iterable[dict[str, Any]], kinds: Sequence[str] | None, strengths: Sequence[int]
) -> list[dict[str, Any]]:
    """The parts of `corruption_curves` that were asked for: these kinds (None: all), strengths.

    Strength 0 always stays. A curve without any of the strengths is left out.
    """
    found = []
    for curve in curves:
        places = [n for n, strength in enumerate(curve["strengths"]) if strength in (0, *strengths)]
        if (kinds is None or curve["corruption"] in kinds) and len(places) > 1:
            found.append({**curve, **{key: [curve[key][n] for n in places] for key in _LISTS}})
    return found

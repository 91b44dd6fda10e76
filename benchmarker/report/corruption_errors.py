"""Mean corruption error: how badly damage hurts a network, against another network.

Hendrycks & Dietterich 2019 (arXiv:1903.12261): of each kind the errors summed over the
strengths, over the same sum of a reference network; then the mean over the kinds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from benchmarker.metrics.seeds import average


def corruption_errors(
    curves: Sequence[dict[str, Any]], *, reference: str | None = None
) -> list[dict[str, Any]]:
    """Mean errors under damage, one dictionary for each network of `corruption_curves`.

    Keys: ``network``, ``label``, ``data``, ``error`` (undamaged), ``kinds`` (mean error over
    the strengths of each kind) and ``mean_error`` (over kinds). Against `reference` (a label,
    the name of a run's folder, or a network's name where that means one on the same data):
    ``corruption_error`` of each kind, their mean ``mce``, and ``relative_mce``, by how much the
    error rises over how much that of the reference does; 1 is the reference itself. What
    cannot be defined is None, with a ``reason``.
    """
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for curve in curves:
        groups[curve["label"]].append(curve)
    return [_errors(group, groups, reference) for group in groups.values()]


def _errors(
    group: list[dict[str, Any]], groups: dict[str, list[dict[str, Any]]], reference: str | None
) -> dict[str, Any]:
    own, first = _sums(group), group[0]
    plain = None if first["mean"][0] is None else 1 - first["mean"][0]
    kinds = {kind: found["mean"] for kind, found in own.items()}
    entry = {
        **{key: first[key] for key in ("network", "label", "data")},
        "error": plain,
        "kinds": kinds,
        "mean_error": average(kinds.values()).mean if None not in kinds.values() else None,
        "reference": reference,
        **dict.fromkeys(("corruption_error", "mce", "relative_mce", "reason")),
    }
    if reference is None:
        return entry
    found = _named(reference, groups, first["data_digest"])
    if len(found) != 1:
        many = "no network" if not found else f"{len(found)} networks"
        text = f"{many} on {first['data']} called {reference}; a run folder names one"
        return entry | {"reason": text}
    return entry | _against(own, _sums(found[0]))


def _named(
    reference: str, groups: dict[str, list[dict[str, Any]]], data_digest: str
) -> list[list[dict[str, Any]]]:
    """The networks on this data that a label, a run folder's name or a network's name means."""
    here = [found for found in groups.values() if found[0]["data_digest"] == data_digest]
    exact = [
        found for found in here if reference == found[0]["label"] or reference in found[0]["runs"]
    ]
    return exact or [found for found in here if reference == found[0]["network"]]


def _sums(group: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Of each kind: its strengths, the mean error over them, and by how much that is raised."""
    found = {}
    for curve in group:
        errors = [None if mean is None else 1 - mean for mean in curve["mean"]]
        known = len(errors) > 1 and None not in errors
        mean = sum(errors[1:]) / len(errors[1:]) if known else None
        found[curve["corruption"]] = {
            "strengths": curve["strengths"],
            "mean": mean,
            "raised": None if mean is None else mean - errors[0],
        }
    return found


def _against(own: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]]) -> dict[str, Any]:
    tested = {kind: found["strengths"] for kind, found in own.items()}
    if tested != {kind: found["strengths"] for kind, found in other.items()}:
        return {"reason": "the reference was tested with other kinds or strengths"}
    ratios = {kind: _ratio(own[kind]["mean"], other[kind]["mean"]) for kind in own}
    raised = [_ratio(own[kind]["raised"], other[kind]["raised"]) for kind in own]
    undefined = [kind for kind, ratio in ratios.items() if ratio is None]
    reason = f"the reference makes no error under {', '.join(undefined)}" if undefined else None
    if reason is None and None in raised:
        reason = "the reference makes no more errors under some damage"
    return {
        "corruption_error": ratios,
        "mce": None if undefined else average(ratios.values()).mean,
        "relative_mce": None if None in raised else average(raised).mean,
        "reason": reason,
    }


def _ratio(first: float | None, second: float | None) -> float | None:
    return None if first is None or not second or second < 0 else first / second

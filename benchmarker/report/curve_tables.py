"""Curves over many runs as text tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarker.report.plots_curves import NAMES
from benchmarker.report.text import bounds, one_line, percent, percent_with_sd, sentence


def learning_table(curves: Sequence[Mapping[str, Any]]) -> Group:
    """Mean ± standard deviation for each size, and what the fitted laws say beyond them."""
    parts: list[RenderableType] = []
    for curve in curves:
        head = ("per class", "all of them", "seeds", NAMES[curve["metric"]])
        parts.append(_heading(f"{curve['label']} on {curve['data']}, {curve['model']} model"))
        found = _new_table(head)
        for row in zip(
            curve["sizes"],
            curve["whole"],
            curve["n_seeds"],
            curve["mean"],
            curve["sd"],
            strict=True,
        ):
            size, whole, seeds, mean, sd = row
            cells = (f"{size:.5g}", "yes" if whole else "", str(seeds), percent_with_sd(mean, sd))
            found.add_row(*cells)
        parts.append(found)
        parts.append(sentence("\n".join(_said(curve))))
    return Group(*parts)


def _said(curve: Mapping[str, Any]) -> Iterable[str]:
    fit = curve["fit"]
    if fit["defined"]:
        interval = fit["interval"]
        floor = "" if fit["floor"] is None else f" + {fit['floor']:.3g}"
        yield (
            f"Power law: error = {fit['scale']:.3g} n^-{fit['exponent']:.3f}{floor}, exponent "
            f"{interval['low']:.3f} to {interval['high']:.3f} (95 %)."
        )
        beyond = (
            f"{percent(point['accuracy'])} ({bounds(point['low'], point['high'])}) at "
            f"{point['size']:.5g}"
            for point in fit["extrapolation"]
        )
        yield f"Extrapolated, not measured: {', '.join(beyond)} per class, if the law holds."
    else:
        yield f"Power law: undefined ({fit['reason']})."
    if max(curve["n_seeds"]) > 1:
        yield "± is the standard deviation over seeds."
    if any(curve["whole"]):
        yield "All of them: every training source of the split, per class on the mean."
    yield from (f"Note: {text}." for text in curve["notes"])


def corruption_table(
    curves: Sequence[Mapping[str, Any]], errors: Sequence[Mapping[str, Any]]
) -> Group:
    """For each network a row for each kind, a column for each strength; then mean errors."""
    of_network: dict[str, list[Mapping[str, Any]]] = {}
    for curve in curves:
        of_network.setdefault(curve["label"], []).append(curve)
    parts: list[RenderableType] = []
    for group in of_network.values():
        first = group[0]
        what = f"{first['data']}, {first['model']} model: {NAMES[first['metric']]}"
        parts += [_heading(f"{first['label']} on {what}"), _damage(group)]
    parts.append(sentence("\n".join(_amounts(curves))))
    reference = errors[0]["reference"]
    against = f"; mCE against {reference} (= 100)" if reference else ""
    parts += [_heading(f"Mean errors in %{against}"), _errors(errors)]
    parts += [sentence(f"{e['label']}: {e['reason']}.") for e in errors if e["reason"]]
    return Group(*parts)


def _damage(group: Sequence[Mapping[str, Any]]) -> Table:
    strengths = sorted({strength for curve in group for strength in curve["strengths"]})
    found = _new_table(("damage", *map(str, strengths)))
    for curve in group:
        cells = dict(
            zip(curve["strengths"], zip(curve["mean"], curve["sd"], strict=True), strict=True)
        )
        shown = (percent_with_sd(*cells[key]) if key in cells else "-" for key in strengths)
        found.add_row(curve["corruption"], *shown)
    return found


def _amounts(curves: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    told = set()
    for curve in curves:
        if curve["corruption"] not in told:
            told.add(curve["corruption"])
            amounts = ", ".join(f"{amount:g}" for amount in curve["amounts"][1:])
            yield f"{curve['corruption']}: {curve['unit']}: {amounts}"
    if any(number > 1 for curve in curves for number in curve["n_seeds"]):
        yield "± is the standard deviation over seeds."


def _errors(errors: Sequence[Mapping[str, Any]]) -> Table:
    reference = errors[0]["reference"]
    head = ["network", "undamaged", "damaged"]
    head += ["mCE", "relative mCE"] if reference else []
    found = _new_table(head)
    for entry in errors:
        cells = [percent(entry["error"]), percent(entry["mean_error"])]
        cells += [percent(entry["mce"]), percent(entry["relative_mce"])] if reference else []
        found.add_row(Text(one_line(entry["label"])), *cells)
    return found


def _heading(text: str) -> Text:
    return Text("\n" + one_line(text), style="bold", overflow="fold")


def _new_table(columns: Sequence[str]) -> Table:
    found = Table(box=box.SIMPLE_HEAD)
    found.pad_edge = False
    for name in columns:
        left = name in ("network", "damage")
        found.add_column(Text(name), justify="left" if left else "right", no_wrap=name != "network")
    return found

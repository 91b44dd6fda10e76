"""An ensemble as text tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarker.metrics.ensembles import MEAN
from benchmarker.report.text import interval, one_line, percent, sentence

# what is shown as a percentage, what as a number
SHOWN = {
    "accuracy": ("accuracy %", 100),
    "mpca": ("MPCA %", 100),
    "macro_f1": ("macro F1 %", 100),
    "calibration_error": ("calibration error %", 100),
    "cross_entropy": ("cross-entropy (nats)", 1),
    "brier": ("Brier score", 1),
}
EXPLAINED = (
    "A gain is positive where the ensemble is better. Intervals are over test images, for these "
    "members; the best member was chosen on the test images, which flatters it."
)
VOTES = "The probabilities of a vote are shares of the votes: its errors of calibration are theirs."
HOW = {True: "mean of probabilities", False: "majority vote"}

Entry = Mapping[str, Any]


def ensemble_tables(found: Entry) -> Group:
    """What `benchmarker.report.ensembles.report` found: scores, gains, members, diversity."""
    parts: list[RenderableType] = [_scores(found), _gains(found), _members(found)]
    texts = [_diversity(found), EXPLAINED, _temperature(found)]
    texts += [] if found["how"] == MEAN else [VOTES]
    texts += [f"Note: {text}." for text in found["metrics"]["flags"]]
    return Group(*parts, *map(sentence, texts))


def _new_table(title: str, columns: list[str]) -> Table:
    table = Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD)
    table.pad_edge = False
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left")
    return table


def _scores(found: Entry) -> Table:
    number, how = len(found["members"]), HOW[found["how"] == MEAN]
    data = one_line(found["data"]["name"])
    title = f"{number} runs on {data}, {found['model']} weights: {how} (95 % interval)"
    table = _new_table(title, ["", "ensemble", "mean member", "best member"])
    for name, (text, factor) in SHOWN.items():
        entry = found["gains"][name]
        values = [member["value"] for member in entry["members"]]
        mean = None if None in values else sum(values) / len(values)
        others = (_number(value, factor) for value in (mean, values[entry["best"]]))
        table.add_row(text, _with_bounds(entry["ensemble"], factor), *others)
    table.add_row("AUC %", _with_bounds(found["metrics"]["auc"], 100), "", "")
    return table


def _gains(found: Entry) -> Table:
    table = _new_table("gain (paired 95 % interval)", ["", "over mean member", "over best member"])
    for name, (text, factor) in SHOWN.items():
        entries = (found["gains"][name][f"over_{which}"] for which in ("mean", "best"))
        table.add_row(text, *(_with_bounds(entry, factor, sign="+") for entry in entries))
    return table


def _number(value: float | None, factor: int, sign: str = "") -> str:
    if value is None:
        return "undefined"
    return f"{factor * value:{sign}.{1 if factor == 100 else 3}f}"


def _with_bounds(entry: Entry, factor: int, sign: str = "") -> str:
    text = _number(entry["value"], factor, sign)
    if entry["value"] is None or entry["low"] is None:
        return text
    between = " to " if sign else "-"
    return f"{text} ({between.join(_number(entry[end], factor) for end in ('low', 'high'))})"


def _members(found: Entry) -> Table:
    table = _new_table("members: % (95 % interval)", ["run", "seed", "accuracy", "MPCA", "AUC"])
    for member in found["members"]:
        scores = (interval(member["metrics"][name]) for name in ("accuracy", "mpca", "auc"))
        table.add_row(Text(one_line(member["network"])), str(member["seed"]), *scores)
    return table


def _diversity(found: Entry) -> str:
    entries = found["diversity"]
    said = {name: percent(entries[name]["value"]) for name in entries if name != "pairs"}
    return (
        f"Two members disagree on {interval(entries['disagreement'])} % of the images; all agree "
        f"on {said['unanimous']} %, none is right on {said['all_wrong']} %, at least one on "
        f"{said['some_right']} %. Spread of their probabilities: {entries['spread']['value']:.3f}."
    )


def _temperature(found: Entry) -> str:
    fitted = found["metrics"]["temperature"]
    if fitted["value"] is None:
        return f"The temperature is undefined: {fitted['reason']}."
    error = interval(fitted["calibration_error"])
    return (
        f"Temperature {_with_bounds(fitted, 1)} from {fitted['n']} validation images; "
        f"calibration error after tempering {error} %."
    )

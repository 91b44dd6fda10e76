"""A comparison of networks as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarker.report.text import bounds, one_line, percent_with_sd, sentence

NAMES = {"mpca": "MPCA %", "accuracy": "accuracy %"}
ENDLESS = "no number"


def comparison_text(found: dict[str, Any]) -> Group:
    """What `benchmarker.report.pairs.compare` found: scores, differences, verdicts, power."""
    parts: list[RenderableType] = [_scores(found), _pairs(found)]
    if len(found["pairs"]) == 1:
        parts.append(_classes(found["pairs"][0]))
    for pair in found["pairs"]:
        parts += [sentence(text) for text in _sentences(pair)]
    parts += [sentence(text) for text in _remarks(found)]
    return Group(*parts)


def _new_table(title: str, columns: Sequence[str]) -> Table:
    found = Table(title=Text(one_line(title), style="bold"), title_justify="left")
    found.box, found.pad_edge = box.SIMPLE_HEAD, False
    for number, name in enumerate(columns):
        found.add_column(name, justify="right" if number else "left", overflow="fold")
    return found


def _scores(found: dict[str, Any]) -> Table:
    title = f"{found['data']}: {found['images']} test images, {found['model']} model"
    columns = ["network", "seeds", "MPCA %", "95 %", "IQM %", "accuracy %", "95 %"]
    table = _new_table(title, columns)
    for one in found["networks"]:
        mpca, accuracy = one["mpca"], one["accuracy"]
        cells = [one_line(one["label"]), str(len(one["seeds"]))]
        cells += [percent_with_sd(mpca["mean"], mpca["sd"]), bounds(mpca["low"], mpca["high"])]
        cells += [percent_with_sd(mpca["iqm"], None)]
        cells += [percent_with_sd(accuracy["mean"], accuracy["sd"])]
        cells += [bounds(accuracy["low"], accuracy["high"])]
        table.add_row(*map(Text, cells))
    return table


def _pairs(found: dict[str, Any]) -> Table:
    columns = ["A - B, points", "MPCA (95 %)", "p", "corrected", "accuracy (95 %)", "P(A better)"]
    table = _new_table(f"differences; p corrected: {found['correction']}", columns)
    for pair in found["pairs"]:
        mpca, chance = pair["mpca"], pair["chance_a_better"]
        cells = [one_line(f"{pair['a']} - {pair['b']}"), points(mpca)]
        cells += [p_text(mpca["p"]), p_text(mpca["p_corrected"]), points(pair["accuracy"])]
        ends = "" if chance["low"] is None else f" ({chance['low']:.2f}-{chance['high']:.2f})"
        table.add_row(*map(Text, [*cells, f"{chance['value']:.2f}{ends}"]))
    return table


def _classes(pair: dict[str, Any]) -> Table:
    columns = ["recall of", "A - B, points (95 %)", "p", "corrected"]
    table = _new_table("class by class; p corrected over the classes", columns)
    for name, test in pair["per_class"].items():
        cells = [one_line(name), points(test), p_text(test["p"]), p_text(test["p_corrected"])]
        table.add_row(*map(Text, cells))
    return table


def points(test: dict[str, float | None]) -> str:
    """``+2.1 (-0.3 to +4.4)`` in percentage points, ``undefined`` where it is."""
    if test["difference"] is None:
        return "undefined"
    value = f"{100 * test['difference']:+.1f}"
    if test["low"] is None or test["high"] is None:
        return value
    return f"{value} ({100 * test['low']:+.1f} to {100 * test['high']:+.1f})"


def p_text(p: float | None) -> str:
    """``0.031``, ``<0.001``, or ``undefined``."""
    if p is None:
        return "undefined"
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _sentences(pair: dict[str, Any]) -> list[str]:
    a, b = pair["a"], pair["b"]
    test = pair["mpca"]
    numbers = f"MPCA {points(test)} points, corrected p {p_text(test['p_corrected'])}"
    texts = [f"{a} and {b}: {pair['verdict']} ({numbers}).", _chance(pair)]
    if pair["mcnemar"] is not None:
        single = pair["mcnemar"]
        texts.append(
            f"McNemar: only {a} is right on {single['only_a_right']} images, only {b} on "
            f"{single['only_b_right']}; exact p {p_text(single['p'])}, corrected "
            f"{p_text(single['p_corrected'])}."
        )
    return [*texts, power_sentence(pair["power"])]


def _chance(pair: dict[str, Any]) -> str:
    chance = pair["chance_a_better"]
    above = f"lies above 0.5 and reaches above the bar of {chance['bar']:g}"
    head = f"P({pair['a']} better) is {chance['value']:.2f}"
    said = {
        "A": f"its interval {above}",
        "B": f"that of {pair['b']} {above}",
        "too small to matter": f"one is ahead, but below the bar of {chance['bar']:g}",
        "undecided": "its interval includes 0.5",
        "undefined": "single runs say nothing of other seeds",
    }
    return f"{head}: {said[chance['outcome']]} (Bouthillier et al. 2021)."


def power_sentence(found: dict[str, Any]) -> str:
    """How many images or seeds it would take, as a sentence."""
    if found["images"] is None:
        return "Power: not known where seeds have test sets of their own, or a class one image."
    if not found["difference"]:
        return "Power: the scores are equal; no number of images or seeds tells them apart."
    images, seeds = found["images_needed"], found["seeds_needed"]
    head = (
        f"Power: a true difference of {100 * abs(found['difference']):.1f} points is seen with "
        f"{100 * found['power']:.0f} % power"
    )
    by_images = (
        f"by {images} test images (now {found['images']})"
        if images is not None
        else f"by no number of test images with {found['seeds']} seeds"
    )
    if found["seeds"] == 1:
        return f"{head} {by_images}; how many seeds it takes, single runs do not tell."
    by_seeds = (
        f"by {seeds} seeds each (now {found['seeds']})"
        if seeds is not None
        else f"by no number of seeds with {found['images']} test images"
    )
    return f"{head} {by_images} or {by_seeds}."


def _remarks(found: dict[str, Any]) -> list[str]:
    texts = []
    single = [one["label"] for one in found["networks"] if len(one["seeds"]) == 1]
    if len(single) < len(found["networks"]):
        texts.append("± is the standard deviation over seeds; intervals are over images and seeds.")
    if single:
        names = ", ".join(single)
        texts.append(f"Intervals over images alone, other seeds are not covered: {names}.")
    if found["allow_unlike"]:
        texts.append("Compared in spite of what is not alike (--allow-unlike):")
        texts += [f"  {text}" for text in found["unlike"] or ["nothing: all is alike"]]
    notes = dict.fromkeys(one["note"] for one in found["networks"] if one["note"])
    return [*texts, *(f"Note: {text}." for text in notes)]

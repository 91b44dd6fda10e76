"""What an evaluation prints: one network on one set in full, or many in a grid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from benchmarker.hosts.evaluation.grid import GridRow
from benchmarker.hosts.evaluation.tested import Tested
from benchmarker.hosts.evaluation.wrong_sources import WrongSource, wrong_sources
from benchmarker.report.text import interval, one_line, percent, percent_with_sd, sentence

METRICS = {
    "accuracy": "accuracy",
    "mpca": "MPCA",
    "macro_f1": "macro F1",
    "auc": "AUC",
    "calibration_error": "calibration error",
}
MOST_LISTED = 20
WIDEST_TITLE = 98
# heading, and what of a source stands below it
_SKY = {
    "RA": ("ra_deg", ".3f"),
    "Dec": ("dec_deg", "+.3f"),
    "z": ("redshift", ".4f"),
    "arcsec": ("size_arcsec", ".1f"),
}


def result_tables(tested: Tested) -> Group:
    """Everything about one network on one set."""
    parts: list[RenderableType] = [_scores(tested), _classes(tested)]
    if tested.metrics.get("groups"):
        parts.append(_groups(tested))
    if tested.dropout is not None:
        parts.append(_dropout(tested))
    wrong = wrong_sources(tested)
    if wrong:
        parts.append(_wrong(wrong, tested))
    parts += [sentence(text) for text in remarks(tested, wrong)]
    return Group(*parts)


def grid_table(rows: Sequence[GridRow]) -> Group:
    """Training sets by test sets: one table for each network and the set that trained it."""
    parts = [
        _grid_part(heading, [row for row in rows if row.heading == heading])
        for heading in dict.fromkeys(row.heading for row in rows)
    ]
    texts = ["Below each accuracy its 95 % interval over sources."]
    if any(row.augmented_accuracy.mean is not None for row in rows):
        texts.append("In passes: accuracy and AUC of all augmented passes together.")
    if any(row.runs > 1 for row in rows):
        texts.append("± is the standard deviation over runs.")
    if any(row.published for row in rows):
        texts.append("Published: accuracy / AUC in %, the network where it is another one.")
    texts += list(dict.fromkeys(text for row in rows for text in row.notes))
    return Group(*parts, *(sentence(text) for text in texts))


def _grid_part(heading: str, rows: Sequence[GridRow]) -> Table:
    with_passes = any(row.augmented_accuracy.mean is not None for row in rows)
    with_published = any(row.published for row in rows)
    columns = ["tested on", "sources", "accuracy %", "AUC %"]
    columns += ["in passes", "AUC %"] if with_passes else []
    table = _table(heading, [*columns, *(["published"] if with_published else [])])
    for row in rows:
        cells = [row.tested_on, f"{row.sources}\n{row.left_out_text}"]
        cells += [row.accuracy_text, percent_with_sd(row.auc.mean, row.auc.sd)]
        if with_passes:
            averages = (row.augmented_accuracy, row.augmented_auc)
            cells += [percent_with_sd(entry.mean, entry.sd) for entry in averages]
        cells += [row.published.replace(" (", "\n(")] if with_published else []
        table.add_row(*(Text(cell) for cell in cells))
    return table


def remarks(tested: Tested, wrong: Sequence[WrongSource] | None) -> list[str]:
    """What has to be said below the numbers."""
    chosen = tested.chosen
    texts = []
    if chosen.shared is not None:
        texts.append(f"{chosen.shared.text()}.")
    if chosen.inherited:
        number = len(chosen.inherited)
        texts.append(f"{number} more left out: they trained the weights that it started from.")
    if chosen.unchecked:
        texts.append(
            f"Unchecked: {chosen.unchecked}. Sources that trained the network may be among "
            "those tested."
        )
    texts += [f"Note: {text}." for text in (*tested.notes, *tested.metrics["plain"]["flags"])]
    if wrong == []:
        texts.append(f"No source is wrong in 95 % or more of the {len(tested.passes)} passes.")
    return texts


def _table(title: str, columns: Iterable[str], *, left: int = 1) -> Table:
    # a table as wide as its title: Rich breaks the title to the width of the table
    found = Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        min_width=min(len(title), WIDEST_TITLE),
    )
    found.pad_edge = False
    for number, name in enumerate(columns):
        side = "left" if number < left else "right"
        found.add_column(escape(one_line(name)), justify=side)
    return found


def _scores(tested: Tested) -> Table:
    plain, passes = tested.metrics["plain"], tested.metrics.get("augmented")
    columns = ["", "plain"]
    if passes:
        columns += [f"pooled over {passes['passes']} passes", "mean over the passes"]
    number = len(tested.sources)
    record = tested.trained.record
    seed = "" if record is None else f", seed {record.seed}"
    title = (
        f"{tested.trained.network}{seed} on {tested.tested_on}, {number} sources: "
        "% (95 % interval over sources)"
    )
    found = _table(title, columns)
    for name, text in METRICS.items():
        cells = [interval(plain[name])]
        if passes:
            pooled = passes["pooled"].get(name)
            cells += [interval(pooled) if pooled else "-", interval(passes["averaged"][name])]
        found.add_row(text, *cells)
    return found


def _classes(tested: Tested) -> Table:
    passes = tested.metrics.get("augmented")
    entries = passes["pooled"] if passes else tested.metrics["plain"]
    how = f"pooled over {passes['passes']} passes" if passes else "plain"
    columns = ["class", "sources", "recall", "precision", "F1"]
    found = _table(f"per class, {how}: % (95 % interval)", columns)
    for name, entry in entries["per_class"].items():
        support = tested.metrics["plain"]["per_class"][name]["support"]
        scores = (interval(entry[score]) for score in ("recall", "precision", "f1"))
        found.add_row(Text(one_line(name)), str(support), *scores)
    return found


def _groups(tested: Tested) -> Table:
    plain, passes = tested.metrics["groups"], tested.metrics.get("augmented_groups")
    columns = ["sources", "number", "accuracy", "AUC"]
    columns += ["passes: accuracy", "AUC"] if passes else []
    found = _table("certain and uncertain sources apart: % (95 % interval)", columns)
    for name, entry in plain.items():
        cells = [str(entry["n"]), interval(entry["accuracy"]), interval(entry["auc"])]
        if passes:
            pooled = passes[name]["pooled"]
            cells += [interval(pooled["accuracy"]), interval(pooled["auc"])]
        found.add_row(name, *cells)
    return found


def _dropout(tested: Tested) -> Table:
    entry = tested.metrics["dropout"]
    title = f"{entry['passes']} passes with dropout: %, mean ± standard deviation over passes"
    found = _table(title, ["", "single passes", "mean over the passes"])
    for name, spread in entry["over_passes"].items():
        single = percent_with_sd(spread["mean"], spread["sd"])
        found.add_row(METRICS[name], single, interval(entry["averaged"][name]))
    return found


def _wrong(wrong: Sequence[WrongSource], tested: Tested) -> Table:
    title = f"wrong in 95 % or more of {len(tested.passes)} passes: {len(wrong)} sources"
    known = {
        heading: (name, form)
        for heading, (name, form) in _SKY.items()
        if any(getattr(source, name) is not None for source in wrong)
    }
    found = _table(title, ["source", "taken for", "wrong %", *known], left=2)
    for source in wrong[:MOST_LISTED]:
        facts = (_number(getattr(source, name), form) for name, form in known.values())
        taken = Text(f"{source.label} as {source.predicted}")
        found.add_row(Text(source.source), taken, percent(source.rate), *facts)
    if len(wrong) > MOST_LISTED:
        found.add_row(f"and {len(wrong) - MOST_LISTED} more in wrong.csv")
    return found


def _number(value: Any, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"

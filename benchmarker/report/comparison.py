"""Our accuracy, F1 and AUC beside those that a paper gives for the same network and data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from benchmarker.report.published import SHOWN
from benchmarker.report.text import bounds, one_line, percent, percent_with_sd

PADDING = 3  # blanks between columns, as the box draws them
NARROWEST_NAME = 16  # letters of a network's name that fit into a line; longer ones fold
HEADINGS = {"accuracy": "accuracy %", "macro_f1": "F1 %", "auc": "AUC %"}
INTERVAL = "95 %"
# what goes first where space is short
DISPENSABLE = ((INTERVAL,), ("F1 %", "paper macro_f1"), ("AUC %", "paper auc"))


def comparisons(rows: Sequence[dict[str, Any]], *, width: int) -> list[Table]:
    """One table per data set of the rows that have published numbers.

    For each metric ours with the standard deviation over seeds, then the paper's; beside
    our accuracy its 95 % interval over sources and seeds, where there is room. Rows tested
    over augmented passes, as some papers do, have a second line for that.
    """
    shown = [row for row in rows if any(row[f"published_{name}"] is not None for name in SHOWN)]
    if any(row["model"] == "best" for row in shown):
        shown = [row for row in shown if row["model"] == "best"]
    names = dict.fromkeys(row["data"] for row in shown)
    return [_table(name, [row for row in shown if row["data"] == name], width) for name in names]


def sources(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Where the published numbers of these rows are from, each once."""
    texts = (row["published_source"] for row in rows if row["published_source"])
    return list(dict.fromkeys(texts))


def _table(data: str, rows: Sequence[dict[str, Any]], width: int) -> Table:
    lines = [line for row in rows for line in _lines(row)]
    title = Text(one_line(f"{data}: beside the published numbers"), style="bold")
    found = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    found.pad_edge = False
    names = _columns(lines, width)
    for name in names:
        first = name == "network"
        justify = "left" if first else "right"
        overflow = "fold" if first else "ellipsis"
        found.add_column(_heading(name), justify=justify, no_wrap=not first, overflow=overflow)
    for line in lines:
        found.add_row(*(Text(line[name]) for name in names))
    return found


def _lines(row: dict[str, Any]) -> list[dict[str, str]]:
    """One line of cells for the plain test, one for augmented passes if there were any."""
    papers = {f"paper {name}": percent(row[f"published_{name}"]) for name in SHOWN}
    plain = {
        HEADINGS[name]: percent_with_sd(row[f"{name}_mean"], row[f"{name}_sd"]) for name in SHOWN
    }
    low, high = row["accuracy_low"], row["accuracy_high"]
    lines = [{"network": one_line(row["network"]), **papers, **plain, INTERVAL: bounds(low, high)}]
    if row["augmented_accuracy"] is not None:
        varied = {
            HEADINGS[name]: percent_with_sd(row[f"augmented_{name}"], row[f"augmented_{name}_sd"])
            for name in SHOWN
        }
        name = f"  {row['augmented_passes'] or 'several'} passes"
        lines.append({"network": name, **dict.fromkeys(papers, ""), **varied, INTERVAL: ""})
    return lines


def _columns(lines: Sequence[dict[str, str]], width: int) -> list[str]:
    names = ["network"]
    for name in SHOWN:
        names += [HEADINGS[name], *([INTERVAL] if name == "accuracy" else []), f"paper {name}"]
    for dropped in DISPENSABLE:
        # the interval goes before a name is folded, the other metrics after it
        if _total(names, lines, fold=dropped != (INTERVAL,)) > width:
            names = [name for name in names if name not in dropped]
    return names


def _total(names: Sequence[str], lines: Sequence[dict[str, str]], *, fold: bool) -> int:
    widths = [max(len(_heading(name)), *(len(line[name]) for line in lines)) for name in names]
    if fold:
        widths[0] = min(widths[0], NARROWEST_NAME)
    return sum(widths) + PADDING * len(names)


def _heading(name: str) -> str:
    return "paper" if name.startswith("paper") else name

"""The leaderboard as a text table, as wide as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarker.report import against
from benchmarker.report.cells import COLUMNS, LEFT, cells
from benchmarker.report.comparison import comparisons, sources
from benchmarker.report.rows import RANKED_WITHIN
from benchmarker.report.text import one_line, sentence

PADDING = 3  # blanks between columns, as the box draws them


def table(
    rows: Sequence[dict[str, Any]], *, width: int = 100, statements: Sequence[str] = ()
) -> Group:
    """The leaderboard as text: as many columns as fit into `width` characters.

    ``MPCA 95 %`` and ``accuracy 95 %`` are intervals over sources and seeds, ``steady %`` is
    the agreement while the image turns, ``passes %`` the accuracy pooled over augmented
    passes. Networks with published numbers stand once more, beside those, in a
    table for each data set, or number by number where the rows have them (``against``).
    Below stand failed and unreadable runs with their reasons, and notes on what is compared,
    after the `statements` on how it was. Where rows agree in a setting, its column is left out.
    """
    complete = [row for row in rows if row["state"] == "complete"]
    parts: list[RenderableType] = []
    if complete:
        parts.append(_fitted(complete, width))
    if any("against" in row for row in rows):
        parts += [_against(complete)] if against.lines(complete) else []
    else:
        parts += comparisons(complete, width=width)
    parts += [sentence(text) for text in [*statements, *remarks(rows)]]
    return Group(*parts)


def _fitted(rows: Sequence[dict[str, Any]], width: int) -> Table:
    found, dull = cells(rows)
    space = width
    kept = set()
    for name, _, _ in sorted(COLUMNS, key=lambda column: column[1]):
        needed = max(len(text) for text in [name, *found[name]]) + PADDING
        if name not in dull and (needed <= space or not kept):
            kept.add(name)
            space -= needed
    names = [name for name, _, _ in COLUMNS if name in kept]
    drawn = Table(title=_title(rows, dull), title_justify="left", box=box.SIMPLE_HEAD)
    drawn.pad_edge = False
    for name in names:
        left = name in LEFT
        drawn.add_column(name, justify="left" if left else "right", no_wrap=name != "network")
    for number in range(len(rows)):
        drawn.add_row(*(Text(found[name][number]) for name in names))
    return drawn


def _against(rows: Sequence[dict[str, Any]]) -> Table:
    title = Text("against the published numbers", style="bold")
    found = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    found.pad_edge = False
    for name in against.HEADINGS:
        found.add_column(name, justify="right" if "%" in name else "left", overflow="fold")
    for line in against.lines(rows):
        found.add_row(*map(Text, line))
    return found


def _title(rows: Sequence[dict[str, Any]], dull: set[str]) -> Text:
    row = rows[0]
    words = [row["data"] if "data" in dull else "all data sets"]
    words += [f"{row['size']} px"] if "size" in dull else []
    words += [f"{row['model']} model"] if "model" in dull else []
    words += [f"{row['epochs']} epochs"] if "epochs" in dull else []
    return Text(one_line(", ".join(map(str, words))), style="bold")


def remarks(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What stands below the table: what is compared with what, and what is missing."""
    complete = [row for row in rows if row["state"] == "complete"]
    texts = []
    if any(row["mpca_sd"] is not None for row in complete):
        texts.append("± is the standard deviation over seeds.")
    if not any("against" in row for row in rows):
        texts += [f"Published: {text}." for text in sources(complete)]
    ranked = [row for row in complete if row["rank"] is not None]
    ranks = [(*(row[name] for name in RANKED_WITHIN), row["rank"]) for row in ranked]
    if len(ranks) > len(set(ranks)):
        texts.append(
            "Rows of equal rank cannot be told apart (paired bootstrap over images and seeds, "
            "Holm's correction)."
        )
    for text in dict.fromkeys(row["note"] for row in complete if row["note"]):
        names = sorted({row["network"] for row in complete if row["note"] == text})
        texts.append(f"Note: {text} ({', '.join(names)}).")
    for row in rows:
        if row["state"] == "failed":
            seed = row["seeds"][0]
            texts.append(f"Failed: {row['network']} on {row['data']}, seed {seed}: {row['reason']}")
        elif row["state"] == "unreadable":
            texts.append(f"Unreadable: {row['reason']}")
    return texts

"""The leaderboard as CSV, Markdown, LaTeX (booktabs) or JSON.

CSV and JSON hold every column; Markdown and LaTeX those that are read, as the text table has
them. What the user overrode or weighted stands in each: as columns, or as a sentence below.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarker.core.files import csv_text
from benchmarker.report import against, cost
from benchmarker.report.cells import COLUMNS, LEFT, cells
from benchmarker.report.leaderboard import cell, columns
from benchmarker.report.markdown import markdown_table, markdown_text
from benchmarker.report.tables import remarks
from benchmarker.report.text import one_line

LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "×": r"$\times$",
}
RANGE = re.compile(r"(?<=\d)-(?=\d)")


@dataclass(frozen=True)
class Board:
    """A leaderboard as it was asked for.

    rows : as `benchmarker.report.leaderboard.rows` gives them
    statements : sentences on what was overridden, filtered or weighted
    allow_unlike : whether rows that are not alike were ranked together
    """

    rows: Sequence[dict[str, Any]]
    statements: Sequence[str] = ()
    allow_unlike: bool = False

    @property
    def complete(self) -> list[dict[str, Any]]:
        """The rows that have scores."""
        return [row for row in self.rows if row["state"] == "complete"]

    @property
    def texts(self) -> list[str]:
        """What stands below a table that is read."""
        return [one_line(text) for text in [*self.statements, *remarks(self.rows)]]


def to_json(board: Board) -> str:
    """A list of rows; with ``allow_unlike`` true in each where that option was given."""
    override = {"allow_unlike": True} if board.allow_unlike else {}
    rows = [{**row, **override} for row in board.rows]
    return json.dumps(rows, indent=2, allow_nan=False) + "\n"


def to_csv(board: Board) -> str:
    """Every column; published numbers and what the options add stand at the end."""
    plain = [
        {name: value for name, value in row.items() if name not in ("against", *cost.COLUMNS)}
        for row in board.rows
    ]
    header = columns(plain)
    extra = [name for name in cost.COLUMNS if any(name in row for row in board.rows)]
    extra += [name for name in against.columns(board.rows) if name not in header]
    # what stands in a column that is always there is the number that the list would repeat
    full = [{**row, **against.flat(row)} for row in board.rows]
    if board.allow_unlike:
        extra.append("allow_unlike")
        full = [{**row, "allow_unlike": "yes"} for row in full]
    names = [*header, *extra]
    return csv_text(names, [[cell(row.get(name)) for name in names] for row in full])


def to_markdown(board: Board) -> str:
    """Tables as GitHub draws them, then a list of remarks."""
    parts = [markdown_table(*content) for content in _tables(board)]
    remarks_ = [f"- {markdown_text(text)}" for text in board.texts]
    return "\n\n".join([*parts, *(["\n".join(remarks_)] if remarks_ else [])]) + "\n"


def to_latex(board: Board) -> str:
    r"""Tables for ``\usepackage{booktabs}``, the remarks in the last rows of the first."""
    contents = _tables(board)
    notes = [_latex(text) for text in board.texts]
    parts = [
        _latex_table(*content, notes=notes if number == 0 else [])
        for number, content in enumerate(contents)
    ]
    return "\n\n".join(["% needs \\usepackage{booktabs}", *parts]) + "\n"


FORMATS: dict[str, Callable[[Board], str]] = {
    "csv": to_csv,
    "markdown": to_markdown,
    "latex": to_latex,
    "json": to_json,
}

Table = tuple[list[str], list[bool], list[list[str]]]


def _tables(board: Board) -> list[Table]:
    """Headings, which columns are text, and lines of cells: the board, then the papers."""
    rows = board.complete
    found, dull = cells(rows)
    names = [name for name, _, _ in COLUMNS if name not in dull] if rows else ["network"]
    body = [[found[name][number] for name in names] for number in range(len(rows))]
    tables = [(names, [name in LEFT for name in names], body)]
    lines = against.lines(rows)
    if lines:
        text = ["%" not in name for name in against.HEADINGS]
        tables.append((list(against.HEADINGS), text, lines))
    return tables


def _latex_table(
    names: list[str], is_text: list[bool], body: list[list[str]], *, notes: list[str]
) -> str:
    form = "".join("l" if text else "r" for text in is_text)
    lines = [f"\\begin{{tabular}}{{{form}}}", r"\toprule", _latex_line(names), r"\midrule"]
    lines += [_latex_line(line) for line in body]
    lines.append(r"\bottomrule")
    width = r"p{0.95\linewidth}"
    lines += [
        f"\\multicolumn{{{len(names)}}}{{{width}}}{{\\footnotesize {text}}} \\\\" for text in notes
    ]
    return "\n".join([*lines, r"\end{tabular}"])


def _dashed(text: str) -> str:
    """A range of numbers with the dash that LaTeX makes of two."""
    return RANGE.sub("--", text) if re.fullmatch(r"[\d.-]+", text) else text


def _latex_line(line: Sequence[str]) -> str:
    return f"{' & '.join(_dashed(_latex(cell)) for cell in line)} \\\\"


def _latex(text: str) -> str:
    # two hyphens, as in the name of an option, would become a dash
    return "".join(LATEX.get(letter, letter) for letter in text).replace("--", "-{}-")

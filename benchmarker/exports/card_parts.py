"""Pieces that model cards and data cards are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from benchmarker.report.markdown import markdown_table, markdown_text
from benchmarker.report.text import one_line

UNKNOWN = "Not known: the records say nothing of it."
ADDRESS = re.compile(r"https?://[^\s<>]+")
Lines = list[str]


def text(value: object) -> str:
    """One line in which nothing is taken for Markdown."""
    return markdown_text(one_line(value))


def link(address: str) -> str:
    """An address to click on; anything else that stands in its place is text."""
    return f"<{address}>" if ADDRESS.fullmatch(address) else text(address)


def section(title: str, lines: Iterable[str], *, level: int = 2) -> Lines:
    """A heading and what stands below it, or that nothing is known."""
    found = list(lines) or [UNKNOWN]
    return [f"{'#' * level} {title}", "", *found, ""]


def page(lines: Iterable[str]) -> str:
    """The whole text, its parts one blank line apart."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def facts(pairs: Iterable[tuple[str, object | None]]) -> Lines:
    """A list of facts; those that are None are said to be unknown."""
    return [f"- **{text(name)}**: {_value(value)}" for name, value in pairs]


def _value(value: object | None) -> str:
    return "not known" if value is None else link(one_line(value))


def bullets(texts: Iterable[str]) -> Lines:
    """A list of sentences, made safe."""
    return [f"- {text(one)}" for one in texts]


def table(names: Sequence[str], body: Sequence[Sequence[str]], texts: int = 1) -> Lines:
    """A table whose first `texts` columns are words and the others numbers; none of no lines."""
    if not body:
        return []
    is_text = [number < texts for number in range(len(names))]
    cells = [[one_line(cell) for cell in line] for line in body]
    return [*markdown_table(list(names), is_text, cells).splitlines(), ""]


def code(lines: Iterable[str]) -> Lines:
    """Lines to be typed; a fence in them would end the block, so none may be there."""
    return ["```", *(line.replace("```", "'''") for line in lines), "```"]


def listed(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are."""
    more = [f"and {len(names) - most} more"] if len(names) > most else []
    return ", ".join([*names[:most], *more])

"""Texts and tables as Markdown in which no name is taken for more than a name."""

from __future__ import annotations

import re

# in Markdown these would start code, emphasis, a link, a tag, an entity or another column
MARKDOWN = re.compile(r"([\\`*_\[\]<>|&~])")


def markdown_table(names: list[str], is_text: list[bool], body: list[list[str]]) -> str:
    """A table as GitHub draws it: headings, which columns are text, and lines of cells."""
    rule = [":---" if text else "---:" for text in is_text]
    escaped = [[markdown_text(text) for text in line] for line in [names, *body]]
    lines = [escaped[0], rule, *escaped[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def markdown_text(text: str) -> str:
    """Text in which nothing is taken for Markdown or HTML."""
    return MARKDOWN.sub(r"\\\1", text)

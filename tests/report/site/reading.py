"""Reading the pages of a report without a browser."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "link", "input", "img", "br"}


@dataclass
class Element:
    """One element with what is inside it: elements and texts in order."""

    tag: str
    attributes: dict
    inside: list = field(default_factory=list)

    @property
    def text(self):
        parts = (one if isinstance(one, str) else one.text for one in self.inside)
        return " ".join(" ".join(parts).split())

    def all(self, tag, **attributes):
        """Elements of a tag below this one, in order."""
        found = []
        for one in self.inside:
            if isinstance(one, str):
                continue
            fits = all(one.attributes.get(key) == value for key, value in attributes.items())
            if one.tag == tag and fits:
                found.append(one)
            found += one.all(tag, **attributes)
        return found


class _Reader(HTMLParser):
    """Builds the tree and refuses a page whose elements are not closed in order."""

    def __init__(self):
        super().__init__()
        self.open = [Element("page", {})]

    def handle_starttag(self, tag, attrs):
        element = Element(tag, dict(attrs))
        self.open[-1].inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.open[-1].inside.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data):
        self.open[-1].inside.append(data)


def page(path):
    """The tree of one page."""
    reader = _Reader()
    reader.feed(Path(path).read_text(encoding="utf-8"))
    assert len(reader.open) == 1
    return reader.open[0]


def table(found, caption):
    """Rows of texts of the table whose caption begins so, without its headings."""
    (one,) = [one for one in found.all("table") if one.all("caption")[0].text.startswith(caption)]
    rows = [row for part in ("tbody", "tfoot") for body in one.all(part) for row in body.all("tr")]
    return [[cell.text for cell in row.inside if not isinstance(cell, str)] for row in rows]

"""`benchmarker list`: networks, data cards, recipes and run lists by name."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from benchmarker.cli.verb_show import add_input_options, console, image_size
from benchmarker.core.errors import EXIT_FINE, SettingsError, suggest

NAME = "list"
HELP = "networks, data, recipes or run-lists that can be named"
TEXTS = {
    "data": ("data", ".toml"),
    "recipes": ("augment", ".yaml"),
    "run-lists": ("architectures", ".txt"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "what",
        nargs="?",
        default="networks",
        choices=["networks", *TEXTS],
        help="what to list (default networks)",
    )
    parser.add_argument("--family", help="networks of this family only, e.g. convxpress")
    parser.add_argument("--role", help="networks of this role only, e.g. core")
    add_input_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the list; returns 0, raises `SettingsError` for a size, family or role at fault."""
    networks = arguments.what == "networks"
    if not networks and (arguments.family or arguments.role):
        message = f"--family and --role choose among networks, got them for {arguments.what}"
        raise SettingsError(message)
    rows = _networks(arguments) if networks else _texts(arguments.what)
    if arguments.json:
        print(json.dumps(rows, indent=2))
    elif networks:
        _print_networks(rows, arguments)
    else:
        _print_texts(rows, arguments.what)
    return EXIT_FINE


def _networks(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    from benchmarker.networks.registry import check_input, find, names

    shape = check_input((*image_size(arguments.size), arguments.channels), arguments.classes)
    rows = []
    for entry in map(find, names()):
        row = {
            "name": entry.name,
            "family": entry.family,
            "role": entry.role,
            "kind": entry.kind,
            "paper": entry.paper,
            "note": entry.note,
        }
        if _wanted(row, arguments):
            rows.append(row | _counts(entry, shape, arguments.classes))
    if not rows:
        _refuse(arguments)
    return rows


def _wanted(row: dict[str, Any], arguments: argparse.Namespace) -> bool:
    return all(
        wish is None or row[key] == wish
        for key, wish in (("family", arguments.family), ("role", arguments.role))
    )


def _counts(entry: Any, shape: tuple[int, int, int], classes: int) -> dict[str, Any]:
    from benchmarker.networks.describe import counts

    try:
        parameters, multiply_adds = counts(entry, shape, classes)
    except SettingsError as error:
        return {"parameters": None, "multiply_adds": None, "reason": str(error)}
    return {"parameters": parameters, "multiply_adds": multiply_adds}


def _refuse(arguments: argparse.Namespace) -> None:
    from benchmarker.networks.registry import find, names

    entries = [find(name) for name in names()]
    families = sorted({entry.family for entry in entries})
    near = suggest(arguments.family or "", families)
    message = (
        f"no network of family {arguments.family or 'any'!r}{near} and role "
        f"{arguments.role or 'any'!r}; families: {', '.join(families)}; roles: "
        f"{', '.join(sorted({entry.role for entry in entries}))}"
    )
    raise SettingsError(message)


def _print_networks(rows: list[dict[str, Any]], arguments: argparse.Namespace) -> None:
    from rich.table import Table

    size = f"{arguments.size} pixels, {arguments.channels} channel(s), {arguments.classes} classes"
    table = Table(title=f"{len(rows)} networks at {size}")
    table.add_column("name", no_wrap=True)
    table.add_column("family", no_wrap=True)
    table.add_column("role", no_wrap=True)
    table.add_column("parameters", justify="right", no_wrap=True)
    table.add_column("multiply-adds", justify="right", no_wrap=True)
    table.add_column("paper")
    for row in rows:
        counts = ("too small", _smallest(row["reason"])) if "reason" in row else _numbers(row)
        table.add_row(row["name"], row["family"], row["role"], *counts, _short(row["paper"]))
    console().print(table)


def _numbers(row: dict[str, Any]) -> tuple[str, str]:
    return f"{row['parameters']:,}", f"{row['multiply_adds']:,}"


def _smallest(reason: str) -> str:
    match = re.search(r"at least (\d+)x", reason)
    return f"from {match[1]} px" if match else ""


def _short(paper: str) -> str:
    """Authors and year of a reference; the whole of it where no year stands."""
    match = re.match(r".*?\b(?:19|20)\d\d\b", paper)
    return match[0] if match else paper


def _texts(what: str) -> list[dict[str, Any]]:
    from benchmarker.core.folders import list_texts

    folder, suffix = TEXTS[what]
    rows: list[dict[str, Any]] = [
        {"name": path.name.removesuffix(suffix), "title": _title(path), "path": str(path)}
        for path in list_texts(folder, suffix)
    ]
    if what == "data":
        for row in rows:
            row["subsets"] = _subsets(row["name"])
    return rows


def _subsets(name: str) -> list[str]:
    """Names of the subsets of a data set, for ``--subset``; none of a card with faults."""
    from benchmarker.core.errors import BenchmarkerError
    from benchmarker.data.cards import load_card

    try:
        return [subset.name for subset in load_card(name).subsets]
    except BenchmarkerError:
        return []


def _title(path: Path) -> str:
    """A card's title, the words of a recipe, or the first sentence of a text's comments."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".toml":
        match = re.search(r'^title\s*=\s*"(.*)"\s*$', text, re.MULTILINE)
        return match[1] if match else ""
    if path.suffix == ".yaml" and (about := _about(text)):
        return _sentence(about)
    comments = re.search(r"(?:^#.*\n?)+", text, re.MULTILINE)
    return _sentence(re.sub(r"^#+", "", comments[0], flags=re.MULTILINE)) if comments else ""


def _about(text: str) -> str:
    """The key ``about`` of a recipe; empty where there is none or the file has faults."""
    import yaml

    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        return ""
    return str(content.get("about", "")) if isinstance(content, dict) else ""


def _sentence(text: str) -> str:
    """The first sentence of `text` on one line."""
    words = " ".join(text.split())
    match = re.match(r".*?(?=[.;](?:\s[A-Z]|$))", words)
    return match[0] if match else words


def _print_texts(rows: list[dict[str, Any]], what: str) -> None:
    from rich.table import Table

    table = Table(title=f"{len(rows)} {'data sets' if what == 'data' else what}")
    table.add_column("name", no_wrap=True)
    table.add_column("title")
    if what == "data":
        table.add_column("subsets (--subset)")
    for row in rows:
        more = [", ".join(row["subsets"])] if what == "data" else []
        table.add_row(row["name"], row["title"], *more)
    console().print(table)

"""``benchmarker data fetch``: download the files of a card, check and unpack them."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarker.core.errors import EXIT_FINE, MissingDataError

if TYPE_CHECKING:
    from benchmarker.data.cards import Card, CardFile

NAME = "fetch"
HELP = "download the images of a data-set card, check and unpack them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which card, and where to."""
    parser.add_argument("name", metavar="CARD", help="name of a card (benchmarker list data)")
    parser.add_argument(
        "--to", metavar="DIR", default="data", help="put the files into DIR/CARD (default: ./data)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON alone")


def run(arguments: argparse.Namespace) -> int:
    """Fetch every file of the card; print where it lies, the licence and whom to cite."""
    from benchmarker.data.cards import load_card

    card = load_card(arguments.name)
    if not card.files:
        raise MissingDataError(_how_to_obtain(card))
    folder = Path(arguments.to) / card.folder
    result = {
        "name": card.name,
        "folder": str(folder),
        "files": [_fetch(file, folder) for file in card.files],
        "licence": card.licence,
        "citation": list(card.citation),
        "homepage": card.homepage,
    }
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        _print(card, result)
    return EXIT_FINE


def _how_to_obtain(card: Card) -> str:
    if card.reader == "simulate":
        return f"{card.name} has nothing to download: it is drawn here when it is used"
    source = f"; see {card.homepage}" if card.homepage else ""
    how = card.obtain or "get the images from their publisher"
    return f"{card.name} has no public download: {how}{source}"


def _fetch(file: CardFile, folder: Path) -> dict[str, Any]:
    from benchmarker.core.hashing import digest_file
    from benchmarker.data.archives import unpack
    from benchmarker.data.downloads import Listener, RemoteFile, fetch

    kind = "sha256" if file.sha256 else "md5" if file.md5 else None
    checksum = f"{kind}:{file.sha256 or file.md5}" if kind else None
    remote = RemoteFile(file.name, (file.url,), checksum, file.size)
    with _progress(f"fetching {file.name}") as progress:
        path = fetch(remote, folder, listener=Listener(progress=progress, note=_note))
    with _progress(f"unpacking {file.name}") as progress:
        unpacked = unpack(path, folder, progress=progress) if file.unpack else []
    return {
        "path": str(path),
        "url": file.url,
        "bytes": path.stat().st_size,
        "sha256": digest_file(path),
        "checked": kind,
        "unpacked": [str(entry) for entry in unpacked],
    }


def _note(text: str) -> None:
    print(text, file=sys.stderr)


@contextlib.contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal; elsewhere a line for each tenth."""
    if not sys.stderr.isatty():
        yield _Tenths(title)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Tenths:
    """Says a line whenever another tenth is done."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._said = 0

    def __call__(self, done: int, total: int) -> None:
        tenth = 10 * done // total if total else 0
        if tenth > self._said:
            self._said = tenth
            _note(f"{self._title}: {10 * tenth} % of {total} bytes")


def _print(card: Card, result: dict[str, Any]) -> None:
    print(card.title)
    for file in result["files"]:
        print(f"  {file['path']}: {file['bytes']} bytes, sha256 {file['sha256']}")
        if file["checked"]:
            print(f"    {file['checked']} is the published one")
        else:
            print("    no checksum is published: nothing to compare it with")
        for entry in file["unpacked"]:
            print(f"    unpacked: {entry}")
    print(f"licence: {card.licence}")
    for text in card.citation:
        print(f"please cite: {text}")
    print(f"next: benchmarker data check {card.name}")

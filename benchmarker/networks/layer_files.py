"""Layer-list files: one network per line of text, six columns divided by ``|``.

``name | family | role | paper | note | layers``. Blank lines and lines that begin with
``#`` are passed over. `role` is one of `ROLES`; `paper` is a key of `papers.py`, any
reference as text, or empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from benchmarker.core.errors import InputFileError, Problems
from benchmarker.networks.entries import ROLES, NetworkEntry
from benchmarker.networks.notation import read, structure_faults

COLUMNS = ("name", "family", "role", "paper", "note", "layers")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.@+-]*")


def read_file(path: Path) -> list[NetworkEntry]:
    """All networks of one file; raises `InputFileError` that lists every faulty line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot read the layer lists of {path}: {error}"
        raise InputFileError(message) from error
    problems = Problems(path)
    entries = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            entry = _entry(line, path, number, problems)
            entries += [entry] if entry else []
    problems.raise_if_any()
    return entries


def _entry(line: str, path: Path, number: int, problems: Problems) -> NetworkEntry | None:
    cells = [cell.strip() for cell in line.split("|")]
    if len(cells) != len(COLUMNS):
        problems.add(
            f"{len(cells)} column(s), expected {len(COLUMNS)} divided by |: {' | '.join(COLUMNS)}",
            line=number,
        )
        return None
    name, family, role, paper, note, text = cells
    layers, faults = read(text)
    faults = faults or structure_faults(layers, text)
    if not NAME.fullmatch(name):
        faults.insert(0, f"name {name!r}, expected a letter, then letters, digits or _ . @ + -")
    if role not in ROLES:
        faults.insert(0, f"role {role!r}, expected one of {', '.join(ROLES)}")
    for fault in faults:
        problems.add(fault, line=number)
    return NetworkEntry(name, family, role, paper, note, path, number, layers)


def by_name(entries: Iterable[NetworkEntry]) -> dict[str, NetworkEntry]:
    """Entries under their names; raises `InputFileError` that shows both places of a repeat."""
    found: dict[str, NetworkEntry] = {}
    problems = Problems("the registry of networks")
    for entry in entries:
        other = found.setdefault(entry.name, entry)
        if other is not entry:
            problems.add(
                f"network {entry.name!r} is defined twice, expected once: in {other.where} and "
                f"in {entry.where}"
            )
    problems.raise_if_any()
    return found

"""Lists of stamps: one file name in a line, and where such a file lies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarker.core.errors import InputFileError, MissingDataError, Problems
from benchmarker.data.reading_psat import base_name

MOST_SHOWN = 10
FOLDERS = ("good", "bad")


def read_list(path: str | Path) -> list[str]:
    """Entries of a list in their order; blank lines and lines that begin with ``#`` are left out.

    Raises `InputFileError` for an unreadable or empty list and for entries that stand there
    twice, with their lines.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read as a list of stamps: {error}"
        raise InputFileError(message) from error
    problems = Problems(path)
    first: dict[str, int] = {}
    repeats = 0
    for line, word in enumerate(text.splitlines(), start=1):
        entry = word.strip()
        if not entry or entry.startswith("#"):
            continue
        if entry in first:
            repeats += 1
            if repeats <= MOST_SHOWN:
                problems.add(f"{entry} stands in line {first[entry]} already", line=line)
        first.setdefault(entry, line)
    problems.raise_if_any()
    if not first:
        message = f"{path}: no entry, expected one stamp in each line"
        raise InputFileError(message)
    return list(first)


def find_stamp(entry: str, folder: Path, word: str = FOLDERS[0]) -> Path | None:
    """Where an entry of a list in `folder` lies; None where it is not there.

    An entry with a folder in it is a path, taken from here or from the list's folder. Another
    one lies in ``good/`` or ``bad/`` beside the list (first in that called `word`), in a folder
    named by the night (the whole part of its second field), or beside the list itself.
    """
    if "/" in entry:
        places = [Path(entry), folder / entry]
    else:
        night = "".join(entry.split("_")[1:2]).partition(".")[0]
        dated = [night] if night.isdigit() else []
        places = [folder / name / entry for name in (word, *FOLDERS, *dated, ".")]
    return next((place for place in places if place.is_file()), None)


def refuse_missing(entries: Sequence[str], folder: Path, where: str | Path) -> None:
    """Raise `MissingDataError` naming the first entries that are not there, and their number."""
    missing = [entry for entry in entries if find_stamp(entry, folder) is None]
    if not missing:
        return
    shown = ", ".join(missing[:MOST_SHOWN]) + (", ..." if len(missing) > MOST_SHOWN else "")
    message = (
        f"{where}: {len(missing)} of {len(entries)} stamps are not there: {shown}; looked in "
        f"{', '.join(str(folder / word) for word in FOLDERS)} and {folder}"
    )
    raise MissingDataError(message)


def refuse_contradictions(good: Sequence[str], bad: Sequence[str]) -> None:
    """Raise `InputFileError` where a stamp is called real and bogus."""
    both = sorted({base_name(entry) for entry in good} & {base_name(entry) for entry in bad})
    if both:
        shown = ", ".join(both[:MOST_SHOWN]) + (", ..." if len(both) > MOST_SHOWN else "")
        message = f"{len(both)} stamps stand in both lists, expected each in one: {shown}"
        raise InputFileError(message)

"""Which rows of the leaderboard are wanted, and in which order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarker.core.errors import MissingDataError, SettingsError, suggest
from benchmarker.report.ranking import place

# the more the better: shown first
HIGH_FIRST = re.compile(
    r"mpca|accuracy|f1|auc|precision|recall|images_per_second|agreement|n_seeds|published_value"
)


def chosen(
    rows: Sequence[dict[str, Any]], wanted: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Rows that have one of the wanted values in each column of `wanted`; empty wants all.

    Folders that cannot be read stay: what they hold is not known. Raises `MissingDataError`
    with near names where a value is in no row, or no row has all that is wanted.
    """
    for column, names in wanted.items():
        known = sorted({str(row[column]) for row in rows if row[column]})
        for name in names:
            if name not in known:
                message = (
                    f"no run with {column} {name!r}{suggest(name, known)}; "
                    f"there are runs with {column}: {', '.join(known) or 'none'}"
                )
                raise MissingDataError(message)
    found = [
        row
        for row in rows
        if row["state"] == "unreadable"
        or all(not names or row[column] in names for column, names in wanted.items())
    ]
    if not any(row["state"] != "unreadable" for row in found) and any(wanted.values()):
        asked = "; ".join(f"{key} {' or '.join(names)}" for key, names in wanted.items() if names)
        message = f"no run has all of: {asked}"
        raise MissingDataError(message)
    return found


def sorted_by(
    rows: Sequence[dict[str, Any]], column: str, *, reverse: bool = False
) -> list[dict[str, Any]]:
    """Rows by one column: scores and speeds from the highest, all else from the lowest.

    `reverse` turns that round; rows without a value stand last. Raises `SettingsError` with
    near names for a column that no row has.
    """
    known = dict.fromkeys(name for row in rows for name in row)
    if column not in known:
        message = f"--sort {column}{suggest(column, known)}: expected one of {', '.join(known)}"
        raise SettingsError(message)
    there = [row for row in rows if row.get(column) not in (None, "")]
    rest = [row for row in rows if row.get(column) in (None, "")]
    falling = bool(HIGH_FIRST.search(column)) != reverse
    numbers = all(isinstance(row[column], int | float) for row in there)
    ordered = sorted(
        there, key=lambda row: row[column] if numbers else str(row[column]), reverse=falling
    )
    return [*ordered, *rest]


def by_rank(rows: Sequence[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    """Rows by a rank, within what is ranked together; those without a rank last."""
    return sorted(
        rows, key=lambda row: (*place(row), row.get(column) is None, row.get(column) or 0)
    )

"""What a row of the leaderboard is called, so that no two are called the same."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from benchmarker.core.hashing import SHORT
from benchmarker.report.text import one_line

# what tells namesakes apart, the plainest first
TELLING = (
    "data", "protocol", "learning_rate", "epochs", "batch", "size", "recipe", "preparation",
    "precision", "split_rule", "model", "other_settings",
)  # fmt: skip
DIGESTS = ("settings_digest", "data_digest", "split_family")


def names_with_settings(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Name of each row's network, with what of its own settings and split tells namesakes apart."""
    namesakes: dict[str, list[dict[str, Any]]] = defaultdict(list)
    own = [network_settings(row) for row in rows]
    for row, settings in zip(rows, own, strict=True):
        namesakes[row["network"]].append(settings)
    names = []
    for row, settings, split in zip(rows, own, _splits(rows), strict=True):
        telling = [
            f"{key}={value}"
            for key, value in settings.items()
            if any(other.get(key) != value for other in namesakes[row["network"]])
        ] + ([split] if split else [])
        names.append(one_line(row["network"] + (f" ({', '.join(telling)})" if telling else "")))
    return names


def _splits(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What the rule of each row's split says beyond that of its namesakes on the same data.

    Of "published" and "published, 18 of each class to train" the second says something.
    """
    parts = [(row.get("split_rule") or "").split(", ") for row in rows]
    groups: dict[tuple[Any, Any], list[list[str]]] = defaultdict(list)
    for row, own in zip(rows, parts, strict=True):
        groups[row["network"], row.get("data")].append(own)
    said = []
    for row, own in zip(rows, parts, strict=True):
        others = groups[row["network"], row.get("data")]
        said.append(", ".join(part for part in own if any(part not in one for one in others)))
    return said


def network_settings(row: dict[str, Any]) -> dict[str, Any]:
    """The network's own settings in a row, as the run list gave them."""
    found = re.search(r"network_settings=(\{.*?\})", row["other_settings"] or "")
    return json.loads(found[1]) if found else {}


def labels(rows: Sequence[dict[str, Any]]) -> list[str]:
    """A short text for each row that no other row has.

    The network's name, then what is needed to tell it from others of that name: its own
    settings, the settings of the run, and where all those agree the start of a digest.
    """
    names = names_with_settings(rows)
    for key in (*TELLING, *DIGESTS):
        names = _told_apart(rows, names, key)
    return _numbered(names)


def _told_apart(rows: Sequence[dict[str, Any]], names: list[str], key: str) -> list[str]:
    """Names with the value of `key` where rows of one name differ in it."""
    values: dict[str, set[str]] = defaultdict(set)
    for row, name in zip(rows, names, strict=True):
        values[name].add(str(row.get(key)))
    return [
        f"{name} {_said(key, row.get(key))}" if len(values[name]) > 1 else name
        for row, name in zip(rows, names, strict=True)
    ]


def _said(key: str, value: Any) -> str:
    if key in DIGESTS:
        return f"[{str(value)[:SHORT]}]"
    return one_line(f"on {value}" if key == "data" else f"{key}={value}")


def _numbered(names: list[str]) -> list[str]:
    """Rows that agree in everything are told apart by their number."""
    seen: dict[str, int] = defaultdict(int)
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found

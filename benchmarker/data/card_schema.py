"""The keys a card may hold, and the check of a TOML table against them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarker.core.errors import suggest

READERS = ("fits-folder", "png-folder", "npz", "hdf5", "batches", "mnist", "field-list", "simulate")


@dataclass(frozen=True)
class Key:
    """One key: the types its value may have, how to say them, and what lies within.

    `items` is the type of a list's items; `keys` are the keys of a table (None: any),
    or of every table of a list, or of every named table where `named` is set.
    """

    types: tuple[type, ...]
    words: str
    required: bool = False
    items: type | None = None
    keys: dict[str, Key] | None = None
    named: bool = False


def _text(*, required: bool = False) -> Key:
    return Key((str,), "a text", required)


def _list(items: type, words: str, *, required: bool = False) -> Key:
    return Key((list,), words, required, items=items)


_WHOLE = Key((int,), "a whole number", required=True)
_NUMBERS = _list(int, "a list of whole numbers")
_SPLIT = {
    "published": Key((bool,), "true or false"),
    "validation_share": Key((float,), "a share such as 0.2"),
    "quota": Key((dict,), "a table", keys={"train": _WHOLE, "validation": _WHOLE}),
}
_FORM = {
    "reader": _text(required=True),
    "path": _text(required=True),
    "sha256": _text(),
}
_FILE = {
    "name": _text(required=True),
    "url": _text(required=True),
    "sha256": _text(),
    "md5": _text(),
    "size": Key((int,), "a number of bytes"),
    "unpack": Key((bool,), "true or false"),
}
_SUBSET = {
    "title": _text(required=True),
    "labels": Key((dict,), "a table from class name to labels", required=True),
    "aliases": _list(str, "a list of names"),
}
CARD_KEYS = {
    "title": _text(required=True),
    "task": _text(required=True),
    "reader": _text(required=True),
    "classes": _list(str, "a list of class names", required=True),
    "image": _list(int, "[height, width] in pixels", required=True),
    "preparation": _text(required=True),
    "licence": _text(required=True),
    "citation": _list(str, "a list of texts", required=True),
    "homepage": _text(),
    "obtain": _text(),
    "content": _text(),
    "pixel_scale_arcsec": Key((int, float), "a number of arcsec"),
    "split": Key((dict,), "a table", keys=_SPLIT),
    "counts": Key(
        (dict,), "a table", keys={"train": _NUMBERS, "validation": _NUMBERS, "test": _NUMBERS}
    ),
    "forms": Key((list,), "a list of tables", items=dict, keys=_FORM),
    "files": Key((list,), "a list of tables", items=dict, keys=_FILE),
    "subsets": Key((dict,), "a table of tables", keys=_SUBSET, named=True),
    "settings": Key((dict,), "a table"),
}


def table_faults(table: dict[str, Any], keys: dict[str, Key], where: str) -> list[str]:
    """Every fault of `table`: unknown keys (with near ones), absent ones, wrong types."""
    faults = []
    for name, value in table.items():
        place = f"{where}{name}"
        if name not in keys:
            faults.append(f"unknown key {place!r}{suggest(name, keys)}")
        else:
            faults += _value_faults(value, keys[name], place)
    missing = [name for name, key in keys.items() if key.required and name not in table]
    return faults + [f"key {where + name!r} is missing: {keys[name].words}" for name in missing]


def _value_faults(value: Any, key: Key, place: str) -> list[str]:
    # TOML's true is no number here although Python's bool is an int
    if not isinstance(value, key.types) or (isinstance(value, bool) and bool not in key.types):
        return [f"{place} is {value!r}, expected {key.words}"]
    if isinstance(value, list):
        return _list_faults(value, key, place)
    if isinstance(value, dict) and key.keys is not None:
        if not key.named:
            return table_faults(value, key.keys, f"{place}.")
        return _named_faults(value, key, place)
    return []


def _list_faults(value: list[Any], key: Key, place: str) -> list[str]:
    wrong = [item for item in value if type(item) is not key.items]
    if wrong or (key.required and not value):
        return [f"{place} is {value!r}, expected {key.words}"]
    if place == "image" and (len(value) != 2 or min(value) < 1):
        return [f"{place} is {value!r}, expected {key.words}"]
    faults = []
    for number, item in enumerate(value if key.keys is not None else []):
        faults += table_faults(item, key.keys or {}, f"{place}[{number}].")
    return faults


def _named_faults(value: dict[str, Any], key: Key, place: str) -> list[str]:
    faults = []
    for name, table in value.items():
        if not isinstance(table, dict):
            faults.append(f"{place}.{name} is {table!r}, expected a table")
        else:
            faults += table_faults(table, key.keys or {}, f"{place}.{name}.")
    return faults

"""Data-set cards: ``data/NAME.toml``, one per published or simulated set.

A card says what the images are, where they come from and under which terms, how they
are cut into parts and how they are prepared; no code knows a data set by name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarker.core.errors import MissingDataError, Problems, suggest
from benchmarker.core.folders import list_texts, search_path
from benchmarker.data.card_schema import CARD_KEYS, READERS, table_faults
from benchmarker.data.images import SPLIT_PARTS


@dataclass(frozen=True)
class CardFile:
    """A file that ``benchmarker data fetch`` downloads.

    `sha256` or `md5` is what the publisher states, in hexadecimal (both None where
    nothing is published: then the images themselves are compared with the card's
    `content`); `size` is in bytes, None where unknown; `unpack` marks an archive.
    """

    name: str
    url: str
    sha256: str | None = None
    md5: str | None = None
    size: int | None = None
    unpack: bool = False


@dataclass(frozen=True)
class CardForm:
    """A form in which the set may lie on disk: `path` below the card's folder, and its reader.

    Path ``.`` (readers batches and mnist only) is the folder that holds the reader's files,
    whatever its name.
    """

    reader: str
    path: str
    sha256: str | None = None


@dataclass(frozen=True)
class CardSubset:
    """Classes made of the whole set's labels: ``labels[i]`` are the labels kept as class i."""

    name: str
    title: str
    classes: tuple[str, ...]
    labels: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Card:
    """One data set as its card describes it.

    Arguments
    ---------
    name : what ``-d`` takes: the file name without suffix, with ``-SUBSET`` for a subset
    classes : class names in label order
    forms : in which forms the set is read; the first one found on disk is used
    image : (height, width) in pixels
    content : digest of the whole set (`ImageSet.digest`) as published; None where unknown
    preparation : name of the preparation that suits these images
    published_split : True if the set comes with parts
    validation_share : share of the training part that becomes the validation part (stratified,
        by run seed) where the published split has none; None where it has one
    quota : training and validation sources per class used with this set; None without
    counts : images per class for each part, in label order
    settings : the reader's own settings (manifest, labels, seed, ...)
    base, subset : the whole set's name and the subset, where the card is one
    """

    name: str
    path: Path
    title: str
    task: str
    reader: str
    classes: tuple[str, ...]
    image: tuple[int, int]
    preparation: str
    licence: str
    citation: tuple[str, ...]
    homepage: str | None = None
    obtain: str | None = None
    content: str | None = None
    pixel_scale_arcsec: float | None = None
    published_split: bool = False
    validation_share: float | None = None
    quota: tuple[int, int] | None = None
    counts: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    forms: tuple[CardForm, ...] = ()
    files: tuple[CardFile, ...] = ()
    subsets: tuple[CardSubset, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    base: str | None = None
    subset: CardSubset | None = None

    @property
    def folder(self) -> str:
        """Name of the folder in which the files lie: a subset shares that of the whole set."""
        return self.base or self.name

    @property
    def total(self) -> tuple[int, ...]:
        """Images per class over all parts; empty where the card states no counts."""
        return tuple(sum(column) for column in zip(*self.counts.values(), strict=True))


def list_cards() -> list[str]:
    """Names of all cards and their subsets, sorted; the user's own cards hide shipped ones.

    A card that cannot be read still shows with its name.
    """
    names: list[str] = []
    for path in list_texts("data", ".toml"):
        names.append(path.stem)
        names += [f"{path.stem}-{subset}" for subset in _subset_names(path)]
    return sorted(names)


def load_card(name: str) -> Card:
    """The card `name`, or the subset ``CARD-SUBSET`` of a card.

    Raises `MissingDataError` with near names for an unknown one, and `InputFileError`
    listing every fault of a card.
    """
    paths = {path.stem: path for path in list_texts("data", ".toml")}
    if name in paths:
        return read_card(paths[name])
    for stem, path in paths.items():
        subset = name.removeprefix(f"{stem}-")
        if subset != name and subset in _subset_names(path):
            return subset_card(read_card(path), subset)
    known = list_cards()
    places = ", ".join(str(place) for place in search_path("data"))
    message = (
        f"no data-set card named {name!r}{suggest(name, known)}; "
        f"known: {', '.join(known)}; looked in {places}"
    )
    raise MissingDataError(message)


def read_card(path: str | Path) -> Card:
    """Read and validate one card file; raises `InputFileError` listing every fault."""
    path = Path(path)
    problems = Problems(path)
    table: dict[str, Any] = {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        problems.add(f"not a TOML text: {error}")
    problems.raise_if_any()
    for text in [*table_faults(table, CARD_KEYS, ""), *_meaning_faults(table)]:
        problems.add(text)
    problems.raise_if_any()
    return _card(path, table)


def subset_card(card: Card, name: str) -> Card:
    """The card of one subset of `card`: its own name, title, classes and counts."""
    subset = next(subset for subset in card.subsets if subset.name == name)
    counts = {
        part: tuple(sum(numbers[label] for label in labels) for labels in subset.labels)
        for part, numbers in card.counts.items()
    }
    return replace(
        card,
        name=f"{card.name}-{name}",
        title=subset.title,
        classes=subset.classes,
        counts=MappingProxyType(counts),
        subsets=(),
        base=card.name,
        subset=subset,
    )


def _subset_names(path: Path) -> list[str]:
    try:
        return list(tomllib.loads(path.read_text(encoding="utf-8")).get("subsets", {}))
    except (ValueError, OSError, TypeError):
        return []  # the card itself is reported when it is asked for


def _card(path: Path, table: dict[str, Any]) -> Card:
    split = table.get("split", {})
    quota = split.get("quota")
    plain = ("title", "task", "reader", "preparation", "licence", "homepage", "obtain", "content")
    return Card(
        name=path.stem,
        path=path,
        **{key: table[key] for key in plain if key in table},
        classes=tuple(table["classes"]),
        image=(table["image"][0], table["image"][1]),
        citation=tuple(table["citation"]),
        pixel_scale_arcsec=_number(table.get("pixel_scale_arcsec")),
        published_split=split.get("published", False),
        validation_share=split.get("validation_share"),
        quota=None if quota is None else (quota["train"], quota["validation"]),
        counts=MappingProxyType({key: tuple(v) for key, v in table.get("counts", {}).items()}),
        forms=tuple(CardForm(**form) for form in table.get("forms", [])),
        files=tuple(CardFile(**file) for file in table.get("files", [])),
        subsets=tuple(_subset(name, subset) for name, subset in table.get("subsets", {}).items()),
        settings=MappingProxyType(dict(table.get("settings", {}))),
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _subset(name: str, table: dict[str, Any]) -> CardSubset:
    classes = tuple(table["labels"])
    labels = tuple(tuple(kept) for kept in table["labels"].values())
    return CardSubset(name, table["title"], classes, labels)


def _meaning_faults(table: dict[str, Any]) -> list[str]:
    """What the types cannot say; keys of a wrong type are passed over (reported already)."""
    faults = []
    classes = table.get("classes")
    if isinstance(classes, list) and len(set(map(str, classes))) != len(classes):
        faults.append("classes: a name is repeated")
    readers = [("reader", table.get("reader"))]
    readers += [
        (f"forms[{number}].reader", form.get("reader"))
        for number, form in enumerate(_tables(table.get("forms")))
    ]
    faults += [
        f"forms[{number}].path '.' is for batches and mnist only, expected a name"
        for number, form in enumerate(_tables(table.get("forms")))
        if form.get("path") == "." and form.get("reader") not in {"batches", "mnist"}
    ]
    faults += [
        f"{key} is {reader!r}{suggest(reader, READERS)}, expected one of {', '.join(READERS)}"
        for key, reader in readers
        if isinstance(reader, str) and reader not in READERS
    ]
    if table.get("task") not in (None, "classification", "detection"):
        faults.append(f"task is {table['task']!r}, expected classification or detection")
    if isinstance(classes, list):
        faults += _count_faults(table, len(classes)) + _subset_faults(table, len(classes))
    return faults + _place_faults(table) + _share_faults(table)


def _count_faults(table: dict[str, Any], classes: int) -> list[str]:
    counts = table.get("counts")
    return [
        f"counts.{part} has {len(numbers)} numbers for {classes} classes"
        for part, numbers in (counts if isinstance(counts, dict) else {}).items()
        if part in SPLIT_PARTS and isinstance(numbers, list) and len(numbers) != classes
    ]


def _subset_faults(table: dict[str, Any], classes: int) -> list[str]:
    faults = []
    for name, subset in _named_tables(table.get("subsets")):
        kept: list[int] = []
        for class_name, labels in _items(subset.get("labels")):
            if not isinstance(labels, list) or not all(type(label) is int for label in labels):
                faults.append(f"subsets.{name}.labels.{class_name} is not a list of whole numbers")
                continue
            kept += labels
        faults += [
            f"subsets.{name}.labels: label {label} is outside 0..{classes - 1}"
            for label in kept
            if not 0 <= label < classes
        ]
        if len(set(kept)) != len(kept):
            faults.append(f"subsets.{name}.labels: a label is kept in two classes")
    return faults


def _place_faults(table: dict[str, Any]) -> list[str]:
    """Names in a card become paths: they must stay below the card's folder."""
    places = [
        (f"forms[{number}].path", form.get("path"))
        for number, form in enumerate(_tables(table.get("forms")))
    ] + [
        (f"files[{number}].name", file.get("name"))
        for number, file in enumerate(_tables(table.get("files")))
    ]
    return [
        f"{key} is {place!r}, expected a path below the data folder without '..'"
        for key, place in places
        if isinstance(place, str)
        and (not place or Path(place).is_absolute() or ".." in Path(place).parts)
    ]


def _share_faults(table: dict[str, Any]) -> list[str]:
    split = table.get("split")
    share = split.get("validation_share") if isinstance(split, dict) else None
    if isinstance(share, float) and not 0 < share < 1:
        return [f"split.validation_share is {share}, expected a share between 0 and 1"]
    return []


def _tables(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def _named_tables(value: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(name, item) for name, item in _items(value) if isinstance(item, dict)]

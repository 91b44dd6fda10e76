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

from benchmarker.core.errors import MissingDataError, Problems, SettingsError, suggest
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
    """Classes made of the whole set's labels: ``labels[i]`` are the labels kept as class i.

    `aliases` are other words for the same subset.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    labels: tuple[tuple[int, ...], ...]
    aliases: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Name and aliases for tables and messages: ``confident (nounc)``."""
        return f"{self.name} ({', '.join(self.aliases)})" if self.aliases else self.name

    def answers_to(self, word: str) -> bool:
        """Whether `word` is the name or an alias; case does not matter."""
        return word.casefold() in {known.casefold() for known in (self.name, *self.aliases)}


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
    """The card `name`, or the subset ``CARD-SUBSET`` of a card, by its name or an alias.

    Raises `MissingDataError` with near names for an unknown one, and `InputFileError`
    listing every fault of a card.
    """
    paths = {path.stem: path for path in list_texts("data", ".toml")}
    if name in paths:
        return read_card(paths[name])
    for stem, path in paths.items():
        subset = name.removeprefix(f"{stem}-")
        if subset != name and subset in _subset_names(path, aliases=True):
            return choose_subset(read_card(path), subset)
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


def is_card(word: str) -> bool:
    """Whether `load_card` would find a card of this name, faults or not."""
    if word in list_cards():
        return True
    return any(
        word == f"{path.stem}-{subset}"
        for path in list_texts("data", ".toml")
        for subset in _subset_names(path, aliases=True)
    )


def choose_subset(card: Card, word: str | None) -> Card:
    """The card of the subset of `card` that `word` names; `card` itself where `word` is None.

    A card that is a subset already may be asked for the same one again. Raises
    `SettingsError` listing the subsets there are for any other word.
    """
    if word is None:
        return card
    whole = card if card.base is None else load_card(card.base)
    subset = next((one for one in whole.subsets if one.answers_to(word)), None)
    if subset is None:
        raise SettingsError(_no_subset(whole, word))
    if card.subset is not None and card.subset.name != subset.name:
        message = (
            f"subset is {word!r} for {card.name}, which is the subset {card.subset.name} of "
            f"{whole.name}: expected that one or none, or the data set {whole.name}"
        )
        raise SettingsError(message)
    return _subset_card(whole, subset)


def _no_subset(card: Card, word: str) -> str:
    if not card.subsets:
        return f"subset is {word!r}, but the data set {card.name} has no subsets ({card.path})"
    words = [known for one in card.subsets for known in (one.name, *one.aliases)]
    subsets = ", ".join(one.words for one in card.subsets)
    return (
        f"subset is {word!r}{suggest(word.casefold(), words)}, expected one of the subsets of "
        f"{card.name}: {subsets}"
    )


def _subset_card(card: Card, subset: CardSubset) -> Card:
    """The card of one subset of `card`: its own name, title, classes and counts."""
    counts = {
        part: tuple(sum(numbers[label] for label in labels) for labels in subset.labels)
        for part, numbers in card.counts.items()
    }
    return replace(
        card,
        name=f"{card.name}-{subset.name}",
        title=subset.title,
        classes=subset.classes,
        counts=MappingProxyType(counts),
        subsets=(),
        base=card.name,
        subset=subset,
    )


def _subset_names(path: Path, *, aliases: bool = False) -> list[str]:
    try:
        subsets = tomllib.loads(path.read_text(encoding="utf-8")).get("subsets")
    except (ValueError, OSError):
        return []  # the card itself is reported when it is asked for
    names = [name for name, _ in _items(subsets)]
    if aliases:
        names += [word for _, one in _named_tables(subsets) for word in _aliases(one)]
    return names


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
    return CardSubset(name, table["title"], classes, labels, tuple(table.get("aliases", ())))


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
    return faults + _alias_faults(table)


def _alias_faults(table: dict[str, Any]) -> list[str]:
    """Every word must lead to one subset, whatever its case, and be easy to type."""
    subsets = table.get("subsets")
    owner: dict[str, str] = {}
    faults = []
    for name, _ in _items(subsets):
        if name.casefold() in owner:
            faults.append(f"subsets.{name}: differs from {owner[name.casefold()]!r} by case only")
        owner[name.casefold()] = name
    for name, subset in _named_tables(subsets):
        for word in _aliases(subset):
            key = f"subsets.{name}.aliases: {word!r}"
            if not word or any(letter.isspace() or letter in "=/," for letter in word):
                faults.append(f"{key} is no name, expected one without blanks, '=', '/' and ','")
            if word.casefold() in owner:
                faults.append(f"{key} is a name of the subset {owner[word.casefold()]} already")
            owner.setdefault(word.casefold(), name)
    return faults


def _aliases(subset: dict[str, Any]) -> list[str]:
    """The aliases in a subset's table; values of another type are reported by their type."""
    given = subset.get("aliases")
    return [word for word in given if isinstance(word, str)] if isinstance(given, list) else []


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

"""`open_data`: from what the user typed, a path or a card's name, to an image set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarker.core.errors import InputFileError, MissingDataError, SettingsError, suggest
from benchmarker.core.hashing import digest_file
from benchmarker.data.cards import (
    Card,
    CardForm,
    choose_subset,
    is_card,
    list_cards,
    load_card,
)
from benchmarker.data.images import ImageSet
from benchmarker.data.opening_cards import apply_card, card_places, find_form, recognise
from benchmarker.data.opening_kinds import kind_of
from benchmarker.data.reading_files import drop_unreadable
from benchmarker.data.reading_options import DEFAULTS, ReadOptions

__all__ = ["ReadOptions", "open_data"]


@dataclass(frozen=True)
class _Tables:
    """Files beside the images: manifest and label file, or None."""

    manifest: str | Path | None = None
    labels: str | Path | None = None


def open_data(
    what: str | Path,
    *,
    manifest: str | Path | None = None,
    labels: str | Path | None = None,
    options: ReadOptions = DEFAULTS,
) -> ImageSet:
    """Open a data set by card name or by path.

    Arguments
    ---------
    what : a card's name (``first``, ``mirabest-confident``, ``simulated``); a path to a
        folder of FITS or PNG images per class, an `.npz` or HDF5 file, a folder of pickled
        batches or of MNIST files; or ``CARD=PATH``, a path described by that card. A name
        that is both a card and a path means the card (write ``./NAME`` for the path).
    manifest : table of source names and label codes, for a folder of FITS images
    labels : table of label codes and class names, likewise
    options : policies and limits of reading; `options.subset` takes a subset of the set,
        with the same outcome as its card's name: subset ``confident`` of ``mirabest``, by name
        or by path, is ``mirabest-confident``

    Returns the set with classes, published split, pixel scale and preparation of its card;
    a file that a card knows (by checksum, or by its images and labels) gets them too.
    ``provenance`` names card, preparation, file, checksum and policies.

    Raises `MissingDataError` for what is not there (with near names, or how to fetch it),
    `InputFileError` listing the faults of what is there, `SettingsError` for options that
    do not fit.
    """
    word = str(what)
    tables = _Tables(manifest, labels)
    card_name, equals, path = word.partition("=")
    if equals and is_card(card_name) and not Path(word).exists():
        return _open_path(Path(path), tables, replace(options, card=card_name))
    if is_card(word):
        return _open_card(choose_subset(load_card(word), options.subset), tables, options)
    if Path(word).exists():
        return _open_path(Path(word), tables, options)
    raise MissingDataError(_absent(word, list_cards()))


def _absent(word: str, known: list[str]) -> str:
    """The text for something that is neither a card nor a path."""
    card_name, equals, rest = word.partition("=")
    if equals and "/" not in card_name:
        missing = "" if Path(rest).exists() else f", and there is no {rest!r}"
        return (
            f"no card {card_name!r}{suggest(card_name, known)}{missing}: expected CARD=PATH, "
            f"a path described by one of the cards {', '.join(known)}"
        )
    path = Path(word)
    parent = path.parent
    near = ""
    if parent.is_dir():
        near = suggest(path.name, [entry.name for entry in parent.iterdir()])
    near = suggest(word, known) or near
    return (
        f"no data set {word!r}{near}: expected a path to a folder or file, "
        f"or one of the cards {', '.join(known)}"
    )


def _open_card(card: Card, tables: _Tables, options: ReadOptions) -> ImageSet:
    if card.reader == "simulate":
        _refuse_tables(tables, "simulated images")
        return apply_card(_simulated(card, options), card, {"seed": options.seed})
    found = find_form(card)
    if found is None:
        raise MissingDataError(_not_here(card))
    form, path = found
    if form.reader == "fits-folder":
        tables = _with_card_tables(card, path, tables)
        if options.fr0 is None and "fr0" in card.settings:
            options = replace(options, fr0=card.settings["fr0"])
    images = _read(form.reader, path, tables, options, whole_classes(card))
    facts = _facts(path, options)
    return _finish(apply_card(images, card, facts, must_match=True), options)


def whole_classes(card: Card) -> tuple[str, ...]:
    """Class names of the whole set that `card` (or its base) describes."""
    return load_card(card.base).classes if card.base else card.classes


def _not_here(card: Card) -> str:
    expected = ", ".join(dict.fromkeys(map(_form_words, card.forms))) or "its files"
    places = ", ".join(str(place) for place in card_places(card))
    help_text = f"fetch it: benchmarker data fetch {card.folder}"
    if not card.files:
        help_text = f"to get it: {card.obtain}" if card.obtain else "it cannot be downloaded"
    return (
        f"data set {card.name!r} is not here: expected {expected} in {places} "
        f"(set BENCHMARKER_DATA to another folder); {help_text}"
    )


def _form_words(form: CardForm) -> str:
    words = {"batches": "a folder of pickled batches", "mnist": "a folder of MNIST files"}
    return words[form.reader] if form.path == "." else form.path


def _with_card_tables(card: Card, root: Path, tables: _Tables) -> _Tables:
    """Manifest and label file of the card where the user gave none: beside or in the folder."""
    found: dict[str, Any] = {"manifest": tables.manifest, "labels": tables.labels}
    for key in [key for key, given in found.items() if given is None]:
        name = card.settings.get(key)
        places = [place / name for place in (root.parent, root)] if name else []
        found[key] = next((place for place in places if place.is_file()), None)
    if found["manifest"] is None and "manifest" in card.settings:
        message = (
            f"no {card.settings['manifest']} in {root.parent}: expected the manifest of "
            f"{card.name} there (benchmarker data convert makes it from the catalogue table)"
        )
        raise MissingDataError(message)
    return _Tables(**found)


def _open_path(path: Path, tables: _Tables, options: ReadOptions) -> ImageSet:
    kind, path = kind_of(path, has_manifest=tables.manifest is not None)
    asked = None
    if options.card is not None:
        asked = choose_subset(load_card(options.card), options.subset)
    classes = None if asked is None else whole_classes(asked)
    images = _read(kind, path, tables, options, classes)
    facts = _facts(path, options)
    card = asked or recognise(images, facts.get("sha256"))
    if card is not None:
        card = choose_subset(card, options.subset)
        return _finish(apply_card(images, card, facts), options)
    if options.subset is not None:
        raise SettingsError(_no_card(path, options.subset))
    provenance = {**images.provenance, **facts}
    if images.pixels.read(0).dtype == "uint8":
        provenance["preparation"] = "scaled"
    return _finish(replace(images, provenance=provenance), options)


def _no_card(path: Path, subset: str) -> str:
    return (
        f"subset is {subset!r}, but {path} is none of the data sets that a card describes, and "
        f"only cards declare subsets: expected a published file, or CARD={path} with the name "
        f"of a card (benchmarker data list shows them)"
    )


def _facts(path: Path, options: ReadOptions) -> dict[str, Any]:
    """What the provenance says of the file and of how it was read."""
    facts: dict[str, Any] = {"file": path.name or str(path)}
    if path.is_file():
        facts["sha256"] = digest_file(path)
    return {**facts, "options": options.as_dict()}


def _finish(images: ImageSet, options: ReadOptions) -> ImageSet:
    left = options.skip_budget - len(images.provenance.get("left_out", {}))
    return drop_unreadable(images, left) if options.skip_budget else images


def _read(
    kind: str,
    path: Path,
    tables: _Tables,
    options: ReadOptions,
    classes: tuple[str, ...] | None,
) -> ImageSet:
    """Call the reader of `kind`; a missing file is told before a reader stumbles on it."""
    if kind == "fits-folder":
        from benchmarker.data.reading_fits_folder import read_fits_folder

        names = {"manifest": tables.manifest, "labels": tables.labels, "classes": classes}
        return read_fits_folder(path, options, **names)
    _refuse_tables(tables, f"{path} ({kind})")
    if kind == "png-folder":
        from benchmarker.data.reading_png_folder import read_png_folder

        return read_png_folder(path, options, classes=classes)
    if kind == "field-list":
        from benchmarker.data.reading_list import read_field_list

        return read_field_list(path, options, classes=classes)
    if kind == "npz":
        from benchmarker.data.reading_npz import read_npz as read
    elif kind == "hdf5":
        from benchmarker.data.reading_hdf5 import read_hdf5 as read
    elif kind == "psat":
        from benchmarker.data.reading_psat import read_psat as read
    elif kind == "batches":
        from benchmarker.data.reading_batches import read_batches as read
    elif kind == "mnist":
        from benchmarker.data.reading_mnist import read_mnist as read
    else:
        message = f"{path}: no reader {kind!r}"
        raise InputFileError(message)
    return read(path, options)


def _refuse_tables(tables: _Tables, what: str) -> None:
    given = [name for name in ("manifest", "labels") if getattr(tables, name) is not None]
    if given:
        message = f"{' and '.join(given)} given for {what}: expected a folder of FITS images"
        raise SettingsError(message)


def _simulated(card: Card, options: ReadOptions) -> ImageSet:
    settings = card.settings
    seed = settings["seed"] if options.seed is None else options.seed
    if settings.get("simulation") == "mwa-snapshots":
        from benchmarker.simulate.mwa.image_set import snapshots_of_card

        return snapshots_of_card(settings, seed, split=card.published_split)
    from benchmarker.simulate.radio_galaxies import simulate_images

    return simulate_images(
        dict(settings["counts"]), size=settings["size"], seed=seed, split=card.published_split
    )

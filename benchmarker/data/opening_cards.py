"""Cards and the images they describe: where the files lie, recognition, verification, subsets."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import BenchmarkerError, InputFileError
from benchmarker.core.folders import list_texts, search_path
from benchmarker.data.cards import Card, CardForm, load_card, read_card
from benchmarker.data.images import ArrayPixels, ImageSet
from benchmarker.data.reading_files import FilePixels

VARIABLE = "BENCHMARKER_DATA"


def card_places(card: Card) -> list[Path]:
    """Folders that may hold the card's files, first match wins."""
    variable = os.environ.get(VARIABLE)
    shared = [Path(variable)] if variable else []
    roots = [Path.cwd() / "data", *shared, *search_path("data")]
    return list(dict.fromkeys(root / card.folder for root in roots))


def find_form(card: Card) -> tuple[CardForm, Path] | None:
    """The first form of the card that is on disk, and where; None if there is none.

    An archive may have been unpacked into a folder of its own, so the levels below the
    card's folder are looked into as well. A file of known checksum may also lie directly
    in the folder of the environment variable; others have names that many sets share.
    """
    variable = os.environ.get(VARIABLE)
    for form in card.forms:
        candidates = [found for place in card_places(card) for found in _in_place(place, form)]
        if variable and form.sha256:
            candidates.append(Path(variable) / form.path)
        for candidate in candidates:
            if candidate.exists():
                return form, candidate
    return None


def _in_place(place: Path, form: CardForm) -> list[Path]:
    """Candidates for `form` at `place`; path ``.`` stands for any folder with its files in it."""
    if form.path != ".":
        return [place / form.path, *sorted(place.glob(f"*/{form.path}"))]
    from benchmarker.data.reading_batches import batch_files
    from benchmarker.data.reading_mnist import idx_files

    holds = {"batches": batch_files, "mnist": idx_files}[form.reader]
    folders = [place, *sorted(place.glob("*/")), *sorted(place.glob("*/*/"))]
    return [folder for folder in folders if folder.is_dir() and holds(folder)]


def recognise(images: ImageSet, sha256: str | None) -> Card | None:
    """The card that describes `images`: by the file's checksum, else by shape and counts."""
    cards = []
    for path in list_texts("data", ".toml"):
        try:
            cards.append(read_card(path))
        except BenchmarkerError:
            continue  # a broken card says so when it is asked for by name
    for card in cards:
        if sha256 and sha256 in {form.sha256 for form in card.forms}:
            return card
    for card in cards:
        if card.reader != "simulate" and _looks_like(images, card):
            return card
    return None


def _looks_like(images: ImageSet, card: Card) -> bool:
    ordered = _in_card_order(images, card.classes)
    if ordered is None or _shape(ordered) != card.image:
        return False
    if card.reader == "mnist":
        return images.provenance.get("reader") == "mnist"
    counts = np.bincount(ordered.labels, minlength=len(card.classes))
    return tuple(counts.tolist()) == card.total


def _shape(images: ImageSet) -> tuple[int, ...]:
    """(height, width), without opening an image where that is possible."""
    if isinstance(images.pixels, ArrayPixels):
        return images.pixels.array.shape[1:3]
    if isinstance(images.pixels, FilePixels):
        return images.pixels.shape[:2]
    return images.pixels.read(0).shape[:2]


def _in_card_order(images: ImageSet, classes: tuple[str, ...]) -> ImageSet | None:
    """`images` with the card's classes: reordered by name, or renamed where only numbers agree."""
    if len(images.classes) != len(classes):
        return None
    labels = images.labels
    if set(images.classes) == set(classes):
        order = np.array([classes.index(name) for name in images.classes], dtype=np.int64)
        labels = order[images.labels]
    return replace(images, labels=labels, classes=classes)


def apply_card(
    images: ImageSet, card: Card, facts: dict[str, Any], *, must_match: bool = False
) -> ImageSet:
    """`images` as the card describes them: classes, subset, split, scale, preparation.

    `facts` (file, sha256, options) go into the provenance. Raises `InputFileError` where
    the number of classes or the size differs from the card's, and with `must_match` where
    the content is not the published one.
    """
    whole = card if card.base is None else load_card(card.base)
    ordered = _in_card_order(images, whole.classes)
    if ordered is None:
        message = (
            f"{images.name}: {len(images.classes)} classes ({', '.join(images.classes)}), "
            f"expected {len(whole.classes)} ({', '.join(whole.classes)}) by the card {whole.path}"
        )
        raise InputFileError(message)
    if _shape(ordered) != whole.image:
        message = (
            f"{images.name}: images of {_shape(ordered)} pixels, expected {whole.image} "
            f"by the card {whole.path}"
        )
        raise InputFileError(message)
    verified = _verified(ordered, whole, facts)
    if must_match and verified == "no":
        message = (
            f"{facts.get('file')}: not the published {whole.name}: neither its sha256 nor its "
            f"images agree with the card {whole.path}; give its path to use it as it is"
        )
        raise InputFileError(message)
    if card.subset is not None:
        ordered = _subset(ordered, card)
    notes = {"card": card.name, "preparation": card.preparation, "licence": card.licence}
    choices = {"validation_share": card.validation_share, "quota": card.quota}
    notes |= {key: value for key, value in choices.items() if value is not None}
    given = {key: value for key, value in facts.items() if value is not None}
    return replace(
        ordered,
        name=images.name if verified == "no" else card.name,
        published_split=ordered.published_split if card.published_split else None,
        pixel_scale_arcsec=card.pixel_scale_arcsec,
        provenance={**images.provenance, **given, **notes, "verified": verified},
    )


def _verified(images: ImageSet, card: Card, facts: dict[str, Any]) -> str:
    """How the images are known to be the published ones.

    ``sha256``: the file is; ``content``: names, labels and pixels are; ``no``: neither;
    ``unverified``: the card has nothing to compare with, or the images lie in many files.
    """
    known = {form.sha256 for form in card.forms} - {None}
    if facts.get("sha256") in known:
        return "sha256"
    if card.content is None or not isinstance(images.pixels, ArrayPixels):
        return "unverified"
    return "content" if images.digest == card.content else "no"


def _subset(images: ImageSet, card: Card) -> ImageSet:
    """The rows that the subset keeps, with its two or more classes."""
    subset = card.subset
    if subset is None:
        return images
    new_label = np.full(len(images.classes), -1, dtype=np.int64)
    for number, labels in enumerate(subset.labels):
        new_label[list(labels)] = number
    rows = np.flatnonzero(new_label[images.labels] >= 0)
    labels = new_label[images.labels]
    # relabelled before rows are taken: a set checks its labels against its classes
    kept = images.take(rows.tolist(), name=card.name)
    return replace(kept, labels=labels[rows], classes=subset.classes)

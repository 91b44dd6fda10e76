"""From settings to what exactly will run: images, split, preparation, recipe, identity.

And back: from a record to the images that its run saw.

Nothing here computes with Keras, so a command can say at once which runs are complete,
and every fault shows before the first training starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from benchmarker.core.errors import BenchmarkerError, MissingDataError, SettingsError
from benchmarker.core.hashing import SHORT
from benchmarker.core.records import Record, identity_digest
from benchmarker.data.cards import load_card
from benchmarker.data.fewer_labels import fewer_labels
from benchmarker.data.images import ImageSet
from benchmarker.data.preparation import Preparation, named_preparation
from benchmarker.data.reading_options import ReadOptions
from benchmarker.data.recipes import Recipe, load_recipe, recipe_of_passes, rotations
from benchmarker.data.splits import Split, choose_split, read_split
from benchmarker.networks import describe, registry
from benchmarker.runs.settings import RunSettings
from benchmarker.runs.transfer import Transfer, plan_transfer

IDENTITY_VERSION = 2  # raise it when the same identity would train otherwise
DIGITS = "mnist"
# Settings that say how to find the data; the digests of what was found stand for them
_PLACES = (
    "network", "data", "subset", "manifest", "labels", "fr0", "skip", "split",
    "preparation", "recipe", "seed", "size",
)  # fmt: skip
# Those of them that are files or folders
_PATHS = ("data", "manifest", "labels", "split")
# Settings of how a trained network is tested, and of what is kept: they change no weight
_TESTING = ("test_passes", "keep")
# Later settings enter an identity where they differ from what was done before they came
_SINCE = (
    "passes", "validation_passes", "loss", "weight_decay", "init", "freeze", "rate_factor",
    "network_settings",
)  # fmt: skip
_HOW = ("precision", "protocol", "train", "validation", "bin_threshold")


@dataclass(frozen=True)
class Resolved:
    """One run, decided in every respect."""

    settings: RunSettings
    images: ImageSet
    split: Split
    preparation: Preparation
    recipe: Recipe
    validation_recipe: Recipe
    shape: tuple[int, int, int]
    identity: dict[str, Any]
    transfer: Transfer | None = None

    @property
    def name(self) -> str:
        """Name of the run's folder."""
        network = _file_word(self.settings.network)
        data = _file_word(self.images.name)
        short = self.identity["digest"][:SHORT]
        return f"{network}-{data}-s{self.settings.seed}-{short}"


def _file_word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.@]+", "_", text).strip("._")[:60] or "unnamed"


@lru_cache(maxsize=4)
def _images(data: str, manifest: str | None, labels: str | None, options: ReadOptions) -> ImageSet:
    from benchmarker.data.opening import open_data

    return open_data(data, manifest=manifest, labels=labels, options=options)


def open_images(settings: RunSettings) -> ImageSet:
    """The data set that `settings` name; opened once for all runs of one command."""
    options = ReadOptions(fr0=settings.fr0, skip_budget=settings.skip, subset=settings.subset)
    return _images(settings.data, settings.manifest, settings.labels, options)


def resolve(settings: RunSettings, runs: Path | None = None) -> Resolved:
    """Decide everything about a run; raises `SettingsError` where the parts do not fit.

    The records in the folder `runs` remember weights to start from that are gone.
    """
    images = open_images(settings)
    preparation = _preparation(settings, images)
    shape = _shape(images, preparation)
    chosen = registry.network_settings(settings.network, dict(settings.network_settings))
    settings = replace(settings, network_settings=tuple(sorted(chosen.items())))
    reason = describe.fits(
        settings.network, shape[:2], len(images.classes), shape[2], settings=chosen
    )
    if reason:
        message = f"{settings.network} cannot run on {images.name}: {reason}"
        raise SettingsError(message)
    split = split_of(settings, images)
    recipe = _recipe(settings.recipe)
    # the published protocol rotates the validation images as it does the training images
    validation_recipe = recipe if settings.protocol == "legacy" else load_recipe("none")
    transfer = plan_transfer(settings, shape, len(images.classes), runs)
    start = None if transfer is None else transfer.identity
    identity = _identity(settings, images, split, preparation, recipe, shape, start)
    return Resolved(
        settings, images, split, preparation, recipe, validation_recipe, shape, identity, transfer
    )


def split_of(settings: RunSettings, images: ImageSet) -> Split:
    """The file asked for, else the quotas, else those of the card, else as published.

    `train` without `validation` keeps so many training sources per class of what is found.
    """
    if settings.train is not None and settings.validation is None:
        whole = split_of(replace(settings, train=None), images)
        return fewer_labels(whole, images, per_class=settings.train, seed=settings.seed)
    if settings.split is not None:
        return read_split(settings.split, images.sources)
    name = images.provenance.get("card")
    card = load_card(name) if name else None
    asked = (settings.train, settings.validation)
    train, validation = card.quota if card and card.quota and asked == (None, None) else asked
    return choose_split(
        images,
        train=train,
        validation=validation,
        seed=settings.seed,
        legacy=settings.protocol == "legacy",
        card_validation_share=card.validation_share if card else None,
    )


def _recipe(name: str) -> Recipe:
    head, colon, step = name.partition(":")
    if head == "rotations" and colon:
        if not step.isdigit():
            message = f"recipe {name!r}: the step {step!r} is not a whole number of degrees"
            raise SettingsError(message)
        return rotations(int(step))
    return load_recipe(name)


def _preparation(settings: RunSettings, images: ImageSet) -> Preparation:
    card = images.provenance.get("card")
    named = images.provenance.get("preparation") or "legacy"
    # the original clips every image set but its digits
    usual = "legacy" if settings.protocol == "legacy" and card != DIGITS else named
    name = settings.preparation or usual
    # the images' own size, asked for in words, is no other run
    size = None if settings.size == _native_size(images) else settings.size
    preparation = named_preparation(name, size=size)
    if settings.bin_threshold:
        preparation = replace(preparation, bin_threshold=True)
    return preparation


def _native_size(images: ImageSet) -> tuple[int, int]:
    height, width = images.pixels.read(0).shape[:2]
    return int(height), int(width)


def _shape(images: ImageSet, preparation: Preparation) -> tuple[int, int, int]:
    height, width = _native_size(images)
    rows, columns = preparation.size or (height, width)
    if rows > height or columns > width:
        message = (
            f"size {rows}x{columns} asked for, but the images of {images.name} are "
            f"{height}x{width} pixels; choose a smaller size (images are cropped, never enlarged)"
        )
        raise SettingsError(message)
    stored = images.pixels.read(0).shape[2]
    return (*preparation.shape_of(height, width), preparation.channels_of(stored))


def _identity(  # noqa: PLR0913, PLR0917 (one dictionary of seven decided parts)
    settings: RunSettings,
    images: ImageSet,
    split: Split,
    preparation: Preparation,
    recipe: Recipe,
    shape: tuple[int, int, int],
    start: dict[str, str] | None,
) -> dict[str, Any]:
    # the weights to start from count by their content, not by their path
    values = {**settings.as_dict(), "init": start}
    usual = RunSettings(settings.network, settings.learning_rate, settings.epochs).as_dict()
    trained = {
        key: value
        for key, value in values.items()
        if key not in _PLACES + _HOW + _TESTING and not (key in _SINCE and value == usual[key])
    }
    if settings.validation_passes and not recipe.is_random:
        # the draws that choose the best weights are then another recipe's
        trained["validation_recipe"] = recipe_of_passes(recipe).digest
    parts = {
        "version": IDENTITY_VERSION,
        "network": settings.network,
        "network_digest": registry.find(settings.network).digest,
        "settings": {**trained, "size": list(shape[:2])},
        "data": {
            "name": images.name,
            "digest": images.digest,
            "classes": list(images.classes),
            "card": images.provenance.get("card"),
        },
        "split": {
            "rule": split.rule,
            "digest": split.digest,
            "train": len(split.train),
            "validation": len(split.validation),
            "test": len(split.test),
            "digests": dict(split.digests),
        },
        "preparation": {**preparation.as_dict(), "digest": preparation.digest},
        "recipe": {**recipe.as_dict(), "digest": recipe.digest},
        "seed": settings.seed,
        "precision": settings.precision,
        "protocol": settings.protocol,
    }
    return {"digest": identity_digest(parts), **parts}


def reopen(record: Record, given: str | None = None) -> tuple[RunSettings, ImageSet]:
    """The images with the record's data digest, and the settings that found them.

    `given` says where they lie now; without it they are looked for as the run was begun,
    beside its results, and by its card. Raises `MissingDataError` with what was tried.
    """
    wanted = record.data["digest"]
    faults: list[str] = []
    for settings in _where(record, given):
        try:
            images = open_images(settings)
        except BenchmarkerError as error:
            faults.append(str(error).splitlines()[0])
            continue
        if images.digest == wanted:
            return settings, images
        part = f", subset {settings.subset}" if settings.subset else ""
        faults.append(f"{settings.data}{part} holds other images or labels than those of the run")
    message = (
        f"the images of {record.folder} ({record.data['name']}) cannot be opened again: "
        f"{'; '.join(dict.fromkeys(faults)) or 'its record does not say where they were'}"
    )
    raise MissingDataError(message)


def stated_settings(record: Record) -> RunSettings:
    """Those settings of a run that found its data and its split, as it was begun."""
    return replace(_begun(record), **_stated(record))


def _stated(record: Record) -> dict[str, Any]:
    stated = record.run.get("place")
    place = dict(stated) if isinstance(stated, dict) else {}
    fields = RunSettings.__dataclass_fields__.keys() - {"init"}
    return {key: value for key, value in place.items() if key in fields}


def _begun(record: Record) -> RunSettings:
    return RunSettings(
        record.network,
        record.settings["learning_rate"],
        record.settings["epochs"],
        seed=record.seed,
        protocol=record.identity["protocol"],
    )


def _where(record: Record, given: str | None) -> Iterator[RunSettings]:
    """Where the images of a run may lie: as it was begun, beside its results, by card."""
    known, base, card = _stated(record), _begun(record), record.data.get("card")
    if given is not None:
        subsets = (None, known.get("subset"), _subset_of(card))
        for subset in dict.fromkeys(subsets):
            yield replace(base, **{**known, "data": given, "subset": subset})
        return
    if "data" in known:
        yield replace(base, **known)
        yield replace(base, **_beside(record.folder, known))
    if card is not None:
        kept = {key: value for key, value in known.items() if key in ("train", "validation")}
        yield replace(base, data=card, **kept)


def _beside(folder: Path, known: dict[str, Any]) -> dict[str, Any]:
    """The same with paths from the folder in which the results lie, where that holds them."""
    root = folder.resolve().parents[2] if len(folder.resolve().parents) > 2 else Path.cwd()
    moved = {
        key: str(root / value)
        for key in _PATHS
        if isinstance(value := known.get(key), str) and (root / value).exists()
    }
    return {**known, **moved}


def _subset_of(card: str | None) -> str | None:
    try:
        subset = None if card is None else load_card(card).subset
    except BenchmarkerError:
        return None
    return None if subset is None else subset.name

"""What `benchmarker explain` is asked for, and the networks that it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarker.core.errors import MissingDataError, SettingsError, suggest
from benchmarker.data.recipes import PUBLISHED_RECIPE
from benchmarker.hosts.attention.panels import Look

METHODS = ("attention", "grad-cam")
EACH = ("sources", "epochs", "classes", "confusion", "class-epochs")  # figures of one network
COMPARED = ("array", "gates", "class-array")  # figures of several
FIGURES = (*EACH, *COMPARED)
MOST = 12
EPOCHS = 5
PASSES = 100
SEED = 8901


@dataclass(frozen=True)
class Request:
    """All options of one command.

    Arguments
    ---------
    models : run folders and files of weights
    images : a card, a path, or single FITS or PNG files
    output : folder of the files
    figures : out of `FIGURES`
    subset, part : of the images; None chooses the test part where it is known
    sources, rows : names, and places in the part counted from 0; empty is all of it
    most : images with a figure of their own
    method : one of `METHODS`; None is attention where the network has gates
    layer, of_class : of Grad-CAM
    epochs : columns of the figure ``epochs``
    passes, recipe, seed : random draws for the figures of groups; 0 passes show each once
    weights : ``best`` or ``final`` of a run
    preparation : in the place of the model's own
    crop : take the centre of images that are too large
    look : of the figures; its scale is that of the images
    fits : also write FITS files
    """

    models: tuple[str, ...]
    images: tuple[str, ...]
    output: Path
    figures: tuple[str, ...] = ("sources",)
    subset: str | None = None
    part: str | None = None
    sources: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    most: int = MOST
    method: str | None = None
    layer: str | None = None
    of_class: str | None = None
    epochs: int = EPOCHS
    passes: int = PASSES
    recipe: str = PUBLISHED_RECIPE
    seed: int = SEED
    weights: str = "best"
    preparation: str | None = None
    crop: bool = False
    look: Look = field(default_factory=Look)
    fits: bool = False

    def __post_init__(self) -> None:
        if (self.layer or self.of_class) and self.method == "attention":
            message = "--layer and --class belong to Grad-CAM; expected --method grad-cam"
            raise SettingsError(message)
        compared = [name for name in self.figures if name in COMPARED]
        if compared and len(self.models) < 2:
            message = (
                f"figure {compared[0]} compares networks, got {len(self.models)}: "
                "name several run folders or files of weights before the images"
            )
            raise SettingsError(message)

    @property
    def asked_method(self) -> str | None:
        """The method asked for, also by an option that only one of them has."""
        return "grad-cam" if self.layer or self.of_class else self.method


def sort_paths(paths: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Networks and images among what was typed: runs and weights tell themselves apart.

    Raises `MissingDataError` where one of the two is not there.
    """
    models = tuple(path for path in paths if is_model(path))
    images = tuple(path for path in paths if path not in models)
    if not models:
        message = (
            f"no network among {', '.join(paths)}: expected a run folder (with run.json in it) "
            "or a .safetensors file, then the images"
        )
        raise MissingDataError(message)
    if not images:
        message = (
            f"no images after {', '.join(models)}: expected a card (benchmarker data list), "
            "a data set, or single FITS or PNG files"
        )
        raise MissingDataError(message)
    absent = [path for path in images[:-1] if not Path(path).exists()]
    if absent and len(images) > 1:
        message = f"no run folder, weights or image {', '.join(absent)}"
        raise MissingDataError(message)
    return models, images


def is_model(path: str) -> bool:
    """Whether a path names a run folder or a file of weights."""
    return (Path(path) / "run.json").is_file() or path.lower().endswith(".safetensors")


def open_networks(request: Request) -> list[tuple[str, Any]]:
    """Every network with the label by which figures and folders call it, no two alike."""
    from benchmarker.runs.trained import open_trained

    found = [open_trained(path, model=request.weights) for path in request.models]
    for one in found:
        if request.of_class is not None and request.of_class not in one.classes:
            message = (
                f"{one.where} knows no class {request.of_class!r}"
                f"{suggest(request.of_class, one.classes)}; classes: {', '.join(one.classes)}"
            )
            raise SettingsError(message)
    return list(zip(labels(found), found, strict=True))


def labels(found: Sequence[Any]) -> list[str]:
    """Names of networks; where they repeat, with the settings in which they differ."""
    names = [one.network for one in found]
    told = []
    for one in found:
        alike = [other for other in found if other.network == one.network]
        differing = [
            value
            if isinstance(value, str)
            else f"{value} {key.removesuffix('s')}"
            if value == 1
            else f"{value} {key}"
            for key, value in one.network_settings.items()
            if any(other.network_settings.get(key) != value for other in alike)
        ]
        told.append(", ".join([one.network, *differing]))
    if len(set(names)) == len(names):
        return names
    if len(set(told)) == len(told):
        return told
    files = [_where(one) for one in found]
    if len(set(files)) == len(files):
        return files
    return [f"{text} ({number})" for number, text in enumerate(files, start=1)]


def _where(one: Any) -> str:
    """The run's folder, or the file without its ending."""
    return one.record.folder.name if one.record is not None else one.where.stem

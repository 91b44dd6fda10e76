"""A trained network ready for use: from a run's folder, or from a file of weights with notes.

The notes in a weights file say which network it belongs to, at which size, for which
classes, and how images are prepared, so that the file is enough by itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import InputFileError, MissingDataError, SettingsError
from benchmarker.core.records import MODELS, Record, read_record
from benchmarker.data.images import ImageSet
from benchmarker.data.preparation import Preparation, last_scaling, prepare
from benchmarker.networks import registry
from benchmarker.runs.weights import assign, named_weights, read_tensors, write_tensors

NOTES = "benchmarker"
_NEEDED = ("network", "network_settings", "shape", "classes", "preparation")


@dataclass(frozen=True)
class PreparedInMemory:
    """Prepared images that lie in memory; reads like the cache's.

    Arguments
    ---------
    values : float32 (n, height, width, channels), before the last scaling
    sources : n names
    labels : int64 (n,)
    preparation : gives the last scaling
    """

    values: np.ndarray
    sources: tuple[str, ...]
    labels: np.ndarray
    preparation: Preparation

    def __len__(self) -> int:
        return len(self.values)

    def raw(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Images of the rows before the last scaling; a copy."""
        return self.values[np.asarray(rows, np.int64)].copy()

    def finish(self, images: np.ndarray) -> np.ndarray:
        """The last scaling, as the network wants its images."""
        return last_scaling(images, self.preparation.standardise)

    def read(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Images of the rows as the network wants them."""
        return self.finish(self.raw(rows))


@dataclass(frozen=True)
class Trained:
    """A network with trained weights and all that is needed to show it images.

    Arguments
    ---------
    network, network_settings : of the registry
    shape : (height, width, channels) of a prepared image
    classes : names in the order of the outputs
    preparation : from a stored image to a prepared one
    tensors : the weights by name
    where : the file that they come from
    record : of the run, where they come from one
    legacy : whether the network keeps its published output, as `registry.build` says
    """

    network: str
    network_settings: dict[str, Any]
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    preparation: Preparation
    tensors: Mapping[str, np.ndarray]
    where: Path
    record: Record | None = None
    legacy: bool = False

    @cached_property
    def model(self) -> Any:
        """The Keras model, from prepared images to probabilities."""
        model = registry.build(
            self.network, self.shape, len(self.classes), seed=0, legacy=self.legacy,
            **self.network_settings,
        )  # fmt: skip
        assign(model.weights, dict(self.tensors), self.where)
        return model

    def prepare(self, images: ImageSet, names: Sequence[str] | None = None) -> PreparedInMemory:
        """Prepare images of a set, those named or all, in memory.

        Raises `InputFileError` naming an image that cannot be prepared or has another
        size than the network takes.
        """
        place = {name: index for index, name in enumerate(images.sources)}
        names = images.sources if names is None else tuple(names)
        values = np.empty((len(names), *self.shape), np.float32)
        for row, name in enumerate(names):
            image = prepare(images.pixels.read(place[name]), self.preparation, name)
            if image.shape != self.shape:
                message = (
                    f"{name} of {images.name} is {image.shape[0]} x {image.shape[1]} pixels when "
                    f"prepared, {self.where} takes {self.shape[0]} x {self.shape[1]}"
                )
                raise InputFileError(message)
            values[row] = image
        labels = np.array([images.labels[place[name]] for name in names], np.int64)
        return PreparedInMemory(values, tuple(names), labels, self.preparation)

    def scores(self, prepared: Any) -> np.ndarray:
        """Scores before the softmax, float64 (n, classes)."""
        from benchmarker.runs.scores import scores

        return scores(self.model, prepared)

    def probabilities(self, prepared: Any) -> np.ndarray:
        """Class probabilities, float64 (n, classes)."""
        from benchmarker.runs.scores import softmax

        return softmax(self.scores(prepared))


def open_trained(what: str | Path, *, model: str = MODELS[0], epoch: int | None = None) -> Trained:
    """The network of a complete run's folder, or of a ``.safetensors`` file with notes.

    Arguments
    ---------
    what : folder or file
    model : ``best`` or ``final``, for a folder
    epoch : of the weights kept during training, counted from 1; for a folder

    Raises `MissingDataError` for what is not there, `InputFileError` for what is damaged.
    """
    path = Path(what)
    if path.is_dir():
        record = read_record(path)
        if epoch is None and not record.is_complete:
            message = f"{path} is not complete (it is {record.state}): run the same command again"
            raise MissingDataError(message)
        name = f"{model}.safetensors" if epoch is None else f"epochs/{epoch:05d}.safetensors"
        return _from_record(record, path / name)
    if not path.is_file():
        message = f"no run folder and no file of weights {path}"
        raise MissingDataError(message)
    tensors, notes = read_tensors(path)
    return _from_notes(path, tensors, notes)


def kept_epochs(folder: str | Path) -> list[int]:
    """Epochs, counted from 1, whose weights a run kept; ascending."""
    found = Path(folder).glob("epochs/*.safetensors")
    return sorted(int(path.stem) for path in found if path.stem.isdigit())


def _from_record(record: Record, path: Path) -> Trained:
    identity, settings = record.identity, record.settings
    tensors, _ = read_tensors(path)
    preparation = {k: v for k, v in identity["preparation"].items() if k != "digest"}
    return Trained(
        network=record.network,
        network_settings=dict(settings.get("network_settings", {})),
        shape=(*settings["size"], 1),
        classes=record.classes,
        preparation=preparation_from(preparation, path),
        tensors=tensors,
        where=path,
        record=record,
        legacy=identity["protocol"] == "legacy",
    )


def _from_notes(path: Path, tensors: dict[str, np.ndarray], notes: dict[str, str]) -> Trained:
    try:
        said = json.loads(notes[NOTES])
        values = {key: said[key] for key in _NEEDED}
    except (KeyError, TypeError, ValueError) as error:
        message = (
            f"{path} does not say which network it belongs to; expected a file that a run or "
            "'benchmarker import-weights' wrote"
        )
        raise InputFileError(message) from error
    return Trained(
        network=values["network"],
        network_settings=dict(values["network_settings"]),
        shape=tuple(values["shape"]),
        classes=tuple(values["classes"]),
        preparation=preparation_from(values["preparation"], path),
        tensors=tensors,
        where=path,
        legacy=said.get("legacy", False),
    )


def preparation_from(values: Mapping[str, Any], where: Path) -> Preparation:
    """The preparation that `Preparation.as_dict` wrote."""
    plain = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    try:
        return Preparation(**plain)
    except (TypeError, SettingsError) as error:
        message = f"{where}: a preparation this version does not know ({error})"
        raise InputFileError(message) from error


def trained_notes(  # noqa: PLR0913 - the facts of one file, by keyword
    *,
    network: str,
    network_settings: Mapping[str, Any],
    shape: Sequence[int],
    classes: Sequence[str],
    preparation: Preparation,
    legacy: bool = False,
) -> dict[str, str]:
    """The text metadata that lets a weights file be used by itself.

    `legacy` says that the network was built so, with the output that was published.
    """
    said = {
        "network": network,
        "network_settings": dict(network_settings),
        "shape": list(shape),
        "classes": list(classes),
        "preparation": preparation.as_dict(),
        **({"legacy": True} if legacy else {}),
    }
    return {NOTES: json.dumps(said)}


def write_trained(path: str | Path, model: Any, **facts: Any) -> Path:
    """Write a model's weights with the notes that `trained_notes` makes of `facts`."""
    return write_tensors(path, named_weights(model), trained_notes(**facts))

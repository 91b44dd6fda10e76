"""A trained network ready for use: from a run's folder, or from a file of weights with notes.

The notes in a weights file say which network it belongs to, at which size, for which
classes, and how images are prepared, so that the file is enough by itself.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import (
    BenchmarkerWarning,
    InputFileError,
    MissingDataError,
    Problems,
    SettingsError,
)
from benchmarker.core.records import MODELS, Record, read_record
from benchmarker.data.images import ImageSet
from benchmarker.data.preparation import Preparation, last_scaling, prepare
from benchmarker.networks import definition, registry
from benchmarker.networks.definition import Definition
from benchmarker.networks.walk import walk
from benchmarker.runs.notes import noted_definition, notes_of, read_notes
from benchmarker.runs.weights import assign, named_weights, read_tensors, write_tensors


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
    network_digest, layers : of the definition at that time, as `Definition` says; None where
        nobody noted it
    facts : what a bundle says of the run: metrics, temperature, digests; empty for others
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
    network_digest: str | None = None
    layers: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def definition(self) -> Definition:
        """What the network was when it was trained."""
        return Definition(
            self.network, self.network_settings, self.network_digest, self.layers, self.legacy
        )

    @cached_property
    def model(self) -> Any:
        """The Keras model, from prepared images to probabilities."""
        _refuse_other_count(self)
        model = registry.build_defined(self.definition, self.shape, len(self.classes))
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


def channels_of(record: Record) -> int:
    """Channels of the prepared images that the network of a run takes; older runs had one."""
    description = record.description()
    return 1 if description is None else int(description["input_shape"][2])


def _from_record(record: Record, path: Path) -> Trained:
    identity, settings = record.identity, record.settings
    tensors, texts = read_tensors(path)
    preparation = {k: v for k, v in identity["preparation"].items() if k != "digest"}
    trained = Trained(
        network=record.network,
        network_settings=dict(settings.get("network_settings", {})),
        shape=(*settings["size"], channels_of(record)),
        classes=record.classes,
        preparation=preparation_from(preparation, path),
        tensors=tensors,
        where=path,
        record=record,
        legacy=identity["protocol"] == "legacy",
        network_digest=identity["network_digest"],
        layers=(read_notes(texts) or {}).get("layers"),
    )
    return _checked(trained)


def _from_notes(path: Path, tensors: dict[str, np.ndarray], texts: dict[str, str]) -> Trained:
    said = read_notes(texts)
    if said is None:
        message = (
            f"{path} does not say which network it belongs to; expected a file that a run or "
            "'benchmarker import-weights' wrote"
        )
        raise InputFileError(message)
    noted = noted_definition(said)
    trained = Trained(
        network=noted.network,
        network_settings=dict(noted.settings),
        shape=tuple(said["shape"]),
        classes=tuple(said["classes"]),
        preparation=preparation_from(said["preparation"], path),
        tensors=tensors,
        where=path,
        legacy=noted.legacy,
        network_digest=noted.digest,
        layers=noted.layers,
        facts=dict(said.get("facts") or {}),
    )
    return _checked(trained)


def _checked(trained: Trained) -> Trained:
    """Refuse or warn where the network's name stands for another definition by now.

    A layer list that the file itself holds is built from that, whatever its name means here.
    """
    if trained.layers is not None:
        return trained
    noted = registry.completed(trained.definition)
    here = registry.define(noted.network, noted.settings, legacy=noted.legacy)
    problems = Problems(trained.where)
    for text in definition.differences(noted, here):
        problems.add(text)
    problems.raise_if_any()
    _warn_of_source(noted, here, trained.where, stacklevel=4)
    return trained


def _refuse_other_count(trained: Trained) -> None:
    """A text in a file must not make us build more than the file holds weights for."""
    if trained.layers is None:
        return
    rows = walk(trained.definition.read_layers(), trained.shape, len(trained.classes))
    needed, held = (sum(row.parameters for row in rows), _count(trained.tensors))
    if needed != held:
        message = (
            f"{trained.where} holds {held} numbers, the layers that it names for images of "
            f"{trained.shape[0]}x{trained.shape[1]} have {needed} weights"
        )
        raise InputFileError(message)


def _count(tensors: Mapping[str, np.ndarray]) -> int:
    return sum(array.size for array in tensors.values())


def preparation_from(values: Mapping[str, Any], where: Path) -> Preparation:
    """The preparation that `Preparation.as_dict` wrote."""
    plain = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    try:
        return Preparation(**plain)
    except (TypeError, SettingsError) as error:
        message = f"{where}: a preparation this version does not know ({error})"
        raise InputFileError(message) from error


def load_matching(model: Any, path: str | Path) -> None:
    """Put the weights of a file into a model that `registry.build` made, if they belong there.

    Raises `InputFileError` listing every tensor that is missing, left over or of another
    shape, and where the file says that its weights belong to another network, to other
    settings or to another definition. A Python network whose source was changed since is a
    `BenchmarkerWarning`: that may mean much or nothing.
    """
    tensors, texts = read_tensors(path)
    said, wanted = read_notes(texts), definition.definition_of(model)
    faults: list[str] = []
    if said is not None and wanted is not None:
        noted = registry.completed(noted_definition(said))
        faults = definition.differences(noted, wanted)
        if not faults:
            _warn_of_source(noted, wanted, path, stacklevel=3)
    assign(model.weights, tensors, path, faults)


def _warn_of_source(
    noted: Definition, here: Definition, where: str | Path, stacklevel: int
) -> None:
    if definition.is_other_source(noted, here):
        text = f"{where}: {definition.source_warning(noted, here)}"
        warnings.warn(text, BenchmarkerWarning, stacklevel=stacklevel + 1)


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

    `legacy` says that the network was built so, with the output that was published. The
    network's definition goes in as it is here and now.
    """
    known = registry.define(network, network_settings, legacy=legacy)
    return notes_of(known, shape=shape, classes=classes, preparation=preparation)


def write_trained(path: str | Path, model: Any, **facts: Any) -> Path:
    """Write a model's weights with the notes that `trained_notes` makes of `facts`."""
    return write_tensors(path, named_weights(model), trained_notes(**facts))

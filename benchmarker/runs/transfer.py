"""A run that starts from other weights instead of random ones, and keeps or slows some of them.

The source is known by the content of its weights, so a copied or renamed folder makes no
other run. Everything is checked before the first training starts; what a run needs after
its first checkpoint stands in its record, so the source may be gone by then.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

from benchmarker.core.errors import InputFileError, MissingDataError, Problems, SettingsError
from benchmarker.core.hashing import digest_arrays
from benchmarker.networks import registry
from benchmarker.networks.symbolic import without_memory
from benchmarker.runs import parts
from benchmarker.runs.settings import RunSettings
from benchmarker.runs.trained import Trained, open_trained

SHOWN = 6  # names of layers in one line of a message
UNCHANGED = 1.0


@dataclass(frozen=True)
class Source:
    """Where a run starts.

    Arguments
    ---------
    place : path, absolute
    digest : of the weights; for a run it stands in its record as ``best_weights``
    network : that they belong to
    trained : the weights; None where they are gone and a record remembers them
    """

    place: str
    digest: str
    network: str
    trained: Trained | None = None


@dataclass(frozen=True)
class Transfer:
    """What a run does with its source, by names of layers.

    Arguments
    ---------
    source : where it starts
    new : layers that begin anew
    taken : layers that take the source's weights
    frozen : those of `taken` that stay as they are
    """

    source: Source
    new: tuple[str, ...]
    taken: tuple[str, ...]
    frozen: tuple[str, ...]

    @property
    def identity(self) -> dict[str, str]:
        """What enters the identity of a run: content, no path."""
        return {"digest": self.source.digest, "network": self.source.network}


def plan_transfer(
    settings: RunSettings, shape: tuple[int, int, int], classes: int, runs: Path | None = None
) -> Transfer | None:
    """What `settings` ask for, checked; None where they name no source.

    Arguments
    ---------
    settings : of the run, those of its network resolved
    shape : (height, width, channels) of a prepared image
    classes : their number
    runs : folder of run folders, whose records remember a source that is gone

    Raises `SettingsError` where source, network and settings do not fit together,
    `MissingDataError` and `InputFileError` for a source that is absent or damaged.
    """
    if settings.init is None:
        for key, value, usual in (
            ("freeze", settings.freeze, None),
            ("rate-factor", settings.rate_factor, UNCHANGED),
        ):
            if value != usual:
                message = f"--{key} {value} is about layers taken from other weights: add --init"
                raise SettingsError(message)
        return None
    source = find_source(settings.init, runs)
    network = _builder(settings.network, shape, dict(settings.network_settings))
    new = parts.new_layers(network, classes)
    shapes = parts.layer_shapes(network(classes))
    taken = tuple(name for name in shapes if name not in new)
    if not taken:
        message = f"{settings.network} has no weights before its last layer: nothing to take over"
        raise SettingsError(message)
    if source.trained is not None:
        _check_fit(settings, shape, source, {name: shapes[name] for name in taken})
    frozen = parts.frozen_layers(settings.freeze, taken, new)
    if settings.rate_factor != UNCHANGED and len(frozen) == len(taken):
        message = (
            f"--rate-factor {settings.rate_factor:g} has no layer to slow: --freeze "
            f"{settings.freeze} keeps all that were taken; leave one of them out"
        )
        raise SettingsError(message)
    return Transfer(source, new, taken, frozen)


def _builder(
    network: str, shape: tuple[int, int, int], settings: dict[str, Any]
) -> Callable[[int], Any]:
    """A function from the number of classes to a model without memory."""
    return lambda classes: without_memory(
        lambda: registry.build(network, shape, classes, seed=0, **settings)
    )


def find_source(what: str, runs: Path | None = None) -> Source:
    """The source at a path, else what the records in `runs` remember of it."""
    place = Path(what).resolve()
    if place.exists() or runs is None:
        return _open(str(place), _stamp(place))
    remembered = _remembered(place, runs)
    return _open(str(place), _stamp(place)) if remembered is None else remembered


def _stamp(place: Path) -> tuple[int, ...]:
    """What changes when a source is made anew."""
    files = (place, place / "run.json", place / "best.safetensors")
    return tuple(path.stat().st_mtime_ns for path in files if path.exists())


@lru_cache(maxsize=8)
def _open(place: str, stamp: tuple[int, ...]) -> Source:  # noqa: ARG001 (part of the key)
    trained = open_trained(place)
    model = _builder(trained.network, trained.shape, trained.network_settings)(len(trained.classes))
    wanted = {
        f"{number:03d}|{variable.path}": tuple(variable.shape)
        for number, variable in enumerate(model.weights)
    }
    found = {name: tuple(array.shape) for name, array in trained.tensors.items()}
    if wanted != found:
        strange = sorted({name for name, _ in wanted.items() ^ found.items()})
        message = (
            f"{trained.where} does not hold the weights of {trained.network}, which it names: "
            f"{_some(strange)} differ"
        )
        raise InputFileError(message)
    digest = digest_arrays({name: trained.tensors[name] for name in wanted})
    return Source(place, digest, trained.network, trained)


def _remembered(place: Path, runs: Path) -> Source | None:
    """The source that the youngest run from `place` was begun with."""
    found = []
    for path in sorted(runs.glob("*/run.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["place"]["init"] == str(place):
                kept = record["identity"]["settings"]["init"]
                found.append((record["created"], kept["digest"], kept["network"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # another run's damage is its own
    return Source(str(place), *max(found)[1:]) if found else None


def _check_fit(
    settings: RunSettings,
    shape: tuple[int, int, int],
    source: Source,
    wanted: dict[str, parts.Shapes],
) -> None:
    """Refuse a source whose layers, but for the last, are not those of the run's network."""
    trained = source.trained
    theirs = _builder(trained.network, trained.shape, trained.network_settings)
    offered = parts.layer_shapes(theirs(len(trained.classes)))
    last = parts.new_layers(theirs, len(trained.classes))
    problems = Problems(
        f"--init {settings.init}: {_described(trained.network, trained.shape)} for "
        f"{_described(settings.network, shape)}",
        SettingsError,
    )
    missing = [name for name in wanted if name not in offered]
    if missing:
        problems.add(f"init has no layer {_some(missing)}, which this network needs")
    idle = [name for name in offered if name not in wanted and name not in last]
    if idle:
        problems.add(f"layer {_some(idle)} of init finds no place in this network")
    for name, shapes in wanted.items():
        if name in offered and offered[name] != shapes:
            pairs = zip(offered[name], shapes, strict=False)
            theirs_shape, ours = next(p for p in (*pairs, (offered[name], shapes)) if p[0] != p[1])
            problems.add(f"layer {name} has weights {theirs_shape} there, {ours} here")
    if problems:
        # advice is no fault of its own
        advice = _advice(settings.network == trained.network, shape, trained.shape)
        problems.texts[-1] += f"; {advice}"
    problems.raise_if_any()


def _described(network: str, shape: tuple[int, int, int]) -> str:
    return f"{network} at {shape[0]}x{shape[1]} pixels"


def _advice(same_network: bool, here: tuple[int, ...], there: tuple[int, ...]) -> str:  # noqa: FBT001
    if same_network and here != there:
        return (
            "expected the same size: where all pixels enter a dense layer it has weights for "
            f"each of them; choose --img_size {there[0]},{there[1]}, or a network that averages "
            "over them"
        )
    return "expected weights of the same network with the same settings and size"


def _some(names: list[str]) -> str:
    more = f", ... ({len(names)} in all)" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def start_from(model: Any, transfer: Transfer, *, take: bool) -> None:
    """Give the taken layers of a new `model` the source's weights and freeze what shall stay.

    Without `take` only the latter: a checkpoint will bring the weights. Raises
    `MissingDataError` if the source is needed and gone.
    """
    trained = transfer.source.trained
    if take and trained is None:
        message = (
            f"no run folder and no file of weights {transfer.source.place}: this run has no "
            "checkpoint yet, so it needs the weights that it starts from once more"
        )
        raise MissingDataError(message)
    for name in transfer.taken if take else ():
        model.get_layer(name).set_weights(trained.model.get_layer(name).get_weights())
    parts.freeze(model, transfer.frozen)


def trainable_parameters(model: Any) -> int:
    """Numbers that the training of `model` changes."""
    return sum(prod(weight.shape) for weight in model.trainable_weights)

"""Weights that another program trained, brought into a network of ours.

A hosted system declares its layout once, as `LAYOUT` in ``hosts/SYSTEM/weights.py``: how the
settings show in the names and shapes of the arrays, and which array goes to which variable.
Reading, checking, the notes and the writing are the same for all.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import InputFileError, Problems, SettingsError

MAX_BYTES = 2**30
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Slot:
    """Where one foreign array goes: a Keras variable, and the order of its axes there.

    `axes` are those of `np.transpose` from the foreign array to ours; `shape` is the foreign
    shape; a foreign array of more axes of length one is reshaped by it. `split` is the foreign
    shape with its axes taken apart, where one of them holds several in another order than ours
    (a flattened image, channels first).
    """

    variable: Any
    axes: tuple[int, ...]
    shape: tuple[int, ...]
    split: tuple[int, ...] = ()

    def put(self, array: np.ndarray) -> None:
        """Assign a foreign array."""
        apart = array.reshape(self.split) if self.split else array
        ours = np.transpose(apart, self.axes).reshape(self.variable.shape)
        self.variable.assign(ours.astype(np.float32))

    def take(self) -> np.ndarray:
        """The variable as the foreign array, float32."""
        turned = [(self.split or self.shape)[axis] for axis in self.axes]
        ours = np.asarray(self.variable, dtype=np.float32).reshape(turned)
        apart = np.transpose(ours, np.argsort(self.axes))
        return np.ascontiguousarray(apart).reshape(self.shape)


def vector(variable: Any) -> Slot:
    """A bias, or anything else of one axis."""
    return Slot(variable, (0,), tuple(variable.shape))


def torch_convolution(name: str, layer: Any) -> dict[str, Slot]:
    """Kernel and bias of a convolution, as (output, input, rows, columns) in PyTorch."""
    rows, columns, before, after = layer.kernel.shape
    kernel = Slot(layer.kernel, (2, 3, 1, 0), (after, before, rows, columns))
    return {f"{name}.weight": kernel, f"{name}.bias": vector(layer.bias)}


def torch_dense(name: str, layer: Any) -> dict[str, Slot]:
    """Kernel and bias of a dense layer, as (output, input) in PyTorch."""
    before, after = layer.kernel.shape
    kernel = Slot(layer.kernel, (1, 0), (after, before))
    return {f"{name}.weight": kernel, f"{name}.bias": vector(layer.bias)}


@dataclass(frozen=True)
class Inferred:
    """What arrays say of the network: settings, channels, classes, side of the image in pixels.

    `side` is the smallest that fits where only some do (`last` the largest), else None.
    """

    settings: dict[str, Any]
    channels: int
    classes: int
    side: int | None = None
    last: int | None = None


@dataclass(frozen=True)
class Layout:
    """How one family of networks is stored elsewhere.

    Arguments
    ---------
    family : of the registry, and the network that stands for it
    infer : arrays and settings given -> `Inferred`; raises `InputFileError` for another network
    slots : model -> foreign name -> `Slot`
    ignored : foreign name -> True for arrays that take no part
    plain : foreign name -> the name that `infer` and `slots` use, where wrappers change it
    preparation : name of the preparation the weights were trained with
    class_names : of a network with as many classes
    side : pixels where the arrays do not tell
    claimed : settings that arrays reveal, so that a variant's own name is held against them
    advice : what the settings of published weights are, where the arrays do not tell
    """

    family: str
    infer: Callable[[Arrays, Mapping[str, Any], str], Inferred]
    slots: Callable[[Any], dict[str, Slot]]
    ignored: Callable[[str], bool]
    preparation: str
    class_names: tuple[str, ...]
    side: int
    plain: Callable[[str], str] = str
    claimed: tuple[str, ...] = ()
    advice: str = ""


@dataclass(frozen=True)
class Imported:
    """A network with foreign weights, and what of its settings the file did not tell."""

    model: Any
    network: str
    settings: dict[str, Any]
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    preparation: str
    assumed: dict[str, Any]
    advice: str


def layout_of(network: str) -> Layout:
    """The layout of a network's family; `SettingsError` with those known where it has none."""
    import benchmarker.hosts as package
    from benchmarker.networks import registry

    family, known = registry.find(network).family, {}
    for host in pkgutil.iter_modules(package.__path__):
        name = f"{package.__name__}.{host.name}.weights"
        if host.ispkg and importlib.util.find_spec(name):
            layout = importlib.import_module(name).LAYOUT
            known[layout.family] = layout
    if family not in known:
        message = (
            f"no weights of other programs are known for {network}; expected a network of "
            f"{', '.join(sorted(known))}"
        )
        raise SettingsError(message)
    return known[family]


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Arrays by plain name: of PyTorch checkpoints, old Keras HDF5, `.npz`, `.safetensors`.

    The kind is told by content, not by name. Nothing in the file is executed. Raises
    `InputFileError` naming the file.
    """
    from benchmarker.data import reading_npz
    from benchmarker.data.keras_h5 import is_hdf5, read_keras_h5
    from benchmarker.data.torch_files import read_torch
    from benchmarker.runs.weights import read_tensors

    path = Path(path)
    if not path.is_file():
        message = f"no file {path}"
        raise InputFileError(message)
    if path.suffix == ".safetensors":
        arrays = read_tensors(path)[0]
        if arrays and all("|" in name for name in arrays):
            message = (
                f"{path}: weights of Benchmarker already, nothing to import: give this file to "
                "predict, explain, evaluate or --init"
            )
            raise InputFileError(message)
        return arrays
    if is_hdf5(path):
        return read_keras_h5(path, limit=MAX_BYTES)
    with path.open("rb") as stream:
        is_zip = stream.read(2) == b"PK"
    if is_zip and not zipfile.is_zipfile(path):
        message = (
            f"{path}: cut off or damaged: expected a whole zip archive (a PyTorch checkpoint or "
            "an .npz), its list of contents is missing; fetch or copy it again"
        )
        raise InputFileError(message)
    if is_zip and not any(
        name.split("/")[-1] == "data.pkl" for name in reading_npz.array_names(path)
    ):
        return reading_npz.read_arrays(path, limit=MAX_BYTES)
    return read_torch(path)


def import_weights(
    network: str, path: str | Path, given: Mapping[str, Any], *, size: int | None = None
) -> Imported:
    """Build `network` as the arrays of a file want it, and fill it with them.

    Arguments
    ---------
    network : a network of the registry whose family has a layout
    path : see `read_arrays`
    given : settings that the arrays cannot tell, or must agree with
    size : side of the image in pixels, where the arrays allow more than one

    Raises `InputFileError` listing every array that is missing, left over or of another shape,
    `SettingsError` where the settings given contradict the arrays.
    """
    from benchmarker.networks import registry

    layout = layout_of(network)
    arrays = {layout.plain(k): v for k, v in read_arrays(path).items() if not layout.ignored(k)}
    chosen = registry.network_settings(network, given)
    usual = registry.network_settings(layout.family, {})
    # a variant's name says how it differs, and its gates and aggregation even where it does not
    named = () if network == layout.family else layout.claimed
    firm = {key for key in chosen if key in given or key in named or chosen[key] != usual[key]}
    claims = {key: chosen[key] for key in chosen if key in firm}
    inferred = layout.infer(arrays, claims, str(path))
    _require_agreement(claims, inferred.settings, path)
    settings = {**chosen, **inferred.settings}
    side = _side(layout, inferred, size, path)
    shape = (side, side, inferred.channels)
    model = registry.build(network, shape, inferred.classes, seed=0, **settings)
    _fill(layout.slots(model), arrays, path)
    assumed = {k: v for k, v in settings.items() if k not in firm and k not in inferred.settings}
    classes = _class_names(layout, inferred.classes)
    return Imported(
        model, network, settings, shape, classes, layout.preparation, assumed, layout.advice
    )


def export_arrays(model: Any, layout: Layout) -> dict[str, np.ndarray]:
    """The weights of a model under their foreign names, float32: what `import_weights` reads."""
    return {name: slot.take() for name, slot in layout.slots(model).items()}


def _require_agreement(
    claims: Mapping[str, Any], found: Mapping[str, Any], path: str | Path
) -> None:
    wrong = [
        f"{key}={claims[key]}, the arrays of {path} say {key}={value}"
        for key, value in found.items()
        if key in claims and claims[key] != value
    ]
    if wrong:
        raise SettingsError("; ".join(wrong))


def _side(layout: Layout, inferred: Inferred, size: int | None, path: str | Path) -> int:
    first, last = inferred.side, inferred.last
    if first is None or last is None:
        return layout.side if size is None else size
    if size is None:
        return layout.side if first <= layout.side <= last else first
    if not first <= size <= last:
        message = f"size {size}, the arrays of {path} are for {first} to {last} pixels"
        raise SettingsError(message)
    return size


def _class_names(layout: Layout, classes: int) -> tuple[str, ...]:
    if classes == len(layout.class_names):
        return layout.class_names
    return tuple(f"class{number}" for number in range(classes))


def _fill(slots: Mapping[str, Slot], arrays: Arrays, path: str | Path) -> None:
    problems = Problems(path)
    for name in sorted(slots.keys() - arrays.keys()):
        problems.add(f"no array {name}, expected shape {slots[name].shape}")
    for name in sorted(arrays.keys() - slots.keys()):
        problems.add(f"array {name} belongs to no layer of this network")
    for name in slots.keys() & arrays.keys():
        fault = _fault(arrays[name], slots[name].shape, name)
        if fault:
            problems.add(f"{name} {fault}")
    problems.texts.sort()
    problems.raise_if_any()
    for name, slot in slots.items():
        slot.put(arrays[name])


def _fault(array: np.ndarray, shape: Sequence[int], name: str) -> str | None:
    if array.shape != tuple(shape):
        return f"has shape {array.shape}, expected {tuple(shape)}"
    if array.dtype.kind != "f":
        return f"holds {array.dtype}, expected floating-point numbers"
    with np.errstate(over="ignore"):
        if not np.isfinite(array.astype(np.float32)).all():
            return "holds values that are not finite in float32"
    if name.endswith("running_var") and (array < 0).any():
        return "holds negative variances"
    return None

"""The published weights of AG-CNN: names and shapes of the original's state dictionary.

Kernels lie there as (output, input, rows, columns), dense weights as (output, input).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarker.core.errors import InputFileError
from benchmarker.hosts.foreign_weights import (
    Arrays,
    Imported,
    Inferred,
    Layout,
    Slot,
    export_arrays,
    import_weights,
    torch_convolution,
    torch_dense,
    vector,
)

# dead layers of the original, and counters that only PyTorch keeps
IGNORED = re.compile(r"fc[123]\.(weight|bias)$|.*num_batches_tracked$")
NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
POOLINGS = 16  # four poolings by two
LAST_CHANNELS = 64


def export_plain(model: Any) -> dict[str, np.ndarray]:
    """The weights of an `agcnn` under the published names, ready for `np.savez`."""
    return export_arrays(model, LAYOUT)


def import_plain(path: str, network: str = "agcnn", **given: Any) -> Imported:
    """An `agcnn` with the weights of a file; `given` as for `import_weights`, ``size`` included."""
    size = given.pop("size", None)
    return import_weights(network, path, given, size=size)


def slots(model: Any) -> dict[str, Slot]:
    """Published name -> variable, for every array that a model of the family has."""
    layers = {layer.name: layer for layer in model.layers}
    found: dict[str, Slot] = {}
    for name, layer in layers.items():
        if name.startswith("conv"):
            found |= torch_convolution(name, layer)
        elif name.startswith("bnorm"):
            found |= {
                f"{name}.{theirs}": vector(getattr(layer, ours)) for theirs, ours in NORM.items()
            }
        elif re.fullmatch(r"gate[123]", name):
            found |= _gate(f"attention{name[-1]}", layer)
        elif re.fullmatch(r"classifier[123]", name):
            found |= torch_dense(f"classifiers.{int(name[-1]) - 1}", layer)
        elif name == "classifier" or (name == "scores" and hasattr(layer, "kernel")):
            found |= torch_dense("classifier", layer)
    return found


def _gate(name: str, layer: Any) -> dict[str, Slot]:
    found = {
        f"{name}.{part}.weight": _pointwise(getattr(layer, part))
        for part in ("theta", "phi", "psi")
    }
    return {**found, f"{name}.psi.bias": vector(layer.bias)}


def _pointwise(variable: Any) -> Slot:
    before, after = variable.shape
    return Slot(variable, (2, 3, 1, 0), (after, before, 1, 1))


def infer(arrays: Arrays, given: Mapping[str, Any], where: str) -> Inferred:
    """Gates, aggregation, kernel, channels and classes as names and shapes tell them."""
    first = arrays.get("conv1a.weight")
    last = arrays.get("classifier.weight", arrays.get("classifiers.0.weight"))
    if first is None or first.ndim != 4 or last is None or last.ndim != 2:
        held = ", ".join(sorted(arrays)[:6]) or "nothing"
        message = (
            f"{where}: not the weights of an AG-CNN: expected conv1a.weight (4 axes) and "
            f"classifier.weight or classifiers.0.weight (2 axes), it holds {held}"
        )
        raise InputFileError(message)
    gates = max((n for n in (1, 2, 3) if f"attention{n}.psi.weight" in arrays), default=0)
    classes, width = last.shape
    settings: dict[str, Any] = {"gates": gates, "kernel": first.shape[2]}
    if gates == 0:
        side = round((width / LAST_CHANNELS) ** 0.5)
        if side < 1 or side**2 * LAST_CHANNELS != width:
            message = (
                f"{where}: classifier.weight takes {width} values, expected {LAST_CHANNELS} times "
                "a square number (a network without gates on a square image)"
            )
            raise InputFileError(message)
        ends = (POOLINGS * side, POOLINGS * (side + 1) - 1)
        return Inferred(settings, first.shape[1], classes, *ends)
    settings["aggregation"] = _aggregation(arrays, gates, classes, given)
    return Inferred(settings, first.shape[1], classes)


def _aggregation(arrays: Arrays, gates: int, classes: int, given: Mapping[str, Any]) -> str:
    joint = arrays.get("classifier.weight")
    apart = any(name.startswith("classifiers.") for name in arrays)
    if joint is None:
        return "mean"
    if not apart:
        return "concat"
    if given.get("aggregation") in ("ft", "deep_sup") and joint.shape[1] == gates * classes:
        # with very many classes both can have the same widths; then the user knows
        widths = [arrays.get(f"classifiers.{n}.weight", joint).shape[-1] for n in range(gates)]
        if sum(widths) == gates * classes:
            return given["aggregation"]
    return "ft" if joint.shape[1] == gates * classes else "deep_sup"


LAYOUT = Layout(
    family="agcnn",
    infer=infer,
    slots=slots,
    ignored=lambda name: IGNORED.match(name) is not None,
    preparation="attention",
    class_names=("FRI", "FRII"),
    side=150,
    claimed=("gates", "aggregation", "kernel"),
    advice="published weights want --set maps_over=batch",
)

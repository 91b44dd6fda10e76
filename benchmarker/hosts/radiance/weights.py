"""Weights of RADIAnCE's CnnGleam: names and shapes of the original's state dictionary.

Kernels lie there as (output, input, rows, columns); the first linear layer takes features
flattened as (channel, row, column), ours as (row, column, channel).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarker.core.errors import InputFileError
from benchmarker.hosts.foreign_weights import (
    Arrays,
    Inferred,
    Layout,
    Slot,
    torch_convolution,
    torch_dense,
)
from benchmarker.networks.cnn_gleam import BLOCKS, POOL

CLASSES = ("good", "rfi", "sis", "rfisis")
LINEAR = {"fc1": "fc1", "fc2": "fc2", "fc3": "scores"}
LAST_FILTERS = BLOCKS[-1][1]
REDUCTION = POOL ** len(BLOCKS)


def slots(model: Any) -> dict[str, Slot]:
    """Original name -> variable of a `cnn_gleam`."""
    found: dict[str, Slot] = {}
    for name, _, _ in BLOCKS:
        found |= torch_convolution(name, model.get_layer(name))
    for theirs, ours in LINEAR.items():
        found |= torch_dense(theirs, model.get_layer(ours))
    _, height, width, channels = model.get_layer(f"{name}_pool").output.shape
    flat = found["fc1.weight"]
    split = (flat.shape[0], channels, height, width)
    return found | {"fc1.weight": Slot(flat.variable, (2, 3, 1, 0), flat.shape, split)}


def infer(arrays: Arrays, _: Mapping[str, Any], where: str) -> Inferred:
    """Channels, classes and side of the image, as far as shapes tell them."""
    shapes = {name: arrays[name].shape for name in _TOLD if name in arrays}
    fits = len(shapes) == len(_TOLD) and all(
        len(shapes[name]) == axes for name, axes in _TOLD.items()
    )
    if not fits:
        held = ", ".join(sorted(arrays)[:6]) or "nothing"
        message = (
            f"{where}: not the weights of CnnGleam: expected layer1.weight (4 axes), fc1.weight "
            f"and fc3.weight (2 axes), it holds {held}"
        )
        raise InputFileError(message)
    width = shapes["fc1.weight"][1]
    side = round((width / LAST_FILTERS) ** 0.5)
    if side < 1 or side**2 * LAST_FILTERS != width:
        message = (
            f"{where}: fc1.weight takes {width} values, expected {LAST_FILTERS} times a square "
            "number (a square image)"
        )
        raise InputFileError(message)
    ends = (REDUCTION * side, REDUCTION * (side + 1) - 1)
    return Inferred({}, shapes["layer1.weight"][1], shapes["fc3.weight"][0], *ends)


_TOLD = {"layer1.weight": 4, "fc1.weight": 2, "fc3.weight": 2}

LAYOUT = Layout(
    family="cnn_gleam",
    infer=infer,
    slots=slots,
    ignored=lambda _: False,
    # the linear layers were wrapped one by one for several GPUs
    plain=lambda name: name.replace(".module.", "."),
    preparation="field",
    class_names=CLASSES,
    side=4000,
)

"""Weights of braai's VGG6, as Keras 2 stored them: layer and weight names, axes as ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarker.core.errors import InputFileError
from benchmarker.hosts.foreign_weights import Arrays, Inferred, Layout, Slot
from benchmarker.networks.braai import BINARY, BLOCKS

LAYERS = ("conv1", "conv2", "conv3", "conv4", "fc_1", "fc_out")
CLASSES = ("bogus", "real")
LAST_FILTERS = BLOCKS[-1][1]


def slots(model: Any) -> dict[str, Slot]:
    """Stored name -> variable of a `braai_vgg6`."""
    found = {}
    for name in LAYERS:
        layer = model.get_layer(name)
        for word, variable in (("kernel", layer.kernel), ("bias", layer.bias)):
            axes = tuple(range(len(variable.shape)))
            found[f"{name}.{word}"] = Slot(variable, axes, tuple(variable.shape))
    return found


def infer(arrays: Arrays, _: Mapping[str, Any], where: str) -> Inferred:
    """Channels, classes and the sides of images that the arrays are for."""
    axes = {"conv1.kernel": 4, "fc_1.kernel": 2, "fc_out.kernel": 2}
    shapes = {name: arrays[name].shape for name in axes if name in arrays}
    if any(len(shapes.get(name, ())) != count for name, count in axes.items()):
        held = ", ".join(sorted(arrays)[:6]) or "nothing"
        message = (
            f"{where}: not the weights of braai's VGG6: expected conv1.kernel (4 axes), "
            f"fc_1.kernel and fc_out.kernel (2 axes), it holds {held}"
        )
        raise InputFileError(message)
    last = round((shapes["fc_1.kernel"][0] / LAST_FILTERS) ** 0.5)
    if last < 1 or last**2 * LAST_FILTERS != shapes["fc_1.kernel"][0]:
        message = (
            f"{where}: fc_1.kernel takes {shapes['fc_1.kernel'][0]} values, expected "
            f"{LAST_FILTERS} times a square number (a square image)"
        )
        raise InputFileError(message)
    fits = [side for side in range(17, 4096) if _last_side(side) == last]
    outputs = shapes["fc_out.kernel"][1]
    classes = BINARY if outputs == 1 else outputs
    return Inferred({}, shapes["conv1.kernel"][2], classes, fits[0], fits[-1])


def _last_side(side: int) -> int:
    """Pixels after the last pooling: two valid convolutions of three before each."""
    for _, _, pool in BLOCKS:
        side = (side - 4) // pool
    return side


LAYOUT = Layout(
    family="braai_vgg6",
    infer=infer,
    slots=slots,
    ignored=lambda _: False,
    preparation="braai",
    class_names=CLASSES,
    side=63,
)

"""Weights for tools of other kinds: plain names in a safetensors file, the network as JSON.

The arrays are as Keras keeps them, float32: a convolution's kernel is (rows, columns, channels
in, channels out), a dense layer's (in, out). The JSON lists the layers in order with
their settings and which of them each reads.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from benchmarker.core.errors import SettingsError

AXES = {
    "kernel of a convolution": ["row", "column", "channel in", "channel out"],
    "kernel of a dense layer": ["in", "out"],
}
# what only training needs
_LEFT_OUT = ("initializer", "regularizer", "constraint", "seed", "trainable", "name")


def plain_weights(model: Any) -> dict[str, np.ndarray]:
    """Arrays by ``LAYER/WEIGHT``, in the model's order.

    Raises `SettingsError` where two would have one name.
    """
    found: dict[str, np.ndarray] = {}
    for layer in model.layers:
        for weight in layer.weights:
            name = f"{layer.name}/{_inside(layer, weight)}"
            if name in found:
                message = f"two weights of this network are called {name}"
                raise SettingsError(message)
            found[name] = np.asarray(weight.numpy())
    return found


def _inside(layer: Any, weight: Any) -> str:
    """A weight's path below its layer: ``kernel``, or ``query/kernel`` in a nested one."""
    path = weight.path.split("/")
    return "/".join(path[path.index(layer.name) + 1 :]) if layer.name in path[:-1] else path[-1]


def layer_list(model: Any) -> list[dict[str, Any]]:
    """One entry per layer, ready for JSON."""
    return [_layer(layer) for layer in model.layers]


def _layer(layer: Any) -> dict[str, Any]:
    weights = {f"{layer.name}/{_inside(layer, w)}": list(w.shape) for w in layer.weights}
    return {
        "name": layer.name,
        "type": type(layer).__name__,
        "settings": _settings(layer),
        "inputs": _inputs(layer),
        "weights": weights,
    }


def _settings(layer: Any) -> dict[str, Any]:
    try:
        config = layer.get_config()
    except NotImplementedError:
        return {}
    return {
        key: value
        for key, value in config.items()
        if not any(word in key for word in _LEFT_OUT) and _is_plain(value)
    }


def _is_plain(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, dict)


def _inputs(layer: Any) -> list[str]:
    """Names of the layers whose output this one reads."""
    import keras

    names: dict[str, None] = {}
    for node in layer._inbound_nodes[:1]:  # noqa: SLF001 (Keras tells the graph nowhere else)
        for tensor in keras.tree.flatten(node.input_tensors):
            before = tensor._keras_history.operation  # noqa: SLF001
            names[before.name] = None
    return list(names)

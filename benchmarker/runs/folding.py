"""Batch norms folded into the convolutions before them, for inference.

Outside training a batch norm multiplies and shifts each channel by numbers that do not
depend on the image. Scaling the kernel instead saves two passes over the features.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import keras
from keras import ops


class FoldedConvolution(keras.layers.Layer):
    """A convolution and the batch norm after it as one convolution, from the same weights.

    The weights are read at every call, so it follows a training that goes on. Equal to the
    two layers one after the other within rounding.
    """

    def __init__(
        self, convolution: keras.layers.Conv2D, norm: keras.layers.BatchNormalization
    ) -> None:
        super().__init__(name=f"{norm.name}_folded", dtype=convolution.dtype_policy)
        self.convolution, self.norm = convolution, norm

    def call(self, features: Any) -> Any:
        """Features (n, H, W, C) to (n, h, w, filters)."""
        conv, norm = self.convolution, self.norm
        scale = ops.rsqrt(ops.cast(norm.moving_variance, "float32") + norm.epsilon)
        if norm.scale:
            scale *= ops.cast(norm.gamma, "float32")
        bias = -ops.cast(norm.moving_mean, "float32") * scale
        if conv.use_bias:
            bias += ops.cast(conv.bias, "float32") * scale
        if norm.center:
            bias += ops.cast(norm.beta, "float32")
        kernel = ops.cast(conv.kernel, "float32") * scale
        convolved = ops.conv(
            features,
            ops.cast(kernel, features.dtype),
            strides=list(conv.strides),
            padding=conv.padding,
            dilation_rate=conv.dilation_rate,
            data_format=conv.data_format,
        )
        return convolved + ops.cast(bias, features.dtype)


def folded(model: keras.Model) -> keras.Model:
    """The same model, sharing all weights, without separate batch norms where that can be.

    A norm is folded where it is all that reads a plain `Conv2D` without activation. For
    inference only. Models without such a norm, and those that are no plain graph of
    layers, are returned as they are.
    """
    if not isinstance(model, keras.Model) or not hasattr(model, "operations"):
        return model
    before = _pairs(model)
    if not before:
        return model
    gone = set(before.values())

    def called(layer: Any, *inputs: Any, **options: Any) -> Any:
        if layer in gone:
            return inputs[0]  # its norm convolves instead
        if layer in before:
            return FoldedConvolution(before[layer], layer)(*inputs)
        return layer(*inputs, **options)

    return _walked(model, called)


def _pairs(model: keras.Model) -> dict[Any, Any]:
    """The convolution that can take in a batch norm, by batch norm."""
    calls: Counter[Any] = Counter()
    made_by: dict[int, Any] = {}
    read_by: dict[int, list[Any]] = defaultdict(list)
    kept: list[Any] = []  # no tensor may go while its identity counts

    def called(layer: Any, *inputs: Any, **options: Any) -> Any:
        output = layer(*inputs, **options)
        calls[layer] += 1
        kept.append((inputs, output))
        made_by[id(output)] = layer
        for tensor in keras.tree.flatten((inputs, options)):
            read_by[id(tensor)].append(layer)
        return output

    ends = {id(tensor) for tensor in _walked(model, called).outputs}
    found = {}
    for tensor, layer in made_by.items():
        readers = read_by[tensor]
        alone = tensor not in ends and len(readers) == 1 and calls[layer] == 1
        if alone and _is_plain(layer) and _is_norm(readers[0]) and calls[readers[0]] == 1:
            found[readers[0]] = layer
    return found


def _walked(model: keras.Model, called: Callable[..., Any]) -> keras.Model:
    """The model's graph made again from the same layers, each called through `called`."""
    # the graph alone: the copy of a model in training would take its optimizer along
    ends = [ends[0] if len(ends) == 1 else ends for ends in (model.inputs, model.outputs)]
    graph = keras.Model(*ends, name=model.name)
    return keras.models.clone_model(graph, clone_function=lambda layer: layer, call_function=called)


def _is_plain(layer: Any) -> bool:
    linear = getattr(layer, "activation", None) in (None, keras.activations.linear)
    return type(layer) is keras.layers.Conv2D and linear and layer.groups == 1


def _is_norm(layer: Any) -> bool:
    return type(layer) is keras.layers.BatchNormalization and layer.axis in (-1, 3)

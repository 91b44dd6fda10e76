"""From a layer list to a Keras model: the one builder of all sequential networks.

Works with every Keras backend; Keras itself is imported when something is built.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmarker.networks.entries import LayerSeeds
from benchmarker.networks.layer_types import (
    LEAKY_SLOPE,
    PROBABILITIES,
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAverage,
    Layer,
    Pool,
)
from benchmarker.networks.notation import parse_part
from benchmarker.networks.walk import layer_name

if TYPE_CHECKING:
    import keras


def build_layers(
    layers: Sequence[Layer], input_shape: tuple[int, int, int], classes: int, seeds: LayerSeeds
) -> keras.Model:
    """An uncompiled model of a layer list.

    Input: float32 (n, height, width, channels); output: float32 (n, classes). Every kernel
    and every dropout gets the seed of its position; biases start at zero.
    """
    import keras

    image = keras.Input(input_shape, name="image")
    output = image
    for position, layer in enumerate(layers, start=1):
        output = keras_layer(layer, layer_name(layer, position), position, seeds, classes)(output)
    return keras.Model(image, output, name=model_name(seeds.network))


def chain(
    text: str, tensor: Any, seeds: LayerSeeds, *, prefix: str, classes: int | None = None
) -> Any:
    """Apply a stretch of layers, in the notation, to a tensor: for Python networks.

    The layers are named and seeded by `prefix` and their position in the stretch, e.g.
    ``a_conv_01``; `classes` is needed where the text holds the class layer ``Dn``.
    """
    for position, layer in enumerate(parse_part(text), start=1):
        local = layer_name(layer, position)
        name = local if local == "classes" else f"{prefix}_{local}"
        tensor = keras_layer(layer, name, name, seeds, classes)(tensor)
    return tensor


def seeded_dense(
    units: int, name: str, seeds: LayerSeeds, activation: str | None = None
) -> keras.layers.Layer:
    """A dense layer of a Python network, seeded by its name.

    It starts He normal before an activation and Glorot uniform where none follows.
    """
    from keras import initializers, layers

    rule = initializers.HeNormal if activation else initializers.GlorotUniform
    kernel = rule(seed=seeds.kernel(name))
    return layers.Dense(units, activation, kernel_initializer=kernel, name=name)


def classifier(image: Any, scores: Any, seeds: LayerSeeds) -> keras.Model:
    """The end of every Python network: from `image` to the float32 softmax of `scores`.

    It is a layer of its own, so that losses and AUC can be made of the scores before it.
    """
    import keras

    last = keras.layers.Activation("softmax", name="probabilities", dtype="float32")
    return keras.Model(image, last(scores), name=model_name(seeds.network))


def model_name(network: str) -> str:
    """A network's name with characters that TensorFlow does not allow in scopes replaced."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", network)


def keras_layer(  # noqa: PLR0911 (one return per kind of layer)
    layer: Layer, name: str, position: int | str, seeds: LayerSeeds, classes: int | None
) -> keras.layers.Layer:
    """One Keras layer; `position` is the word under which it draws its seeds."""
    from keras import layers

    match layer:
        case Conv():
            return layers.Conv2D(
                layer.filters,
                layer.kernel,
                strides=layer.stride,
                padding=layer.padding,
                name=name,
                **_kernel_options(layer, position, seeds),
            )
        case Dense():
            units = classes if layer.units is None else layer.units
            return layers.Dense(units, name=name, **_kernel_options(layer, position, seeds))
        case Dropout():
            return layers.Dropout(layer.rate, seed=seeds.dropout(position), name=name)
        case Pool():
            return layers.MaxPooling2D(layer.size, layer.stride, padding=layer.padding, name=name)
        case Activation(name="leaky"):
            return layers.LeakyReLU(negative_slope=LEAKY_SLOPE, name=name)
        case Activation():
            return layers.Activation(layer.name, name=name, dtype=_dtype(layer.name))
        case BatchNorm():
            return layers.BatchNormalization(name=name)
        case Flatten():
            return layers.Flatten(name=name)
        case GlobalAverage():
            return layers.GlobalAveragePooling2D(name=name)


def _kernel_options(layer: Conv | Dense, position: int | str, seeds: LayerSeeds) -> dict[str, Any]:
    import keras

    kinds = {"he": keras.initializers.HeNormal, "gl": keras.initializers.GlorotUniform}
    return {
        "activation": layer.activation,
        "kernel_initializer": kinds[layer.initializer](seed=seeds.kernel(position)),
        "kernel_regularizer": keras.regularizers.L2(layer.l2) if layer.l2 else None,
        "dtype": _dtype(layer.activation),
    }


def _dtype(activation: str) -> str | None:
    # under a mixed-precision policy probabilities stay float32, or their logarithms overflow
    import keras

    half = keras.config.dtype_policy().compute_dtype in ("float16", "bfloat16")
    return "float32" if half and activation in PROBABILITIES else None

"""Shapes and counts of a layer list by arithmetic alone: no TensorFlow, no memory."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from benchmarker.core.errors import BenchmarkerError
from benchmarker.networks.layer_types import (
    INITIALIZERS,
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
from benchmarker.networks.rows import IMAGE, Row, conv_flops, output_length

LARGEST_SIDE = 65536


class ShrinksToNothingError(BenchmarkerError):
    """A layer list leaves no pixel at some layer; `text` names layer and shape."""


def walk(layers: Sequence[Layer], input_shape: tuple[int, int, int], classes: int) -> list[Row]:
    """One row per layer for an image of shape (height, width, channels).

    Raises `ShrinksToNothingError` at the first layer whose window is larger than its map.
    """
    rows: list[Row] = []
    shape: tuple[int, ...] = input_shape
    for position, layer in enumerate(layers, start=1):
        row = _row(layer, shape, position, classes)
        if 0 in row.output_shape:
            message = (
                f"layer {position} ({row.layer} {row.setting}) gets {_times(shape)} and leaves "
                f"{_times(row.output_shape)}"
            )
            raise ShrinksToNothingError(message)
        rows.append(row)
        shape = row.output_shape
    return rows


def smallest_side(layers: Sequence[Layer], classes: int) -> int:
    """The smallest height and width, in pixels, at which no layer shrinks to nothing."""
    # every axis shrinks by itself and never grows when the image gets smaller: bisection
    below, fits = 0, LARGEST_SIDE
    while fits - below > 1:
        middle = (below + fits) // 2
        try:
            walk(layers, (middle, middle, 1), classes)
        except ShrinksToNothingError:
            below = middle
        else:
            fits = middle
    return fits


def layer_name(layer: Layer, position: int) -> str:
    """The name of the Keras layer and its weights, e.g. ``conv_01``; the class layer: ``classes``.

    >>> layer_name(Flatten(), 20)
    'flatten_20'
    """
    if isinstance(layer, Dense) and layer.units is None:
        return "classes"
    words = {
        Conv: "conv",
        Pool: "pool",
        Activation: "activation",
        BatchNorm: "batch_norm",
        Dropout: "dropout",
        Flatten: "flatten",
        GlobalAverage: "average",
        Dense: "dense",
    }
    return f"{words[type(layer)]}_{position:02d}"


def _row(  # noqa: PLR0911 (one return per kind of layer)
    layer: Layer, shape: tuple[int, ...], position: int, classes: int
) -> Row:
    before = position - 2 if position > 1 else IMAGE
    common = {"name": layer_name(layer, position), "inputs": (before,)}
    match layer:
        case Conv():
            return _conv_row(layer, shape, common)
        case Pool():
            return _pool_row(layer, shape, common)
        case Dense():
            return _dense_row(layer, shape, layer.units or classes, common)
        case BatchNorm():
            return _norm_row(shape, common)
        case Activation():
            word = "LeakyReLU" if layer.name == "leaky" else "Activation"
            return Row(layer=word, setting="", activation=layer.name, output_shape=shape, **common)
        case Dropout():
            text = f"rate {layer.rate:g}{'' if layer.seeded else ', unseeded as published'}"
            return Row(layer="Dropout", setting=text, activation="", output_shape=shape, **common)
        case Flatten():
            flat = (prod(shape),)
            return Row(layer="Flatten", setting="", activation="", output_shape=flat, **common)
        case GlobalAverage():
            return Row(
                layer="GlobalAveragePooling2D",
                setting="",
                activation="",
                output_shape=shape[-1:],
                original_flops=prod(shape[:-1]),
                **common,
            )


def _conv_row(layer: Conv, shape: tuple[int, ...], common: dict) -> Row:
    height, width, channels = shape
    sides = [
        output_length(side, layer.kernel, layer.stride, layer.padding) for side in (height, width)
    ]
    output = (*sides, layer.filters)
    weights = layer.kernel**2 * channels * layer.filters
    macs = sides[0] * sides[1] * weights
    return Row(
        layer="Conv2D",
        setting=(
            f"{layer.filters} filters, {layer.kernel}x{layer.kernel}, stride {layer.stride}, "
            f"{layer.padding}{_kernel_text(layer)}"
        ),
        activation=layer.activation,
        output_shape=output,
        parameters=weights + layer.filters,
        trainable_parameters=weights + layer.filters,
        multiply_adds=macs,
        original_flops=conv_flops(output, macs),
        kernel=layer.kernel,
        stride=layer.stride,
        has_window=True,
        has_l2=layer.l2 > 0,
        **common,
    )


def _pool_row(layer: Pool, shape: tuple[int, ...], common: dict) -> Row:
    sides = [output_length(side, layer.size, layer.stride, layer.padding) for side in shape[:2]]
    output = (*sides, shape[2])
    return Row(
        layer="MaxPooling2D",
        setting=f"{layer.size}x{layer.size}, stride {layer.stride}, {layer.padding}",
        activation="",
        output_shape=output,
        original_flops=layer.size**2 * prod(output),
        kernel=layer.size,
        stride=layer.stride,
        has_window=True,
        **common,
    )


def _dense_row(layer: Dense, shape: tuple[int, ...], units: int, common: dict) -> Row:
    weights = shape[-1] * units
    return Row(
        layer="Dense",
        setting=f"{units} units{_kernel_text(layer)}",
        activation=layer.activation,
        output_shape=(*shape[:-1], units),
        parameters=weights + units,
        trainable_parameters=weights + units,
        multiply_adds=weights,
        original_flops=2 * weights + units,
        has_l2=layer.l2 > 0,
        **common,
    )


def _norm_row(shape: tuple[int, ...], common: dict) -> Row:
    return Row(
        layer="BatchNormalization",
        setting="",
        activation="",
        output_shape=shape,
        parameters=4 * shape[-1],
        trainable_parameters=2 * shape[-1],
        original_flops=4 * prod(shape),
        **common,
    )


def _kernel_text(layer: Conv | Dense) -> str:
    words = [INITIALIZERS[layer.initializer]]
    words += [f"L2 {layer.l2:g}"] if layer.l2 else []
    words += [] if layer.seeded else ["unseeded as published"]
    return "".join(f", {word}" for word in words)


def _times(shape: Sequence[int]) -> str:
    return "x".join(str(length) for length in shape)

"""Rows of a Keras model that is built without a single weight in memory."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from math import prod
from typing import TYPE_CHECKING, Any

from benchmarker.networks.rows import IMAGE, Row, conv_flops

if TYPE_CHECKING:
    import keras

NO_FLOPS = {"Activation", "LeakyReLU", "Dropout", "Flatten", "Add", "ZeroPadding2D", "ReLU"}


def without_memory(build: Callable[[], Any]) -> Any:
    """Run `build` so that every variable has its shape but no values; return what it returns.

    A network of any size is built in milliseconds this way. The model that comes back can
    be counted, not called. What `build` raises is raised here.
    """
    with _without_greeting():
        import keras

    result: dict[str, Any] = {}

    def work() -> None:
        try:
            with keras.StatelessScope(initialize_variables=False):
                result["value"] = build()
        except BaseException as error:  # noqa: BLE001 (raised again in the caller's thread)
            result["error"] = error

    # Keras keeps deferred variables in a list per thread and would allocate them at the
    # end of the next scope: in a thread of its own that list goes away unused
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if "error" in result:
        raise result["error"]
    return result["value"]


@contextlib.contextmanager
def _without_greeting() -> Iterator[None]:
    """Send what TensorFlow's C++ code prints while it is imported nowhere; errors are raised.

    No log level stops these lines, and they would stand before a table or an error message.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def model_rows(model: keras.Model) -> list[Row]:
    """One row per layer of a functional model, the input left out."""
    from keras import tree

    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    producer = {id(model.input): IMAGE}
    rows = []
    for index, layer in enumerate(layers):
        inputs = tuple(producer.get(id(t), IMAGE) for t in tree.flatten(layer.input))
        for tensor in tree.flatten(layer.output):
            producer[id(tensor)] = index
        rows.append(_row(layer, inputs))
    return rows


def _row(layer: keras.layers.Layer, inputs: tuple[int, ...]) -> Row:
    word = type(layer).__name__
    output = _shape(layer.output)
    macs = _multiply_adds(layer, output)
    return Row(
        name=layer.name,
        layer=word,
        setting=_setting(layer),
        activation=_activation(layer),
        output_shape=output,
        inputs=inputs,
        parameters=layer.count_params(),
        trainable_parameters=sum(prod(weight.shape) for weight in layer.trainable_weights),
        multiply_adds=macs,
        original_flops=_original_flops(layer, output, macs),
        kernel=_window(layer),
        stride=max(getattr(layer, "strides", None) or (1,)),
        has_window=_window(layer) > 1 or "Conv2D" in word,
        has_l2=getattr(layer, "kernel_regularizer", None) is not None,
    )


def _shape(tensor: Any) -> tuple[int, ...]:
    # a layer with several outputs is described by its first
    first = tensor[0] if isinstance(tensor, (list, tuple)) else tensor
    return tuple(length or 0 for length in first.shape[1:])


def _multiply_adds(layer: keras.layers.Layer, output: tuple[int, ...]) -> int:
    """Kernel size times the places it is applied to: convolutions and dense layers.

    A layer of another kind states its own in an integer property `multiply_adds`.
    """
    own = getattr(layer, "multiply_adds", None)
    if isinstance(own, int):
        return own
    kernel = getattr(layer, "kernel", None)
    if kernel is None:
        return 0
    if type(layer).__name__ == "Conv2DTranspose":
        return prod(_shape(layer.input)[:-1]) * prod(kernel.shape)
    return prod(output[:-1]) * prod(kernel.shape)


def _original_flops(layer: keras.layers.Layer, output: tuple[int, ...], macs: int) -> int | None:
    match type(layer).__name__:
        case "Conv2D" | "Dense":
            return conv_flops(output, macs)
        case "BatchNormalization":
            return 4 * prod(output)
        case "MaxPooling2D":
            return prod(layer.pool_size) * prod(output)
        case word:
            return 0 if word in NO_FLOPS else None


def _window(layer: keras.layers.Layer) -> int:
    window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None) or (1,)
    dilation = max(getattr(layer, "dilation_rate", None) or (1,))
    return (max(window) - 1) * dilation + 1


def _activation(layer: keras.layers.Layer) -> str:
    if type(layer).__name__ == "LeakyReLU":
        return "leaky"
    return getattr(getattr(layer, "activation", None), "__name__", "")


def _setting(layer: keras.layers.Layer) -> str:
    words = []
    if hasattr(layer, "filters"):
        words.append(f"{layer.filters} filters")
    if hasattr(layer, "units"):
        words.append(f"{layer.units} units")
    window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    if window:
        words.append("x".join(str(side) for side in window))
        words.append(f"stride {max(layer.strides)}")
        words.append(layer.padding)
    if hasattr(layer, "rate"):
        words.append(f"rate {layer.rate:g}")
    if getattr(layer, "kernel_regularizer", None) is not None:
        words.append("L2")
    return ", ".join(words)

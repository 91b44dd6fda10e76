"""One row per layer of a network: shapes, counts and what they add up to.

Conventions. A multiply-add (MAC) is one multiplication with its addition in a convolution
or a dense layer; biases, activations, pooling and normalisation count nothing. FLOPs are
twice the multiply-adds. `original_flops` repeats the counter of the 2021 comparison, which
also counts biases, pooling and normalisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

IMAGE = -1  # the index of the network's input among `Row.inputs`


@dataclass(frozen=True)
class Row:
    """One layer at one input size; shapes without the batch axis.

    `kernel` and `stride` are those of a sliding window (1 elsewhere), `inputs` the indices
    of the rows it reads, `original_flops` None where the 2021 counter knew no rule.
    """

    name: str
    layer: str
    setting: str
    activation: str
    output_shape: tuple[int, ...]
    inputs: tuple[int, ...]
    parameters: int = 0
    trainable_parameters: int = 0
    multiply_adds: int = 0
    original_flops: int | None = 0
    kernel: int = 1
    stride: int = 1
    has_window: bool = False
    has_l2: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The columns that `show` prints."""
        return {
            "name": self.name,
            "layer": self.layer,
            "setting": self.setting,
            "activation": self.activation,
            "output_shape": list(self.output_shape),
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
        }


def output_length(length: int, window: int, stride: int, padding: str) -> int:
    """Pixels left along one axis after a sliding window; 0 if the window does not fit."""
    if padding == "same":
        return -(-length // stride)
    return (length - window) // stride + 1 if length >= window else 0


def conv_flops(output_shape: Sequence[int], macs: int) -> int:
    """The 2021 counter's number for a convolution: two per multiply-add, one per bias added."""
    return 2 * macs + prod(output_shape)


def is_conv(row: Row) -> bool:
    """True for every kind of two-dimensional convolution."""
    return "Conv2D" in row.layer


def is_pool(row: Row) -> bool:
    """True for max- and average-pooling over windows."""
    return row.layer in ("MaxPooling2D", "AveragePooling2D")


def totals(rows: Sequence[Row]) -> dict[str, Any]:
    """Everything the layers add up to, by the names of `Description`."""
    multiply_adds = sum(row.multiply_adds for row in rows)
    original = [row.original_flops for row in rows]
    field, stride = receptive_field(rows)
    return {
        "parameters": sum(row.parameters for row in rows),
        "trainable_parameters": sum(row.trainable_parameters for row in rows),
        "conv_parameters": sum(row.parameters for row in rows if is_conv(row)),
        "dense_parameters": _sum_of(rows, "Dense"),
        "bn_parameters": _sum_of(rows, "BatchNormalization"),
        "multiply_adds": multiply_adds,
        "flops": 2 * multiply_adds,
        "original_flops": None if None in original else sum(value or 0 for value in original),
        "conv_layers": sum(map(is_conv, rows)),
        "dense_layers": _number_of(rows, "Dense"),
        "pool_layers": sum(map(is_pool, rows)),
        "bn_layers": _number_of(rows, "BatchNormalization"),
        "dropout_layers": _number_of(rows, "Dropout"),
        "l2_kernels": sum(row.has_l2 for row in rows),
        "flatten": _values_into_first_dense(rows),
        "receptive_field": field,
        "stride": stride,
        "final_activation": next(
            (row.activation for row in reversed(rows) if row.activation), "linear"
        ),
    }


def _sum_of(rows: Sequence[Row], layer: str) -> int:
    return sum(row.parameters for row in rows if row.layer == layer)


def _number_of(rows: Sequence[Row], layer: str) -> int:
    return sum(row.layer == layer for row in rows)


def _values_into_first_dense(rows: Sequence[Row]) -> int:
    first = next((row for row in rows if row.layer == "Dense"), None)
    if first is None or first.inputs[0] == IMAGE:
        return 0
    return rows[first.inputs[0]].output_shape[-1]


def receptive_field(rows: Sequence[Row]) -> tuple[int, int]:
    """Theoretical receptive field and stride, in pixels of the image, at the last window.

    Where paths join, the largest field and the largest stride go on.
    """
    fields: list[tuple[int, int]] = []
    last = (1, 1)
    for row in rows:
        before = [(1, 1) if index == IMAGE else fields[index] for index in row.inputs]
        size = max((field for field, _ in before), default=1)
        step = max((stride for _, stride in before), default=1)
        here = (size + (row.kernel - 1) * step, step * row.stride)
        fields.append(here)
        if row.has_window:
            last = (max(last[0], here[0]), max(last[1], here[1]))
    return last

"""The attention gate of AG-CNN: a map of where to look, from fine and coarse features.

Bowles et al. 2021 (MNRAS 501, 4579), section 3; the gate comes from Schlemper et al. 2019.
Written with `keras.ops` alone, so that every backend runs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

WIDTH = 64  # channels in which fine and coarse features are compared, the same for every gate
NORMALISATIONS = ("range_norm", "std_mean_norm", "sigmoid", "softmax", "tanh")
MAPS_OVER = ("image", "batch")
# From this many pixels on images are compared one by one: 64 channels of one fit into a
# processor's cache, those of a batch do not (benchmarks/attention.py)
LARGE = 10_000
# scores whose spread is below this part of the largest are constant but for rounding
FLAT = 1e-6


@keras.saving.register_keras_serializable(package="benchmarker")
class AttentionGate(keras.layers.Layer):
    """One map for all channels of features `x`, made from `x` and the coarse `g`.

    The score of a pixel is psi . relu(Theta x + up(Phi g)) + b, `up` being bilinear
    resizing; the map is the score put through `normalisation`.

    Arguments
    ---------
    normalisation : one of `NORMALISATIONS`
    maps_over : extremes of `range_norm` and `std_mean_norm` are those of the ``image``, or of
        the whole ``batch`` as published (an image's class then depends on its neighbours)
    psi_bias : where b starts
    seeds : of the kernels of Theta, Phi and psi

    Called on ``[x, g]`` of shapes (n, H, W, C) and (n, h, w, G); returns the map, float32 of
    shape (n, H, W, 1). The gated features are ``x * map``; `GatePooling` takes both.
    """

    def __init__(
        self,
        normalisation: str = "range_norm",
        *,
        maps_over: str = "image",
        psi_bias: float = 0.0,
        seeds: Sequence[int] = (0, 1, 2),
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.normalisation = normalisation
        self.maps_over = maps_over
        self.psi_bias = psi_bias
        self.seeds = tuple(seeds)

    def build(self, input_shape: Sequence[Sequence[int | None]]) -> None:
        """Make Theta (C, 64), Phi (G, 64), psi (64, 1) and b (1,)."""
        (_, *fine, channels), (_, *coarse, coarse_channels) = input_shape
        theta, phi, psi = (he_normal(seed) for seed in self.seeds)
        self.theta = self.add_weight(shape=(channels, WIDTH), initializer=theta, name="theta")
        self.phi = self.add_weight(shape=(coarse_channels, WIDTH), initializer=phi, name="phi")
        self.psi = self.add_weight(shape=(WIDTH, 1), initializer=psi, name="psi")
        bias = keras.initializers.Constant(self.psi_bias)
        self.bias = self.add_weight(shape=(1,), initializer=bias, name="bias")
        self.fine, self.coarse = tuple(fine), tuple(coarse)

    def call(self, inputs: Sequence[Any]) -> Any:
        return normalised(self.scores(*inputs), self.normalisation, self.maps_over)

    def scores(self, x: Any, g: Any) -> Any:
        """Scores before normalisation, float32 of shape (n, H, W, 1)."""
        coarse = resize_rows(_pointwise(g, self.phi), self.fine[0])
        if np.prod(self.fine) < LARGE:
            found = self._compared(x, coarse)
        else:
            found = ops.map(lambda image: self._compared(*image), (x, coarse))
        return ops.cast(ops.reshape(found + self.bias, (-1, *self.fine, 1)), "float32")

    def _compared(self, x: Any, coarse: Any) -> Any:
        """Psi . relu(...) of all pixels, (pixels, 1), from `x` (..., W, C), `coarse` (..., w, 64).

        Theta x and the resizing by columns are one product, row by row.
        """
        across = resize_matrix(coarse.shape[-2], self.fine[1])
        theta, psi, across = (ops.cast(m, x.dtype) for m in (self.theta, self.psi, across))
        rows = ops.shape(x)[:-2]
        left = [ops.broadcast_to(across, (*rows, *across.shape)), x]
        right = [coarse, ops.broadcast_to(theta, (*rows, *theta.shape))]
        compared = ops.matmul(ops.concatenate(left, -1), ops.concatenate(right, -2))
        return ops.matmul(ops.reshape(ops.relu(compared), (-1, WIDTH)), psi)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the three 1x1 convolutions for one image; resizing counts nothing."""
        fine, coarse = (int(np.prod(side)) for side in (self.fine, self.coarse))
        theta, phi, psi = (
            int(np.prod(kernel.shape)) for kernel in (self.theta, self.phi, self.psi)
        )
        return fine * (theta + psi) + coarse * phi

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "normalisation": self.normalisation,
            "maps_over": self.maps_over,
            "psi_bias": self.psi_bias,
            "seeds": list(self.seeds),
        }


@keras.saving.register_keras_serializable(package="benchmarker")
class GatePooling(keras.layers.Layer):
    """One number per channel from gated features, which are ``x * map``.

    ``sum`` over all pixels (published), ``mean`` over them, or ``weighted``: the sum over
    that of the map, which is the mean of the features where the map says to look.

    Called on ``[x, map]`` of shapes (n, H, W, C) and (n, H, W, 1); returns (n, C). Make it
    float32: a sum over 22 500 pixels leaves the range of half precision.
    """

    def __init__(self, pooling: str = "sum", **options: Any) -> None:
        super().__init__(**options)
        self.pooling = pooling

    def call(self, inputs: Sequence[Any]) -> Any:
        x, attention = inputs
        _, height, width, channels = x.shape
        pixels = height * width
        # a product with the map sums without storing the gated features
        total = ops.matmul(
            ops.reshape(attention, (-1, 1, pixels)), ops.reshape(x, (-1, pixels, channels))
        )[:, 0]
        if self.pooling == "mean":
            return total / pixels
        if self.pooling == "sum":
            return total
        weight = ops.sum(attention, axis=(1, 2))
        least = FLAT * ops.sum(ops.abs(attention), axis=(1, 2))
        return _divided(total, weight, ops.abs(weight) > least)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pooling": self.pooling}


def he_normal(seed: int) -> keras.initializers.Initializer:
    """Normal with variance 2 / fan_in, its tails not cut off (Keras's HeNormal cuts them)."""
    return keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal", seed=seed)


def normalised(scores: Any, normalisation: str, maps_over: str) -> Any:
    """Attention maps from scores, both float32 of shape (n, H, W, 1).

    Scores that are all the same give a map of zeros under `range_norm` and `std_mean_norm`,
    also in the gradients.
    """
    if normalisation == "sigmoid":
        return ops.sigmoid(scores)
    if normalisation == "tanh":
        return ops.tanh(scores)
    if normalisation == "softmax":
        pixels = ops.reshape(scores, (-1, scores.shape[1] * scores.shape[2]))
        return ops.reshape(ops.softmax(pixels, axis=-1), (-1, *scores.shape[1:]))
    axes = (1, 2, 3) if maps_over == "image" else (0, 1, 2, 3)
    low, high = (find(scores, axis=axes, keepdims=True) for find in (ops.min, ops.max))
    uneven = high - low > FLAT * ops.maximum(ops.abs(low), ops.abs(high))
    if normalisation == "range_norm":
        return _divided(scores - low, high - low, uneven)
    usable = ops.logical_and(uneven, ops.not_equal(high, 0.0))
    # divided by the largest raw score, not by the spread: so in the published code
    standardised = (_divided(scores - low, high, usable) - 0.5) / 0.25
    return ops.where(usable, standardised, ops.zeros_like(standardised))


def _divided(numerator: Any, denominator: Any, usable: Any) -> Any:
    """Quotient, zero where not `usable`; no infinity arises in the gradient either."""
    safe = ops.where(usable, denominator, ops.ones_like(denominator))
    return ops.where(usable, numerator / safe, ops.zeros_like(numerator))


def _pointwise(features: Any, kernel: Any) -> Any:
    """A 1x1 convolution with a matrix (channels in, channels out)."""
    kernel = ops.cast(ops.reshape(kernel, (1, 1, *kernel.shape)), features.dtype)
    return ops.conv(features, kernel, padding="valid", data_format="channels_last")


def resize_rows(features: Any, height: int) -> Any:
    """Bilinear resizing of (n, h, w, C) to (n, height, w, C), half-pixel centres, edges clamped.

    A small matrix product: exact, the same in every backend, and deterministic in the
    gradient, which the resizing operations of GPUs are not.
    """
    _, old, width, channels = features.shape
    rows = ops.cast(resize_matrix(old, height), features.dtype)
    flat = ops.reshape(features, (-1, old, width * channels))
    return ops.reshape(ops.matmul(rows, flat), (-1, height, width, channels))


def resize_matrix(length: int, new: int) -> np.ndarray:
    """Matrix (new, length), float64: row i holds what output i takes from each input.

    Centre i of the output sits at (i + 0.5) length / new - 0.5 of the input.
    """
    place = np.clip((np.arange(new) + 0.5) * length / new - 0.5, 0, length - 1)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, length - 1)
    part = place - below
    matrix = np.zeros((new, length))
    np.add.at(matrix, (np.arange(new), below), 1 - part)
    np.add.at(matrix, (np.arange(new), above), part)
    return matrix

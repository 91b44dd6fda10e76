"""Layers that start as PyTorch starts them, for networks whose published code is in PyTorch."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from benchmarker.networks.entries import LayerSeeds

if TYPE_CHECKING:
    import keras

EPSILON, MOMENTUM = 1e-5, 0.9  # batch norm; PyTorch calls 1 - 0.9 the momentum


def uniform(fan_in: int, seed: int) -> keras.initializers.Initializer:
    """Uniform within 1/sqrt(fan_in): PyTorch's default for kernels and for biases."""
    import keras

    bound = fan_in**-0.5
    return keras.initializers.RandomUniform(-bound, bound, seed=seed)


def dense(
    tensor: Any, units: int, name: str, seeds: LayerSeeds, activation: str | None = None
) -> Any:
    """A dense layer applied to (n, values), in float32: scores of sums can grow large."""
    return dense_layer(tensor.shape[-1], units, name, seeds, activation)(tensor)


def dense_layer(
    fan_in: int, units: int, name: str, seeds: LayerSeeds, activation: str | None = None
) -> keras.layers.Dense:
    """The layer alone, for code that applies it more than once."""
    import keras

    return keras.layers.Dense(
        units,
        activation,
        kernel_initializer=uniform(fan_in, seeds.kernel(name)),
        bias_initializer=uniform(fan_in, seeds.kernel(f"{name} bias")),
        name=name,
        dtype="float32",
    )


def convolution(
    tensor: Any, size: tuple[int, int], name: str, seeds: LayerSeeds, start: Any = uniform
) -> Any:
    """A convolution of `size` (filters, kernel side), with bias and zero padding.

    `start` (fan_in, seed) gives the initialiser of its kernel.
    """
    import keras

    filters, kernel = size
    fan_in = prod((tensor.shape[-1], kernel, kernel))
    return keras.layers.Conv2D(
        filters,
        kernel,
        padding="same",
        kernel_initializer=start(fan_in, seeds.kernel(name)),
        bias_initializer=uniform(fan_in, seeds.kernel(f"{name} bias")),
        name=name,
    )(tensor)

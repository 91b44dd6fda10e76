"""The layers that the notation knows, one frozen dataclass each."""

from __future__ import annotations

from dataclasses import dataclass

ACTIVATIONS = ("relu", "leaky", "elu", "gelu", "silu", "tanh", "sigmoid", "softmax", "linear")
INITIALIZERS = {"he": "he_normal", "gl": "glorot_uniform"}
PROBABILITIES = ("softmax", "sigmoid")
LEAKY_SLOPE = 0.3  # below zero, as in the published convXpress_leaky


@dataclass(frozen=True)
class Conv:
    """Two-dimensional convolution with bias."""

    filters: int
    kernel: int
    stride: int = 1
    padding: str = "same"
    activation: str = "linear"
    l2: float = 0.0
    initializer: str = "he"
    seeded: bool = True


@dataclass(frozen=True)
class Pool:
    """Max-pooling over square windows."""

    size: int
    stride: int
    padding: str


@dataclass(frozen=True)
class Activation:
    """An activation as a layer of its own."""

    name: str


@dataclass(frozen=True)
class BatchNorm:
    """Batch normalisation over the last axis, Keras defaults."""


@dataclass(frozen=True)
class Dropout:
    """Dropout; `seeded` tells whether the published code seeded it."""

    rate: float
    seeded: bool = True


@dataclass(frozen=True)
class Flatten:
    """Maps (height, width, channels) to one row of values."""


@dataclass(frozen=True)
class GlobalAverage:
    """Mean of every channel over height and width."""


@dataclass(frozen=True)
class Dense:
    """Fully connected layer with bias; `units` is None for the class layer."""

    units: int | None
    activation: str = "linear"
    l2: float = 0.0
    initializer: str = "gl"
    seeded: bool = True


Layer = Conv | Pool | Activation | BatchNorm | Dropout | Flatten | GlobalAverage | Dense

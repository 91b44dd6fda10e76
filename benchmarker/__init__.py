"""Train, compare and apply the neural networks of radio and transient astronomy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__version__ = "0.1.0"
__all__ = ["build", "load_weights"]


def build(
    name: str,
    input_shape: tuple[int, int, int],
    num_classes: int,
    *,
    seed: int,
    legacy: bool = False,
    **settings: Any,
) -> Any:
    """An untrained, uncompiled Keras model of a registered network.

    Arguments
    ---------
    name : as ``benchmarker list networks`` prints it, e.g. ``convXpress``
    input_shape : (height, width, channels)
    num_classes : at least 2
    seed : run seed; the same seed gives the same initial weights
    legacy : the published output and wiring where the default mends it
    settings : of networks that have some, e.g. ``gates=3`` of ``agcnn``

    Raises `SettingsError` for an unknown name or an input that the network cannot take.

    >>> build("convXpress", (150, 150, 1), 4, seed=8901).count_params()  # doctest: +SKIP
    2519944
    """
    from benchmarker.networks import registry

    return registry.build(name, input_shape, num_classes, seed=seed, legacy=legacy, **settings)


def load_weights(model: Any, path: str | Path) -> None:
    """Put the weights of a ``.safetensors`` file, as a run or an import wrote it, into `model`.

    Raises `InputFileError` listing every tensor that is missing, left over or of another
    shape, and where the file says that its weights belong to another network, to other
    settings or to another definition than `model`.
    """
    from benchmarker.runs import trained

    trained.load_matching(model, path)

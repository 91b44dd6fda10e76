"""Monte Carlo dropout: a network asked many times with its dropout switched on.

Gal & Ghahramani 2016. Batch normalisation stays as trained: its statistics are neither those
of the shown batch nor changed by it, so that nothing but dropout makes passes differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from benchmarker.core.errors import SettingsError
from benchmarker.core.seeds import derive_seed
from benchmarker.runs.scores import batch_of, score_head
from benchmarker.runs.training import set_dropout_seeds


class Dropping(keras.Model):
    """A network with dropout switched on, also when it predicts."""

    def __init__(self, inner: Any) -> None:
        super().__init__(name=f"{inner.name}_dropping")
        self.inner = inner

    def call(self, images: Any) -> Any:
        """Scores (n, classes)."""
        return self.inner(images, training=True)


def dropout_layers(model: Any) -> list[str]:
    """Names of the layers that drop something, at any depth."""
    return [
        layer.name
        for layer in model._flatten_layers()  # noqa: SLF001 (the only walk that enters nested models)
        if getattr(layer, "seed_generator", None) is not None and getattr(layer, "rate", 0) > 0
    ]


def refuse_without_dropout(model: Any, what: str) -> None:
    """Raise `SettingsError` for a network in which nothing is dropped."""
    if not dropout_layers(model):
        message = f"{what} has no dropout: its passes would all be the same; leave the option out"
        raise SettingsError(message)


def dropout_scores(
    model: Any,
    prepared: Any,
    *,
    seed: int,
    passes: int,
    done: Callable[[int], None] = lambda _: None,
) -> np.ndarray:
    """Scores of `passes` passes with dropout, float64 (passes, n, classes).

    The masks are a function of (seed, pass, batch). `done` is called with the number of
    passes made. Weights and statistics of `model` are the same afterwards.
    """
    rows = np.arange(len(prepared))
    masks, together = derive_seed(seed, "dropout passes"), batch_of(model)
    found = []
    with _frozen(score_head(model)) as head:
        dropping = Dropping(head)
        for number in range(passes):
            parts = []
            for batch, first in enumerate(range(0, len(rows), together)):
                set_dropout_seeds(head, masks, number, batch)
                images = prepared.read(rows[first : first + together])
                parts.append(dropping.predict_on_batch(images))
            found.append(np.concatenate(parts).astype(np.float64))
            done(number + 1)
    return np.stack(found)


@contextmanager
def _frozen(head: Any) -> Iterator[Any]:
    """`head` with every layer frozen, for which batch normalisation uses its own statistics."""
    layers = [layer for layer in head._flatten_layers() if layer is not head]  # noqa: SLF001
    before = [layer.trainable for layer in layers]
    head.trainable = False
    try:
        yield head
    finally:
        head.trainable = True
        for layer, was in zip(layers, before, strict=True):
            layer.trainable = was

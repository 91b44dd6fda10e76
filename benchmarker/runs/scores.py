"""Scores: what a network computes before its softmax.

Losses, AUC and maps are made from scores. Probabilities saturate: a difference of scores
above 17 is exactly 1 in float32, its logarithm loses its gradient and its order is gone.
"""

from __future__ import annotations

import weakref
from typing import Any

import keras
import numpy as np
from keras import ops

from benchmarker.runs.folding import folded

INFERENCE_BATCH = 32
BATCH_WIDE = 16  # images at a time where maps are normalised over the batch, as published
SMALLEST_PROBABILITY = 1e-7  # as Keras clips it

_heads: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
_scorers: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


class DenseScores(keras.layers.Layer):
    """What a dense layer computes before its activation, from the same weights."""

    def __init__(self, dense: keras.layers.Dense) -> None:
        super().__init__(name="scores", dtype=dense.dtype_policy)
        self.dense = dense

    def call(self, features: Any) -> Any:
        values = ops.matmul(features, self.dense.kernel)
        return values if self.dense.bias is None else ops.add(values, self.dense.bias)


class LogShares(keras.layers.Layer):
    """Logarithm of the outputs' shares, for networks that do not end in a softmax."""

    def call(self, values: Any) -> Any:
        shares = values / ops.maximum(ops.sum(values, axis=-1, keepdims=True), 1e-30)
        return ops.log(ops.clip(shares, SMALLEST_PROBABILITY, 1.0))


def score_head(model: Any) -> Any:
    """The model from images to float32 scores (n, classes); its softmax are the probabilities.

    It shares all layers with `model`, in the same order. A network whose output is no
    softmax (the sigmoid of ``atlas`` in the legacy protocol) has the logarithms of its
    outputs' shares as scores.
    """
    if model not in _heads:
        inputs = model.inputs[0] if len(model.inputs) == 1 else model.inputs
        _heads[model] = keras.Model(inputs, _scores_tensor(model), name=f"{model.name}_scores")
    return _heads[model]


def scorer(model: Any) -> Any:
    """`score_head` for inference: batch norms are folded into convolutions."""
    if model not in _scorers:
        _scorers[model] = folded(score_head(model))
    return _scorers[model]


def _scores_tensor(model: Any) -> Any:
    last = model.layers[-1]
    if isinstance(last, keras.layers.Softmax) and last.axis in (-1, len(last.input.shape) - 1):
        return last.input
    if getattr(getattr(last, "activation", None), "__name__", "") != "softmax":
        return LogShares(name="scores", dtype="float32")(model.outputs[0])
    if isinstance(last, keras.layers.Dense):
        return DenseScores(last)(last.input)
    return last.input


def batch_of(model: Any) -> int:
    """Images that a model is shown at a time.

    It changes scores only where a network normalises over the batch, and is then the
    batch of the published tests.
    """
    wide = any(getattr(layer, "maps_over", "") == "batch" for layer in model.layers)
    return BATCH_WIDE if wide else INFERENCE_BATCH


def scores(model: Any, prepared: Any, *, batch: int | None = None) -> np.ndarray:
    """Scores of all prepared images in their order, float64 (n, classes)."""
    head, rows = scorer(model), np.arange(len(prepared))
    batch = batch_of(model) if batch is None else batch
    parts = [
        head.predict_on_batch(prepared.read(rows[first : first + batch]))
        for first in range(0, len(rows), batch)
    ]
    return np.concatenate(parts).astype(np.float64)


def softmax(values: np.ndarray) -> np.ndarray:
    """Probabilities of scores over the last axis, float64, each row sums to 1."""
    from scipy.special import softmax as of_scipy

    return of_scipy(np.asarray(values, np.float64), axis=-1)


def double_softmax(target: Any, values: Any) -> Any:
    """Cross-entropy of probabilities that are taken for scores; one number per image.

    The loss of Bowles et al. 2021: -ln(e^p_y / sum_k e^p_k) of the softmax p. It cannot fall
    below ln(1 + (classes - 1) / e), 0.3133 for two classes, and its gradient fades where
    the softmax saturates. Written out, because Keras takes a softmax before a cross-entropy
    for one too many and leaves it out.
    """
    shares = ops.softmax(values, axis=-1)
    return ops.logsumexp(shares, axis=-1) - ops.sum(target * shares, axis=-1)


def double_softmax_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean of `double_softmax` over images, from probabilities (n, classes)."""
    true = probabilities[np.arange(len(labels)), labels]
    return float(np.mean(np.log(np.exp(probabilities).sum(axis=1)) - true))

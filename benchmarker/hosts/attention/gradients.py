"""Gradients of a network's scores: the one place of this host that knows the backends.

Keras 3 has no gradient of its own. TensorFlow and JAX are supported; another backend is
refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from benchmarker.core.errors import SettingsError


def score_gradients(
    tail: Any, images: np.ndarray, features: np.ndarray, chosen: np.ndarray
) -> np.ndarray:
    """Gradient of one score of each image with respect to its features.

    Arguments
    ---------
    tail : model from [images, features] to scores (n, classes)
    images : float32 (n, height, width, channels)
    features : float32 (n, h, w, k)
    chosen : int (n,), the class whose score is looked at

    Returns float32 (n, h, w, k). Raises `SettingsError` under a backend without gradients.
    """
    backend = keras.backend.backend()
    if backend not in _BY_BACKEND:
        message = (
            f"Grad-CAM needs gradients, which the Keras backend {backend!r} does not give here; "
            f"expected KERAS_BACKEND={' or '.join(_BY_BACKEND)}"
        )
        raise SettingsError(message)
    tensors = (ops.convert_to_tensor(array) for array in (images, features, chosen))
    gradients = ops.convert_to_numpy(_BY_BACKEND[backend](tail, *tensors))
    return np.asarray(gradients, np.float32)


def _tensorflow(tail: Any, images: Any, features: Any, chosen: Any) -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(features)
        total = _total(tail([images, features], training=False), chosen)
    return tape.gradient(total, features, unconnected_gradients="zero")


def _jax(tail: Any, images: Any, features: Any, chosen: Any) -> Any:
    import jax

    weights = [[w.value for w in tail.trainable_variables]]
    weights.append([w.value for w in tail.non_trainable_variables])

    def total(values: Any) -> Any:
        scores, _ = tail.stateless_call(*weights, [images, values], training=False)
        return _total(scores, chosen)

    return jax.grad(total)(features)


def _total(scores: Any, chosen: Any) -> Any:
    """Sum over images of the chosen score; images do not meet, so each has its own gradient."""
    picked = ops.one_hot(chosen, scores.shape[-1], dtype=scores.dtype)
    return ops.sum(scores * picked)


_BY_BACKEND: dict[str, Callable[..., Any]] = {"tensorflow": _tensorflow, "jax": _jax}

"""Predictions of a trained network, and how fast it makes them."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarker.runs.scores import INFERENCE_BATCH, scores, softmax

WARM_UP = 2
REPEATS = 5
SPEED_IMAGES = 64


def probabilities(model: Any, prepared: Any) -> np.ndarray:
    """Class probabilities of all prepared images, float64 of shape (n, classes), rows sum to 1.

    A network whose output does not sum to 1 (the sigmoid of ``atlas`` in the legacy
    protocol) is divided by its sum, as the loss does in training.
    """
    return softmax(scores(model, prepared))


def cross_entropy(labels: np.ndarray, values: np.ndarray) -> float:
    """Mean of -ln(probability of the true class) from scores (n, classes), no penalty; nats.

    From scores, as in training: a confident mistake counts in full, where a probability
    would have become 0.
    """
    from scipy.special import log_softmax

    return float(-log_softmax(values, axis=1)[np.arange(len(labels)), labels].mean())


def quick_scores(model: Any, prepared: Any) -> dict[str, float]:
    """Accuracy and cross-entropy without dropout."""
    return accuracy_and_loss(prepared.labels, scores(model, prepared))


def accuracy_and_loss(labels: np.ndarray, values: np.ndarray) -> dict[str, float]:
    """Accuracy and cross-entropy of scores (n, classes)."""
    return {
        "accuracy": float(np.mean(values.argmax(axis=1) == labels)),
        "cross_entropy": cross_entropy(labels, values),
    }


def inference_speed(model: Any, prepared: Any) -> dict[str, Any]:
    """Images per second: model alone at batch 32 and 1, and end to end with reading.

    Model alone: the images lie in memory, two passes are thrown away, then five are timed
    over at most 64 images. End to end: one pass over all prepared images through the
    cache. Seconds are wall clock. Spec of rg-benchmarker 3.6.
    """
    count = min(SPEED_IMAGES, len(prepared))
    images = prepared.read(np.arange(count))
    begun = time.perf_counter()
    probabilities(model, prepared)
    seconds = time.perf_counter() - begun
    return {
        "batch_32": _timed(model, images, INFERENCE_BATCH),
        "batch_1": _timed(model, images, 1),
        "end_to_end": {
            "images": len(prepared),
            "seconds": round(seconds, 4),
            "images_per_second": round(len(prepared) / seconds, 1),
        },
    }


def _timed(model: Any, images: np.ndarray, batch: int) -> dict[str, Any]:
    def one_pass() -> float:
        begun = time.perf_counter()
        for first in range(0, len(images), batch):
            model.predict_on_batch(images[first : first + batch])
        return time.perf_counter() - begun

    for _ in range(WARM_UP):
        one_pass()
    rates = [len(images) / one_pass() for _ in range(REPEATS)]
    return {
        "repeats": REPEATS,
        "images": len(images),
        "median_images_per_second": round(float(np.median(rates)), 1),
        "mean_images_per_second": round(float(np.mean(rates)), 1),
        "sd_images_per_second": round(float(np.std(rates)), 1),
    }

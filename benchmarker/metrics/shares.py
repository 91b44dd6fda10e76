"""Outputs of a network as probabilities."""

from __future__ import annotations

import numpy as np


def rescaled(probabilities: np.ndarray) -> np.ndarray:
    """Rows that sum to 1, float64 (n, classes); a row of zeros becomes uniform."""
    probabilities = np.asarray(probabilities, dtype=np.float64)
    total = probabilities.sum(axis=1, keepdims=True)
    even = np.full_like(probabilities, 1 / probabilities.shape[1])
    return np.divide(probabilities, total, out=even, where=total > 0)

"""Whether probabilities mean what they say.

- *Confidence* is the highest probability of a row. Rows are first rescaled to sum 1 (the
  sigmoid output of a legacy network does not); a row of zeros counts as uniform.
- *Expected calibration error*: images are put into 15 bins of equal width by confidence, a
  confidence on an edge into the upper bin; the mean over images of the distance between a
  bin's accuracy and its mean confidence (Guo et al. 2017, ICML, equation 3).
- *Brier score*: mean over images of the sum **over all classes** of the squared distance
  between probability and truth, from 0 to 2 (Brier 1950, Monthly Weather Review 78, 1). For
  two classes that is twice the value of definitions that look at one class only.
- *Cross-entropy* in nats, probabilities clipped to 1e-7 as Keras does.

`benchmarker.metrics.temperature` makes them mean it better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarker.metrics.roc import log_sum_exp
from benchmarker.metrics.shares import rescaled

CALIBRATION_BINS = 15
SMALLEST_PROBABILITY = 1e-7
SCALARS = ("cross_entropy", "calibration_error", "brier")


def bin_of(confidence: np.ndarray, bins: int = CALIBRATION_BINS) -> np.ndarray:
    """Number of the bin of each confidence in [0, 1], int (n,); 1 is in the last one."""
    return np.minimum((confidence * bins).astype(int), bins - 1)


@dataclass(frozen=True)
class Reliability:
    """What calibration is computed from, for images that are then weighted many times.

    surprise : float (n,), minus the log of the true class's probability
    distance : float (n,), squared distance of the row from the truth, summed over classes
    gap : float (n,), correct (0 or 1) minus the confidence, sorted by confidence bin
    order, starts : that order, and where each bin that is not empty begins in it
    """

    surprise: np.ndarray
    distance: np.ndarray
    gap: np.ndarray
    order: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(
        cls, labels: np.ndarray, probabilities: np.ndarray, bins: int = CALIBRATION_BINS
    ) -> Reliability:
        """From labels (int, n) and probabilities (n, classes), n at least 1."""
        shares = rescaled(probabilities)
        rows = np.arange(len(labels))
        predicted = np.argmax(probabilities, axis=1)
        confidence = shares[rows, predicted]
        numbers = bin_of(confidence, bins)
        order = np.argsort(numbers, kind="stable")
        truth = np.eye(shares.shape[1])[labels]
        return cls(
            surprise=-np.log(np.clip(shares[rows, labels], SMALLEST_PROBABILITY, 1.0)),
            distance=((shares - truth) ** 2).sum(axis=1),
            gap=((predicted == labels) - confidence)[order],
            order=order,
            starts=np.unique(numbers[order], return_index=True)[1],
        )

    def statistics(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Each of `SCALARS` for weights (resamples, n) of the images: float (resamples,)."""
        count = weights.sum(axis=1)
        gaps = np.add.reduceat(weights[:, self.order] * self.gap, self.starts, axis=1)
        return {
            "cross_entropy": (weights * self.surprise).sum(axis=1) / count,
            "calibration_error": np.abs(gaps).sum(axis=1) / count,
            "brier": (weights * self.distance).sum(axis=1) / count,
        }


def calibration(
    labels: np.ndarray, probabilities: np.ndarray, bins: int = CALIBRATION_BINS
) -> dict[str, Any]:
    """Calibration error, Brier score and the bins of the reliability diagram, for JSON.

    Arguments
    ---------
    labels : int (n,), the truth
    probabilities : float (n, classes), not negative
    bins : number of bins of equal width

    Returns ``expected_calibration_error``, ``brier``, ``n`` and ``bins``, a list of
    ``{"low", "high", "n", "confidence", "accuracy"}`` in ascending order; confidence and
    accuracy of an empty bin are None, as is everything where there is no image.
    """
    labels = np.asarray(labels, dtype=np.int64)
    probabilities = np.asarray(probabilities, dtype=np.float64)
    confidence = rescaled(probabilities).max(axis=1)
    numbers = bin_of(confidence, bins)
    found: dict[str, Any] = {"expected_calibration_error": None, "brier": None}
    if len(labels):
        values = Reliability.of(labels, probabilities, bins).statistics(np.ones((1, len(labels))))
        found["expected_calibration_error"] = float(values["calibration_error"][0])
        found["brier"] = float(values["brier"][0])
    right = probabilities.argmax(axis=1) == labels
    rows = (np.flatnonzero(numbers == number) for number in range(bins))
    return {
        **found,
        "n": len(labels),
        "bins": [
            {
                "low": number / bins,
                "high": (number + 1) / bins,
                "n": len(inside),
                "confidence": float(confidence[inside].mean()) if len(inside) else None,
                "accuracy": float(right[inside].mean()) if len(inside) else None,
            }
            for number, inside in enumerate(rows)
        ],
    }


def tempered(scores: np.ndarray, temperature: float) -> np.ndarray:
    """Softmax of scores divided by the temperature: float64 of the shape of `scores`."""
    cooled = np.asarray(scores, dtype=np.float64) / temperature
    return np.exp(cooled - log_sum_exp(cooled, axis=-1)[..., np.newaxis])

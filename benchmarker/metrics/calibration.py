"""Whether probabilities mean what they say, and the temperature that makes them milder.

- *Confidence* is the highest probability of a row. Rows are first rescaled to sum 1 (the
  sigmoid output of a legacy network does not); a row of zeros counts as uniform.
- *Expected calibration error*: images are put into 15 bins of equal width by confidence, a
  confidence on an edge into the upper bin; the mean over images of the distance between a
  bin's accuracy and its mean confidence (Guo et al. 2017, ICML, equation 3).
- *Brier score*: mean over images of the sum **over all classes** of the squared distance
  between probability and truth, from 0 to 2 (Brier 1950, Monthly Weather Review 78, 1). For
  two classes that is twice the value of definitions that look at one class only.
- *Cross-entropy* in nats, probabilities clipped to 1e-7 as Keras does.
- *Temperature*: scores before the softmax are divided by one number, chosen on the
  validation images so that their cross-entropy is lowest (Guo et al. 2017, section 4.2).
  It moves the confidence of every image and the predicted class of none.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarker.metrics.intervals import NORMAL_QUANTILE, bootstrap_weights, with_interval
from benchmarker.metrics.roc import log_sum_exp

CALIBRATION_BINS = 15
SMALLEST_PROBABILITY = 1e-7
TEMPERATURES = (0.01, 100.0)  # the range that is searched
SCALARS = ("cross_entropy", "calibration_error", "brier")


def rescaled(probabilities: np.ndarray) -> np.ndarray:
    """Rows that sum to 1, float64 (n, classes); a row of zeros becomes uniform."""
    probabilities = np.asarray(probabilities, dtype=np.float64)
    total = probabilities.sum(axis=1, keepdims=True)
    even = np.full_like(probabilities, 1 / probabilities.shape[1])
    return np.divide(probabilities, total, out=even, where=total > 0)


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


@dataclass(frozen=True)
class Temperature:
    """A temperature and how well it is known.

    value : None where no temperature in `TEMPERATURES` has the lowest cross-entropy
    low, high : 95 % interval, from the spread of the gradients over images (sandwich
        estimate for the logarithm of the temperature)
    n : number of images it was fitted on
    bound : the end of the searched range towards which the cross-entropy falls, if it does
    reason : why it is undefined, in words
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    bound: float | None = None
    reason: str | None = None


def fit_temperature(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """The temperature of lowest cross-entropy; None where undefined, see `temperature`."""
    return temperature(labels, scores).value


def temperature(labels: np.ndarray, scores: np.ndarray) -> Temperature:
    """Fit the temperature on (validation) images; the same numbers give the same result.

    Arguments
    ---------
    labels : int (n,), the truth
    scores : float (n, classes), before the softmax, finite

    The cross-entropy is convex in 1 / T, so it has one minimum. There is none within the
    range where there is no image, where all scores are equal, where every image is right
    (it then falls as T goes to 0), and where the scores say less than nothing (it falls as
    T grows).
    """
    from scipy.optimize import minimize_scalar

    labels, scores = np.asarray(labels, dtype=np.int64), np.asarray(scores, dtype=np.float64)
    number = len(labels)
    blank = {"value": None, "low": None, "high": None, "n": number}
    if not number:
        return Temperature(**blank, reason="there is no validation image")
    if (scores == scores[:, :1]).all():
        return Temperature(**blank, reason="all scores of each validation image are equal")
    bound = _open_end(labels, scores)
    if bound is not None:
        return Temperature(**blank, bound=bound, reason=_why_open(labels, scores, bound))
    found = minimize_scalar(
        lambda log: _cross_entropy(labels, scores, np.exp(log)),
        bounds=np.log(TEMPERATURES),
        method="bounded",
        options={"xatol": 1e-9},
    )
    value = float(np.exp(found.x))
    return Temperature(value, *_interval(labels, scores, value), n=number)


def calibrated(
    fitted: Temperature,
    labels: np.ndarray,
    scores: np.ndarray,
    *,
    seed: int = 0,
    resamples: int = 1000,
) -> dict[str, Any]:
    """A temperature with what it does to other (test) images, ready for JSON.

    Arguments
    ---------
    fitted : from the validation images
    labels : int (n,) of the test images
    scores : float (n, classes) of them, before the softmax
    seed : of the bootstrap over them; the temperature stays as it is
    resamples : number of bootstrap resamples

    Returns the parts of `Temperature`, ``fitted_on``, and each of `SCALARS` as
    ``{"value", "low", "high"}`` after tempering, null where the temperature is undefined.
    """
    labels = np.asarray(labels, dtype=np.int64)
    entries = {name: {"value": None, "low": None, "high": None} for name in SCALARS}
    if fitted.value is not None:
        sample = Reliability.of(labels, tempered(scores, fitted.value))
        values = sample.statistics(np.ones((1, len(labels))))
        draws = [
            sample.statistics(weights)
            for weights in bootstrap_weights(labels, seed=seed, resamples=resamples)
        ]
        for name in SCALARS:
            entries[name] = with_interval(values[name], [draw[name] for draw in draws])[0]
    return {**asdict(fitted), "fitted_on": "validation", **entries}


def _cross_entropy(labels: np.ndarray, scores: np.ndarray, value: float) -> float:
    cooled = scores / value
    return float((log_sum_exp(cooled, axis=1) - cooled[np.arange(len(labels)), labels]).mean())


def _slopes(labels: np.ndarray, scores: np.ndarray, value: float) -> tuple[np.ndarray, np.ndarray]:
    """First and second derivative of each image's cross-entropy by 1 / T, both float (n,)."""
    # from the true score, so that large scores do not hide small differences
    above = scores - scores[np.arange(len(labels)), labels][:, np.newaxis]
    shares = tempered(above, value)
    first = (shares * above).sum(axis=1)
    return first, (shares * above**2).sum(axis=1) - first**2


def _open_end(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """The end of the range beyond which the minimum lies, None if it lies within."""
    coldest, hottest = TEMPERATURES
    if _slopes(labels, scores, coldest)[0].sum() <= 0:
        return coldest
    return hottest if _slopes(labels, scores, hottest)[0].sum() >= 0 else None


def _why_open(labels: np.ndarray, scores: np.ndarray, bound: float) -> str:
    if bound == TEMPERATURES[1]:
        return f"the cross-entropy of the validation images still falls at T = {bound:g}"
    right = scores.argmax(axis=1) == labels
    cause = f"all {len(labels)} validation images are right: " if right.all() else ""
    return f"{cause}the cross-entropy falls as T goes to 0, still at T = {bound:g}"


def _interval(
    labels: np.ndarray, scores: np.ndarray, value: float
) -> tuple[float | None, float | None]:
    first, second = _slopes(labels, scores, value)
    curvature = second.sum()
    if not curvature > 0:
        return None, None
    # of 1 / T, then relative to it: the same as that of the logarithm of T
    error = np.sqrt((first**2).sum()) / curvature * value
    return tuple(float(value * np.exp(side * NORMAL_QUANTILE * error)) for side in (-1, 1))

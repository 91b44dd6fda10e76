"""One number that makes the probabilities of a network milder, or sharper.

Scores before the softmax are divided by a *temperature*, chosen on the validation images so
that their cross-entropy is lowest (Guo et al. 2017, ICML, section 4.2). It moves the
confidence of every image and the predicted class of none.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarker.metrics.calibration import SCALARS, Reliability, tempered
from benchmarker.metrics.intervals import NORMAL_QUANTILE, bootstrap_weights, with_interval
from benchmarker.metrics.roc import log_sum_exp

TEMPERATURES = (0.01, 100.0)  # the range that is searched


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

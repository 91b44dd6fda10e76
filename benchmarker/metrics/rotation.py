"""How steady a classifier is while the image turns through a full circle.

The sky has no preferred orientation, so the class of a source must not depend on the angle
at which it is shown. Predictions at equal steps through 360 degrees tell how far a network
is from that (as Scaife & Porter 2021, MNRAS 503, 2369, ask of group-equivariant networks).
Truth plays no part: a network may be steadily wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarker.core.errors import RunFailedError
from benchmarker.metrics.intervals import LEVEL, bootstrap_weights, with_interval
from benchmarker.metrics.roc import log_sum_exp

MEASURES = ("agreement", "entropy", "mean_entropy", "spread")


@dataclass(frozen=True)
class Rotation:
    """Predictions of n sources at several angles, in numbers; every array has shape (n,).

    angles : number of orientations each source was shown in
    agreement : share of the angles at which the most frequent class is predicted, 1 if steady
    entropy : of the shares of the predicted classes over the angles, nats, 0 if steady
    mean_entropy : of the mean probability over the angles, nats; it also counts an unsure
        network that is steady
    spread : standard deviation over the angles of the probability of the most frequent class
    changes : int64, how often the predicted class changes from one angle to the next on the
        way round, the last angle followed by the first
    summary : means over the sources with intervals, ready for JSON
    """

    angles: int
    agreement: np.ndarray
    entropy: np.ndarray
    mean_entropy: np.ndarray
    spread: np.ndarray
    changes: np.ndarray
    summary: dict[str, Any]


def rotation_robustness(scores: np.ndarray, *, seed: int = 0, resamples: int = 1000) -> Rotation:
    """Agreement, entropy and spread per source, and their means with intervals over sources.

    Arguments
    ---------
    scores : float array of shape (angles, n, classes), before the softmax, angles in order
    seed : of the bootstrap over sources (95 %, percentiles)
    resamples : number of bootstrap resamples; 0 leaves the intervals null

    Raises `RunFailedError` where the shape is another one, there is no angle or no source,
    or a score is not finite.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 3 or not scores.size or not np.isfinite(scores).all():
        message = f"scores of shape {scores.shape}, expected finite (angles, n, classes)"
        raise RunFailedError(message)
    predicted = scores.argmax(axis=-1)
    shares = (predicted[..., np.newaxis] == np.arange(scores.shape[-1])).mean(axis=0)
    probabilities = np.exp(scores - log_sum_exp(scores, axis=-1)[..., np.newaxis])
    most = shares.argmax(axis=1)
    found = {
        "agreement": shares.max(axis=1),
        "entropy": entropy(shares),
        "mean_entropy": entropy(probabilities.mean(axis=0)),
        "spread": probabilities[:, np.arange(len(most)), most].std(axis=0),
    }
    return Rotation(
        angles=len(scores),
        changes=(predicted != np.roll(predicted, 1, axis=0)).sum(axis=0),
        summary=_summary(found, len(scores), seed=seed, resamples=resamples),
        **found,
    )


def entropy(shares: np.ndarray) -> np.ndarray:
    """Entropy of shares that sum to 1 along the last axis, nats; a share of 0 adds nothing."""
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return -(shares * logs).sum(axis=-1) + 0.0  # never minus zero


def _summary(
    found: dict[str, np.ndarray], angles: int, *, seed: int, resamples: int
) -> dict[str, Any]:
    number = len(found["agreement"])
    one_stratum = np.zeros(number, dtype=np.int64)
    weights = list(bootstrap_weights(one_stratum, seed=seed, resamples=resamples))
    means = {
        name: with_interval(
            np.array([found[name].mean()]), [draw @ found[name] / number for draw in weights]
        )[0]
        for name in MEASURES
    }
    steady = found["agreement"] == 1.0
    return {
        "angles": angles,
        "n": number,
        **means,
        "steady_share": with_interval(
            np.array([steady.mean()]), [draw @ steady / number for draw in weights]
        )[0],
        "interval": {
            "kind": "bootstrap percentiles over sources",
            "level": LEVEL,
            "seed": int(seed),
            "resamples": resamples,
        },
    }

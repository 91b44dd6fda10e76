"""How well a classifier did when every test source was shown many times, varied at random.

Bowles et al. 2021 (MNRAS 501, 4579) test on 360 randomly turned, shifted and scaled copies
of each source and count all predictions together. Those pooled numbers are here as they
define them. But the passes of one source are no independent trials: what the test set can
tell is limited by its number of sources, so every interval is over sources.

- *pooled*: confusion matrix, accuracy, recall, precision, F1 and AUC over all predictions;
- *averaged*: the mean probability over the passes taken as one prediction per source;
- *over passes*: how far single passes lie apart, as a standard deviation; it says how much
  the random variation moves the numbers, and nothing about another sample of sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarker.core.errors import Problems, RunFailedError
from benchmarker.metrics.classification import (
    METRICS_VERSION,
    count_statistics,
    evaluate,
    mean_of_defined,
)
from benchmarker.metrics.intervals import (
    CHUNK_ELEMENTS,
    LEVEL,
    bootstrap_weights,
    wilson,
    with_interval,
)
from benchmarker.metrics.roc import RankedScores, log_odds, log_sum_exp
from benchmarker.metrics.seeds import average

ALWAYS_WRONG = 0.95  # Bowles et al. 2021: sources wrong in at least 95 % of the variations
SCALARS = ("accuracy", "mpca", "macro_f1", "auc")
PER_CLASS = ("precision", "recall", "f1", "auc")
OVER_PASSES = ("accuracy", "macro_f1", "auc")


def evaluate_passes(
    labels: np.ndarray,
    scores: np.ndarray,
    classes: Sequence[str],
    *,
    seed: int = 0,
    resamples: int = 1000,
) -> dict[str, Any]:
    """Every number of predictions over several passes, ready for JSON (null, never NaN).

    Arguments
    ---------
    labels : int array of shape (n,), the truth as indices into `classes`
    scores : float array of shape (passes, n, len(classes)), before the softmax; the same
        sources in the same order in every pass
    classes : class names in label order
    seed : of the bootstrap over sources (95 %, percentiles, stratified by class)
    resamples : number of bootstrap resamples; 0 leaves the intervals null

    Returns a dictionary: ``n`` (sources), ``passes``, ``classes``; ``pooled`` with the
    confusion matrix over passes times n predictions, ``accuracy``, ``mpca``, ``macro_f1``,
    ``auc`` and ``per_class``, each ``{"value", "low", "high"}`` with bounds from resampling
    sources, all passes of a source together; ``accuracy_wilson`` of the pooled accuracy with
    n trials; ``averaged`` as `evaluate` gives it for the mean probabilities;
    ``over_passes`` with ``{"mean", "sd"}`` of single passes (sd null for one pass);
    ``wrong_rate``, per source in the order given the share of passes that are wrong;
    ``always_wrong``, how many are wrong in at least `ALWAYS_WRONG` of them.

    Raises `RunFailedError` where shapes do not agree, there is no pass, or a score is not
    finite.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, dtype=np.float64)
    _refuse_unusable(labels, scores, classes)
    sources = per_source(labels, scores)
    averaged = evaluate(
        labels,
        sources.probabilities,
        classes,
        seed=seed,
        resamples=resamples,
        scores=sources.log_probabilities,
    )
    pooled = _Pooled.of(labels, scores)
    draws = [
        pooled.statistics(weights)
        for weights in _blocks(labels, len(scores), seed=seed, resamples=resamples)
    ]
    wrong_rate = sources.wrong / len(scores)
    low, high = wilson(float((1 - wrong_rate).sum()), len(labels))
    return {
        "version": METRICS_VERSION,
        "n": len(labels),
        "passes": len(scores),
        "classes": list(classes),
        "pooled": _pooled_report(pooled, classes, draws),
        "accuracy_wilson": {"low": low, "high": high},
        "averaged": averaged,
        "over_passes": _over_passes(labels, scores),
        "wrong_rate": wrong_rate.tolist(),
        "always_wrong": {"at_least": ALWAYS_WRONG, "sources": len(always_wrong(wrong_rate))},
        "interval": {
            "kind": "stratified bootstrap percentiles over sources",
            "level": LEVEL,
            "seed": int(seed),
            "resamples": resamples,
        },
        "auc_from": "scores",
    }


@dataclass(frozen=True)
class SourceMeans:
    """What the passes say of each source; n sources, ``len(classes)`` columns.

    wrong : int64 (n,), number of passes whose highest score is not that of the true class
    probabilities : float64 (n, classes), mean over passes of the softmax
    log_probabilities : their logarithms, from the scores; finite where the mean is 0 or 1
    scores : float64 (n, classes), mean over passes
    """

    wrong: np.ndarray
    probabilities: np.ndarray
    log_probabilities: np.ndarray
    scores: np.ndarray


def per_source(labels: np.ndarray, scores: np.ndarray) -> SourceMeans:
    """The passes of each source taken together; `scores` of shape (passes, n, classes)."""
    scores = np.asarray(scores, dtype=np.float64)
    log_shares = scores - log_sum_exp(scores, axis=-1)[..., np.newaxis]
    logs = log_sum_exp(log_shares, axis=0) - np.log(len(scores))
    probabilities = np.exp(logs)
    return SourceMeans(
        wrong=(scores.argmax(axis=-1) != labels).sum(axis=0),
        # means of shares that sum to 1, up to rounding
        probabilities=probabilities / probabilities.sum(axis=1, keepdims=True),
        log_probabilities=logs,
        scores=scores.mean(axis=0),
    )


def always_wrong(wrong_rate: np.ndarray, threshold: float = ALWAYS_WRONG) -> np.ndarray:
    """Indices of the sources wrong in at least this share of the passes, int64 (m,)."""
    return np.flatnonzero(np.asarray(wrong_rate) >= threshold)


def _refuse_unusable(labels: np.ndarray, scores: np.ndarray, classes: Sequence[str]) -> None:
    problems = Problems("predictions over passes", RunFailedError)
    if labels.ndim != 1 or scores.ndim != 3 or scores.shape[1:] != (len(labels), len(classes)):
        shapes = f"labels of shape {labels.shape} and scores {scores.shape}"
        problems.add(f"{shapes}, expected (n,) and (passes, n, {len(classes)})")
    elif not len(scores):
        problems.add("no pass to evaluate, expected at least one")
    else:
        bad = np.argwhere(~np.isfinite(scores).all(axis=-1))
        if bad.size:
            place = f"pass {bad[0][0]}, row {bad[0][1]}"
            text = f"scores {scores[tuple(bad[0])].tolist()} in {place}"
            problems.add(f"{text}, expected finite numbers ({len(bad)} rows like it)")
    problems.raise_if_any()


@dataclass(frozen=True)
class _Pooled:
    """All predictions together, kept so that weights of the sources are enough.

    counts : float64 (n, classes, classes), confusion matrix of each source's passes
    present : bool (classes,)
    ranked : one ranking of all predictions per class, pointing at their sources; two
        classes share one, since the log-odds of one are minus those of the other
    """

    counts: np.ndarray
    present: np.ndarray
    ranked: tuple[RankedScores, ...]

    @classmethod
    def of(cls, labels: np.ndarray, scores: np.ndarray) -> _Pooled:
        passes, number, num_classes = scores.shape
        counts = np.zeros((number, num_classes, num_classes))
        sources = np.tile(np.arange(number), passes)
        np.add.at(counts, (sources, np.tile(labels, passes), scores.argmax(axis=-1).ravel()), 1.0)
        odds = log_odds(scores)
        ranked = []
        for index in range(1 if num_classes == 2 else num_classes):
            positive = np.tile(labels == index, passes)
            ranking = RankedScores.of(positive, odds[..., index].ravel())
            ranked.append(replace(ranking, order=ranking.order % number))
        present = np.bincount(labels, minlength=num_classes) > 0
        return cls(counts=counts, present=present, ranked=tuple(ranked))

    def statistics(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """All metrics for weights of the sources, float64 (resamples, n)."""
        number, num_classes = self.counts.shape[:2]
        counts = weights @ self.counts.reshape(number, -1)
        areas = [ranking.area(weights) for ranking in self.ranked]
        auc = np.stack(areas * (num_classes if len(areas) == 1 else 1), axis=1)
        found = count_statistics(counts.reshape(-1, num_classes, num_classes), self.present)
        return {**found, "auc": mean_of_defined(auc), "class_auc": auc}


def _blocks(labels: np.ndarray, passes: int, *, seed: int, resamples: int) -> Iterator[np.ndarray]:
    """Bootstrap weights of the sources, few enough at a time for all their predictions."""
    rows = max(1, CHUNK_ELEMENTS // (passes * len(labels)))
    for weights in bootstrap_weights(labels, seed=seed, resamples=resamples):
        for first in range(0, len(weights), rows):
            yield weights[first : first + rows]


def _pooled_report(
    pooled: _Pooled, classes: Sequence[str], draws: list[dict[str, np.ndarray]]
) -> dict[str, Any]:
    values = pooled.statistics(np.ones((1, len(pooled.counts))))

    def entries(name: str) -> list[dict[str, float | None]]:
        return with_interval(values[name], [draw[name] for draw in draws])

    by_class = {name: entries(f"class_{name}") for name in PER_CLASS}
    counts = pooled.counts.sum(axis=0).astype(np.int64)
    return {
        "confusion_matrix": counts.tolist(),
        **{name: entries(name)[0] for name in SCALARS},
        "per_class": {
            name: {
                **{metric: by_class[metric][index] for metric in PER_CLASS},
                "support": int(counts[index].sum()),
            }
            for index, name in enumerate(classes)
        },
    }


def _over_passes(labels: np.ndarray, scores: np.ndarray) -> dict[str, dict[str, float | None]]:
    weights = np.ones((1, len(labels)))
    single = [_Pooled.of(labels, one[np.newaxis]).statistics(weights) for one in scores]
    found = {name: average(float(entry[name][0]) for entry in single) for name in OVER_PASSES}
    return {name: {"mean": entry.mean, "sd": entry.sd} for name, entry in found.items()}

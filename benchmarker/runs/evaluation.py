"""All that is measured on test images: plain, in augmented passes, and while they turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarker.core.seeds import derive_seed
from benchmarker.data.recipes import Recipe
from benchmarker.metrics.augmented import evaluate_passes, per_source
from benchmarker.metrics.classification import evaluate
from benchmarker.metrics.groups import certainty_of, evaluate_groups
from benchmarker.metrics.rotation import Rotation, rotation_robustness
from benchmarker.runs.passes import pass_scores, turn_scores
from benchmarker.runs.scores import scores as plain_scores
from benchmarker.runs.scores import softmax


@dataclass(frozen=True)
class Asked:
    """What is measured.

    Arguments
    ---------
    classes : names in label order
    seed : of draws and of the bootstrap
    passes : augmented passes; 0 makes none
    recipe : their random draws
    turn : whether the images are turned through a full circle
    """

    classes: tuple[str, ...]
    seed: int
    passes: int = 0
    recipe: Recipe | None = None
    turn: bool = True


@dataclass(frozen=True)
class Measured:
    """What one model said of n test sources.

    Arguments
    ---------
    sources, labels : n names, int64 (n,)
    scores : float64 (n, classes)
    metrics : ready for JSON
    passes : float64 (passes, n, classes) or None
    turned_rows, turns : int64 (k,) and float64 (angles, k, classes), or None
    rotation : steadiness of the k sources, or None
    """

    sources: tuple[str, ...]
    labels: np.ndarray
    scores: np.ndarray
    metrics: dict[str, Any]
    passes: np.ndarray | None = None
    turned_rows: np.ndarray | None = None
    turns: np.ndarray | None = None
    rotation: Rotation | None = field(default=None)


def measure(
    model: Any, prepared: Any, asked: Asked, *, scores: np.ndarray | None = None
) -> Measured:
    """Show the prepared test images to `model`; `scores` where the plain pass was made already."""
    labels, sources = np.asarray(prepared.labels), tuple(prepared.sources)
    scores = plain_scores(model, prepared) if scores is None else scores
    metrics = evaluate(labels, softmax(scores), asked.classes, seed=asked.seed, scores=scores)
    groups = groups_of(sources)
    if groups is not None:
        metrics["groups"] = evaluate_groups(
            labels, softmax(scores), asked.classes, groups, seed=asked.seed, scores=scores
        )
    found: dict[str, Any] = {}
    if asked.passes:
        seed = derive_seed(asked.seed, "evaluation")
        drawn = pass_scores(model, prepared, asked.recipe, seed=seed, passes=asked.passes)
        found["passes"] = drawn
        said = evaluate_passes(labels, drawn, asked.classes, seed=asked.seed)
        metrics["augmented"] = {**said, "recipe": asked.recipe.name}
    if asked.turn:
        rows, turns = turn_scores(model, prepared)
        rotation = rotation_robustness(turns, seed=asked.seed)
        found |= {"turned_rows": rows, "turns": turns, "rotation": rotation}
        metrics["rotation"] = {**rotation.summary, "angles": rotation.angles, "sources": len(rows)}
    return Measured(sources, labels, scores, metrics, **found)


def groups_of(sources: Sequence[str]) -> list[str | None] | None:
    """Certainty of each source where the names tell it and there are both kinds, else None."""
    groups = [certainty_of(source) for source in sources]
    return groups if len({group for group in groups if group}) > 1 else None


def augmented_rows(measured: Measured, model: str, classes: Sequence[str]) -> list[list[Any]]:
    """Rows of augmented.csv: passes, wrong ones, mean probabilities and scores per source."""
    if measured.passes is None:
        return []
    passes = len(measured.passes)
    wrong = (measured.passes.argmax(axis=2) != measured.labels).sum(axis=0)
    means = per_source(measured.labels, measured.passes).probabilities
    values = np.hstack([means, measured.passes.mean(axis=0)])
    return [
        [model, source, classes[label], passes, int(missed), *(repr(float(v)) for v in row)]
        for source, label, missed, row in zip(
            measured.sources, measured.labels, wrong, values, strict=True
        )
    ]


def rotation_rows(measured: Measured, model: str, classes: Sequence[str]) -> list[list[Any]]:
    """Rows of rotation.csv: agreement and entropy of each source that was turned."""
    rotation, rows = measured.rotation, measured.turned_rows
    if rotation is None or rows is None:
        return []
    return [
        [model, measured.sources[row], classes[measured.labels[row]],
         repr(float(agreement)), repr(float(entropy)), rotation.angles]
        for row, agreement, entropy in zip(rows, rotation.agreement, rotation.entropy, strict=True)
    ]  # fmt: skip

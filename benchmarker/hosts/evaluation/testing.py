"""One trained network tested on one set: plain, in augmented passes, with dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarker.core.errors import BenchmarkerError, SettingsError
from benchmarker.core.seeds import PAPER_SEEDS, derive_seed
from benchmarker.data.images import ImageSet
from benchmarker.data.recipes import Recipe, load_recipe, recipe_of_passes
from benchmarker.data.sharing import common_classes, shared_sources
from benchmarker.hosts.evaluation.preparing import Fitting, name_of, prepare_set
from benchmarker.hosts.evaluation.tested import Chosen, Tested, TrainingSet, Wanted
from benchmarker.hosts.evaluation.training_sets import own_names, set_names
from benchmarker.metrics.augmented import evaluate_passes
from benchmarker.runs.evaluation import Asked, groups_of, measure
from benchmarker.runs.passes import drawn_passes
from benchmarker.runs.scores import scores as plain_scores
from benchmarker.runs.trained import Trained

AGREE = 1e-3  # of the largest score: more between two machines is no rounding


def choose_own(trained: Trained, own: TrainingSet, part: str) -> Chosen:
    """The sources of the run's own split."""
    names = own_names(trained, own, part)
    saw = part != "test"
    notes = [f"the {part} sources are among those that made the network"] if saw else []
    notes += trained.record.run["status"].get("marks", [])
    return Chosen(own.images, names, own=True, notes=tuple(notes))


def choose_from(trained: Trained, own: TrainingSet, images: ImageSet, part: str) -> Chosen:
    """The sources of another set, without those that trained or validated the network.

    Raises `SettingsError` where fewer than two classes agree or no source is left.
    """
    common = common_classes(trained.classes, images.classes)
    mapped = common.apply(images)
    names, note = set_names(mapped, part)
    notes = [note] if note else []
    if common.left_out or common.untested:
        notes.append(common.text())
    if own.images is None:
        reason = f"nothing could be left out: {own.reason}"
        return Chosen(mapped, names, own=False, unchecked=reason, notes=tuple(notes))
    shared = shared_sources(mapped, names, own.images, own.seen)
    inherited, unchecked = _inherited(trained, mapped, shared.kept)
    kept = tuple(name for name in shared.kept if name not in inherited)
    if not kept:
        message = (
            f"all {len(names)} {part} sources of {images.name} trained {trained.where}: "
            "expected a set with others"
        )
        raise SettingsError(message)
    return Chosen(
        mapped, kept, own=False, shared=shared, inherited=tuple(sorted(inherited)),
        unchecked=unchecked, notes=tuple(notes),
    )  # fmt: skip


def _inherited(trained: Trained, images: ImageSet, names: Sequence[str]) -> tuple[set[str], str]:
    """Sources that trained the weights from which the run started; and why nobody can tell."""
    start = None if trained.record is None else trained.record.run.get("place", {}).get("init")
    if start is None or not names:
        return set(), ""
    from benchmarker.runs.lineage import ancestors, training_images

    found: set[str] = set()
    for record in ancestors(start):
        known = None if record is None else training_images(record)
        if known is None:
            return found, "what trained the weights that it started from cannot be opened"
        found |= set(shared_sources(images, names, *known).names)
    return found, ""


def evaluate_on(
    trained: Trained, own: TrainingSet, images: ImageSet | None, wanted: Wanted
) -> Tested:
    """Test a network on `images`, or on its own split where None or where they are its own."""
    if images is None or (trained.record is not None and images.digest == own.digest):
        chosen = choose_own(trained, own, wanted.part)
    else:
        chosen = choose_from(trained, own, images, wanted.part)
    return _measured(trained, own, chosen, wanted)


def _measured(trained: Trained, own: TrainingSet, chosen: Chosen, wanted: Wanted) -> Tested:
    prepared, used = _prepared(trained, chosen, wanted)
    seed = PAPER_SEEDS[0] if trained.record is None else trained.record.seed
    if wanted.dropout_passes:
        from benchmarker.hosts.evaluation.dropout import refuse_without_dropout

        refuse_without_dropout(trained.model, f"{trained.network} of {trained.where}")
    scores = plain_scores(trained.model, prepared)
    asked = Asked(trained.classes, seed, turn=False)
    found = measure(trained.model, prepared, asked, scores=scores).metrics
    notes = [*chosen.notes, *used, *_against_record(trained, chosen, wanted.part, scores)]
    metrics: dict[str, Any] = {"plain": found, "seed": seed}
    metrics["groups"] = found.pop("groups", None)
    passes = dropout = None
    if wanted.passes:
        recipe, note = _recipe(trained, wanted)
        notes += note
        passes = _passes(trained, prepared, recipe, seed, wanted)
        metrics |= _of_passes(prepared, passes, trained.classes, seed, recipe.name)
    if wanted.dropout_passes:
        dropout = _dropout(trained, prepared, seed, wanted)
        said = evaluate_passes(prepared.labels, dropout, trained.classes, seed=seed)
        metrics["dropout"] = said
    return Tested(
        trained, own, chosen, wanted.part, prepared, scores, metrics, passes, dropout, tuple(notes)
    )


def _prepared(trained: Trained, chosen: Chosen, wanted: Wanted) -> tuple[Any, list[str]]:
    """The images in memory, and a note where they were prepared otherwise than in training."""
    fitting = Fitting.of(trained, crop=wanted.crop)
    row = chosen.images.sources.index(chosen.names[0])
    used = fitting.for_image(chosen.images.pixels.read(row), chosen.names[0])
    prepared = prepare_set(chosen.images, chosen.names, fitting)
    if used.clip == trained.preparation.clip:
        return prepared, []
    return prepared, [f"cut-outs in physical units, prepared as {name_of(used)}"]


def _recipe(trained: Trained, wanted: Wanted) -> tuple[Recipe, list[str]]:
    """The recipe asked for, else the run's own if it draws at random, else the published one."""
    if wanted.recipe is not None:
        recipe = load_recipe(wanted.recipe)
        if not recipe.is_random:
            message = f"recipe {recipe.name} draws nothing at random: its passes are all the same"
            raise SettingsError(message)
        return recipe, []
    stated = {} if trained.record is None else trained.record.identity["recipe"]
    try:
        own = load_recipe(stated.get("name", "none"))
    except BenchmarkerError:
        own = load_recipe("none")  # rotations:STEP, or a file that is gone
    if stated and own.is_random and own.digest != stated["digest"]:
        fallback = recipe_of_passes(load_recipe("none"))
        changed = f"recipe {own.name} is no longer that of the run; drawn by {fallback.name}"
        return fallback, [changed]
    return recipe_of_passes(own), []


def _passes(
    trained: Trained, prepared: Any, recipe: Recipe, seed: int, wanted: Wanted
) -> np.ndarray:
    # the same seed and words as in a run, so that its own passes come out again
    drawn = drawn_passes(
        prepared, recipe, seed=derive_seed(seed, "evaluation"), purpose="test pass",
        passes=range(wanted.passes),
    )  # fmt: skip
    found = []
    for images in drawn:
        found.append(plain_scores(trained.model, images))
        wanted.step("augmented passes", len(found), wanted.passes)
    return np.stack(found)


def _of_passes(
    prepared: Any, passes: np.ndarray, classes: Sequence[str], seed: int, recipe: str
) -> dict[str, Any]:
    """``augmented``, and ``augmented_groups`` where names tell certain and uncertain sources."""
    labels = prepared.labels
    said = evaluate_passes(labels, passes, classes, seed=seed)
    found: dict[str, Any] = {"augmented": {**said, "recipe": recipe}, "augmented_groups": None}
    groups = groups_of(prepared.sources)
    if groups is not None:
        rows = {
            name: np.flatnonzero([group == name for group in groups])
            for name in sorted(set(filter(None, groups)))
        }
        found["augmented_groups"] = {
            name: evaluate_passes(labels[row], passes[:, row], classes, seed=seed)
            for name, row in rows.items()
        }
    return found


def _dropout(trained: Trained, prepared: Any, seed: int, wanted: Wanted) -> np.ndarray:
    from benchmarker.hosts.evaluation.dropout import dropout_scores

    total = wanted.dropout_passes
    return dropout_scores(
        trained.model,
        prepared,
        seed=seed,
        passes=total,
        done=lambda number: wanted.step("passes with dropout", number, total),
    )


def _against_record(trained: Trained, chosen: Chosen, part: str, scores: np.ndarray) -> list[str]:
    """What to say where the run's own test gives other scores than its record."""
    if not chosen.own or part != "test" or trained.record is None:
        return []
    model = trained.where.stem
    if model not in ("best", "final"):
        return []
    recorded = trained.record.predictions(model).scores
    if recorded is None or np.abs(recorded - scores).max() <= AGREE * np.abs(recorded).max():
        return []
    text = f"up to {np.abs(recorded - scores).max():.3g}"
    return [f"the scores differ from those of the record by {text}: other versions or machine"]

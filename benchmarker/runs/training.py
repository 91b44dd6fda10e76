"""The training loop: one network, one seed, killed and resumed as often as you like.

Everything that decides a batch is a function of (seed, epoch, batch): the order of the
images, their random variation, and the dropout masks. The rest of the state is in the
checkpoint. So the weights after the last epoch do not depend on interruptions or on the
number of loader threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import RunFailedError
from benchmarker.core.seeds import derive_seed
from benchmarker.data.recipes import Recipe
from benchmarker.runs import checkpoint, rules
from benchmarker.runs.checkpoint import TrainingState
from benchmarker.runs.loader import read_ahead
from benchmarker.runs.parts import weights_of, with_slowed
from benchmarker.runs.passes import drawn_passes
from benchmarker.runs.scores import (
    double_softmax,
    double_softmax_loss,
    score_head,
    scores,
    softmax,
)
from benchmarker.runs.settings import RunSettings
from benchmarker.runs.testing import cross_entropy
from benchmarker.runs.weights import named_weights, write_tensors

# A checkpoint is written at the end of an epoch if the last one is older than this
CHECKPOINT_SECONDS = 20.0


class Interrupted(Exception):  # noqa: N818 (an order to stop, not an error)
    """The user or the batch system asked to stop; the state is saved."""


@dataclass(frozen=True)
class Pace:
    """How fast an epoch goes: batches in it, and what was measured since it was begun.

    The rate is 0 after the first step, which builds the graph and tells nothing.
    """

    batches: int
    images_per_second: float
    seconds_per_batch: float


@dataclass
class Training:
    """All that one training needs.

    Arguments
    ---------
    model : built, uncompiled Keras model from images to probabilities
    settings : of the run
    batches : training generator (`ImageBatches`)
    validation : prepared validation images
    folder : where checkpoints lie
    identity : digest of the run, stored with the checkpoint
    workers : loader threads
    report : called after each batch with the state and the pace
    epoch_done : called with the history after each epoch
    stop_asked : returns True once the user asked to stop
    recipe : draws of the validation passes, where the settings ask for some
    kept : folder for the weights of epochs, where the settings ask for them
    notes : text that goes with every file of weights
    taken : layers that began with other weights, slowed by the settings' rate factor
    """

    model: Any
    settings: RunSettings
    batches: Any
    validation: Any
    folder: Path
    identity: str
    workers: int = 1
    report: Callable[[TrainingState, Pace], None] = lambda *_: None
    epoch_done: Callable[[list[dict[str, float]]], None] = lambda *_: None
    stop_asked: Callable[[], bool] = lambda: False
    recipe: Recipe | None = None
    kept: Path | None = None
    notes: dict[str, str] | None = None
    taken: tuple[str, ...] = ()


def compile_model(model: Any, settings: RunSettings, taken: tuple[str, ...] = ()) -> Any:
    """The model to train, with Adam (or as set) and the cross-entropy of its scores.

    Layers `taken` from other weights train at the settings' factor of the rate.

    It shares all layers with `model`, which stays uncompiled, and ends before the
    softmax: from probabilities the gradient of a confident mistake is lost in float32.
    """
    import keras

    optimizers = {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "sgd": keras.optimizers.SGD,
    }
    optimizer = optimizers[settings.optimizer]
    if taken and settings.rate_factor != 1:
        optimizer = with_slowed(optimizer, weights_of(model, taken), settings.rate_factor)
    # 0 leaves the optimizer its own: 0.004 for AdamW, none for the others
    decay = {"weight_decay": settings.weight_decay} if settings.weight_decay else {}
    learner = score_head(model)
    published = settings.loss == "double_softmax"
    learner.compile(
        optimizer=optimizer(
            settings.learning_rate,
            **decay,
            # a fixed name: Keras would count optimizers up, and a checkpoint names them
            name="optimizer",
        ),
        loss=(
            double_softmax if published else keras.losses.CategoricalCrossentropy(from_logits=True)
        ),
        metrics=[
            keras.metrics.CategoricalCrossentropy(name="cross_entropy", from_logits=True),
            keras.metrics.CategoricalAccuracy(name="accuracy"),
        ],
    )
    return learner


def class_weights(labels: np.ndarray, num_classes: int, rule: str) -> np.ndarray | None:
    """Weight of each class, float32 of shape (classes,), mean 1 over the images.

    ``balanced``: inverse of the class's share; ``sqrt``: the root of that; ``none``: None.
    """
    if rule == "none":
        return None
    counts = np.bincount(labels, minlength=num_classes).astype(np.float64)
    raw = np.where(counts > 0, len(labels) / (num_classes * np.maximum(counts, 1)), 0.0)
    if rule == "sqrt":
        raw = np.sqrt(raw)
    return (raw * len(labels) / (raw @ counts)).astype(np.float32)


def train(training: Training) -> TrainingState:
    """Train to the last epoch, from the checkpoint if there is one; returns the final state.

    Raises `Interrupted` after saving, and `RunFailedError` on a loss that is not finite.
    """
    settings = training.settings
    learner = compile_model(training.model, settings, training.taken)
    # a checkpoint has a place for each of the optimizer's variables
    learner.optimizer.build(learner.trainable_variables)
    state = TrainingState(learning_rate=settings.learning_rate)
    if checkpoint.exists(training.folder):
        state = checkpoint.restore(training.folder, learner, training.identity)
    saved = time.monotonic()
    while state.epoch < settings.epochs and not state.stopped_early:
        _train_epoch(training, learner, state)
        _finish_epoch(training, learner, state)
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            checkpoint.save(training.folder, learner, state, training.identity)
            saved = time.monotonic()
    checkpoint.save(training.folder, learner, state, training.identity)
    return state


def _train_epoch(training: Training, learner: Any, state: TrainingState) -> None:
    model, settings = training.model, training.settings
    learner.optimizer.learning_rate = rules.rate_at_start(settings, state)
    training.batches.set_epoch(state.epoch)
    weights = class_weights(
        training.batches.prepared.labels, training.batches.num_classes, settings.class_weights
    )
    total, begun, first = len(training.batches), time.monotonic(), state.batch
    images, slow = 0, 0.0
    for x, y in read_ahead(training.batches, state.batch, training.workers):
        set_dropout_seeds(model, settings.seed, state.epoch, state.batch)
        sample_weight = None if weights is None else y @ weights
        logs = learner.train_on_batch(x, y, sample_weight=sample_weight, return_dict=True)
        _add(state.sums, logs, len(x))
        state.batch += 1
        images += len(x)
        passed = time.monotonic() - begun
        if not np.isfinite(logs["loss"]):
            message = (
                f"the loss became {logs['loss']} in epoch {state.epoch + 1}, batch {state.batch} "
                f"of {total}; try a lower learning rate than {settings.learning_rate:g} and "
                "look for bad pixels with 'benchmarker data check'"
            )
            raise RunFailedError(message)
        training.report(state, _pace(total, state.batch - first, images, passed - slow))
        if state.batch - first == 1:
            # the first step builds the graph; the pace is that of the later ones
            slow, images = passed, 0
        if training.stop_asked() and state.batch < total:
            state.epoch_seconds += passed
            checkpoint.save(training.folder, learner, state, training.identity)
            raise Interrupted
    state.epoch_seconds += time.monotonic() - begun


def _pace(total: int, done: int, images: int, seconds: float) -> Pace:
    """Pace from `images` shown in `seconds`; `done` batches are behind us, the first not timed."""
    seconds = max(seconds, 1e-9)
    if done == 1:
        return Pace(total, 0.0, seconds)
    return Pace(total, images / seconds, seconds / (done - 1))


def _add(sums: dict[str, float], logs: dict[str, Any], images: int) -> None:
    for name, value in [*logs.items(), ("images", 1.0)]:
        sums[name] = sums.get(name, 0.0) + float(value) * images


def set_dropout_seeds(model: Any, seed: int, epoch: int, batch: int) -> None:
    """Put every seed generator of the model where (seed, epoch, batch, its place) says."""
    import keras

    for number, generator in enumerate(_seed_generators(model)):
        words = [derive_seed(seed, "dropout", epoch, batch, number), 0]
        generator.state.assign(keras.ops.convert_to_tensor(words, dtype=generator.state.dtype))


def _seed_generators(model: Any) -> list[Any]:
    return [
        layer.seed_generator
        for layer in model._flatten_layers()  # noqa: SLF001 (the only walk that enters nested models)
        if getattr(layer, "seed_generator", None) is not None
    ]


def penalty(model: Any) -> float:
    """Sum of the regularisation terms at the present weights (0 where there are none)."""
    return float(sum(_number(loss) for loss in model.losses))


def _number(value: Any) -> float:
    import keras

    return float(keras.ops.convert_to_numpy(value))


def _validate(training: Training, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores of the validation images, of all passes one after the other."""
    model, settings = training.model, training.settings
    labels, count = training.validation.labels, settings.validation_passes
    if not count:
        return labels, scores(model, training.validation)
    passes = drawn_passes(
        training.validation,
        training.recipe,
        seed=settings.seed,
        purpose="validation pass",
        passes=range(epoch * count, (epoch + 1) * count),
    )
    return np.tile(labels, count), np.concatenate([scores(model, images) for images in passes])


def _finish_epoch(training: Training, learner: Any, state: TrainingState) -> None:
    model, settings = training.model, training.settings
    means = {name: total / state.sums["images"] for name, total in state.sums.items()}
    labels, said = _validate(training, state.epoch)
    values = {
        "epoch": state.epoch + 1,
        "cross_entropy": means["cross_entropy"],
        "penalty": penalty(model),
        "accuracy": means["accuracy"],
        "val_cross_entropy": cross_entropy(labels, said),
        "val_accuracy": float(np.mean(said.argmax(axis=1) == labels)),
        "learning_rate": _number(learner.optimizer.learning_rate),
        "seconds": round(state.epoch_seconds, 3),
        "images_per_second": round(
            training.batches.epoch_images / max(state.epoch_seconds, 1e-9), 1
        ),
    }
    if settings.loss == "double_softmax":
        values["loss"] = means["loss"] - values["penalty"]
        values["val_loss"] = double_softmax_loss(labels, softmax(said))
    state.history.append(values)
    monitored = values.get("val_loss", values["val_cross_entropy"])
    if settings.monitor == "total":
        monitored += values["penalty"]
    if not np.isfinite(monitored):
        message = f"the validation loss became {monitored} in epoch {state.epoch + 1}"
        raise RunFailedError(message)
    improved = rules.is_best(state, monitored)
    if improved:
        path = checkpoint.best_path(training.folder, state.epoch)
        write_tensors(path, named_weights(model), training.notes)
    if training.kept and (settings.keep == "all" or (settings.keep == "improved" and improved)):
        path = training.kept / f"{state.epoch + 1:05d}.safetensors"
        write_tensors(path, named_weights(model), training.notes)
    state.stopped_early = rules.after_epoch(settings, state, monitored)
    state.seconds += state.epoch_seconds
    state.epoch, state.batch, state.sums, state.epoch_seconds = state.epoch + 1, 0, {}, 0.0
    training.epoch_done(state.history)
    if training.stop_asked() and state.epoch < settings.epochs:
        checkpoint.save(training.folder, learner, state, training.identity)
        raise Interrupted

"""The rules that act once an epoch: best weights, learning rate, early stopping.

Each keeps its memory in the `TrainingState`, so a resumed run goes on as if undisturbed.
"""

from __future__ import annotations

import math

from benchmarker.runs.checkpoint import TrainingState
from benchmarker.runs.settings import RunSettings

FACTOR = 0.5
PATIENCE = 3
# (least improvement that counts, lowest rate): spec of rg-benchmarker 3.4, 2021 and 2020
PLATEAU = {"plateau": (0.01, 1e-12), "plateau2020": (0.001, 1e-10)}
STOP_DELTA = 0.01
COSINE_FLOOR = 0.01


def is_best(state: TrainingState, loss: float) -> bool:
    """Note whether this epoch has the lowest monitored loss so far (ties keep the earlier one)."""
    if state.best_loss is not None and loss >= state.best_loss:
        return False
    state.best_loss, state.best_epoch = loss, state.epoch
    return True


def rate_at_start(settings: RunSettings, state: TrainingState) -> float:
    """Learning rate of the epoch that begins now."""
    if settings.schedule == "cosine":
        share = 0.5 * (1 + math.cos(math.pi * state.epoch / settings.epochs))
        return settings.learning_rate * (COSINE_FLOOR + (1 - COSINE_FLOOR) * share)
    return state.learning_rate


def after_epoch(settings: RunSettings, state: TrainingState, loss: float) -> bool:
    """Apply the plateau rule and early stopping; returns whether training should stop."""
    if settings.schedule in PLATEAU:
        _plateau(state, loss, *PLATEAU[settings.schedule])
    return settings.early_stopping > 0 and _early_stop(state, loss, settings.early_stopping)


def _plateau(state: TrainingState, loss: float, delta: float, lowest: float) -> None:
    # Keras's ReduceLROnPlateau, mode min, cooldown 0
    if state.plateau_loss is None or loss < state.plateau_loss - delta:
        state.plateau_loss, state.plateau_wait = loss, 0
        return
    state.plateau_wait += 1
    if state.plateau_wait >= PATIENCE:
        state.learning_rate = max(state.learning_rate * FACTOR, lowest)
        state.plateau_wait = 0


def _early_stop(state: TrainingState, loss: float, patience: int) -> bool:
    if state.stop_loss is None or loss < state.stop_loss - STOP_DELTA:
        state.stop_loss, state.stop_wait = loss, 0
        return False
    state.stop_wait += 1
    return state.stop_wait >= patience

"""The state of a training in the middle of it: everything that decides what comes next.

One safetensors file holds weights, optimizer state, epoch, batch, the sums of the epoch,
history and the rules' memory, so that it is whole or absent. The best weights so far lie beside
it under the epoch they come from; the state names the one it belongs to, so a kill
between the two writes does no harm.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarker.core.errors import InputFileError
from benchmarker.runs.weights import assign, named_variables, read_tensors, write_tensors

STATE = "state.safetensors"
ANEW = "--again makes this run anew"


@dataclass
class TrainingState:
    """Where a training stands; plain values only, all of them stored.

    Arguments
    ---------
    epoch, batch : what comes next, both counted from 0
    sums : of each metric times images, over the batches of this epoch so far
    history : one row per finished epoch
    best_loss, best_epoch : lowest monitored loss so far and its epoch (-1: none yet)
    plateau_loss, plateau_wait : memory of the plateau rule
    stop_loss, stop_wait : memory of early stopping
    learning_rate : in force now
    seconds : training time so far, also that of earlier sittings
    """

    epoch: int = 0
    batch: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    best_loss: float | None = None
    best_epoch: int = -1
    plateau_loss: float | None = None
    plateau_wait: int = 0
    stop_loss: float | None = None
    stop_wait: int = 0
    stopped_early: bool = False
    learning_rate: float = 0.0
    epoch_seconds: float = 0.0
    seconds: float = 0.0


def _groups(model: Any) -> dict[str, Any]:
    # the states of dropout are no part: the training loop sets them before each batch
    return {"model": model.weights, "optimizer": model.optimizer.variables}


def best_path(folder: Path, epoch: int) -> Path:
    """File of the best weights, found in epoch `epoch`."""
    return folder / f"best-{epoch:05d}.safetensors"


def save(folder: Path, model: Any, state: TrainingState, identity: str) -> None:
    """Write the state of `model` and `state`; then drop best weights that are out of date."""
    tensors = {
        f"{group}/{name}": array
        for group, variables in _groups(model).items()
        for name, array in named_variables(variables).items()
    }
    notes = {"state": json.dumps(state.__dict__), "identity": identity}
    write_tensors(folder / STATE, tensors, notes)
    for path in folder.glob("best-*.safetensors"):
        if path != best_path(folder, state.best_epoch):
            path.unlink(missing_ok=True)


def exists(folder: Path) -> bool:
    """Whether there is something to resume from."""
    return (folder / STATE).is_file()


def restore(folder: Path, model: Any, identity: str) -> TrainingState:
    """Put a saved state back into a compiled, built `model`; returns the rest of it.

    Raises `InputFileError` if a file is missing, damaged or belongs to another run.
    """
    path = folder / STATE
    tensors, notes = _read(path)
    if notes.get("identity") != identity:
        message = f"{path} belongs to run {notes.get('identity')}, expected {identity}; {ANEW}"
        raise InputFileError(message)
    for prefix, variables in _groups(model).items():
        part = {k.split("/", 1)[1]: v for k, v in tensors.items() if k.startswith(f"{prefix}/")}
        assign(variables, part, path)
    state = TrainingState(**json.loads(notes["state"]))
    if state.best_epoch >= 0:
        _read(best_path(folder, state.best_epoch))
    return state


def _read(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    try:
        return read_tensors(path)
    except InputFileError as error:
        message = f"{error}; {ANEW}"
        raise InputFileError(message) from error

"""A checkpoint is whole, of this run, or refused with what to do."""

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError
from benchmarker.runs import checkpoint
from benchmarker.runs.checkpoint import TrainingState
from benchmarker.runs.settings import RunSettings
from benchmarker.runs.training import compile_model
from benchmarker.runs.weights import named_weights, write_tensors


@pytest.fixture
def model():
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")])
    learner = compile_model(model, RunSettings("simple", 1e-3, 3))
    learner.optimizer.build(learner.trainable_variables)
    return learner


@pytest.fixture
def saved(tmp_path, model):
    write_tensors(checkpoint.best_path(tmp_path, 1), named_weights(model))
    state = TrainingState(epoch=2, best_epoch=1, best_loss=0.5, sums={"loss": 1.5})
    checkpoint.save(tmp_path, model, state, "identity")
    return tmp_path


def flip_last_bit(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_state_and_weights_come_back(saved, model):
    before = [variable.numpy().copy() for variable in model.weights]
    for variable in model.weights:
        variable.assign(variable + 1)
    state = checkpoint.restore(saved, model, "identity")
    assert (state.epoch, state.best_epoch, state.sums) == (2, 1, {"loss": 1.5})
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(before, model.weights, strict=True))


def test_older_best_weights_are_dropped_when_a_state_names_others(saved, model):
    write_tensors(checkpoint.best_path(saved, 2), named_weights(model))
    checkpoint.save(saved, model, TrainingState(epoch=3, best_epoch=2), "identity")
    assert [path.name for path in saved.glob("best-*")] == ["best-00002.safetensors"]


def test_a_checkpoint_of_another_run_is_refused(saved, model):
    with pytest.raises(InputFileError, match="belongs to run identity, expected other; --again"):
        checkpoint.restore(saved, model, "other")


@pytest.mark.parametrize("name", [checkpoint.STATE, "best-00001.safetensors"])
@pytest.mark.parametrize("damage", ["bit", "cut", "gone"])
def test_damage_is_found_and_told(saved, model, name, damage):
    path = saved / name
    if damage == "bit":
        flip_last_bit(path)
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-10])
    else:
        path.unlink()
    if path.name == checkpoint.STATE and damage == "gone":
        assert not checkpoint.exists(saved)
        return
    with pytest.raises(InputFileError, match=rf"{name}.*--again makes this run anew"):
        checkpoint.restore(saved, model, "identity")

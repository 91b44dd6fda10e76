import keras
import pytest

from benchmarker.runs import rules
from benchmarker.runs.checkpoint import TrainingState
from benchmarker.runs.settings import RunSettings

SETTINGS = RunSettings("simple", 1e-3, 12)


@pytest.mark.parametrize("schedule", ["plateau", "plateau2020"])
def test_plateau_follows_keras(schedule):
    """Our rule against Keras's own callback on a loss that falls, stalls and falls again."""
    losses = [1.0, 0.5, 0.495, 0.4985, 0.4955, 0.495, 0.3, 0.31, 0.3, 0.305, 0.4, 0.4, 0.4, 0.4]
    delta, lowest = rules.PLATEAU[schedule]
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
    callback = keras.callbacks.ReduceLROnPlateau(
        "val_loss", factor=0.5, patience=3, mode="min", min_delta=delta, min_lr=lowest
    )
    callback.set_model(model)
    callback.on_train_begin()
    settings = RunSettings("simple", 1e-3, 12, schedule=schedule)
    state = TrainingState(learning_rate=1e-3)
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        rules.after_epoch(settings, state, loss)
        rate = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
        assert state.learning_rate == pytest.approx(rate)
    assert state.learning_rate < 1e-3


def test_plateau_has_a_floor():
    state = TrainingState(learning_rate=3e-12)
    for _ in range(12):
        rules.after_epoch(SETTINGS, state, 1.0)
    assert state.learning_rate == 1e-12


def test_best_keeps_the_earlier_of_equal_losses():
    state = TrainingState()
    improved = []
    for epoch, loss in enumerate([0.9, 0.5, 0.5, 0.4]):
        state.epoch = epoch
        improved.append(rules.is_best(state, loss))
    assert improved == [True, True, False, True]
    assert (state.best_epoch, state.best_loss) == (3, 0.4)


def test_early_stopping_counts_epochs_without_gain():
    settings = RunSettings("simple", 1e-3, 12, early_stopping=2)
    state = TrainingState(learning_rate=1e-3)
    stops = [rules.after_epoch(settings, state, loss) for loss in (1.0, 0.5, 0.495, 0.492)]
    assert stops == [False, False, False, True]
    assert not rules.after_epoch(SETTINGS, TrainingState(), 1.0)


def test_cosine_goes_from_the_rate_to_a_hundredth():
    settings = RunSettings("simple", 1e-2, 10, schedule="cosine")
    state = TrainingState(learning_rate=1e-2)
    rates = []
    for epoch in range(10):
        state.epoch = epoch
        rates.append(rules.rate_at_start(settings, state))
    assert rates[0] == pytest.approx(1e-2)
    assert rates == sorted(rates, reverse=True)
    assert 1e-4 < rates[-1] < 1e-3

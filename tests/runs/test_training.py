"""The training loop in this process, on toy images kept in memory."""

import keras
import numpy as np
import pytest

from benchmarker.core.errors import RunFailedError
from benchmarker.data.cache import prepared
from benchmarker.data.generator import ImageBatches
from benchmarker.data.images import ArrayPixels, ImageSet
from benchmarker.data.preparation import named_preparation
from benchmarker.data.recipes import load_recipe
from benchmarker.networks import registry
from benchmarker.runs import checkpoint, training
from benchmarker.runs.scores import scores
from benchmarker.runs.settings import RunSettings
from benchmarker.runs.testing import cross_entropy, probabilities
from benchmarker.runs.training import Interrupted, Training, class_weights, train
from benchmarker.runs.weights import read_tensors, weights_digest
from tests.runs.toy import CLASSES, toy_arrays

TRAIN = 41  # a last batch of one image at batch 8


def toy_images():
    arrays = toy_arrays(60, 32)
    pixels = ArrayPixels(arrays["images"][..., np.newaxis], "toy")
    return ImageSet("toy", pixels, arrays["labels"], CLASSES, tuple(arrays["sources"]))


def small_model(seed=1):
    """A network with batch normalisation, dropout and an L2 penalty."""
    start = keras.initializers.GlorotUniform(seed)
    return keras.Sequential(
        [
            keras.Input((32, 32, 1)),
            keras.layers.AveragePooling2D(4, name="pool"),
            keras.layers.Flatten(name="flat"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dense(
                8, kernel_initializer=start, kernel_regularizer=keras.regularizers.L2(0.01),
                name="hidden",
            ),
            keras.layers.Dropout(0.5, seed=seed, name="drop"),
            keras.layers.Dense(4, activation="softmax", kernel_initializer=start, name="classes"),
        ],
        name="small",
    )  # fmt: skip


def make(folder, model=None, *, batch=8, recipe="none", train_count=TRAIN, **settings):
    images = toy_images()
    none = load_recipe("none")
    varied = load_recipe(recipe)
    scaled = named_preparation("scaled")
    first = prepared(images, images.sources[:train_count], scaled, varied, None)
    values = RunSettings("small", 3e-3, settings.pop("epochs", 2), batch=batch, **settings)
    batches = ImageBatches(
        first, 4, batch=batch, seed=values.seed, shuffle=True, recipe=varied, passes=values.passes
    )
    validation = prepared(images, images.sources[TRAIN:], scaled, none, None)
    return Training(model or small_model(), values, batches, validation, folder, "id")


def with_notes(training):
    training.kept = training.folder.parent / "epochs"
    training.notes = {"said": "so"}
    return training


def kept(history):
    return [{k: v for k, v in row.items() if "second" not in k} for row in history]


def test_it_learns_and_best_is_the_lowest_loss(tmp_path):
    made = make(tmp_path, epochs=12)
    state = train(made)
    losses = [row["val_cross_entropy"] for row in state.history]
    assert state.best_loss == min(losses)
    assert losses.index(min(losses)) == state.best_epoch
    assert losses[-1] < 0.8 * losses[0]
    best, _ = read_tensors(checkpoint.best_path(tmp_path, state.best_epoch))
    assert len(list(tmp_path.glob("best-*"))) == 1
    assert set(best) == {f"{n:03d}|{v.path}" for n, v in enumerate(made.model.weights)}


def test_the_penalty_is_apart_from_the_cross_entropy(tmp_path):
    made = make(tmp_path, epochs=1)
    (row,) = train(made).history
    kernel = made.model.get_layer("hidden").get_weights()[0]
    assert row["penalty"] == pytest.approx(0.01 * np.sum(kernel.astype(np.float64) ** 2), rel=1e-5)
    predicted = probabilities(made.model, made.validation)
    said = scores(made.model, made.validation)
    labels = made.validation.labels
    by_hand = -np.log(predicted[np.arange(len(labels)), labels]).mean()
    assert row["val_cross_entropy"] == pytest.approx(by_hand)
    assert cross_entropy(labels, said) == pytest.approx(by_hand)


def test_a_confident_mistake_counts_in_full():
    said = np.array([[300.0, 0.0], [0.0, 40.0]])
    assert cross_entropy(np.array([1, 1]), said) == pytest.approx(150.0)


@pytest.mark.parametrize("stop_after", [1, 5, 6, 7])
def test_stopped_in_any_batch_and_resumed_is_bit_identical(tmp_path, stop_after):
    calm = make(tmp_path / "calm", recipe="random-rotation", epochs=2)
    expected = train(calm)
    stopped = make(tmp_path / "stopped", recipe="random-rotation", epochs=2)
    calls = iter(range(1000))
    stopped.stop_asked = lambda: next(calls) >= stop_after - 1
    with pytest.raises(Interrupted):
        train(stopped)
    resumed = make(tmp_path / "stopped", small_model(seed=77), recipe="random-rotation", epochs=2)
    state = train(resumed)
    assert kept(state.history) == kept(expected.history)
    assert weights_digest(resumed.model) == weights_digest(calm.model)


@pytest.mark.parametrize("stop_after", [9, 12, 14])
def test_passes_and_kept_weights_do_not_depend_on_where_it_was_stopped(tmp_path, stop_after):
    """Twelve batches an epoch: in the second pass, between epochs, in the second epoch."""

    def made(folder, seed=1):
        settings = {"passes": 2, "validation_passes": 2, "keep": "all", "loss": "double_softmax"}
        one = make(tmp_path / folder / "checkpoint", small_model(seed), recipe="affine", **settings)
        one.recipe = load_recipe("affine")
        return with_notes(one)

    calm = made("calm")
    expected = train(calm)
    stopped = made("stopped")
    assert len(stopped.batches) == 12
    calls = iter(range(1000))
    stopped.stop_asked = lambda: next(calls) >= stop_after - 1
    with pytest.raises(Interrupted):
        train(stopped)
    resumed = made("stopped", seed=77)
    assert kept(train(resumed).history) == kept(expected.history)
    for epoch in (1, 2):
        name = f"{epoch:05d}.safetensors"
        assert (resumed.kept / name).read_bytes() == (calm.kept / name).read_bytes()


def test_dropout_masks_differ_between_batches_epochs_and_seeds():
    model = small_model()
    states = []
    for seed, epoch, batch in [(1, 0, 0), (1, 0, 1), (1, 1, 0), (2, 0, 0), (1, 0, 0)]:
        training.set_dropout_seeds(model, seed, epoch, batch)
        (generator,) = training._seed_generators(model)
        states.append(tuple(np.asarray(generator.state.numpy()).tolist()))
    assert len(set(states)) == 4
    assert states[0] == states[-1]


def test_batch_larger_than_the_data(tmp_path):
    state = train(make(tmp_path, batch=1000, epochs=1))
    assert len(state.history) == 1


def test_one_image_with_batch_normalisation(tmp_path):
    state = train(make(tmp_path, batch=1, train_count=3, epochs=1))
    assert np.isfinite(state.history[0]["cross_entropy"])


def test_a_loss_that_is_not_finite_names_epoch_and_batch(tmp_path):
    made = make(tmp_path)
    hidden = made.model.get_layer("hidden")
    hidden.set_weights([np.full(w.shape, np.nan, np.float32) for w in hidden.get_weights()])
    with pytest.raises(RunFailedError, match="became nan in epoch 1, batch 1 of 6; try a lower"):
        train(made)


def test_early_stopping_ends_before_the_last_epoch(tmp_path):
    made = make(tmp_path, epochs=30, early_stopping=2)
    made.settings = RunSettings("small", 1e-12, 30, batch=8, early_stopping=2)
    state = train(made)
    assert state.stopped_early
    assert len(state.history) == 3


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    train(make(tmp_path, epochs=1))
    other = make(tmp_path, epochs=1)
    other.identity = "other"
    with pytest.raises(Exception, match="belongs to run id, expected other"):
        train(other)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("balanced", [2 / 3, 2.0, 2.0, 2 / 3]), ("sqrt", None), ("none", None)],
)
def test_class_weights(rule, expected):
    labels = np.repeat([0, 1, 2, 3], [3, 1, 1, 3])
    weights = class_weights(labels, 4, rule)
    if rule == "none":
        assert weights is None
        return
    assert np.mean(weights[labels]) == pytest.approx(1)
    if expected:
        assert weights == pytest.approx(expected)
    else:
        assert weights[1] / weights[0] == pytest.approx(np.sqrt(3))


def test_class_weights_reach_the_loss(tmp_path):
    plain = make(tmp_path / "a", epochs=1)
    weighted = make(tmp_path / "b", epochs=1, class_weights="balanced", train_count=30)
    unweighted = make(tmp_path / "c", epochs=1, train_count=30)
    train(plain)
    train(weighted)
    train(unweighted)
    counts = np.bincount(weighted.batches.prepared.labels, minlength=4)
    assert len(set(counts.tolist())) > 1  # else balanced weights would all be one
    assert weights_digest(weighted.model) != weights_digest(unweighted.model)


def test_learning_rate_of_the_schedule_is_used(tmp_path):
    state = train(make(tmp_path, epochs=3, schedule="cosine"))
    rates = [row["learning_rate"] for row in state.history]
    assert rates[0] == pytest.approx(3e-3)
    assert rates[0] > rates[1] > rates[2] > 0


@pytest.mark.parametrize("name", ["convXpress", "hosenie"])
def test_a_registered_network_trains(tmp_path, name):
    model = registry.build(name, (32, 32, 1), 4, seed=1)
    begin = weights_digest(model)
    state = train(make(tmp_path, model, epochs=1))
    assert weights_digest(model) != begin
    assert np.isfinite(state.history[0]["val_cross_entropy"])


def test_the_published_loss_is_monitored_and_never_below_its_floor(tmp_path):
    plain = train(make(tmp_path / "a", epochs=3)).history
    history = train(make(tmp_path / "b", epochs=3, loss="double_softmax")).history
    floor = np.log(1 + 3 / np.e)
    assert all(row["loss"] >= floor and row["val_loss"] >= floor for row in history)
    assert history[0]["cross_entropy"] != history[0]["loss"]
    assert "val_loss" not in plain[0]
    assert kept(history) != kept(plain)


def test_the_published_loss_decides_what_is_best(tmp_path, monkeypatch):
    values = iter([2.0, 1.0, 3.0])
    monkeypatch.setattr(training, "double_softmax_loss", lambda *_: next(values))
    assert train(make(tmp_path, epochs=3, loss="double_softmax")).best_epoch == 1


def test_validation_passes_are_random_and_repeat(tmp_path):
    def losses(folder, count):
        made = make(tmp_path / folder, epochs=2, validation_passes=count)
        made.recipe = load_recipe("affine")
        return [row["val_cross_entropy"] for row in train(made).history]

    assert losses("a", 2) == losses("b", 2)
    assert losses("c", 0) != losses("d", 2)
    assert losses("e", 1) != losses("f", 2)


@pytest.mark.parametrize(
    ("keep", "expected"), [("none", []), ("all", [1, 2, 3]), ("improved", [1, 3])]
)
def test_weights_of_epochs_are_kept(tmp_path, monkeypatch, keep, expected):
    losses = iter([1.0, 2.0, 0.5])
    monkeypatch.setattr(training, "cross_entropy", lambda *_: next(losses))
    made = with_notes(make(tmp_path / "checkpoint", epochs=3, keep=keep))
    train(made)
    files = sorted(made.kept.glob("*.safetensors")) if made.kept.is_dir() else []
    assert [int(path.stem) for path in files] == expected
    for path in files[-1:]:
        tensors, notes = read_tensors(path)
        assert notes["said"] == "so"
        assert len(tensors) == len(made.model.weights)


def test_weight_decay_shrinks_the_weights(tmp_path):
    def size(folder, **settings):
        made = make(tmp_path / folder, epochs=2, **settings)
        train(made)
        return sum(float(np.square(w).sum()) for w in made.model.get_layer("hidden").get_weights())

    assert size("a", weight_decay=5.0) < 0.9 * size("b")


def test_training_is_on_scores_where_probabilities_would_have_no_gradient(tmp_path):
    """A confident mistake: the softmax is 1 and 0 in float32, its scores still teach."""
    model = small_model()
    model.get_layer("classes").bias.assign([300.0, 0.0, 0.0, 0.0])
    before = model.get_layer("hidden").get_weights()[0].copy()
    train(make(tmp_path, model, epochs=1))
    assert not np.allclose(before, model.get_layer("hidden").get_weights()[0], atol=1e-3)

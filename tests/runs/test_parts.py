"""Parts of a network: which layers are last, what is frozen, what is slowed."""

import keras
import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.networks import registry
from benchmarker.networks.symbolic import without_memory
from benchmarker.runs import parts
from benchmarker.runs.settings import RunSettings
from benchmarker.runs.training import compile_model

TAKEN = ("conv1a", "conv1b", "conv2a", "dense_07")


def builder(name, size=64, **settings):
    return lambda classes: without_memory(
        lambda: registry.build(name, (size, size, 1), classes, seed=0, **settings)
    )


def small(seed=1):
    start = keras.initializers.GlorotUniform(seed)
    image = keras.Input((4, 4, 1))
    tensor = keras.layers.Flatten(name="flat")(image)
    tensor = keras.layers.Dense(5, "relu", kernel_initializer=start, name="hidden")(tensor)
    tensor = keras.layers.BatchNormalization(name="norm")(tensor)
    tensor = keras.layers.Dense(3, kernel_initializer=start, name="scores")(tensor)
    return keras.Model(image, keras.layers.Activation("softmax", name="probabilities")(tensor))


@pytest.mark.parametrize(
    ("network", "settings", "new"),
    [
        ("mcrgnet", {}, ("classes",)),
        ("agcnn", {"aggregation": "concat"}, ("scores",)),
        ("agcnn", {"gates": 0}, ("scores",)),
    ],
)
def test_the_last_dense_layer_is_new(network, settings, new):
    assert parts.new_layers(builder(network, **settings), 2) == new


@pytest.mark.parametrize(("aggregation", "count"), [("mean", 3), ("deep_sup", 4), ("ft", 4)])
def test_all_dense_layers_behind_the_gates_are_new(aggregation, count):
    build = builder("agcnn", aggregation=aggregation)
    found, shapes = parts.new_layers(build, 2), parts.layer_shapes(build(2))
    assert len(found) == count
    assert all(shapes[name][1] == (2,) for name in found)
    assert {"gate1", "gate2", "gate3", "conv1a"} <= set(shapes) - set(found)


def test_a_layer_beside_the_last_one_is_last_too():
    image = keras.Input((4,))
    first = keras.layers.Dense(3, name="first")(image)
    deep = keras.layers.Dense(2, name="deep")(first)
    short = keras.layers.Dense(2, name="short")(image)
    model = keras.Model(image, keras.layers.Softmax()(keras.layers.Add()([deep, short])))
    assert parts.last_layers(model) == {"deep", "short"}


@pytest.mark.parametrize(
    ("freeze", "frozen"),
    [
        (None, ()),
        ("trunk", TAKEN),
        ("conv1a", ("conv1a",)),
        ("conv1", ("conv1a", "conv1b")),
        ("conv*a", ("conv1a", "conv2a")),
        ("dense_07 + conv1b", ("conv1b", "dense_07")),
    ],
)
def test_freeze_names_layers(freeze, frozen):
    assert parts.frozen_layers(freeze, TAKEN, ("classes",)) == frozen


def test_unknown_parts_are_all_named_with_what_there_is():
    with pytest.raises(SettingsError) as caught:
        parts.frozen_layers("conv1c+classes++dense_07", TAKEN, ("classes",))
    text = str(caught.value)
    assert "3 faults" in text
    assert "no layer 'conv1c' (did you mean conv1b" in text
    assert "out of conv1a, conv1b, conv2a, dense_07" in text
    assert "'classes' begins anew" in text


def test_frozen_layers_keep_their_weights_and_statistics():
    model = small()
    model.get_layer("norm").set_weights([np.full(5, v, np.float32) for v in (1, 0, 0.5, 2)])
    parts.freeze(model, ("hidden", "norm"))
    before = {layer.name: layer.get_weights() for layer in model.layers}
    learner = compile_model(model, RunSettings("small", 0.1, 1))
    rng = np.random.default_rng(1)
    learner.train_on_batch(
        rng.random((8, 4, 4, 1), np.float32), np.eye(3, dtype=np.float32)[[0] * 8]
    )
    for name in ("hidden", "norm"):
        for old, new in zip(before[name], model.get_layer(name).get_weights(), strict=True):
            assert np.array_equal(old, new)
    assert not np.array_equal(before["scores"][0], model.get_layer("scores").get_weights()[0])
    assert sum(np.size(w) for w in model.trainable_weights) == 5 * 3 + 3


def one_step(settings, taken=()):
    model = small()
    before = [w.numpy() for w in model.weights]
    learner = compile_model(model, settings, taken)
    learner.optimizer.build(learner.trainable_variables)
    rng = np.random.default_rng(1)
    images = rng.random((8, 4, 4, 1), np.float32)
    learner.train_on_batch(images, np.eye(3, dtype=np.float32)[rng.integers(0, 3, 8)])
    steps = {w.path: w.numpy() - b for w, b in zip(model.weights, before, strict=True)}
    return steps, [v.path for v in learner.optimizer.variables]


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
def test_one_step_of_taken_layers_is_smaller_by_the_factor(optimizer, weight_decay):
    settings = {"optimizer": optimizer, "weight_decay": weight_decay, "rate_factor": 0.1}
    run = RunSettings("small", 1e-2, 1, **settings)
    plain, variables = one_step(run)
    slowed, same = one_step(run, ("hidden", "norm"))
    assert variables == same  # so that a checkpoint fits
    moved = 0
    for path, step in plain.items():
        is_statistic = "moving" in path
        factor = 0.1 if path.startswith(("hidden", "norm")) and not is_statistic else 1.0
        np.testing.assert_allclose(slowed[path], factor * step, rtol=2e-3, atol=2e-7, err_msg=path)
        moved += np.abs(step).max() > 1e-4
    assert moved > 4


def test_adamw_has_its_own_weight_decay_where_none_is_given():
    optimizers = {
        name: compile_model(small(), RunSettings("small", 1e-2, 1, optimizer=name)).optimizer
        for name in ("adam", "adamw", "sgd")
    }
    decays = {name: optimizer.weight_decay for name, optimizer in optimizers.items()}
    assert decays == {"adam": None, "adamw": 0.004, "sgd": None}


def test_weight_decay_of_taken_layers_is_slowed_too():
    plain, _ = one_step(RunSettings("small", 1e-2, 1, rate_factor=0.1), ("hidden",))
    decayed, _ = one_step(
        RunSettings("small", 1e-2, 1, rate_factor=0.1, weight_decay=0.5), ("hidden",)
    )
    for layer, rate in (("hidden", 1e-3), ("scores", 1e-2)):
        kernel = small().get_layer(layer).get_weights()[0]
        path = f"{layer}/kernel"
        np.testing.assert_allclose(decayed[path] - plain[path], -rate * 0.5 * kernel, atol=3e-7)

"""What every network promises, checked on every network of the registry.

Networks of up to `SMALL` weights are really allocated; larger ones are built without memory.
"""

import random

import keras
import numpy as np
import pytest

from benchmarker.core.hashing import digest_arrays
from benchmarker.networks import registry
from benchmarker.networks.describe import describe, fits
from benchmarker.networks.symbolic import without_memory
from benchmarker.networks.walk import smallest_side

CLASSES = 3
SMALL = 700_000


def smallest(name):
    """The smallest side from 28 px on that the network takes."""
    entry = registry.find(name)
    if entry.layers:
        return max(28, smallest_side(entry.layers, CLASSES))
    return next(side for side in range(28, 64) if fits(name, side, CLASSES, 2) is None)


ALL = {name: (smallest(name), smallest(name) + 3, 2) for name in registry.names()}


def allocated():
    """One small network of each family and number of weights, by name."""
    found = {}
    for name, shape in ALL.items():
        count = describe(name, shape[:2], CLASSES, 2).parameters
        if count < SMALL:
            found.setdefault((registry.find(name).family, count), name)
    return sorted(found.values())


LEARNERS = ["mcrgnet", "hosenie_dropout", "atlas", "deepsource_published"]


def build(name, seed=8901):
    return registry.build(name, ALL[name], CLASSES, seed=seed)


@pytest.mark.parametrize("name", ALL)
def test_shape_and_counts(name):
    model = without_memory(lambda: build(name))
    found = describe(name, ALL[name][:2], CLASSES, 2)
    assert model.output_shape == (None, CLASSES)
    assert model.output.dtype == "float32"
    assert model.count_params() == found.parameters
    assert [layer.name for layer in model.layers[1:]] == [row.name for row in found.layers]
    # of a layer with several outputs the first counts
    first = [keras.tree.flatten(layer.output)[0] for layer in model.layers[1:]]
    shapes = [tuple(output.shape[1:]) for output in first]
    assert shapes == [row.output_shape for row in found.layers]
    assert model.layers[-1].get_config()["activation"] == "softmax"


@pytest.mark.parametrize("name", allocated())
def test_weights_are_a_function_of_the_seed(name):
    python, numpy_before = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    model = build(name)
    weights = model.get_weights()
    assert model.count_params() == describe(name, ALL[name][:2], CLASSES, 2).parameters
    assert digest_arrays(weights) == digest_arrays(build(name).get_weights())
    assert digest_arrays(weights) != digest_arrays(build(name, seed=1826).get_weights())
    assert random.getstate() == python
    assert np.array_equal(np.random.get_state()[1], numpy_before)  # noqa: NPY002
    kernels = [w for w in weights if w.ndim > 1]
    for index, kernel in enumerate(kernels):
        for other in kernels[:index]:
            assert kernel.shape != other.shape or not np.array_equal(kernel, other)


@pytest.mark.parametrize("name", LEARNERS)
def test_training_lowers_the_loss_and_weights_reload(name, tmp_path):
    keras.utils.set_random_seed(1)
    model = build(name)
    images = np.random.default_rng(1).random((9, *ALL[name]), "float32")
    targets = np.eye(CLASSES, dtype="float32")[np.arange(9) % CLASSES]
    images[:, ::2] *= targets.argmax(axis=1)[:, None, None, None]
    model.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy", run_eagerly=True)
    losses = model.fit(images, targets, batch_size=9, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    again = build(name, seed=1)
    np.savez(tmp_path / "weights.npz", *model.get_weights())
    with np.load(tmp_path / "weights.npz") as stored:
        again.set_weights([stored[key] for key in stored.files])
    assert np.array_equal(model(images), again(images))


@pytest.mark.parametrize("side", [28, 64, 150, 227, 300])
@pytest.mark.parametrize(("channels", "classes"), [(1, 2), (3, 10)])
def test_every_size_builds_or_says_why_not(side, channels, classes):
    for name in ALL:
        if registry.find(name).kind == "layers":
            reason = fits(name, (side, side + 7), classes, channels)
            assert reason is None or "expected at least" in reason
            if reason is None:
                assert describe(name, (side, side + 7), classes, channels).layers[-1]


@pytest.mark.parametrize("name", ["maslej", "maslej_l2_do", "deepsource", "deepsource_published"])
@pytest.mark.parametrize("shape", [(28, 28, 1), (150, 64, 3), (300, 300, 1)])
def test_python_networks_build_at_every_size(name, shape):
    model = without_memory(lambda: registry.build(name, shape, 10, seed=1))
    assert model.output_shape == (None, 10)

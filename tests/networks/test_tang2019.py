"""The network of Tang et al. 2019: its two printed numbers of parameters."""

import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.networks import registry
from benchmarker.networks.symbolic import without_memory


@pytest.mark.parametrize(("name", "count"), [("tang2019", 250_234), ("tang2019_shared", 184_442)])
def test_trainable_parameters_as_printed_and_as_coded(name, count):
    model = without_memory(lambda: registry.build(name, (150, 150, 1), 2, seed=1))
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == count
    assert model.get_layer("flat").output.shape == (None, 400)


def test_the_shared_layer_is_applied_twice():
    model = registry.build("tang2019_shared", (30, 30, 1), 2, seed=1)
    x = np.random.default_rng(1).normal(size=(1, 16)).astype("float32")
    for name in ("hidden1", "hidden2", "hidden2", "scores"):
        x = model.get_layer(name)(x)
    flat = np.random.default_rng(1).normal(size=(1, 16)).astype("float32")
    import keras

    head = keras.Model(model.get_layer("flat").output, model.get_layer("scores").output)
    assert np.array_equal(head(flat, training=False), x)


def test_a_small_image_is_refused_with_the_minimum():
    with pytest.raises(SettingsError, match="at least 30x30 pixels"):
        registry.build("tang2019", (28, 28, 1), 2, seed=1)

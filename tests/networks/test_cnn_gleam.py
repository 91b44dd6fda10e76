"""CnnGleam and its small form."""

import numpy as np
import pytest

from benchmarker.core.errors import BenchmarkerError
from benchmarker.networks import registry


@pytest.mark.parametrize("side", [27, 108, 243])
def test_the_flattened_size_follows_the_image(side):
    model = registry.build("cnn_gleam", (side, side, 1), 4, seed=1)
    last = side // 3 // 3 // 3
    assert model.get_layer("flat").output.shape == (None, 32 * last**2)
    if side == 243:
        assert model.count_params() == 335_306  # RADIAnCE at 1.6 degrees


def test_there_is_nothing_between_the_linear_layers():
    """The published head is one linear map: scores of a sum are sums of scores."""
    model = registry.build("cnn_gleam", (27, 27, 1), 4, seed=1)
    layers = ("fc1", "fc2", "scores")
    kernels = [np.asarray(model.get_layer(name).kernel, np.float64) for name in layers]
    biases = [np.asarray(model.get_layer(name).bias, np.float64) for name in layers]
    flat = np.random.default_rng(1).normal(size=(3, 32)).astype("float32")
    found = flat
    for name in layers:
        found = model.get_layer(name)(found)
    matrix = kernels[0] @ kernels[1] @ kernels[2]
    bias = (biases[0] @ kernels[1] + biases[1]) @ kernels[2] + biases[2]
    assert np.allclose(found, flat @ matrix + bias, atol=1e-5)


def test_the_small_one_has_as_many_weights_for_any_image():
    counts = {
        side: registry.build("cnn_gleam_small", (side, side, 3), 4, seed=1).count_params()
        for side in (27, 512)
    }
    assert len(set(counts.values())) == 1


def test_the_small_one_does_not_mind_where_an_artefact_lies():
    model = registry.build("cnn_gleam_small", (243, 243, 1), 4, seed=1)
    image = np.zeros((2, 243, 243, 1), "float32")
    image[0, 108:114, 108:114] = image[1, 135:141, 108:114] = 5.0  # 27 pixels further
    first, second = model.predict_on_batch(image)
    assert np.allclose(first, second, atol=1e-6)


@pytest.mark.parametrize("name", ["cnn_gleam", "cnn_gleam_small"])
def test_images_that_are_too_small_are_refused(name):
    with pytest.raises((BenchmarkerError, ValueError), match="side of 27 pixels"):
        registry.build(name, (26, 40, 1), 4, seed=1)

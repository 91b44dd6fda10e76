"""The small ConvNeXt: size, settings, smallest image."""

import keras
import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.networks import registry
from benchmarker.networks.describe import describe


def block_weights(channels):
    """Depthwise 7x7, layer norm, expansion by four and back, each with its bias."""
    return 50 * channels + 2 * channels + 5 * channels + 8 * channels**2


def test_parameters():
    stages = sum(2 * block_weights(channels) for channels in (32, 64, 128))
    stem, norms = 16 * 32 + 32 + 2 * 32, 2 * 32 + 2 * 64 + 2 * 128
    halvings, scores = (4 * 32 * 64 + 64) + (4 * 64 * 128 + 128), 2 * 128 + 2
    found = describe("compact", 150, 2)
    assert found.parameters == stages + stem + norms + halvings + scores
    assert found.parameters < 1_000_000
    assert found.layers[0].output_shape == (37, 37, 32)


def test_the_width_is_a_setting():
    model = registry.build("compact", (40, 40, 1), 2, seed=1, width=8, dropout=0)
    assert model.get_layer("averages").output.shape == (None, 32)
    with pytest.raises(SettingsError, match=r"compact, width: '2' is not a whole number from 4"):
        registry.build("compact", (40, 40, 1), 2, seed=1, width=2)


def test_values_neither_vanish_nor_grow_through_the_blocks():
    model = registry.build("compact", (64, 64, 1), 2, seed=8901)
    places = [model.get_layer(f"block{s}2_add").output for s in (1, 2, 3)]
    image = np.random.default_rng(0).random((4, 64, 64, 1), "float32")
    sizes = [float(np.asarray(x).std()) for x in keras.Model(model.input, places)(image)]
    assert 0.3 < min(sizes) < max(sizes) < 10


def test_a_small_image_is_refused_with_the_smallest_side():
    with pytest.raises(SettingsError, match=r"expected at least 16x16 pixels"):
        registry.build("compact", (15, 15, 1), 2, seed=1)

"""The attention gate alone: resizing, gradients, storage."""

import keras
import numpy as np
import pytest

from benchmarker.networks import attention_gate
from benchmarker.networks.attention_gate import (
    AttentionGate,
    GatePooling,
    normalised,
    resize_matrix,
    resize_rows,
)
from tests.networks.agcnn_oracle import upsample


def resized(features, height, width):
    """As the gate does it: by rows, and by columns with the matrix of its last product."""
    rows = keras.ops.convert_to_numpy(resize_rows(features, height))
    return np.einsum("vw,nhwc->nhvc", resize_matrix(features.shape[2], width), rows)


@pytest.mark.parametrize("size", [(7, 9), (3, 4), (5, 2), (1, 1), (16, 5)])
def test_resizing_is_bilinear_with_half_pixel_centres(size):
    features = np.random.default_rng(1).normal(size=(2, 3, 4, 5)).astype("float32")
    assert np.allclose(resized(features, *size), upsample(features, *size), atol=1e-5)


def test_resizing_agrees_with_keras():
    features = np.random.default_rng(1).normal(size=(1, 18, 18, 2)).astype("float32")
    theirs = keras.ops.image.resize(features, (75, 75), interpolation="bilinear", antialias=False)
    assert np.allclose(resized(features, 75, 75), theirs, atol=1e-5)


def test_a_constant_stays_constant_under_resizing():
    assert np.allclose(resized(np.full((1, 4, 4, 1), 3.0, "float32"), 37, 21), 3)


@pytest.mark.parametrize("over", ["image", "batch"])
@pytest.mark.parametrize("rule", ["range_norm", "std_mean_norm"])
@pytest.mark.parametrize("level", [0.0, 7.3, -2.0])
def test_scores_without_contrast_give_a_map_of_zeros(rule, over, level):
    noise = np.random.default_rng(1).normal(size=(2, 4, 4, 1)) * abs(level) * 1e-7
    scores = (level + noise).astype("float32")
    assert not keras.ops.convert_to_numpy(normalised(scores, rule, over)).any()


def test_standardisation_with_a_largest_score_of_zero_is_finite():
    scores = np.linspace(-1, 0, 16, dtype="float32").reshape(1, 4, 4, 1)
    assert not keras.ops.convert_to_numpy(normalised(scores, "std_mean_norm", "image")).any()


def gate_on(seed=1, **options):
    rng = np.random.default_rng(seed)
    x, g = rng.normal(size=(2, 8, 6, 3)), rng.normal(size=(2, 2, 1, 5))
    layer = AttentionGate(**options)
    return layer, [x.astype("float32"), g.astype("float32")]


def test_multiply_adds_are_those_of_the_pointwise_convolutions():
    layer, inputs = gate_on()
    layer(inputs)
    assert layer.multiply_adds == 8 * 6 * (3 * 64 + 64) + 2 * 1 * 5 * 64


def test_a_gate_is_made_again_from_its_configuration():
    layer, inputs = gate_on(normalisation="softmax", psi_bias=2.0, seeds=(4, 5, 6))
    again = AttentionGate.from_config(layer.get_config())
    assert np.array_equal(again(inputs), layer(inputs))


def test_images_compared_one_by_one_get_the_same_scores_and_gradients(monkeypatch):
    layer, inputs = gate_on(normalisation="sigmoid")
    together, steps = layer(inputs), gradients(layer, inputs)
    monkeypatch.setattr(attention_gate, "LARGE", 1)
    assert np.allclose(layer(inputs), together, atol=1e-6)
    for one, other in zip(gradients(layer, inputs), steps, strict=True):
        assert np.allclose(one, other, atol=1e-4)


def gradients(layer, inputs):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(inputs) ** 2)
    return tape.gradient(total, [weight.value for weight in layer.trainable_weights])


@pytest.mark.parametrize("pooling", ["sum", "mean", "weighted"])
def test_pooling_takes_features_times_the_map(pooling):
    rng = np.random.default_rng(2)
    x, attention = rng.uniform(size=(2, 8, 6, 3)), rng.uniform(size=(2, 8, 6, 1))
    gated = x * attention
    expected = {
        "sum": gated.sum((1, 2)),
        "mean": gated.mean((1, 2)),
        "weighted": gated.sum((1, 2)) / attention.sum((1, 2)),
    }
    found = GatePooling(pooling)([x.astype("float32"), attention.astype("float32")])
    assert np.allclose(found, expected[pooling], rtol=1e-5)


def test_half_precision_keeps_maps_in_float32():
    layer, inputs = gate_on(dtype="mixed_float16")
    attention = layer(inputs)
    assert keras.backend.standardize_dtype(attention.dtype) == "float32"
    full = AttentionGate()(inputs)
    assert np.allclose(attention, full, atol=5e-3)

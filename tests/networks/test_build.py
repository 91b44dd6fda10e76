"""Keras models from layer lists: seeds, initialisers, options and precision."""

import keras
import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.networks import registry
from benchmarker.networks.build import build_layers
from benchmarker.networks.entries import LayerSeeds
from benchmarker.networks.notation import parse


def build(text, shape=(16, 16, 1), classes=3, seed=8901):
    return build_layers(parse(text), shape, classes, LayerSeeds(seed, "toy@first"))


def test_every_token_becomes_its_layer():
    model = build(
        "C4k3s2V:relu:L20.01 BN A:leaky P3s2S Do0.25:UNSEEDED F D8:tanh:he Dn:gl A:softmax"
    )
    conv, norm, leaky, pool, dropout, _, hidden, classes, _ = model.layers[1:]
    assert (conv.filters, conv.strides, conv.padding) == (4, (2, 2), "valid")
    assert conv.kernel_regularizer.l2 == pytest.approx(0.01)
    assert conv.bias_regularizer is None
    assert isinstance(conv.kernel_initializer, keras.initializers.HeNormal)
    assert (norm.momentum, norm.epsilon) == (0.99, 1e-3)
    assert leaky.negative_slope == 0.3
    assert (pool.pool_size, pool.strides, pool.padding) == ((3, 3), (2, 2), "same")
    assert dropout.rate == 0.25
    assert isinstance(hidden.kernel_initializer, keras.initializers.HeNormal)
    assert isinstance(classes.kernel_initializer, keras.initializers.GlorotUniform)
    assert [layer.name for layer in model.layers] == [
        "image", "conv_01", "batch_norm_02", "activation_03", "pool_04", "dropout_05",
        "flatten_06", "dense_07", "classes", "activation_09",
    ]  # fmt: skip
    assert model.name == "toy_first"


def test_he_normal_and_glorot_uniform_have_their_spread():
    model = build("C64k3S F D256:he Dn:softmax", shape=(8, 8, 8))
    conv, hidden, classes = (model.get_layer(n).kernel for n in ("conv_01", "dense_03", "classes"))
    assert np.std(conv) == pytest.approx(np.sqrt(2 / 72), rel=0.05)
    assert np.std(hidden) == pytest.approx(np.sqrt(2 / 4096), rel=0.05)
    limit = np.sqrt(6 / (256 + 3))
    assert np.abs(classes).max() <= limit
    assert np.abs(classes).max() > 0.9 * limit


def test_the_leaky_slope_is_the_published_one():
    model = build("G A:leaky Dn:softmax")
    leaky = keras.Model(model.input, model.get_layer("activation_02").output)
    assert float(leaky(-np.ones((1, 16, 16, 1), "float32"))[0, 0]) == pytest.approx(-0.3)


def test_dropouts_of_one_rate_draw_different_masks():
    model = build("F Do0.5 Do0.5 Dn:softmax")
    ones = np.ones((1, 256), "float32")
    first, second = (model.get_layer(f"dropout_0{n}")(ones, training=True) for n in (2, 3))
    assert not np.array_equal(first, second)


def test_dropout_masks_follow_the_seed():
    ones = np.ones((1, 256), "float32")
    masks = [
        np.asarray(build("F Do0.5 Dn:softmax", seed=s).get_layer("dropout_02")(ones, training=True))
        for s in (1, 1, 2)
    ]
    assert np.array_equal(masks[0], masks[1])
    assert not np.array_equal(masks[0], masks[2])


def test_a_model_does_not_depend_on_what_was_drawn_or_built_before():
    keras.utils.set_random_seed(1)
    first = registry.build("mcrgnet", (28, 28, 1), 2, seed=7).get_weights()
    keras.utils.set_random_seed(2)
    registry.build("simple", (28, 28, 1), 2, seed=7)
    second = registry.build("mcrgnet", (28, 28, 1), 2, seed=7).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_atlas_gives_probabilities_unless_legacy():
    images = np.random.default_rng(3).random((2, 28, 28, 1), "float32")
    plain = registry.build("atlas", (28, 28, 1), 4, seed=1)(images)
    legacy = registry.build("atlas", (28, 28, 1), 4, seed=1, legacy=True)(images)
    assert np.sum(plain, axis=1) == pytest.approx(np.ones(2), abs=1e-5)
    assert np.sum(legacy, axis=1) != pytest.approx(np.ones(2), abs=1e-2)


def test_probabilities_stay_float32_in_half_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        inside = build("C4k3S:relu F Dn:softmax")
        apart = build("C4k3S:relu F Dn A:softmax")
    finally:
        keras.config.set_dtype_policy("float32")
    assert inside.get_layer("conv_01").compute_dtype == "bfloat16"
    assert inside.output.dtype == apart.output.dtype == "float32"


def test_too_small_images_are_refused_with_the_layer():
    with pytest.raises(SettingsError, match=r"layer 1 \(Conv2D 96 filters.*at least 195x195"):
        registry.build("alexnet", (8, 8, 1), 4, seed=1)


def test_unknown_names_are_refused():
    with pytest.raises(SettingsError, match="did you mean simple"):
        registry.build("simpel", (28, 28, 1), 4, seed=1)

"""Batch norms folded into convolutions."""

import keras
import numpy as np
import pytest
from keras import layers

from benchmarker.networks import registry
from benchmarker.runs.folding import FoldedConvolution, folded
from benchmarker.runs.scores import score_head, scorer


def with_drawn_norms(model, seed=1):
    """Norms that do something: as built they multiply by one and add nothing."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            for weight in layer.weights:
                signed = weight.name in ("beta", "moving_mean")
                size = weight.shape
                weight.assign(rng.normal(0, 1, size) if signed else rng.uniform(0.2, 2, size))
    return model


def small(convolution=None, norm=None, between=None):
    image = keras.Input((9, 8, 2))
    tensor = (convolution or layers.Conv2D(4, 3, padding="same", use_bias=False))(image)
    tensor = between(tensor) if between else tensor
    tensor = (norm or layers.BatchNormalization())(tensor)
    return with_drawn_norms(keras.Model(image, layers.Dense(3)(layers.Flatten()(tensor))))


def count(model):
    return sum(isinstance(layer, FoldedConvolution) for layer in model.layers)


IMAGES = np.random.default_rng(3).normal(size=(3, 9, 8, 2)).astype("float32")


@pytest.mark.parametrize(
    "convolution",
    [
        layers.Conv2D(4, 3, padding="same", use_bias=False),
        layers.Conv2D(4, 3, strides=2, bias_initializer="ones"),
        layers.Conv2D(4, (3, 1), dilation_rate=2, padding="same", bias_initializer="ones"),
    ],
)
@pytest.mark.parametrize("norm", [{}, {"center": False}, {"scale": False}])
def test_a_folded_norm_gives_the_same_numbers(convolution, norm):
    again = layers.Conv2D.from_config(convolution.get_config())
    model = small(again, layers.BatchNormalization(**norm))
    view = folded(model)
    assert count(view) == 1
    expected, found = model.predict_on_batch(IMAGES), view.predict_on_batch(IMAGES)
    assert isinstance(found, np.ndarray)
    assert found.shape == expected.shape
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_model_in_training_is_folded_without_its_optimizer():
    """Keras would make the copy's optimizer anew, which fails for a class of ours."""

    class Own(keras.optimizers.Adam):
        """Unknown to Keras."""

    model = small()
    model.compile(optimizer=Own(), loss="mse")
    view = folded(model)
    assert count(view) == 1
    assert not view.compiled
    assert np.shape(view.predict_on_batch(IMAGES)) == (3, 3)


def test_it_follows_weights_that_change():
    model = small()
    view = folded(model)
    first = view.predict_on_batch(IMAGES)
    with_drawn_norms(model, seed=2)
    second = view.predict_on_batch(IMAGES)
    assert not np.allclose(first, second, atol=1e-2)
    assert np.allclose(second, model.predict_on_batch(IMAGES), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "parts",
    [
        {"convolution": layers.Conv2D(4, 3, activation="relu")},
        {"convolution": layers.Conv2D(4, 3, groups=2)},
        {"convolution": layers.DepthwiseConv2D(3)},
        {"norm": layers.BatchNormalization(axis=1)},
        {"between": layers.ReLU()},
    ],
)
def test_what_cannot_be_folded_is_left(parts):
    model = small(**parts)
    assert folded(model) is model


def test_a_convolution_that_others_read_is_left():
    image = keras.Input((9, 8, 2))
    tensor = layers.Conv2D(4, 3)(image)
    both = layers.Concatenate()([tensor, layers.BatchNormalization()(tensor)])
    model = keras.Model(image, both)
    assert folded(model) is model


def test_a_layer_used_twice_is_left():
    image, norm = keras.Input((9, 8, 4)), layers.BatchNormalization()
    convolution = layers.Conv2D(4, 3, padding="same")
    model = keras.Model(image, norm(convolution(norm(convolution(image)))))
    assert folded(model) is model


@pytest.mark.parametrize("name", ["agcnn", "tang2019", "convXpress"])
def test_scores_of_registered_networks_are_those_of_the_network(name):
    model = with_drawn_norms(registry.build(name, (150, 150, 1), 2, seed=1))
    images = np.random.default_rng(4).normal(size=(2, 150, 150, 1)).astype("float32")
    expected = score_head(model).predict_on_batch(images)
    assert (count(scorer(model)) > 0) == (name == "agcnn")
    assert np.allclose(scorer(model).predict_on_batch(images), expected, rtol=1e-4, atol=1e-5)

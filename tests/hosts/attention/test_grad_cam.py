import keras
import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.hosts.attention import gradients
from benchmarker.hosts.attention.grad_cam import (
    GradCam,
    class_activation,
    default_layer,
    spatial_layers,
    unit_height,
)
from benchmarker.networks import registry
from tests.hosts.attention.networks import SIDE, linear_network, noise, small_agcnn


def features_of(model, layer, images):
    return keras.Model(model.inputs, model.get_layer(layer).output).predict_on_batch(images)


def test_of_a_linear_network_it_is_the_class_weights_combination():
    model, images = linear_network(), noise(4, side=8)
    features = features_of(model, "features", images)
    dense = model.get_layer("dense").get_weights()[0]
    for of_class in (0, 1):
        maps = GradCam(model, "features", of_class=of_class)(images)
        # the gradient of a mean over 64 pixels is the weight over 64
        expected = np.maximum(np.einsum("nhwk,k->nhw", features, dense[:, of_class]) / 64, 0)
        assert maps.own[0] == pytest.approx(expected, rel=1e-4, abs=1e-6)
        assert maps.mean.max(axis=(1, 2)) == pytest.approx(1.0)


def test_the_predicted_class_is_asked_about_unless_another_is():
    model, images = linear_network(), noise(6, side=8)
    predicted = GradCam(model)(images)
    for row, label in enumerate(predicted.predicted):
        alone = GradCam(model, of_class=int(label))(images[row : row + 1])
        assert predicted.mean[row] == pytest.approx(alone.mean[0], abs=1e-5)
    assert predicted.scores.shape == (6, 2)


def test_gradients_agree_with_differences():
    model = small_agcnn(gates=2, normalisation="sigmoid", pooling="mean")
    images = noise(1)
    cam = GradCam(model, "bnorm2c", of_class=1)  # after the ReLU, zeros tie in the pooling
    features, _ = cam._head.predict_on_batch(images)
    slope = gradients.score_gradients(cam._tail, images, features, np.array([1]))
    # along the gradient itself, and so little that no unit switches on or off
    steepness = float(np.sqrt((slope.astype(np.float64) ** 2).sum()))
    step = 2e-3 * slope / steepness
    low, high = (
        float(np.asarray(cam._tail.predict_on_batch([images, features + sign * step]))[0, 1])
        for sign in (-1, 1)
    )
    assert steepness > 0
    assert (high - low) / 4e-3 == pytest.approx(steepness, rel=5e-2)


def test_the_default_layer_is_the_last_one_that_computes_features():
    assert spatial_layers(linear_network(activation="relu")) == ["features", "active"]
    assert GradCam(small_agcnn()).names == ("relu4b",)
    assert GradCam(small_agcnn(gates=0)).names == ("relu4b",)


def test_pooling_and_dropout_after_the_last_convolution_are_passed_over():
    model = registry.build("convXpress", (150, 150, 1), 2, seed=1)
    assert spatial_layers(model)[-3:] == ["conv_17", "pool_18", "dropout_19"]
    assert default_layer(model) == "conv_17"


@pytest.mark.parametrize("network", ["convXpress", "tang2019", "lenet_d4", "compact"])
def test_networks_of_the_registry_have_maps(network):
    model = registry.build(network, (150, 150, 1), 2, seed=1)
    maps = GradCam(model)(noise(2, side=150))
    assert maps.mean.shape == (2, 150, 150)
    assert np.isfinite(maps.mean).all()
    assert maps.mean.min() >= 0
    assert maps.mean.max() <= 1


def test_a_map_of_zeros_stays_one():
    assert unit_height(np.zeros((2, 3, 3), np.float32)).max() == 0
    negative = class_activation(np.ones((1, 2, 2, 1)), -np.ones((1, 2, 2, 1)))
    assert negative.max() == 0


def test_an_empty_image_gives_no_nan():
    maps = GradCam(small_agcnn())(np.zeros((2, SIDE, SIDE, 1), np.float32))
    assert np.isfinite(maps.mean).all()


def test_a_wrong_layer_is_named_with_those_that_fit():
    with pytest.raises(SettingsError, match=r"'relu3x'.*is not there.*relu3"):
        GradCam(small_agcnn(), "relu3x")
    with pytest.raises(SettingsError, match="has not one spatial output"):
        GradCam(small_agcnn(), "gate1")


def test_a_network_without_features_is_refused():
    image = keras.Input((4, 4, 1))
    flat = keras.layers.Flatten()(image)
    model = keras.Model(image, keras.layers.Dense(2, "softmax")(flat), name="flat_network")
    with pytest.raises(SettingsError, match="flat_network has no layer with a spatial output"):
        GradCam(model)


def test_another_backend_is_refused_by_name(monkeypatch):
    cam = GradCam(linear_network())
    monkeypatch.setattr(keras.backend, "backend", lambda: "numpy")
    with pytest.raises(SettingsError, match=r"'numpy'.*tensorflow or jax"):
        cam(noise(1, side=8))

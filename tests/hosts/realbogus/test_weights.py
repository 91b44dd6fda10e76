"""Weights of braai's VGG6 in old HDF5 files."""

import keras
import numpy as np
import pytest

from benchmarker.cli.main import main
from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.hosts.foreign_weights import import_weights
from benchmarker.networks import registry
from benchmarker.runs.scores import score_head, softmax
from benchmarker.runs.trained import open_trained
from tests.data.test_keras_h5 import write_old


def original(side=63):
    """The network as published, layer by layer, with one sigmoid."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((side, side, 3)),
            layers.Conv2D(16, 3, activation="relu", name="conv1"),
            layers.Conv2D(16, 3, activation="relu", name="conv2"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Conv2D(32, 3, activation="relu", name="conv3"),
            layers.Conv2D(32, 3, activation="relu", name="conv4"),
            layers.MaxPooling2D(4),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(256, activation="relu", name="fc_1"),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid", name="fc_out"),
        ]
    )
    rng = np.random.default_rng(3)
    for weight in model.weights:
        weight.assign(rng.normal(0, 0.15, weight.shape))
    return model


def stored(model):
    return {
        layer.name: {"kernel": np.asarray(layer.kernel), "bias": np.asarray(layer.bias)}
        for layer in model.layers
        if layer.weights
    }


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("braai") / "d6_m7.h5"
    return write_old(path, stored(original()))


def test_counts_are_the_published_ones():
    model = registry.build("braai_vgg6", (63, 63, 3), 2, seed=1)
    assert model.count_params() == 312_081
    counts = [layer.count_params() for layer in model.layers if layer.count_params()]
    assert counts == [448, 2_320, 4_640, 9_248, 295_168, 257]
    assert registry.build("psat_d", (20, 20, 1), 2, seed=1).count_params() == 139_918


def test_the_sigmoid_is_the_probability_of_real(file, real_data):
    found = import_weights("braai_vgg6", file, {})
    assert found.classes == ("bogus", "real")
    assert found.shape == (63, 63, 3)
    with np.load(real_data / "btsbot_triplets.npz") as arrays:
        triplets = arrays["triplets"].astype("float32")
    expected = original().predict_on_batch(triplets)[:, 0]
    scores = np.asarray(score_head(found.model).predict_on_batch(triplets), np.float64)
    assert not scores[:, 0].any()
    assert np.allclose(softmax(scores)[:, 1], expected, atol=1e-6)
    assert np.ptp(expected) > 1e-3


def test_the_command_makes_weights_that_stand_alone(file, tmp_path):
    out = tmp_path / "braai.safetensors"
    assert main(["import-weights", "braai_vgg6", str(file), "-o", str(out)]) == 0
    trained = open_trained(out)
    assert trained.preparation.planes == "unit"
    assert trained.shape == (63, 63, 3)


def test_other_sizes_that_fit_the_weights(file):
    assert import_weights("braai_vgg6", file, {}, size=61).shape == (61, 61, 3)
    with pytest.raises(SettingsError, match="for 60 to 67 pixels"):
        import_weights("braai_vgg6", file, {}, size=80)


def test_weights_of_another_network_are_refused(tmp_path):
    arrays = stored(original())
    del arrays["conv4"]
    with pytest.raises(InputFileError, match=r"no array conv4.kernel"):
        import_weights("braai_vgg6", write_old(tmp_path / "a.h5", arrays), {})
    with pytest.raises(InputFileError, match="not the weights of braai"):
        import_weights("braai_vgg6", write_old(tmp_path / "b.h5", {"dense": arrays["fc_1"]}), {})

"""Files for other programs give what Keras gives, or are not written."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from benchmarker.core import extras
from benchmarker.core.errors import CheckFailedError, InputFileError, SettingsError
from benchmarker.data.preparation import named_preparation
from benchmarker.exports import model_files
from benchmarker.exports.model_files import write_model
from benchmarker.exports.source import (
    batches,
    images_to_check,
    open_source,
    probability_model,
)
from benchmarker.networks import registry
from benchmarker.runs import resolve
from benchmarker.runs.trained import open_trained, write_trained
from benchmarker.runs.weights import read_tensors, write_tensors
from tests.runs.toy import CLASSES, write_toy
from tests.runs.toy_run import copied, toy_place, toy_run

SHAPE = (32, 32, 1)
NETWORKS = [
    ("mcrgnet", {}, False),
    ("compact", {}, False),  # the exact GELU: ONNX has no erfc
    ("lenet_d4", {}, False),
    ("agcnn", {"gates": 2, "normalisation": "sigmoid"}, False),
    ("agcnn", {"gates": 2, "maps_over": "batch"}, False),
    ("atlas", {}, True),  # published with a sigmoid, whose outputs do not sum to 1
]


@pytest.fixture(scope="module")
def onnx():
    pytest.importorskip("tf2onnx", reason="pip install 'benchmarker[export]'")
    pytest.importorskip("onnxruntime", reason="pip install 'benchmarker[export]'")
    return pytest.importorskip("onnx", reason="pip install 'benchmarker[export]'")


@pytest.fixture(scope="module")
def litert():
    return pytest.importorskip("ai_edge_litert", reason="pip install 'benchmarker[export]'")


@pytest.fixture
def here(monkeypatch):
    """The folder of the toy run, where its data are found."""
    resolve._images.cache_clear()
    monkeypatch.chdir(toy_place())


def weights_file(path, network="mcrgnet", settings=None, *, legacy=False, shape=SHAPE):
    """Weights that are not those of the start, so that every layer has a say."""
    model = registry.build(network, shape, len(CLASSES), seed=3, legacy=legacy, **(settings or {}))
    draw = np.random.default_rng(4)
    for weight in model.weights:
        if "variance" not in weight.path:
            weight.assign(weight.numpy() + draw.normal(0, 0.05, weight.shape))
    return write_trained(
        path, model, network=network, network_settings=settings or {}, shape=shape,
        classes=CLASSES, preparation=named_preparation("scaled"), legacy=legacy,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["onnx", "litert"])
def test_a_run_is_compared_on_its_test_images(here, tmp_path, request, kind):
    request.getfixturevalue(kind)
    path = tmp_path / f"net{model_files.SUFFIXES[kind]}"
    written = write_model(open_source(toy_run()), kind, path)
    said = json.loads(written.beside.read_text())
    assert (written.path, written.agreement.images) == (path, 16)
    assert 0 <= written.agreement.furthest <= 1e-5
    assert said["agreement"]["data"] == "toy"
    assert said["output"]["classes"] == list(CLASSES)
    assert said["input"]["shape"] == [None, *SHAPE]
    assert said["input"]["preparation"] == named_preparation("scaled").as_dict()
    record = open_trained(toy_run()).record
    facts = said["facts"]
    assert facts["data"]["digest"] == record.data["digest"]
    assert facts["metrics"]["mpca"] == record.metrics["best"]["mpca"]
    assert str(toy_place()) not in written.beside.read_text()


def test_an_onnx_file_alone_says_how_to_use_it(here, tmp_path, onnx):
    import onnxruntime

    record = open_trained(toy_run()).record
    path = tmp_path / "net.onnx"
    write_model(open_source(toy_run()), "onnx", path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (image,), (output,) = session.get_inputs(), session.get_outputs()
    assert (image.name, image.shape) == ("image", ["images", *SHAPE])
    assert (output.name, output.shape) == ("probabilities", ["images", 4])
    said = json.loads(session.get_modelmeta().custom_metadata_map["benchmarker"])
    assert said["input"]["preparation"]["normalise"] == "scale255"
    table = record.predictions("best")
    trained = open_trained(toy_run())
    images, names = images_to_check(trained)
    (_, shown), *_ = batches(trained, images, names)
    found = session.run(["probabilities"], {"image": shown})[0]
    np.testing.assert_allclose(found, table.probabilities[: len(found)], atol=1e-5)
    one = session.run(["probabilities"], {"image": shown[:1]})[0]
    np.testing.assert_allclose(one, found[:1], atol=1e-6)


@pytest.mark.parametrize("kind", ["onnx", "litert"])
@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_networks_of_every_kind_agree(tmp_path, request, kind, network):
    request.getfixturevalue(kind)
    network, settings, legacy = network
    shape = (150, 150, 1) if network == "atlas" else SHAPE
    count = 20 if network == "agcnn" else 5
    data = write_toy(tmp_path / "shown.npz", count=count, size=shape[0])
    file = weights_file(tmp_path / "w.safetensors", network, settings, legacy=legacy, shape=shape)
    path = tmp_path / f"net{model_files.SUFFIXES[kind]}"
    written = write_model(open_source(file), kind, path, data=str(data))
    assert written.agreement.images == count
    assert written.agreement.furthest <= 1e-5


def test_the_exported_model_gives_probabilities_that_sum_to_one(tmp_path):
    file = weights_file(tmp_path / "w.safetensors", "atlas", legacy=True, shape=(150, 150, 1))
    trained = open_trained(file)
    images = np.random.default_rng(1).random((3, 150, 150, 1), "float32")
    raw = np.asarray(trained.model(images))
    found = np.asarray(probability_model(trained)(images))
    np.testing.assert_allclose(found, raw / raw.sum(axis=1, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("kind", ["onnx", "litert"])
def test_what_does_not_agree_is_not_written(here, tmp_path, request, monkeypatch, kind):
    """The network that is exported is another than the one that is checked."""
    request.getfixturevalue(kind)

    def spoilt(trained):
        image = keras.Input(trained.shape, name="image")
        shares = keras.layers.Lambda(lambda x: x[..., ::-1], name="probabilities")(
            trained.model(image)
        )
        return keras.Model(image, shares)

    monkeypatch.setattr(model_files, "probability_model", spoilt)
    path = tmp_path / f"net{model_files.SUFFIXES[kind]}"
    path.write_bytes(b"earlier")
    with pytest.raises(CheckFailedError, match=r"was not written: its probabilities differ .* 0\."):
        write_model(open_source(toy_run()), kind, path)
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_an_operation_that_onnx_has_not_is_told(here, tmp_path, monkeypatch, onnx):
    import tensorflow as tf

    def strange(trained):
        image = keras.Input(trained.shape, name="image")
        shares = keras.layers.Lambda(tf.math.lgamma, name="probabilities")(trained.model(image))
        return keras.Model(image, shares)

    monkeypatch.setattr(model_files, "probability_model", strange)
    with pytest.raises(SettingsError, match="this network cannot be written as ONNX"):
        write_model(open_source(toy_run()), "onnx", tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []


def test_plain_tensors_and_the_layers_in_words(tmp_path):
    from safetensors.numpy import load_file

    trained = open_trained(weights_file(tmp_path / "w.safetensors", "lenet_d4"))
    written = write_model(trained, "safetensors", tmp_path / "plain.safetensors")
    arrays = load_file(tmp_path / "plain.safetensors")
    assert written.agreement is None
    assert len(arrays) == len(trained.model.weights)
    stored = {array.tobytes() for array in trained.tensors.values()}
    assert {array.tobytes() for array in arrays.values()} == stored
    layers = json.loads(written.beside.read_text())["weights"]["layers"]
    listed = {name: shape for layer in layers for name, shape in layer["weights"].items()}
    assert listed == {name: list(array.shape) for name, array in arrays.items()}
    names = [layer["name"] for layer in layers]
    assert layers[0]["inputs"] == []
    assert all(one in names for layer in layers[1:] for one in layer["inputs"])


def test_a_convolution_can_be_made_from_the_text_alone(tmp_path):
    """The first layer of a network, computed with scipy from what was written."""
    from safetensors.numpy import load_file
    from scipy.signal import correlate2d

    trained = open_trained(weights_file(tmp_path / "w.safetensors"))
    written = write_model(trained, "safetensors", tmp_path / "plain.safetensors")
    arrays = load_file(tmp_path / "plain.safetensors")
    layers = json.loads(written.beside.read_text())["weights"]["layers"]
    first = next(layer for layer in layers if layer["type"] == "Conv2D")
    assert (first["settings"]["strides"], first["settings"]["padding"]) == ([2, 2], "same")
    kernel, bias = (arrays[f"{first['name']}/{word}"] for word in ("kernel", "bias"))
    image = np.random.default_rng(1).random((32, 32), "float32")
    padded = np.pad(image, ((0, 1), (0, 1)))
    expected = correlate2d(padded, kernel[:, :, 0, 0], mode="valid")[::2, ::2] + bias[0]
    layer = trained.model.get_layer(first["name"])
    found = np.asarray(layer(image[np.newaxis, ..., np.newaxis]))[0, :, :, 0]
    np.testing.assert_allclose(found, np.maximum(expected, 0), atol=1e-5)


MISSING = {
    "onnx": ("tf2onnx", "ONNX needs tf2onnx, which is not installed here: pip install "),
    "litert": ("ai_edge_litert", "LiteRT needs ai-edge-litert, which is not installed here"),
}


@pytest.mark.parametrize("kind", MISSING)
def test_what_is_not_installed_is_named_with_the_command(here, tmp_path, monkeypatch, kind):
    missing, text = MISSING[kind]
    known = extras.find_spec
    monkeypatch.setattr(
        extras, "find_spec", lambda name: None if name == missing else (known(name) or object())
    )
    path = tmp_path / f"net{model_files.SUFFIXES[kind]}"
    with pytest.raises(SettingsError) as caught:
        write_model(open_source(toy_run()), kind, path)
    assert str(caught.value).startswith(text)
    assert "pip install 'benchmarker[export]', or pip install " in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_several_that_are_not_installed_are_named_at_once(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match="onnx, tf2onnx, onnxruntime, which are not installed"):
        extras.require("ONNX", "export", "onnx", "tf2onnx", "onnxruntime")


def test_edited_weights_are_not_exported(tmp_path):
    folder = copied(tmp_path / "edited")
    tensors, notes = read_tensors(folder / "best.safetensors")
    tensors[min(tensors)][:] = 0
    notes.pop("digest")
    write_tensors(folder / "best.safetensors", tensors, notes)
    with pytest.raises(CheckFailedError, match=r"best\.safetensors: the weights are not those"):
        open_source(folder)
    assert open_source(folder, "final").record is not None


def test_a_file_of_weights_needs_images_to_compare(tmp_path, onnx):
    trained = open_trained(weights_file(tmp_path / "w.safetensors"))
    with pytest.raises(SettingsError, match="expected --data with a data set"):
        write_model(trained, "onnx", tmp_path / "net.onnx")
    small = replace(trained, shape=(28, 28, 1))
    write_toy(tmp_path / "other.npz", count=3)
    images, names = images_to_check(small, str(tmp_path / "other.npz"))
    with pytest.raises(InputFileError, match="takes 28 x 28"):
        next(batches(small, images, names))


def test_the_name_must_end_as_its_kind():
    with pytest.raises(SettingsError, match=r"-o net\.bin: expected a name that ends in \.tflite"):
        model_files.check_target("litert", model_files.Path("net.bin"))

"""Weights of CnnGleam: the reference vectors, the mapping, refusals."""

from pathlib import Path

import keras
import numpy as np
import pytest

from benchmarker.cli.main import main
from benchmarker.core.errors import InputFileError
from benchmarker.data.preparation import named_preparation, prepare
from benchmarker.hosts.foreign_weights import export_arrays, import_weights
from benchmarker.hosts.radiance.weights import CLASSES, LAYOUT
from benchmarker.networks import registry
from benchmarker.runs.scores import score_head, softmax
from benchmarker.runs.trained import open_trained

PREFIX = "torch__"


@pytest.fixture(scope="module")
def vectors(specs):
    with np.load(specs / "radiance_vectors.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def original(vectors):
    """The weights as the original stores them: linear layers wrapped for several GPUs."""
    plain = {k.removeprefix(PREFIX): v for k, v in vectors.items() if k.startswith(PREFIX)}
    return {
        name.replace(".", ".module.") if name.startswith("fc") else name: array
        for name, array in plain.items()
    }


@pytest.fixture
def file(original, tmp_path):
    np.savez(tmp_path / "gleamnet35.npz", **original)
    return tmp_path / "gleamnet35.npz"


def test_the_reference_vectors_are_met(vectors, file):
    found = import_weights("cnn_gleam", file, {}, size=108)
    assert (found.shape, found.classes, found.preparation) == ((108, 108, 1), CLASSES, "field")
    preparation = named_preparation(found.preparation)
    images = np.stack([prepare(one, preparation, "image") for one in vectors["raw_images"]])
    assert np.allclose(images[..., 0], vectors["standardised"], atol=1e-5)
    scores = np.asarray(score_head(found.model).predict_on_batch(images), np.float64)
    assert np.allclose(scores, vectors["logits"], atol=1e-4)
    assert np.allclose(softmax(scores), vectors["probabilities"], atol=1e-4)
    inside = keras.Model(found.model.inputs, found.model.get_layer("layer1_pool").output)
    first = np.moveaxis(inside.predict_on_batch(images), -1, 1)[:, :, ::6, ::6]
    assert np.allclose(first, vectors["pool1_sampled"], atol=1e-4)


def test_the_published_size_has_the_published_weights():
    model = registry.build("cnn_gleam", (4000, 4000, 1), 4, seed=1)
    assert model.count_params() == 70_168_906
    counts = {layer.name: layer.count_params() for layer in model.layers if layer.count_params()}
    assert counts == {
        "layer1": 3_616,
        "layer4": 41_504,
        "layer7": 25_632,
        "fc1": 70_092_900,
        "fc2": 5_050,
        "scores": 204,
    }


def test_what_is_imported_is_exported_again(file, original):
    found = import_weights("cnn_gleam", file, {}, size=108)
    again = export_arrays(found.model, LAYOUT)
    assert again.keys() == {LAYOUT.plain(name) for name in original}
    for name, array in original.items():
        assert np.array_equal(again[LAYOUT.plain(name)], array)


def test_the_command_writes_weights_that_stand_alone(file, tmp_path, capsys):
    out = tmp_path / "gleam.safetensors"
    assert main(["import-weights", "cnn_gleam", str(file), "-o", str(out), "--size", "110"]) == 0
    assert "110 x 110 x 1 images, preparation field, classes good, rfi" in capsys.readouterr().out
    trained = open_trained(out)
    assert trained.shape == (110, 110, 1)
    assert trained.preparation.views == ("contrast",)


def test_a_size_that_the_weights_do_not_fit_is_refused(file, capsys, tmp_path):
    words = ["import-weights", "cnn_gleam", str(file), "-o", str(tmp_path / "a.safetensors")]
    assert main([*words, "--size", "400"]) == 1
    assert "for 108 to 134 pixels" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda arrays: arrays.pop("fc2.module.bias"), "no array fc2.bias"),
        (lambda arrays: arrays.pop("layer1.weight"), "not the weights of CnnGleam"),
        (
            lambda arrays: arrays.update({"fc1.module.weight": np.zeros((100, 300), "f4")}),
            "fc1.weight takes 300 values",
        ),
        (lambda arrays: arrays.update({"layer9.bias": np.zeros(3, "f4")}), "belongs to no layer"),
    ],
)
def test_other_weights_are_refused_by_name(original, tmp_path, change, said):
    arrays = dict(original)
    change(arrays)
    np.savez(tmp_path / "w.npz", **arrays)
    with pytest.raises(InputFileError, match=said):
        import_weights("cnn_gleam", Path(tmp_path / "w.npz"), {})

"""Weights that can be used by themselves, from a file or from a run's folder."""

import json

import numpy as np
import pytest

from benchmarker.core.errors import BenchmarkerWarning, InputFileError, MissingDataError
from benchmarker.data.images import ArrayPixels, ImageSet
from benchmarker.data.preparation import named_preparation
from benchmarker.networks import registry
from benchmarker.runs.notes import NOTES
from benchmarker.runs.trained import kept_epochs, open_trained, write_trained
from benchmarker.runs.weights import named_weights, read_tensors, write_tensors

SIGMOID = "atlas"
SETTINGS = {"gates": 2, "normalisation": "softmax", "aggregation": "concat"}


@pytest.fixture(scope="module")
def model():
    return registry.build("agcnn", (28, 28, 1), 2, seed=5, **SETTINGS)


@pytest.fixture
def file(tmp_path, model):
    return write_trained(
        tmp_path / "w.safetensors",
        model,
        network="agcnn",
        network_settings=SETTINGS,
        shape=(28, 28, 1),
        classes=("FRI", "FRII"),
        preparation=named_preparation("attention"),
    )


def image_set(side=28, count=3):
    pixels = np.random.default_rng(1).integers(0, 255, (count, side, side, 1), dtype=np.uint8)
    names = tuple(f"s{number}" for number in range(count))
    return ImageSet("small", ArrayPixels(pixels, "small"), np.arange(count) % 2, ("A", "B"), names)


def test_a_file_is_enough(file, model):
    trained = open_trained(file)
    assert (trained.network, trained.classes) == ("agcnn", ("FRI", "FRII"))
    assert trained.network_settings.items() >= SETTINGS.items()
    images = image_set()
    prepared = trained.prepare(images, ["s2", "s0"])
    stored = np.stack([images.pixels.read(row) for row in (2, 0)]).astype("float32") / 255
    assert np.allclose(prepared.read([0, 1]), (stored - 0.5) / 0.5)
    assert prepared.labels.tolist() == [0, 0]
    assert np.allclose(trained.probabilities(prepared), model(prepared.read([0, 1])), atol=1e-6)


def test_load_weights_of_the_package(file, model):
    from benchmarker import build, load_weights

    other = build("agcnn", (28, 28, 1), 2, seed=1, **SETTINGS)
    load_weights(other, file)
    images = np.random.default_rng(2).random((2, 28, 28, 1), "float32")
    assert np.array_equal(other(images), model(images))


def test_another_network_is_refused_by_name(file):
    from benchmarker import build, load_weights

    with pytest.raises(InputFileError, match=r"no tensor .*gate3"):
        load_weights(build("agcnn", (28, 28, 1), 2, seed=1, gates=3), file)


def test_settings_that_change_no_shape_are_refused_by_name(file):
    from benchmarker import build, load_weights

    other = build("agcnn", (28, 28, 1), 2, seed=1, **{**SETTINGS, "normalisation": "sigmoid"})
    before = named_weights(other)
    with pytest.raises(
        InputFileError, match="normalisation is 'softmax' of the weights, 'sigmoid'"
    ):
        load_weights(other, file)
    after = named_weights(other)
    assert all(np.array_equal(array, after[name]) for name, array in before.items())


def changed_notes(path, **changes):
    """The same file with other notes; None takes one out."""
    tensors, texts = read_tensors(path)
    said = {**json.loads(texts[NOTES]), **changes}
    kept = {key: value for key, value in said.items() if value is not None}
    return write_tensors(path, tensors, {NOTES: json.dumps(kept)})


def listed_file(path, network="mcrgnet", **changes):
    model = registry.build(network, (32, 32, 1), 4, seed=3)
    write_trained(
        path, model, network=network, network_settings={}, shape=(32, 32, 1),
        classes=("A", "B", "C", "D"), preparation=named_preparation("scaled"),
    )  # fmt: skip
    return changed_notes(path, **changes), model


def test_another_source_of_a_python_network_is_told(file, model):
    from benchmarker import build, load_weights

    changed_notes(file, network_digest="0" * 64)
    with pytest.warns(BenchmarkerWarning, match=r"agcnn was defined by another source .*00000000"):
        open_trained(file)
    with pytest.warns(BenchmarkerWarning, match="defined by another source"):
        load_weights(build("agcnn", (28, 28, 1), 2, seed=1, **SETTINGS), file)


def test_a_list_defined_otherwise_here_is_built_as_it_was(tmp_path):
    """A file holds its layer list: another one of that name, or none, does not matter."""
    images = np.random.default_rng(2).random((2, 32, 32, 1), "float32")
    path, model = listed_file(tmp_path / "w.safetensors", network="mcrgnet")
    changed_notes(path, network="convXpress", network_digest="0" * 64)
    assert np.array_equal(open_trained(path).model(images), model(images))
    changed_notes(path, network="gone_from_here")
    assert np.array_equal(open_trained(path).model(images), model(images))


def test_load_weights_refuses_another_list_of_equal_shapes(tmp_path):
    from benchmarker import build, load_weights

    path, _ = listed_file(tmp_path / "w.safetensors")
    load_weights(build("mcrgnet", (32, 32, 1), 4, seed=1), path)
    text = registry.define("mcrgnet", {}).layers.replace("relu", "tanh", 1)
    changed_notes(path, layers=text)
    with pytest.raises(InputFileError, match="belong to another definition: layer 1 of mcrgnet"):
        load_weights(build("mcrgnet", (32, 32, 1), 4, seed=1), path)


def test_a_list_known_by_another_digest_alone_is_refused(tmp_path):
    path, _ = listed_file(tmp_path / "w.safetensors", layers=None, network_digest="0" * 64)
    with pytest.raises(InputFileError, match="another definition of mcrgnet: digest 00000000"):
        open_trained(path)


def test_a_text_that_asks_for_more_than_the_file_holds_is_refused_unbuilt(tmp_path):
    text = registry.define("mcrgnet", {}).layers.replace("D64", "D900000")
    path, _ = listed_file(tmp_path / "w.safetensors", layers=text)
    with pytest.raises(InputFileError, match=r"holds \d+ numbers, the layers .* have \d{8,} w"):
        _ = open_trained(path).model


def test_files_of_earlier_versions_are_read(tmp_path):
    images = np.random.default_rng(2).random((2, 32, 32, 1), "float32")
    path, model = listed_file(tmp_path / "w.safetensors", layers=None, network_digest=None)
    assert np.array_equal(open_trained(path).model(images), model(images))


def test_another_size_is_refused(file):
    with pytest.raises(InputFileError, match=r"s0 of small is 30 x 30 pixels.*takes 28 x 28"):
        open_trained(file).prepare(image_set(side=30))


def test_a_file_without_notes_says_so(tmp_path, model):
    path = write_tensors(tmp_path / "bare.safetensors", named_weights(model))
    with pytest.raises(InputFileError, match="does not say which network"):
        open_trained(path)


def test_what_is_not_there(tmp_path):
    with pytest.raises(MissingDataError, match="no run folder and no file"):
        open_trained(tmp_path / "nothing")
    with pytest.raises(MissingDataError, match="holds no run"):
        open_trained(tmp_path)


def test_epochs_kept_are_found_in_order(tmp_path):
    for number in (12, 3):
        (tmp_path / "epochs").mkdir(exist_ok=True)
        (tmp_path / "epochs" / f"{number:05d}.safetensors").touch()
    assert kept_epochs(tmp_path) == [3, 12]


@pytest.mark.parametrize("legacy", [False, True])
def test_weights_of_the_legacy_protocol_keep_their_published_output(tmp_path, legacy):
    """Its sigmoid does not sum to 1; a softmax of the same weights says something else."""
    shape = (150, 150, 1)
    other = registry.build(SIGMOID, shape, 2, seed=5, legacy=legacy)
    path = write_trained(
        tmp_path / "w.safetensors", other, network=SIGMOID, network_settings={}, shape=shape,
        classes=("A", "B"), preparation=named_preparation("scaled"), legacy=legacy,
    )  # fmt: skip
    images = np.random.default_rng(2).random((2, *shape), "float32")
    assert np.array_equal(open_trained(path).model(images), other(images))
    assert np.allclose(np.sum(other(images), axis=1), 1) is not legacy

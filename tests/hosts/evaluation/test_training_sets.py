"""The images behind a network, opened again and checked by digest."""

import json
import shutil

import pytest

from benchmarker.core.errors import InputFileError, MissingDataError, SettingsError
from benchmarker.data.opening import open_data
from benchmarker.hosts.evaluation.training_sets import own_names, set_names, training_set
from benchmarker.runs.trained import open_trained
from tests.hosts.evaluation.conftest import write_weights
from tests.runs.toy import write_toy


def test_own_data_are_found_from_another_folder(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = training_set(trained)
    assert own.images is not None, own.reason
    assert own.digest == trained.record.data["digest"]
    test = own_names(trained, own, "test")
    assert test == trained.record.predictions("best").sources
    assert set(own.seen) == set(own.images.sources) - set(test)


def test_parts_of_the_own_split(trained):
    own = training_set(trained)
    parts = {part: own_names(trained, own, part) for part in ("train", "validation", "test")}
    sizes = {part: trained.record.split[part] for part in parts}
    assert {part: len(names) for part, names in parts.items()} == sizes
    assert set(parts["train"]) | set(parts["validation"]) == set(own.seen)
    with pytest.raises(SettingsError, match="would test on sources that trained the network"):
        own_names(trained, own, "all")


def moved(run_folder, tmp_path, **place):
    """The run in another place, with other words about where its data lie."""
    folder = tmp_path / "results" / "runs" / run_folder.name
    shutil.copytree(run_folder, folder)
    path = folder / "run.json"
    record = json.loads(path.read_text())
    record["place"] = place
    path.write_text(json.dumps(record))
    return folder


def test_data_that_are_gone_are_no_error_unless_given(run_folder, tmp_path):
    trained = open_trained(moved(run_folder, tmp_path, data="gone.npz"))
    own = training_set(trained)
    assert own.images is None
    assert "no data set 'gone.npz'" in own.reason
    assert own.name == "toy"
    with pytest.raises(MissingDataError, match=r"no data set 'nowhere.npz'"):
        training_set(trained, "nowhere.npz")


def test_other_images_are_refused(run_folder, tmp_path, place):
    write_toy(tmp_path / "toy.npz", count=60, seed=4)
    trained = open_trained(moved(run_folder, tmp_path, data=str(tmp_path / "toy.npz")))
    assert "holds other images or labels than those of the run" in training_set(trained).reason
    assert training_set(trained, str(place / "toy.npz")).images is not None


def test_a_split_that_comes_out_otherwise_is_refused(run_folder, tmp_path, place):
    data = str(place / "toy.npz")
    trained = open_trained(moved(run_folder, tmp_path, data=data, train=3, validation=2))
    own = training_set(trained)
    assert len(own_names(trained, own, "test")) == trained.record.split["test"]
    with pytest.raises(InputFileError, match=r"cannot be made again.*only the part test"):
        own_names(trained, own, "validation")


def test_weights_know_nothing_of_their_data(tmp_path, place):
    trained = open_trained(write_weights(tmp_path / "w.safetensors"))
    assert training_set(trained).images is None
    given = training_set(trained, str(place / "toy.npz"))
    words = open_data(place / "toy.npz").published_split
    assert len(given.seen) == sum(word != "test" for word in words)


def test_parts_of_another_set(place):
    images = open_data(place / "other.npz")
    assert set_names(images, "test") == (images.sources, "")
    with pytest.raises(SettingsError, match="no part 'train'; published parts: test, or all"):
        set_names(images, "train")
    from dataclasses import replace

    names, note = set_names(replace(images, published_split=None), "test")
    assert names == images.sources
    assert note == "other has no published split: all of it is tested"

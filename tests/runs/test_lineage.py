"""Which images trained the weights that a run starts from."""

import json

import numpy as np
import pytest

from benchmarker.core.hashing import digest_names
from benchmarker.core.records import Record
from benchmarker.runs import lineage
from benchmarker.runs import resolve as resolve_module
from benchmarker.runs.resolve import resolve
from benchmarker.runs.settings import RunSettings
from benchmarker.runs.transfer import Source, Transfer
from tests.runs.toy import toy_arrays, write_toy


def record_of(resolved, folder, place):
    """A run.json as a run writes it when it begins."""
    run = {
        "format": 1,
        "identity": resolved.identity,
        "fingerprint": {},
        "digests": {},
        "status": {"state": "running", "reason": None, "epochs_done": 0, "marks": []},
        "network": {},
        "timings": {},
        "created": "2020-01-01T00:00:00Z",
        "finished": None,
        "place": place,
    }
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps(run))
    return Record(folder, run)


@pytest.fixture
def begun(tmp_path):
    """Resolved settings of a first run on a set, and its record."""
    path = str(write_toy(tmp_path / "old.npz"))
    settings = RunSettings("mcrgnet", 1e-3, 1, data=path, train=10, validation=4)
    resolved = resolve(settings)
    place = {"data": path, "train": 10, "validation": 4, "init": str(tmp_path / "elder")}
    return resolved, record_of(resolved, tmp_path / "run", place)


def started(place):
    return Transfer(Source(str(place), "0" * 64, "mcrgnet"), ("classes",), ("conv_01",), ())


def test_the_split_is_made_again_by_its_quotas(begun):
    resolved, record = begun
    images, names = lineage.training_images(record)
    assert images.digest == resolved.images.digest
    assert len(names) == 4 * (10 + 4)
    assert digest_names(names) == digest_names((*resolved.split.train, *resolved.split.validation))


def test_without_the_split_all_sources_count(begun):
    _, record = begun
    record.run["place"].pop("train")
    record.run["place"].pop("validation")
    images, names = lineage.training_images(record)
    assert names == images.sources


def test_a_set_that_changed_is_not_taken_for_the_old_one(begun, tmp_path):
    _, record = begun
    write_toy(tmp_path / "old.npz", seed=9)
    resolve_module._images.cache_clear()
    assert lineage.training_images(record) is None


def test_ancestors_are_followed_until_nobody_knows(begun, tmp_path):
    resolved, record = begun
    found = list(lineage.ancestors(str(record.folder)))
    assert [one and one.folder for one in found] == [record.folder, None]
    record_of(resolved, tmp_path / "elder", {"data": "nowhere"})
    found = list(lineage.ancestors(str(record.folder / "best.safetensors")))
    assert [one.folder.name for one in found] == ["run", "elder"]


def test_shared_test_sources_are_counted_and_what_is_unknown_is_said(begun, tmp_path):
    resolved, record = begun
    arrays = toy_arrays(seed=3)
    trained = [int(name[3:]) for name in resolved.split.train[:3]]
    arrays["images"][:3] = toy_arrays()["images"][trained]
    np.savez_compressed(tmp_path / "new.npz", **arrays)
    tested = resolve(RunSettings("mcrgnet", 1e-3, 1, data=str(tmp_path / "new.npz"))).images
    said = lineage.note(started(record.folder), tested, tested.sources[:10])
    assert said["shared_test_sources"] == list(tested.sources[:3])
    assert said["trained_on"][0]["name"] == "old"
    assert lineage.marks(said) == [
        "3 of 10 test sources were in the training set of init",
        "whether test sources trained init is not known",  # the elder run is not there
    ]
    (unplaced,) = said["compared_by_pixels_alone"]
    assert "new has no positions" in unplaced
    record.run["place"].pop("init")
    (record.folder / "run.json").write_text(json.dumps(record.run))
    calm = lineage.note(started(record.folder), tested, tested.sources[3:10])
    assert calm["shared_test_sources"] == []
    assert lineage.marks(calm) == []


def test_weights_of_nobody_knows_where_are_marked(begun, tmp_path):
    resolved, _ = begun
    said = lineage.note(started(tmp_path / "w.safetensors"), resolved.images, resolved.split.test)
    assert said["shared_test_sources"] is None
    assert lineage.marks(said) == ["whether test sources trained init is not known"]

"""From a record back to the settings of its run."""

import json

import pytest

from benchmarker.core.errors import MissingDataError, NotReproducibleError
from benchmarker.core.records import read_record
from benchmarker.runs import resolve as resolving
from benchmarker.runs.repeating import other_identity, repeated
from benchmarker.runs.resolve import resolve
from benchmarker.runs.settings import RunSettings
from tests.report.factory import change_run, make_run
from tests.runs.toy import write_toy
from tests.runs.toy_run import copied, toy_place, toy_run

PLAIN = {"network": "mcrgnet", "learning_rate": 1e-3, "epochs": 2, "data": "toy.npz"}
OTHERS = [
    {},
    {"recipe": "rotations:90", "batch": 7, "optimizer": "adamw", "weight_decay": 0.1},
    {"recipe": "rotations:7", "schedule": "cosine", "early_stopping": 3},
    {"recipe": "affine", "validation_passes": 2, "passes": 2, "loss": "double_softmax"},
    {"size": (28, 30), "train": 5, "validation": 2, "seed": 7, "class_weights": "sqrt"},
    {"preparation": "pad40", "monitor": "total"},
    {"preparation": "scaled/2", "recipe": "none"},
    {"protocol": "legacy", "train": 5, "validation": 2},
    {"preparation": "legacy", "bin_threshold": True, "subset": None},
    {"network": "agcnn", "network_settings": (("gates", 2), ("normalisation", "softmax"))},
]


def as_recorded(place, settings):
    """A record of these settings, as far as it is needed to repeat them."""
    resolved = resolve(settings)
    folder = make_run(place, seed=settings.seed)

    def change(run):
        run["identity"] = resolved.identity
        run["place"] = {
            key: getattr(settings, key)
            for key in (
                "data", "subset", "manifest", "labels", "fr0", "skip", "split", "train",
                "validation",
            )
        }  # fmt: skip

    change_run(folder, change)
    return read_record(folder), resolved


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_toy(tmp_path / "toy.npz")
    return tmp_path


@pytest.mark.parametrize("changes", OTHERS)
def test_every_setting_comes_back(here, changes):
    settings = RunSettings(**{**PLAIN, **changes})
    record, resolved = as_recorded(here, settings)
    again = repeated(record, here)
    # a recipe may be found under another name: that is no part of the digest
    expected = {**resolved.identity, "recipe": again.identity["recipe"]}
    assert again.identity == expected
    assert again.identity["recipe"]["digest"] == resolved.identity["recipe"]["digest"]


def test_a_recipe_whose_text_is_gone_comes_from_the_record(here):
    (here / "augment").mkdir()
    text = "rotations: 3\nflips: true\ndraw: one\n"
    (here / "augment" / "mine.yaml").write_text(text)
    record, resolved = as_recorded(here, RunSettings(**PLAIN, recipe="mine"))
    for change in ("", "rotations: 5\n"):
        (here / "augment" / "mine.yaml").write_text(change)
        assert repeated(record, here).identity["digest"] == resolved.identity["digest"]
    (here / "augment" / "mine.yaml").write_text("rotations: [")
    assert repeated(record, here).identity["digest"] == resolved.identity["digest"]


def test_a_real_record_comes_back(tmp_path, monkeypatch):
    monkeypatch.chdir(toy_place())
    record = read_record(toy_run())
    assert repeated(record, tmp_path).identity == record.identity


def test_data_that_moved_are_named(tmp_path, monkeypatch):
    record = read_record(copied(tmp_path / "copy"))
    monkeypatch.chdir(tmp_path)
    resolving._images.cache_clear()  # the place of the other tests has the same relative path
    (tmp_path / "copy" / "toy.npz").rename(tmp_path / "moved.npz")
    with pytest.raises(MissingDataError, match=r"\(toy\) cannot be opened again"):
        repeated(record, tmp_path)
    again = repeated(record, tmp_path, "moved.npz")
    assert again.identity["digest"] == record.identity["digest"]


def test_what_is_another_run_here_is_told_in_all_its_parts(here, monkeypatch):
    record, _ = as_recorded(here, RunSettings(**PLAIN))
    run = json.loads((record.folder / "run.json").read_text())
    run["identity"]["network_digest"] = "0" * 64
    run["identity"]["split"]["digest"] = "1" * 64
    run["identity"]["version"] = 1
    (record.folder / "run.json").write_text(json.dumps(run))
    with pytest.raises(NotReproducibleError) as caught:
        repeated(read_record(record.folder), here)
    text = str(caught.value)
    assert "the definition of mcrgnet is another one here" in text
    assert "split is published" in text
    assert "version is 1 in the record, 2 here" in text


def test_differences_of_settings_are_told_by_name():
    from tests.report.factory import identity

    one = identity(settings={"batch": 32})
    two = identity(settings={"batch": 16}, seed=1, data="other")
    assert other_identity(one, one) == []
    texts = other_identity(one, two)
    assert "batch is 32 in the record, 16 here" in texts
    assert "seed is 8901 in the record, 1 here" in texts
    assert any(text.startswith("data is first ") for text in texts)

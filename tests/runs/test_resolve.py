"""What a run's settings come to, and what its identity depends on."""

from dataclasses import replace

import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.runs.resolve import resolve
from benchmarker.runs.settings import RunSettings
from tests.runs.toy import write_toy


@pytest.fixture
def settings(tmp_path):
    data = write_toy(tmp_path / "toy.npz")
    return RunSettings("mcrgnet", 1e-3, 3, data=str(data), recipe="d4", batch=16)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2}, {"learning_rate": 2e-3}, {"epochs": 4}, {"batch": 8}, {"size": (28, 28)},
        {"recipe": "none"}, {"preparation": "minmax"}, {"train": 10, "validation": 4},
        {"optimizer": "sgd"}, {"schedule": "cosine"}, {"class_weights": "sqrt"},
        {"early_stopping": 2}, {"monitor": "total"}, {"protocol": "legacy"},
        {"bin_threshold": True, "preparation": "legacy"}, {"network": "simple"},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_every_setting_that_changes_a_result_changes_the_identity(settings, change):
    assert resolve(replace(settings, **change)).name != resolve(settings).name


def test_the_data_s_own_size_is_no_other_run(settings):
    assert resolve(replace(settings, size=(32, 32))).name == resolve(settings).name


def test_legacy_clips_and_rotates_the_validation_images(settings):
    standard, legacy = resolve(settings), resolve(replace(settings, protocol="legacy"))
    assert standard.preparation.clip == "none"
    assert standard.validation_recipe.name == "none"
    assert legacy.preparation.clip == "legacy"
    assert legacy.validation_recipe == legacy.recipe
    asked = resolve(replace(settings, protocol="legacy", preparation="minmax"))
    assert asked.preparation.clip == "none"


def test_images_are_never_enlarged(settings):
    with pytest.raises(SettingsError, match="33x20 asked for, but the images of toy are 32x32"):
        resolve(replace(settings, size=(33, 20)))

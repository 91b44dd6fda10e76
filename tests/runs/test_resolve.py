"""What a run's settings come to, and what its identity depends on."""

from dataclasses import replace

import pytest

from benchmarker.cli.main import main
from benchmarker.core.errors import SettingsError
from benchmarker.data import recipes
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
        {"passes": 2}, {"validation_passes": 1}, {"loss": "double_softmax"},
        {"weight_decay": 1e-4},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_every_setting_that_changes_a_result_changes_the_identity(settings, change):
    assert resolve(replace(settings, **change)).name != resolve(settings).name


def test_how_it_is_tested_and_what_is_kept_make_no_other_run(settings):
    assert resolve(replace(settings, test_passes=9, keep="all")).name == resolve(settings).name


def test_a_setting_of_the_network_makes_another_run_and_its_default_does_not(settings):
    network = replace(settings, network="agcnn")
    usual = replace(network, network_settings=(("gates", "3"),))
    other = replace(network, network_settings=(("gates", "2"),))
    assert resolve(usual).name == resolve(network).name != resolve(other).name


def test_draws_of_the_validation_images_count_where_the_recipe_has_none(settings, monkeypatch):
    asked = replace(settings, validation_passes=2)
    before = resolve(asked)
    # the published recipe, read from a file that somebody edited
    monkeypatch.setattr(recipes, "PUBLISHED_RECIPE", "affine-flips")
    assert resolve(asked).name != before.name
    assert resolve(settings).name == resolve(replace(asked, validation_passes=0)).name
    random = replace(asked, recipe="random-rotation")
    assert "validation_recipe" not in resolve(random).identity["settings"]


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


def test_folds_cover_every_source_once_and_decide_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = str(write_toy(tmp_path / "toy.npz", count=40))
    tested = []
    for fold in range(4):
        words = ["data", "split", data, "--folds", "4", "--fold", str(fold)]
        assert main([*words, "--output", f"f{fold}.json"]) == 0
        settings = RunSettings("mcrgnet", 1e-3, 1, data=data, split=f"f{fold}.json")
        resolved = resolve(settings)
        assert resolved.split.rule.startswith(f"fold {fold} of 4")
        assert not set(resolved.split.test) & set(resolved.split.train)
        tested += resolved.split.test
    assert sorted(tested) == sorted(resolved.images.sources)


def test_a_split_file_and_quotas_exclude_each_other(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_toy(tmp_path / "toy.npz", count=40)
    words = ["run", "-a", "convxpress.txt", "-d", "toy.npz", "--split", "f.json"]
    assert main([*words, "-t", "2", "-v", "1"]) == 1
    assert "leave -t and -v out" in capsys.readouterr().err
    assert main(words) == 1
    assert "no split file f.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--folds", "5"], "--folds and --fold go together"),
        (["--folds", "2", "--fold", "0"], "at least 3 folds"),
        (["--folds", "5", "--fold", "5"], "0 <= fold < folds"),
        (["--folds", "5", "--fold", "1", "--train", "3"], "leave --train"),
    ],
)
def test_wrong_folds_are_refused(tmp_path, capsys, words, text):
    data = str(write_toy(tmp_path / "toy.npz", count=40))
    assert main(["data", "split", data, *words]) == 1
    assert text in capsys.readouterr().err


def test_training_sources_alone_keep_the_rest_of_the_split(settings):
    whole, few = resolve(settings), resolve(replace(settings, train=5))
    assert few.name != whole.name
    assert len(few.split.train) == 20
    assert set(few.split.train) < set(whole.split.train)
    assert (few.split.validation, few.split.test) == (whole.split.validation, whole.split.test)

"""Starting from other weights: what is taken, what is refused, what makes another run."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError, MissingDataError, SettingsError
from benchmarker.data.preparation import named_preparation
from benchmarker.networks import registry
from benchmarker.runs import checkpoint, transfer
from benchmarker.runs.resolve import resolve
from benchmarker.runs.settings import RunSettings
from benchmarker.runs.trained import write_trained
from benchmarker.runs.training import Interrupted, train
from benchmarker.runs.transfer import plan_transfer, start_from
from benchmarker.runs.weights import read_tensors, weights_digest, write_tensors
from tests.runs.commands import command, only_record, records
from tests.runs.test_training import make
from tests.runs.toy import toy_arrays, write_toy

SHAPE = (32, 32, 1)


def weights_file(path, network="mcrgnet", shape=SHAPE, classes=4, seed=7, **settings):
    chosen = registry.network_settings(network, settings)
    model = registry.build(network, shape, classes, seed=seed, **chosen)
    return write_trained(
        path,
        model,
        network=network,
        network_settings=chosen,
        shape=shape,
        classes=[f"C{n}" for n in range(classes)],
        preparation=named_preparation("scaled"),
    )


def asked(init, network="mcrgnet", **changes):
    chosen = registry.network_settings(network, changes.pop("network_settings", {}))
    return RunSettings(
        network, 1e-3, 1, init=str(init), network_settings=tuple(sorted(chosen.items())), **changes
    )


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return weights_file(tmp_path_factory.mktemp("weights") / "w.safetensors")


@pytest.mark.parametrize("classes", [4, 2])
def test_all_but_the_last_layer_takes_the_weights(weights, classes):
    planned = plan_transfer(asked(weights), SHAPE, classes)
    model = registry.build("mcrgnet", SHAPE, classes, seed=1)
    untouched = registry.build("mcrgnet", SHAPE, classes, seed=1)
    source = registry.build("mcrgnet", SHAPE, 4, seed=7)
    start_from(model, planned, take=True)
    assert planned.new == ("classes",)
    assert len(planned.taken) == 6
    for name in planned.taken:
        assert np.array_equal(model.get_layer(name).kernel, source.get_layer(name).kernel)
        assert not np.array_equal(model.get_layer(name).kernel, untouched.get_layer(name).kernel)
    assert np.array_equal(model.get_layer("classes").kernel, untouched.get_layer("classes").kernel)


def test_settings_that_leave_the_layers_alike_are_no_hindrance(tmp_path):
    source = weights_file(tmp_path / "a.safetensors", "agcnn", classes=2, aggregation="mean")
    wanted = asked(source, "agcnn", network_settings={"normalisation": "softmax"})
    planned = plan_transfer(wanted, SHAPE, 3)
    assert {"gate1", "gate3", "conv4b"} <= set(planned.taken)
    model = registry.build("agcnn", SHAPE, 3, seed=1, normalisation="softmax")
    start_from(model, planned, take=True)
    theirs = planned.source.trained.model
    for ours, other in zip(
        model.get_layer("gate2").weights, theirs.get_layer("gate2").weights, strict=True
    ):
        assert np.array_equal(ours, other)


def test_another_network_is_refused_with_the_layers(tmp_path):
    source = weights_file(tmp_path / "a.safetensors", "agcnn", gates=2)
    with pytest.raises(SettingsError) as caught:
        plan_transfer(asked(source), SHAPE, 4)
    text = str(caught.value)
    assert "agcnn at 32x32 pixels for mcrgnet at 32x32 pixels" in text
    assert "init has no layer conv_01, conv_03" in text
    assert "conv1a, bnorm1a" in text
    assert "(24 in all) of init finds no place" in text
    assert "has 2 faults" in text  # the advice after them is none
    assert text.endswith("; expected weights of the same network with the same settings and size")


def test_a_gate_more_than_wanted_is_refused(tmp_path):
    source = weights_file(tmp_path / "a.safetensors", "agcnn", gates=2, classes=2)
    with pytest.raises(SettingsError, match="layer gate2 of init finds no place"):
        plan_transfer(asked(source, "agcnn", network_settings={"gates": "1"}), SHAPE, 2)


def test_another_size_before_a_dense_layer_names_layer_and_shapes(weights):
    with pytest.raises(SettingsError) as caught:
        plan_transfer(asked(weights), (64, 64, 1), 4)
    text = str(caught.value)
    assert "layer dense_12 has weights" in text
    assert "choose --img_size 32,32" in text


def test_another_size_with_pooling_over_all_pixels_fits(tmp_path):
    source = weights_file(tmp_path / "a.safetensors", "agcnn", classes=2)
    assert plan_transfer(asked(source, "agcnn"), (48, 40, 1), 2).taken


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"freeze": "trunk"}, "--freeze trunk is about layers taken from other weights"),
        ({"rate_factor": 0.5}, "--rate-factor 0.5 is about layers taken"),
    ],
)
def test_without_a_source_there_is_nothing_to_keep(changes, said):
    with pytest.raises(SettingsError, match=said):
        plan_transfer(RunSettings("mcrgnet", 1e-3, 1, **changes), SHAPE, 4)


def test_a_rate_for_layers_that_are_all_frozen_is_refused(weights):
    with pytest.raises(SettingsError, match="has no layer to slow"):
        plan_transfer(asked(weights, freeze="trunk", rate_factor=0.1), SHAPE, 4)
    assert plan_transfer(asked(weights, freeze="conv_01", rate_factor=0.1), SHAPE, 4).frozen


def test_truncated_absent_and_foreign_files_are_named(weights, tmp_path):
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(InputFileError, match=r"cut\.safetensors is damaged"):
        plan_transfer(asked(cut), SHAPE, 4)
    with pytest.raises(MissingDataError, match="no run folder and no file of weights"):
        plan_transfer(asked(tmp_path / "nothing"), SHAPE, 4)
    silent = write_tensors(tmp_path / "silent.safetensors", read_tensors(weights)[0])
    with pytest.raises(InputFileError, match="does not say which network"):
        plan_transfer(asked(silent), SHAPE, 4)


def test_weights_that_are_not_of_the_network_they_name_are_refused(weights, tmp_path):
    tensors, notes = read_tensors(weights)
    tensors.pop(next(name for name in tensors if "conv_05" in name))
    notes.pop("digest")
    broken = write_tensors(tmp_path / "broken.safetensors", tensors, notes)
    with pytest.raises(InputFileError, match=r"does not hold the weights of mcrgnet.*conv_05"):
        plan_transfer(asked(broken), SHAPE, 4)


def test_content_makes_the_run_and_not_the_path(weights, tmp_path):
    data = str(write_toy(tmp_path / "toy.npz"))
    copy = shutil.copyfile(weights, tmp_path / "copy.safetensors")
    other = weights_file(tmp_path / "other.safetensors", seed=8)
    plain = RunSettings("mcrgnet", 1e-3, 1, data=data)
    names = [
        resolve(replace(plain, **changes)).name
        for changes in (
            {},
            {"init": str(weights)},
            {"init": str(other)},
            {"init": str(weights), "freeze": "trunk"},
            {"init": str(weights), "rate_factor": 0.5},
        )
    ]
    assert len(set(names)) == 5
    again = resolve(replace(plain, init=str(copy)))
    assert again.name == names[1]
    model = registry.build("mcrgnet", SHAPE, 4, seed=7)
    kept = {"digest": weights_digest(model), "network": "mcrgnet"}
    assert again.identity["settings"]["init"] == kept
    assert str(tmp_path) not in json.dumps(again.identity["settings"])


def test_a_changed_file_is_read_again(tmp_path):
    path = weights_file(tmp_path / "w.safetensors", seed=1)
    first = transfer.find_source(str(path)).digest
    weights_file(path, seed=2)
    assert transfer.find_source(str(path)).digest != first


def test_stopped_and_resumed_with_two_rates_is_bit_identical(tmp_path):
    settings = {"recipe": "random-rotation", "epochs": 2, "rate_factor": 0.2, "optimizer": "adamw"}
    runs = {}
    for name in ("calm", "stopped"):
        runs[name] = make(tmp_path / name, weight_decay=0.1, **settings)
        runs[name].taken = ("norm", "hidden")
    expected = train(runs["calm"])
    calls = iter(range(1000))
    runs["stopped"].stop_asked = lambda: next(calls) >= 3
    with pytest.raises(Interrupted):
        train(runs["stopped"])
    resumed = make(tmp_path / "stopped", weight_decay=0.1, **settings)
    resumed.taken = ("norm", "hidden")
    state = train(resumed)
    assert state.best_loss == expected.best_loss
    assert weights_digest(resumed.model) == weights_digest(runs["calm"].model)
    plain = make(tmp_path / "plain", weight_decay=0.1, **settings)
    train(plain)
    assert weights_digest(plain.model) != weights_digest(resumed.model)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A complete run on four classes, and a set of two of them with some of its test images."""
    folder = tmp_path_factory.mktemp("user place")
    write_toy(folder / "old.npz")
    (folder / "list.txt").write_text("mcrgnet,1e-3,1,batch=16,recipe=none\n")
    done = command("-a", "list.txt", "-d", "old.npz", "-p", "first", cwd=folder)
    assert done.returncode == 0, done.stderr
    old, new = toy_arrays(), toy_arrays(count=60, seed=5)
    kept = np.flatnonzero(new["labels"] < 2)
    new |= {key: new[key][kept] for key in ("images", "labels", "split", "sources")}
    new["label_names"] = new["label_names"][:2]
    tests = np.flatnonzero(new["split"] == 2)[:2]
    new["images"][tests] = old["images"][:2]  # which trained the first run
    np.savez_compressed(folder / "new.npz", **new)
    return folder


@pytest.fixture(scope="module")
def transferred(place):
    (folder,) = (place / "first" / "runs").iterdir()
    words = ("-a", "list.txt", "-d", "new.npz", "--init", folder, "--freeze", "conv_01+conv_03")
    done = command(*words, cwd=place)
    assert done.returncode == 0, done.stderr
    return words, done, only_record(place / "results")


def test_the_record_says_what_was_taken_and_who_knew_the_test(place, transferred):
    _, done, record = transferred
    first = only_record(place / "first")
    assert record["identity"]["settings"]["init"]["digest"] == first["digests"]["best_weights"]
    assert record["init"]["frozen_layers"] == ["conv_01", "conv_03"]
    assert record["init"]["new_layers"] == ["classes"]
    assert [one["name"] for one in record["init"]["trained_on"]] == ["old"]
    assert len(record["init"]["shared_test_sources"]) == 2
    mark = "2 of 6 test sources were in the training set of init"
    assert record["status"]["marks"] == [mark]
    assert mark in done.stderr
    (folder,) = (place / "results" / "runs").iterdir()
    frozen = {name: read_tensors(folder / "final.safetensors")[0][name] for name in frozen_names()}
    source = read_tensors(next((place / "first" / "runs").iterdir()) / "best.safetensors")[0]
    assert all(np.array_equal(frozen[name], source[name]) for name in frozen)
    trained = record["network"]["parameters"] - sum(array.size for array in frozen.values())
    assert record["network"]["trainable_parameters"] == trained


def frozen_names():
    return [
        f"00{number}|conv_0{layer}/{kind}"
        for number, (layer, kind) in enumerate(
            (layer, kind) for layer in (1, 3) for kind in ("kernel", "bias")
        )
    ]


def test_the_run_outlives_its_source(place, transferred):
    words, _, record = transferred
    gone = place / "first"
    gone.rename(place / "away")
    try:
        skipped = command(*words, cwd=place)
        again = command(*words, "--only-test", cwd=place)
        anew = command(*words, "--again", cwd=place)
    finally:
        (place / "away").rename(gone)
    assert (skipped.returncode, again.returncode) == (0, 0), again.stderr
    assert "complete already" in skipped.stderr
    assert "bit-identical to the record" in again.stderr
    assert anew.returncode == 1
    assert "no run folder and no file of weights" in anew.stderr
    assert only_record(place / "results")["digests"] == record["digests"]


def test_an_interrupted_run_goes_on_without_its_source(place, transferred, tmp_path):
    _, _, record = transferred
    (name,) = records(place / "results")
    settings = RunSettings(
        "mcrgnet", 1e-3, 1, data=str(place / "new.npz"), batch=16, recipe="none",
        init=str(tmp_path / "gone"), freeze="conv_01+conv_03",
    )  # fmt: skip
    begun = tmp_path / "runs" / name
    begun.mkdir(parents=True)
    told = {**record, "place": {**record["place"], "init": str((tmp_path / "gone").resolve())}}
    (begun / "run.json").write_text(json.dumps(told))
    (tmp_path / "runs" / "damaged").mkdir()
    (tmp_path / "runs" / "damaged" / "run.json").write_text("{")
    resolved = resolve(settings, tmp_path / "runs")
    assert resolved.name == name
    model = registry.build("mcrgnet", SHAPE, 2, seed=8901)
    start_from(model, resolved.transfer, take=False)
    assert not model.get_layer("conv_01").trainable
    with pytest.raises(MissingDataError, match="no checkpoint yet"):
        start_from(model, resolved.transfer, take=True)
    assert not checkpoint.exists(begun)


def test_a_run_that_is_not_complete_is_refused(place, tmp_path):
    (folder,) = (place / "first" / "runs").iterdir()
    half = shutil.copytree(folder, tmp_path / "half")
    record = json.loads((half / "run.json").read_text())
    record["status"]["state"] = "interrupted"
    (half / "run.json").write_text(json.dumps(record))
    with pytest.raises(MissingDataError, match=r"half is not complete \(it is interrupted\)"):
        plan_transfer(asked(half), SHAPE, 4)


def test_the_command_refuses_a_factor_of_zero(place):
    done = command("-a", "list.txt", "--init", "first", "--rate-factor", "0", cwd=place)
    assert done.returncode == 1
    assert "'0' is not a number above 0 (layers that shall not learn at all: freeze" in done.stderr

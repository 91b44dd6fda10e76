"""Published weights of AG-CNN: mapping, inference of settings, refusals, the command."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

from benchmarker.cli.main import main
from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.hosts.attention.weights import export_plain, import_plain
from benchmarker.hosts.foreign_weights import layout_of
from benchmarker.networks import registry
from benchmarker.networks.agcnn import AGGREGATIONS, NORMALISATIONS
from benchmarker.runs.trained import open_trained
from tests.data.torch_writer import Global, tensors, write_legacy, write_zip
from tests.networks.agcnn_oracle import shake

SIDE = 24
NAMES = {
    **{f"conv{n}.{part}": None for n in ("1a", "4b") for part in ("weight", "bias")},
    "conv2a.weight": (16, 6, 3, 3),
    "bnorm3b.running_var": (32,),
    "bnorm3b.running_mean": (32,),
    "bnorm3b.weight": (32,),
    "bnorm3b.bias": (32,),
    "attention1.theta.weight": (64, 32, 1, 1),
    "attention3.theta.weight": (64, 6, 1, 1),
    "attention2.phi.weight": (64, 64, 1, 1),
    "attention2.psi.weight": (1, 64, 1, 1),
    "attention2.psi.bias": (1,),
    "classifiers.0.weight": (2, 32),
    "classifiers.2.bias": (2,),
    "classifier.weight": (2, 6),
    "classifier.bias": (2,),
}


def make(**settings):
    return shake(registry.build("agcnn", (SIDE, SIDE, 1), 2, seed=1, **settings))


def saved(path, model, **changes):
    """The plain archive of a model; a change of None leaves an array out."""
    arrays = {**export_plain(model), **changes}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def images(count=2, side=SIDE):
    return np.random.default_rng(4).uniform(-1, 1, (count, side, side, 1)).astype("float32")


def test_names_and_shapes_are_the_published_ones():
    plain = export_plain(make())
    for name, shape in NAMES.items():
        assert shape is None or plain[name].shape == shape
    # the parameters and the 580 running statistics
    assert sum(array.size for array in plain.values()) == 101_447 + 580
    model = make(gates=0)
    plain = export_plain(model)
    kernel = np.asarray(model.get_layer("conv2a").kernel)
    assert np.array_equal(plain["conv2a.weight"][5, 3], kernel[:, :, 3, 5])
    assert np.array_equal(plain["classifier.weight"].T, model.get_layer("scores").kernel)


@pytest.mark.parametrize(
    ("gates", "aggregation"), [(0, "ft"), *itertools.product((1, 2, 3), AGGREGATIONS)]
)
def test_a_round_trip_infers_the_settings_and_gives_identical_scores(gates, aggregation, tmp_path):
    model = make(gates=gates, aggregation=aggregation, kernel=5)
    found = import_plain(saved(tmp_path / "a.npz", model), size=SIDE)
    assert found.settings["gates"] == gates
    assert found.settings["aggregation"] == aggregation
    assert found.settings["kernel"] == 5
    assert found.classes == ("FRI", "FRII")
    assert found.assumed.keys() >= {"normalisation", "maps_over", "pooling"}
    assert not found.assumed.keys() & {"gates", "kernel"}
    assert np.array_equal(model(images(), training=False), found.model(images(), training=False))


def test_dead_arrays_and_counters_take_no_part(tmp_path):
    dead = {"fc1.weight": np.ones((256, 400)), "bnorm1a.num_batches_tracked": np.array(9)}
    path = saved(tmp_path / "a.npz", make(gates=1), **dead)
    assert import_plain(path, size=SIDE).settings["gates"] == 1


@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_a_pytorch_checkpoint_is_read(write, tmp_path):
    model = make(aggregation="concat")
    plain = {f"module.{name}": array for name, array in export_plain(model).items()}
    path = write(tmp_path / "a.pt", {"epoch": 3, "state_dict": tensors(plain)})
    found = import_plain(path, size=SIDE)
    assert np.array_equal(model(images(), training=False), found.model(images(), training=False))


def test_the_size_of_a_network_without_gates_is_told_by_its_classifier(tmp_path):
    model = registry.build("agcnn", (70, 70, 1), 2, seed=1, gates=0)
    path = saved(tmp_path / "a.npz", model)
    assert import_plain(path).shape == (64, 64, 1)
    assert import_plain(path, size=79).shape == (79, 79, 1)
    with pytest.raises(SettingsError, match=r"size 80, the arrays of .* are for 64 to 79 pixels"):
        import_plain(path, size=80)
    model = registry.build("agcnn", (150, 150, 1), 2, seed=1, gates=0)
    assert import_plain(saved(tmp_path / "b.npz", model)).shape == (150, 150, 1)


def test_settings_may_not_contradict_the_arrays(tmp_path):
    path = saved(tmp_path / "a.npz", make(gates=2, aggregation="mean"))
    with pytest.raises(SettingsError, match=r"gates=3, the arrays of .* say gates=2"):
        import_plain(path, gates=3)
    with pytest.raises(SettingsError, match="aggregation=concat, the arrays"):
        import_plain(path, "agcnn_softmax_concat", gates=2)
    found = import_plain(path, normalisation="softmax", maps_over="batch", size=SIDE)
    assert (found.settings["normalisation"], found.settings["maps_over"]) == ("softmax", "batch")
    assert "normalisation" not in found.assumed


def test_a_variant_says_its_settings_by_its_name(tmp_path):
    path = saved(tmp_path / "a.npz", make(aggregation="concat"))
    found = import_plain(path, "agcnn_softmax_concat", size=SIDE)
    assert (found.network, found.settings["normalisation"]) == ("agcnn_softmax_concat", "softmax")
    assert "normalisation" not in found.assumed


def test_every_fault_of_the_arrays_is_named_at_once(tmp_path):
    model = make()
    bad = {
        "conv1b.bias": None,
        "conv2a.weight": np.ones((16, 6, 5, 5)),
        "extra.weight": np.ones(3),
        "conv3a.bias": np.full(32, np.nan),
        "bnorm1a.running_var": -np.ones(6),
        "bnorm1b.weight": np.ones(6, "i8"),
    }
    with pytest.raises(InputFileError, match="has 6 faults") as error:
        import_plain(saved(tmp_path / "a.npz", model, **bad))
    for text in (
        "no array conv1b.bias, expected shape (6,)",
        "conv2a.weight has shape (16, 6, 5, 5), expected (16, 6, 3, 3)",
        "array extra.weight belongs to no layer",
        "conv3a.bias holds values that are not finite",
        "bnorm1a.running_var holds negative variances",
        "bnorm1b.weight holds int64",
    ):
        assert text in str(error.value)


def test_other_classes_and_channels_are_taken_from_the_shapes(tmp_path):
    model = registry.build("agcnn", (SIDE, SIDE, 3), 5, seed=1, gates=2)
    found = import_plain(saved(tmp_path / "a.npz", model), size=SIDE)
    assert found.shape == (SIDE, SIDE, 3)
    assert found.classes == ("class0", "class1", "class2", "class3", "class4")


def test_a_network_without_layout_is_named():
    with pytest.raises(SettingsError, match=r"expected a network of .*agcnn"):
        layout_of("convXpress")


def command(*words):
    return main(["import-weights", *map(str, words)])


def test_the_command_writes_a_network_that_opens(tmp_path, capsys):
    model = make(normalisation="softmax")
    path, out = saved(tmp_path / "a.npz", model), tmp_path / "b.safetensors"
    words = ("agcnn", path, "-o", out, "--set", "normalisation=softmax", "--size", SIDE)
    assert command(*words) == 0
    told, noted = capsys.readouterr()
    assert "normalisation=softmax" in told
    assert "aggregation=ft" in told
    assert "maps_over=image" in noted
    assert "normalisation" not in noted
    trained = open_trained(out)
    assert trained.classes == ("FRI", "FRII")
    assert trained.preparation.standardise == (0.5, 0.5)
    assert trained.network_settings["normalisation"] == "softmax"
    assert np.array_equal(model(images(), training=False), trained.model(images(), training=False))


def test_the_command_refuses_by_name_and_without_a_traceback(tmp_path, capsys):
    out = tmp_path / "b.safetensors"
    whole = saved(tmp_path / "a.npz", make())
    short = tmp_path / "short.npz"
    short.write_bytes(whole.read_bytes()[:20_000])
    other = tmp_path / "other.npz"
    np.savez(other, **{"layer1.weight": np.ones((3, 3))})
    evil = write_zip(tmp_path / "evil.pt", {"a": Global("os", "system")})
    half = tmp_path / "half.pt"
    half.write_bytes(evil.read_bytes()[: evil.stat().st_size // 2])
    ours = tmp_path / "ours.safetensors"
    save_file({"000|conv1a/kernel": np.ones((3, 3, 1, 6), np.float32)}, ours)
    for words, text in (
        ((short,), "short.npz"),
        ((other,), "other.npz: not the weights of an AG-CNN"),
        ((evil,), "evil.pt: refused: it asks for os.system"),
        ((half,), "half.pt: cut off or damaged: expected a whole zip archive"),
        ((ours,), "ours.safetensors: weights of Benchmarker already, nothing to import"),
        ((tmp_path / "none.pt",), "no file"),
        ((whole, "--set", "gates"), "not of the form key=value"),
        ((whole, "--set", "gates=5"), "'5' is not a whole number from 0 to 3"),
        ((whole, "--size", "8"), "at least 16x16 pixels"),
    ):
        assert command("agcnn", *words, "-o", out) == 1
        error = capsys.readouterr().err
        assert text in error
        assert "Traceback" not in error
    assert command("agcnn", whole, "-o", tmp_path / "b.npz") == 1
    assert "ends in .safetensors" in capsys.readouterr().err
    assert not out.exists()


CASES = [
    *((3, n, a) for n in NORMALISATIONS for a in AGGREGATIONS),
    *((g, "range_norm", a) for g in (1, 2) for a in AGGREGATIONS),
    (0, "range_norm", "ft"),
]


@pytest.mark.skipif(
    os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow", reason="one backend is enough"
)
@pytest.mark.parametrize(("gates", "normalisation", "aggregation"), CASES)
def test_scores_and_maps_agree_with_pytorch(gates, normalisation, aggregation, tmp_path):
    torch = pytest.importorskip("torch")
    sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))
    from agcnn_torch import AGCNN

    torch.manual_seed(1)
    theirs = AGCNN(gates, normalisation, aggregation, dead=True).eval()
    with torch.no_grad():
        for name, value in theirs.named_buffers():
            if value.is_floating_point():
                value.uniform_(0.5, 2.0) if name.endswith("var") else value.normal_(0, 0.3)
    torch.save(theirs.state_dict(), tmp_path / "a.pt")
    rule = {"normalisation": normalisation, "maps_over": "batch"}
    found = import_plain(tmp_path / "a.pt", **rule)
    x = images(2, 150)
    layers = {layer.name: layer for layer in found.model.layers}
    gate_maps = [layers[f"gate{n}"].output for n in range(1, gates + 1)]
    tapped = keras.Model(
        found.model.input, [layers["scores"].output, found.model.output, *gate_maps]
    )
    scores, probabilities, *maps = (np.asarray(one) for one in tapped(x, training=False))
    with torch.no_grad():
        wanted, wanted_maps = theirs.scores(torch.from_numpy(x.transpose(0, 3, 1, 2).copy()))
        shares = torch.softmax(wanted, dim=1).numpy()
    wanted = wanted.numpy()
    assert np.abs(scores - wanted).max() < 1e-4 * np.abs(wanted).max()
    assert np.abs(probabilities - shares).max() < 5e-4
    most = 1e-3 if normalisation == "sigmoid" else 2e-4
    for ours, their in zip(maps, wanted_maps, strict=True):
        expected = their.numpy().transpose(0, 2, 3, 1)
        assert np.abs(ours - expected).max() < most * max(1, np.abs(expected).max())


def test_the_command_says_nothing_but_its_own(tmp_path):
    """In a process of its own, where the numerical library would greet on stderr."""
    words = ["import-weights", "agcnn", str(saved(tmp_path / "a.npz", make())), "--size", str(SIDE)]
    command = [sys.executable, "-m", "benchmarker", *words, "-o", str(tmp_path / "b.safetensors")]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stderr.startswith("not told by")
    assert "published weights want --set maps_over=batch" in found.stderr
    assert found.stderr.count("\n") == 1

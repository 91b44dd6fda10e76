"""The verb `explain` on a real, tiny run and on weights of their own."""

import csv
import shutil

import numpy as np
import pytest

from benchmarker.cli.main import main
from benchmarker.data.preparation import named_preparation
from benchmarker.networks import registry
from benchmarker.runs.trained import write_trained
from tests.runs.commands import command
from tests.runs.toy import write_toy

LIST = "agcnn,1e-3,3,batch=32,gates=2,preparation=attention,recipe=none,keep=all,schedule=constant"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with images, a run that kept its epochs, and weights of two other networks."""
    folder = tmp_path_factory.mktemp("explain")
    write_toy(folder / "toy.npz", count=60, size=24)
    (folder / "list.txt").write_text(f"{LIST}\n")
    done = command("-a", "list.txt", "-d", "toy.npz", "--threads", "1", cwd=folder)
    assert done.returncode == 0, done.stderr
    (run,) = (folder / "results" / "runs").iterdir()
    run.rename(folder / "run")
    weights(folder / "plain.safetensors", gates=0)
    weights(folder / "softmax.safetensors", gates=2, normalisation="softmax")
    return folder


def weights(path, side=24, **settings):
    shape = (side, side, 1)
    write_trained(
        path,
        registry.build("agcnn", shape, 4, seed=5, **settings),
        network="agcnn",
        network_settings=registry.network_settings("agcnn", settings),
        shape=shape,
        classes=("TOP", "BOTTOM", "LEFT", "RIGHT"),
        preparation=named_preparation("attention"),
    )


def explain(place, *words):
    paths = [str(place / word) if "." in word or word == "run" else word for word in words]
    return main(["explain", *paths])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_each_test_image_has_its_figure(place, tmp_path, capfd):
    out = tmp_path / "maps"
    assert explain(place, "run", "toy.npz", "-o", str(out), "--most", "4", "--fits") == 0
    told = capfd.readouterr()
    assert "attention maps of gate1, gate2" in told.err
    assert "8 of 12 test images left out of maps.npz (--most 4" in told.err
    assert told.out.startswith("10 files in ")
    rows = list(csv.DictReader((out / "maps.csv").read_text("utf-8").splitlines()))
    assert [row["true_class"] for row in rows] == ["TOP", "BOTTOM", "LEFT", "RIGHT"]
    assert all((out / row["file"]).stat().st_size > 5000 for row in rows)
    with np.load(out / "maps.npz", allow_pickle=False) as arrays:
        assert arrays["map_gate1"].shape == (4, 6, 6)
        assert arrays["mean"].shape == (4, 24, 24)
        assert 0 <= arrays["images"].min() < arrays["images"].max() <= 1
        assert arrays["sources"].tolist() == [row["name"] for row in rows]
        predicted = arrays["classes"][arrays["scores"].argmax(axis=1)]
        assert predicted.tolist() == [row["predicted"] for row in rows]
    assert len([name for name in names(out) if name.endswith(".fits")]) == 4


def test_the_same_command_gives_the_same_bytes_and_keeps_other_files(place, tmp_path):
    out = tmp_path / "maps"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    words = ("run", "toy.npz", "-o", str(out), "--rows", "1,0", "--format", "both")
    assert explain(place, *words) == 0
    first = {name: (out / name).read_bytes() for name in names(out)}
    assert explain(place, *words) == 0
    assert {name: (out / name).read_bytes() for name in names(out)} == first
    assert "mine.txt" in first
    assert len([name for name in first if name.endswith(".pdf")]) == 2


def test_groups_of_the_run_agree_with_its_images(place, tmp_path):
    out = tmp_path / "maps"
    figures = ("--figure", "classes", "--figure", "confusion", "--passes", "0")
    assert explain(place, "run", "toy.npz", "-o", str(out), "--most", "99", *figures) == 0
    assert names(out) == ["classes.png", "confusion.png", "groups.npz", "maps.csv", "maps.npz"]
    with np.load(out / "groups.npz") as groups, np.load(out / "maps.npz") as maps:
        assert groups["counts"].sum() == 12
        assert groups["counts"].sum(axis=1).tolist() == np.bincount(maps["labels"]).tolist()
        one = np.argwhere(groups["counts"] > 0)[0]
        rows = (maps["labels"] == one[0]) & (maps["scores"].argmax(axis=1) == one[1])
        assert groups["images"][*one] == pytest.approx(maps["images"][rows].mean(axis=0), abs=1e-5)
        assert groups["maps"][*one] == pytest.approx(maps["resized"][rows].mean(axis=0), abs=1e-5)


def test_random_draws_are_those_of_the_seed(place, tmp_path):
    found = []
    for folder, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        words = ("--figure", "classes", "--passes", "2", "--most", "1", "--seed", seed)
        assert explain(place, "run", "toy.npz", "-o", str(tmp_path / folder), *words) == 0
        found.append((tmp_path / folder / "groups.npz").read_bytes())
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_epochs_are_those_that_the_run_kept(place, tmp_path):
    words = ("--figure", "epochs", "--epochs", "2", "--rows", "0,5", "-o", str(tmp_path / "m"))
    assert explain(place, "run", "toy.npz", *words) == 0
    assert (tmp_path / "m" / "epochs.png").is_file()
    with np.load(tmp_path / "m" / "epochs.npz") as arrays:
        assert arrays["epochs"].tolist() == [1, 3]
        assert arrays["mean"].shape == (2, 2, 24, 24)
        assert not np.allclose(arrays["mean"][0], arrays["mean"][1])


def test_mean_maps_of_classes_through_training_and_over_networks(place, tmp_path):
    out, networks = tmp_path / "m", ("run", "softmax.safetensors")
    words = ("--figure", "class-epochs", "--epochs", "2", "--passes", "0", "-o", str(out))
    assert explain(place, "run", "toy.npz", "--most", "99", *words) == 0
    with np.load(out / "class-epochs.npz") as arrays, np.load(out / "maps.npz") as maps:
        last, true = arrays["mean"][1], arrays["true_classes"].tolist()
        assert arrays["epochs"].tolist() == [1, 3]
        for name in ("TOP", "RIGHT"):
            rows = maps["true_classes"] == name
            assert last[true.index(name)] == pytest.approx(maps["mean"][rows].mean(0), abs=1e-4)
    words = ("--figure", "class-array", "--passes", "0", "--part", "test", "-o", str(out))
    assert explain(place, *networks, "toy.npz", *words) == 0
    drawn = {path.stem for path in out.glob("class-array*.png")}
    assert drawn == {f"class-array{kind}_{name}" for kind in ("", "_tiled") for name in true}
    with np.load(out / "class-array.npz") as arrays:
        assert arrays["mean"].shape == (2, 4, 24, 24)


def test_a_run_without_kept_epochs_says_how_to_keep_them(place, tmp_path, capfd):
    shutil.copytree(place / "run", tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "epochs")
    words = [str(tmp_path / "run"), str(place / "toy.npz"), "--figure", "epochs"]
    assert main(["explain", *words, "-o", str(tmp_path / "m")]) == 1
    assert "train with keep=improved" in capfd.readouterr().err
    assert explain(place, "plain.safetensors", *words[1:], "-o", str(tmp_path / "m")) == 1
    assert "need a run folder" in capfd.readouterr().err


def test_networks_stand_side_by_side(place, tmp_path, capfd):
    networks = ("run", "softmax.safetensors", "plain.safetensors")
    words = ("--figure", "array", "--figure", "gates", "--rows", "0", "-o", str(tmp_path / "m"))
    assert explain(place, *networks, "toy.npz", *words) == 0
    assert "Grad-CAM of layer relu4b, as the network has no attention gates" in (
        capfd.readouterr().err
    )
    found = names(tmp_path / "m")
    assert {"array.npz", "gates.npz", "gates.png"} <= set(found)
    assert len([name for name in found if name.startswith("array")]) == 3
    with np.load(tmp_path / "m" / "array.npz") as arrays:
        assert arrays["mean"].shape == (3, 1, 24, 24)
        assert arrays["method"].tolist() == ["attention", "attention", "grad-cam"]
    assert len([name for name in found if (tmp_path / "m" / name).is_dir()]) == 3


def test_grad_cam_of_a_layer_and_of_a_class(place, tmp_path, capfd):
    words = ("--rows", "0", "--layer", "relu3c", "--class", "LEFT", "-o", str(tmp_path / "m"))
    assert explain(place, "run", "toy.npz", *words) == 0
    assert "Grad-CAM of layer relu3c\n" in capfd.readouterr().err
    with np.load(tmp_path / "m" / "maps.npz") as arrays:
        assert arrays["map_relu3c"].shape == (1, 6, 6)
        assert str(arrays["method"]) == "grad-cam"


def test_a_single_empty_file_needs_no_class(place, tmp_path, capfd):
    from PIL import Image

    Image.fromarray(np.zeros((24, 24), np.uint8)).save(tmp_path / "one.png")
    out = tmp_path / "m"
    assert main(["explain", str(place / "run"), str(tmp_path / "one.png"), "-o", str(out)]) == 0
    assert capfd.readouterr().out.startswith("3 files")
    assert names(out) == ["0000_one.png", "maps.csv", "maps.npz"]
    with np.load(out / "maps.npz") as arrays:
        assert np.isfinite(arrays["mean"]).all()
        assert arrays["labels"].tolist() == [-1]
    groups = [str(place / "run"), str(tmp_path / "one.png"), "--figure", "classes"]
    assert main(["explain", *groups, "-o", str(out)]) == 1
    assert "expected a data set" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("toy.npz",), "no network among"),
        (("run",), "no images after"),
        (("absent.npz", "run"), "no data set"),
        (("run", "typo.npz", "toy.npz"), "no run folder, weights or image"),
        (("plain.safetensors", "toy.npz", "--method", "attention"), "has no attention gates"),
        (("run", "toy.npz", "--sources", "toy001x"), "no source 'toy001x' (did you mean toy0"),
        (("run", "toy.npz", "--sources", "toy0001"), "'toy0001' is none of them: --part all"),
        (("run", "toy.npz", "--rows", "12"), "no row 12, expected 0 to 11"),
        (("run", "toy.npz", "--layer", "relu9"), "expected one of conv1a"),
        (("run", "toy.npz", "--class", "LEFTY"), "(did you mean LEFT?)"),
        (("run", "toy.npz", "--layer", "x", "--method", "attention"), "belong to Grad-CAM"),
        (("run", "toy.npz", "--figure", "array"), "compares networks, got 1"),
        (("run", "toy.npz", "--subset", "nounc"), "only cards declare subsets"),
        (("run", "toy.npz", "--figure", "classes", "--recipe", "affin"), "did you mean affine"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(place, tmp_path, capfd, words, message):
    assert explain(place, *words, "-o", str(tmp_path / "m")) == 1
    told = capfd.readouterr().err
    assert message in told
    assert "Traceback" not in told


def test_images_of_another_size_are_refused_unless_cut(place, tmp_path, capfd):
    write_toy(tmp_path / "large.npz", count=20, size=32)
    words = ["explain", str(place / "run"), str(tmp_path / "large.npz"), "-o", str(tmp_path / "m")]
    assert main(words) == 1
    assert "32 x 32 pixels, agcnn takes 24 x 24: --crop takes its centre" in capfd.readouterr().err
    assert main([*words, "--crop", "--most", "1"]) == 0
    with np.load(tmp_path / "m" / "maps.npz") as arrays:
        assert arrays["images"].shape == (1, 24, 24)


def test_rows_that_are_no_numbers_are_a_usage_error(place, capfd):
    with pytest.raises(SystemExit) as stopped:
        explain(place, "run", "toy.npz", "-o", "m", "--rows", "8,x")
    assert stopped.value.code == 1
    assert "expected e.g. 8 or 8,92" in capfd.readouterr().err


def test_networks_of_different_sizes_are_not_put_side_by_side(place, tmp_path, capfd):
    weights(tmp_path / "small.safetensors", side=16, gates=2)
    paths = (tmp_path / "small.safetensors", place / "softmax.safetensors", place / "toy.npz")
    words = ("--figure", "array", "--most", "1", "--crop", "-o", tmp_path / "m")
    assert main(["explain", *map(str, (*paths, *words))]) == 1
    assert "different sizes, 16 x 16 and 24 x 24 pixels" in capfd.readouterr().err

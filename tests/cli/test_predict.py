"""``benchmarker predict`` as a user types it."""

import csv
import io
import shutil

import numpy as np
import pytest
from PIL import Image

from benchmarker.cli.main import main
from benchmarker.data.opening import open_data
from benchmarker.runs.trained import open_trained
from tests.hosts.evaluation.conftest import write_weights
from tests.runs.toy import toy_arrays, write_toy

CLASSES = ("TOP", "BOTTOM", "LEFT", "RIGHT")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with weights, a toy set and its images as PNG files."""
    monkeypatch.chdir(tmp_path)
    write_weights(tmp_path / "w.safetensors")
    write_toy(tmp_path / "toy.npz", count=7)
    (tmp_path / "png").mkdir()
    for row, image in enumerate(toy_arrays(7)["images"]):
        Image.fromarray(image).save(tmp_path / "png" / f"toy{row:04d}.png")
    return tmp_path


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_data_set_gives_the_scores_of_the_network(here, capsys):
    assert main(["predict", "w.safetensors", "toy.npz", "--batch", "3"]) == 0
    said = capsys.readouterr()
    rows = table(said.out)
    trained = open_trained("w.safetensors")
    expected = trained.scores(trained.prepare(open_data("toy.npz")))
    found = np.array([[float(row[f"s_{name}"]) for name in CLASSES] for row in rows])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert [row["label"] for row in rows[:5]] == ["TOP", "BOTTOM", "LEFT", "RIGHT", "TOP"]
    assert [row["predicted"] for row in rows] == [CLASSES[k] for k in expected.argmax(axis=1)]
    shares = [sum(float(row[f"p_{name}"]) for name in CLASSES) for row in rows]
    np.testing.assert_allclose(shares, 1.0)
    right = sum(row["label"] == row["predicted"] for row in rows)
    assert f"{right} of 7 as labelled" in said.err


def test_files_without_labels_give_the_same(here, capsys):
    assert main(["predict", "w.safetensors", "toy.npz", "-o", "set.csv"]) == 0
    assert main(["predict", "w.safetensors", "png", "-o", "files.csv"]) == 0
    assert capsys.readouterr().out == ""
    of_set, of_files = (table((here / name).read_text()) for name in ("set.csv", "files.csv"))
    assert of_set[0]["label"] == "TOP"
    assert "label" not in of_files[0]
    assert [row["source"] for row in of_files] == [row["source"] for row in of_set]
    for one, other in zip(of_set, of_files, strict=True):
        assert float(one["s_TOP"]) == pytest.approx(float(other["s_TOP"]), rel=1e-5)


def test_folders_named_after_classes_label_their_images(here, capsys):
    for row, name in enumerate(CLASSES):
        (here / "by_class" / name).mkdir(parents=True)
        shutil.copy(here / "png" / f"toy{row:04d}.png", here / "by_class" / name)
    shutil.copy(here / "png" / "toy0000.png", here / "by_class" / "LEFT")
    assert main(["predict", "w.safetensors", "by_class"]) == 0
    rows = table(capsys.readouterr().out)
    assert {row["source"]: row["label"] for row in rows} == {
        "BOTTOM/toy0001": "BOTTOM",
        "LEFT/toy0000": "LEFT",
        "LEFT/toy0002": "LEFT",
        "RIGHT/toy0003": "RIGHT",
        "TOP/toy0000": "TOP",
    }


def test_broken_images_are_named_and_the_others_done(here, capsys):
    (here / "png" / "broken.fits").write_bytes(b"SIMPLE  = no more")
    (here / "png" / "notes.png").write_text("no image")
    image = toy_arrays(1, size=40)["images"][0]
    for row in range(4):
        Image.fromarray(image).save(here / "png" / f"wide{row}.png")
    assert main(["predict", "w.safetensors", "png", "-o", "out.csv"]) == 1
    said = capsys.readouterr().err
    assert len(table((here / "out.csv").read_text())) == 7
    assert "6 images could not be used:" in said
    assert "png/broken.fits: not a FITS image" in said
    assert "png/notes.png: not a PNG image: expected" in said
    assert "4 images (wide0, wide1, wide2, ...): each is 40 x 40 pixels, mcrgnet takes 32" in said
    assert main(["predict", "w.safetensors", "png/wide0.png", "--crop"]) == 0
    assert "1 of them cropped to their central 32 x 32 pixels" in capsys.readouterr().err


def test_nothing_to_predict_writes_no_table(here, capsys):
    (here / "bad.png").write_text("no image")
    assert main(["predict", "w.safetensors", "bad.png", "-o", "out.csv"]) == 1
    assert "0 images: none could be classified" in capsys.readouterr().err
    assert not (here / "out.csv").exists()


def test_stopped_leaves_the_earlier_table(here, capsys, monkeypatch):
    (here / "out.csv").write_text("earlier")
    from benchmarker.hosts.evaluation.images_to_predict import SetImages

    def stop(_self, number):
        if number == 5:
            raise KeyboardInterrupt
        return toy_arrays(7)["images"][number][..., np.newaxis]

    monkeypatch.setattr(SetImages, "read", stop)
    assert main(["predict", "w.safetensors", "toy.npz", "-o", "out.csv", "--batch", "2"]) == 130
    assert (here / "out.csv").read_text() == "earlier"
    assert not list(here.glob(".part-*"))


def test_an_archive_without_labels(here, capsys):
    arrays = toy_arrays(3)
    np.savez(here / "bare.npz", images=arrays["images"], sources=arrays["sources"])
    assert main(["predict", "w.safetensors", "bare.npz"]) == 0
    rows = table(capsys.readouterr().out)
    assert "label" not in rows[0]
    assert [row["source"] for row in rows] == ["toy0000", "toy0001", "toy0002"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["w.safetensors", "list.txt"], "list.txt: a text table"),
        (["w.safetensors", "gone"], "no data set 'gone'"),
        (["gone.safetensors", "toy.npz"], "no run folder and no file of weights gone"),
        (["w.safetensors", "png", "gone"], "no file or folder gone"),
        (["w.safetensors", "toy.npz", "--preparation", "minmx"], "did you mean minmax"),
    ],
)
def test_mistakes_are_told_in_words(here, capsys, words, text):
    (here / "list.txt").write_text("a list")
    assert main(["predict", *words]) == 1
    assert text in capsys.readouterr().err


@pytest.mark.parametrize("preparation", ["scaled", "attention"])
def test_cutouts_give_the_predictions_of_the_published_images(
    real_data, tmp_path, monkeypatch, capsys, preparation
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCHMARKER_DATA", str(real_data))
    write_weights(
        "w.safetensors", preparation=preparation, shape=(150, 150, 1), classes=("I", "II")
    )
    assert main(["predict", "w.safetensors", str(real_data / "mirabest_fits_sample")]) == 0
    said = capsys.readouterr()
    made = {"scaled": "mirabest", "attention": "attention-fits"}[preparation]
    assert f"6 of them prepared as {made}" in said.err
    images = open_data(real_data / "mirabest.npz")
    names = [row["source"] for row in table(said.out)]
    trained = open_trained("w.safetensors")
    expected = trained.scores(trained.prepare(images, names))
    found = [[float(row["s_I"]), float(row["s_II"])] for row in table(said.out)]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert len(names) == 6


def test_memory_does_not_grow_with_the_images(here):
    from benchmarker.hosts.evaluation.prediction import Outcome, predict
    from benchmarker.hosts.evaluation.preparing import Fitting

    class Endless:
        """Images made when asked for; no more than a batch is ever asked ahead."""

        names, labels = [f"n{row}" for row in range(10_000)], None
        asked = 0

        def read(self, number):
            self.asked = number + 1
            return np.zeros((32, 32, 1), np.uint8)

    images = Endless()
    stream = predict(Fitting.of(open_trained("w.safetensors")), images, Outcome(), batch=4)
    first = [next(stream).name for _ in range(6)]
    assert first == [f"n{row}" for row in range(6)]
    assert images.asked == 8


def test_an_archive_without_images_is_blamed_for_them_alone(here, capsys):
    np.savez("other.npz", pictures=toy_arrays(2)["images"])
    assert main(["predict", "w.safetensors", "other.npz"]) == 1
    said = capsys.readouterr().err
    assert "no array 'images', found: pictures" in said
    assert "labels" not in said

"""The mistakes that a run keeps: which, in what order, how small, and where on the sky."""

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError
from benchmarker.core.record_check import check_record
from benchmarker.core.record_tables import read_mistakes
from benchmarker.core.records import find_records
from benchmarker.data.cache import prepared
from benchmarker.data.images import ArrayPixels, ImageSet
from benchmarker.data.preparation import named_preparation
from benchmarker.data.recipes import load_recipe
from benchmarker.runs.mistakes import LARGEST_PX, MOST, small_images, write_mistakes
from tests.runs.commands import command
from tests.runs.toy import write_toy

CLASSES = ("FRI", "FRII")


def image_set(count=40, size=20, **changes):
    draw = np.random.default_rng(3)
    return ImageSet(
        name="drawn",
        pixels=ArrayPixels(draw.integers(0, 255, (count, size, size, 1), dtype=np.uint8), "drawn"),
        labels=np.arange(count) % 2,
        classes=CLASSES,
        sources=tuple(f"J{row:03d}" for row in range(count)),
        **changes,
    )


def written(folder, images, scores):
    found = prepared(images, images.sources, named_preparation("scaled"), load_recipe("none"), None)
    return read_mistakes(write_mistakes(folder, images, found, scores), len(CLASSES))


def scores_with(images, wrong):
    """Scores that are right but for the rows of `wrong`, which say how sure each is."""
    sure = np.full(len(images), 1.0)
    sure[list(wrong)] = [-value for value in wrong.values()]
    return np.eye(2)[images.labels] * sure[:, np.newaxis]


def test_the_surest_mistakes_come_first_and_ties_stand_by_name(tmp_path):
    images = image_set()
    found = written(tmp_path, images, scores_with(images, {7: 2.0, 30: 5.0, 9: 2.0}))
    assert found["sources"].tolist() == ["J030", "J007", "J009"]
    assert found["labels"].tolist() == [0, 1, 1]
    assert found["predicted"].tolist() == [1, 0, 0]
    expected = [1 / (1 + np.exp(-value)) for value in (5.0, 2.0, 2.0)]
    np.testing.assert_allclose(found["probability"], expected, rtol=1e-12)
    original = images.pixels.read(30)[..., 0].astype(float)
    spread = (original - original.min()) / (original.max() - original.min())
    assert abs(found["images"][0] - np.rint(255 * spread)).max() <= 1


def test_no_more_than_sixteen_are_kept(tmp_path):
    images = image_set()
    found = written(tmp_path, images, scores_with(images, dict.fromkeys(range(30), 1.0)))
    assert len(found["sources"]) == MOST == 16


def test_a_run_without_mistake_says_so(tmp_path):
    images = image_set()
    found = written(tmp_path, images, scores_with(images, {}))
    assert found["sources"].size == 0
    assert len(found["images"]) == 0


def test_positions_are_those_of_the_sources(tmp_path):
    ra_deg, dec_deg = np.linspace(0, 350, 40), np.linspace(-80, 80, 40)
    images = image_set(ra_deg=ra_deg, dec_deg=dec_deg)
    found = written(tmp_path, images, scores_with(images, {4: 1.0, 8: 3.0}))
    assert found["ra_deg"].tolist() == ra_deg[[8, 4]].tolist()
    assert found["dec_deg"].tolist() == dec_deg[[8, 4]].tolist()


@pytest.mark.parametrize("provenance", [{}, {"reader": "simulated"}])
def test_a_source_that_no_telescope_has_seen_has_no_position(tmp_path, provenance):
    known = {"ra_deg": np.zeros(40), "dec_deg": np.zeros(40)} if provenance else {}
    images = image_set(provenance=provenance, **known)
    found = written(tmp_path, images, scores_with(images, {4: 1.0}))
    assert np.isnan(found["ra_deg"]).all()
    assert np.isnan(found["dec_deg"]).all()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((50, 40, 1), (50, 40)),
        ((96, 96, 3), (96, 96, 3)),
        ((97, 97, 1), (48, 48)),
        ((300, 150, 2), (75, 37)),
        ((500, 2, 1), (83, 1)),
    ],
)
def test_images_are_made_small(shape, expected):
    small = small_images(np.random.default_rng(1).normal(size=(2, *shape)))
    assert small.shape == (2, *expected)
    assert max(small.shape[1:3]) <= LARGEST_PX
    assert small.dtype == np.uint8
    for image in small:
        assert (image.min(), image.max()) == (0, 255)


def test_blocks_are_averaged():
    image = np.zeros((1, 192, 192, 1))
    image[0, :2, :2], image[0, 2, 2] = 1.0, 2.0
    small = small_images(image)
    assert small[0, 0, 0] == 255
    assert small[0, 1, 1] == 128
    assert small.sum() == 255 + 128


def test_a_constant_image_is_black():
    assert not small_images(np.full((1, 8, 8, 1), 7.0)).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.array([0, 2])}, "outside 0..1"),
        ({"images": np.zeros((2, 4, 4, 2), np.uint8)}, "expected uint8"),
        ({"images": np.zeros((2, 4, 4))}, "float64"),
        ({"probability": np.zeros(3)}, "expected 2 entries"),
        ({"sources": np.array("one")}, "expected 1 entries"),
        ({"ra_deg": None}, "no array ra_deg"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path, change, message):
    arrays = {
        "sources": np.array(["a", "b"]),
        "images": np.zeros((2, 4, 4), np.uint8),
        "labels": np.array([0, 1]),
        "predicted": np.array([1, 0]),
        **dict.fromkeys(("probability", "ra_deg", "dec_deg"), np.zeros(2)),
    } | change
    path = tmp_path / "mistakes.npz"
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(InputFileError, match=message):
        read_mistakes(path, 2)


def test_a_run_keeps_its_mistakes_and_its_layers(tmp_path):
    write_toy(tmp_path / "toy.npz")
    (tmp_path / "list.txt").write_text("mcrgnet,1e-3,1,recipe=none,batch=16\n")
    done = command("-a", "list.txt", "-s", "8901", "-d", "toy.npz", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (record,) = find_records(tmp_path / "results")
    assert check_record(record.folder) == []
    said = record.predictions("best")
    predicted = said.probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != said.labels)
    order = sorted(wrong, key=lambda row: (-said.probabilities[row].max(), said.sources[row]))
    kept = record.mistakes()
    assert len(order) > 0
    assert kept["sources"].tolist() == [said.sources[row] for row in order[:MOST]]
    assert kept["images"].shape[1:] == (32, 32)
    layers = record.description()["layers"]
    assert sum(layer["parameters"] for layer in layers) == record.facts["parameters"]
    assert layers[-1]["output_shape"] == [4]

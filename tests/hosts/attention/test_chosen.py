from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from benchmarker.core.errors import InputFileError, MissingDataError, SettingsError
from benchmarker.data.images import ArrayPixels, ImageSet
from benchmarker.hosts.attention.chosen import (
    UNKNOWN,
    choose,
    open_images,
    pick,
    single_files,
    subset_of,
)

WEIGHTS = SimpleNamespace(record=None)


def image_set(labels, parts=None):
    count = len(labels)
    return ImageSet(
        name="toy",
        pixels=ArrayPixels(np.zeros((count, 4, 4, 1), np.uint8), "toy"),
        labels=np.array(labels),
        classes=("A", "B"),
        sources=tuple(f"source{number:02d}" for number in range(count)),
        published_split=parts,
    )


@pytest.fixture
def published():
    return image_set([0, 1] * 6, ("train", "validation", "test") * 4)


def test_the_test_part_is_the_default(published):
    chosen = choose(published, WEIGHTS, None)
    assert chosen.part == "test"
    assert chosen.rows.tolist() == [2, 5, 8, 11]
    assert choose(published, WEIGHTS, "validation").rows.tolist() == [1, 4, 7, 10]
    assert len(choose(published, WEIGHTS, "all").rows) == 12


def test_without_a_split_it_is_all_of_the_set():
    images = image_set([0, 1, 0])
    assert choose(images, WEIGHTS, None).part == "all"
    with pytest.raises(MissingDataError, match=r"for test is not known.*--part all"):
        choose(images, WEIGHTS, "test")


def test_a_run_shows_its_own_test_images(published):
    record = SimpleNamespace(
        data={"digest": published.digest, "card": None},
        split={"rule": "of a file", "digest": "another"},
        seed=1,
        predictions={"best": SimpleNamespace(sources=("source03", "source01"))}.get,
    )
    chosen = choose(published, SimpleNamespace(record=record), None)
    assert chosen.rows.tolist() == [1, 3]


def test_few_images_take_turns_over_the_classes():
    chosen = choose(image_set([0, 0, 0, 0, 1, 1, 1]), WEIGHTS, "all")
    assert chosen.spread(4).tolist() == [0, 1, 4, 5]
    assert chosen.spread(99).tolist() == list(range(7))
    assert chosen.examples(9).tolist() == [0, 4]


def test_sources_are_picked_by_name_and_by_row(published):
    chosen = choose(published, WEIGHTS, None)
    picked = pick(chosen, ["source11", "05"], [0, 3])
    assert picked.names(picked.places) == ("source11", "source05", "source02")
    assert picked.spread(2).tolist() == [3, 1]
    assert picked.examples(9).tolist() == [3, 1, 0]
    assert pick(chosen, [], []) is chosen


def test_every_wrong_source_is_named_at_once(published):
    chosen = choose(published, WEIGHTS, None)
    with pytest.raises(SettingsError) as caught:
        pick(chosen, ["source0x", "source"], [4])
    text = str(caught.value)
    assert "no source 'source0x' (did you mean source0" in text
    assert "'source' means 4 sources" in text
    assert "no row 4, expected 0 to 3" in text


def test_single_files_have_no_class(tmp_path):
    paths = []
    for name in ("100_162.947+055.386_0.0739_0250.34", "other"):
        paths.append(tmp_path / f"{name}.png")
        Image.fromarray(np.full((6, 8), 7, np.uint8)).save(paths[-1])
    images, subset = open_images([str(path) for path in paths], None, WEIGHTS)
    assert subset is None
    assert images.classes == (UNKNOWN,)
    assert images.pixels.read(1).shape == (6, 8, 1)
    assert images.ra_deg[0] == pytest.approx(162.947)
    assert np.isnan(images.ra_deg[1])
    chosen = choose(images, WEIGHTS, "test")
    assert not chosen.has_classes
    assert len(chosen.rows) == 2


def test_faults_of_single_files_are_told_together(tmp_path):
    with pytest.raises(InputFileError) as caught:
        single_files([tmp_path / "a.png", tmp_path / "b" / "a.fits"])
    text = str(caught.value)
    assert text.count("no file") == 2
    assert "FITS and PNG files together" in text
    assert "a is there more than once" in text


def test_two_sets_of_images_are_refused():
    with pytest.raises(SettingsError, match="2 sets of images"):
        open_images(["mirabest", "first"], None, WEIGHTS)


@pytest.mark.parametrize(
    ("card", "base", "subset"),
    [
        ("mirabest-nohybrid", "mirabest", "nohybrid"),
        ("mirabest", "mirabest", None),
        ("mirabest-nohybrid", None, None),
        ("first", "mirabest", None),
    ],
)
def test_the_subset_of_a_run_is_found(card, base, subset):
    trained = SimpleNamespace(record=SimpleNamespace(data={"card": card}))
    assert subset_of(trained, SimpleNamespace(provenance={"card": base})) == subset

"""Sources and classes that two data sets share: known numbers of real sets, made-up edges."""

import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.core.seeds import generator
from benchmarker.data.images import ArrayPixels, ImageSet
from benchmarker.data.opening import ReadOptions, open_data
from benchmarker.data.sharing import common_classes, pixel_pairs, shared_sources
from benchmarker.data.splits import published_split


def noise(count, side=6, *, word="sharing"):
    return generator(word, count, side).integers(1, 255, (count, side, side, 1)).astype(np.uint8)


def toy(array, name="toy", **options):
    sources = tuple(f"{name}{row}" for row in range(len(array)))
    labels = np.arange(len(array)) % 2
    return ImageSet(name, ArrayPixels(array, name), labels, ("FRI", "FRII"), sources, **options)


@pytest.fixture(scope="module")
def mirabest(real_data):
    return open_data(real_data / "mirabest.npz")


@pytest.fixture(scope="module")
def frdeep(real_data):
    return open_data(real_data / "frdeep_first.npz")


@pytest.fixture(scope="module")
def griese(real_data):
    return open_data(real_data / "first_griese2022.npz")


def shared_of(tested, trained, *, parts=("train",)):
    """What the test part of one set shares with `parts` of the other."""
    split = published_split(trained).parts
    seen = [name for part in parts for name in split[part]]
    return shared_sources(tested, published_split(tested).test, trained, seen)


def test_mirabest_and_frdeep_share_images(mirabest, frdeep):
    assert len({row for row, _ in pixel_pairs(mirabest, frdeep)}) == 39
    there = shared_of(mirabest, frdeep)
    back = shared_of(frdeep, mirabest)
    assert (len(there.names), len(back.names)) == (7, 3)
    assert back.by_pixels == back.names
    assert (len(back.kept), back.by_position) == (47, ())
    assert back.text() == (
        "3 of 50 test sources of frdeep-first left out: 3 with the pixels of training sources of "
        "mirabest, 0 within 15 arcsec (frdeep-first has no positions: "
        "more may be shared unseen)"
    )


def test_the_empty_image_of_frdeep_is_like_no_other(frdeep):
    empty = [row for row in range(len(frdeep)) if not frdeep.pixels.read(row).any()]
    assert empty == [509]
    assert 509 not in {row for row, _ in pixel_pairs(frdeep, frdeep)}


def test_mirabest_and_griese_share_places(mirabest, griese):
    shared = shared_sources(mirabest, mirabest.sources, griese, griese.sources)
    assert (len(shared.by_position), len(shared.by_pixels)) == (809, 0)
    assert len(shared.kept) == 1256 - 809
    assert len(shared_of(mirabest, griese).by_position) == 82
    assert len(shared_of(griese, mirabest).by_position) == 54
    assert len(shared_of(mirabest, griese, parts=("train", "validation")).by_position) == 91


def test_names_come_in_the_order_asked_for_and_each_once():
    array = noise(6)
    place = np.arange(6) * 0.1, np.zeros(6)
    tested = toy(array, "a", ra_deg=place[0], dec_deg=place[1])
    trained = toy(array[[3, 0]], "b", ra_deg=place[0][[3, 2]], dec_deg=place[1][:2])
    asked = ("a5", "a3", "a2", "a0")
    shared = shared_sources(tested, asked, trained, trained.sources)
    assert shared.by_position == ("a3", "a2")
    assert shared.by_pixels == ("a3", "a0")
    assert shared.names == ("a3", "a2", "a0")
    assert shared.kept == ("a5",)
    only = shared_sources(tested, asked, trained, ("b1",))
    assert (only.by_position, only.by_pixels) == (("a2",), ("a0",))


def test_how_close_is_one_source_can_be_chosen():
    arcsec = 1 / 3600
    tested = toy(noise(2), "a", ra_deg=np.zeros(2), dec_deg=np.array([0.0, 10 * arcsec]))
    trained = toy(noise(1, word="x"), "b", ra_deg=np.zeros(1), dec_deg=np.array([-10 * arcsec]))
    found = [
        shared_sources(tested, tested.sources, trained, trained.sources, arcsec=radius).by_position
        for radius in (5, 15, 25)
    ]
    assert found == [(), ("a0",), ("a0", "a1")]
    for radius in (-1, float("nan")):
        with pytest.raises(SettingsError, match="expected a separation from 0"):
            shared_sources(tested, tested.sources, trained, trained.sources, arcsec=radius)


def test_positions_that_are_partly_unknown_are_said():
    nan = np.array([0.0, np.nan])
    tested = toy(noise(2), "a", ra_deg=nan, dec_deg=nan)
    trained = toy(noise(2, word="x"), "b", ra_deg=nan + np.nan, dec_deg=nan)
    text = shared_sources(tested, tested.sources, trained, trained.sources).text()
    assert text.endswith(
        "(1 of 2 sources of a without position; b has no positions: more may be shared unseen)"
    )


@pytest.mark.parametrize(("large", "small"), [(10, 6), (9, 6)])
def test_the_centre_of_a_larger_image_is_the_same_image(large, small):
    array = noise(4, large)
    ends = {(large - small) // 2, -((small - large) // 2)}
    for start in ends:
        centre = array[[2, 1], start : start + small, start : start + small]
        assert pixel_pairs(toy(array), toy(centre)) == [(1, 1), (2, 0)]
        assert pixel_pairs(toy(centre), toy(array)) == [(0, 2), (1, 1)]
    corner = array[[2], :small, :small]
    assert pixel_pairs(toy(array), toy(corner)) == []


def test_empty_images_are_never_the_same_even_in_the_centre():
    empty = np.zeros((2, 6, 6, 1), np.uint8)
    ring = np.zeros((1, 8, 8, 1), np.uint8)
    ring[0, 0] = 9
    assert pixel_pairs(toy(empty), toy(empty)) == []
    assert pixel_pairs(toy(ring), toy(empty)) == []


def test_names_that_the_set_does_not_hold_are_refused():
    images = toy(noise(3))
    for names, word in (
        (("toy0", "no"), "1 unknown there .no."),
        (("toy0",) * 2, "1 of them"),
        ((), "0 names"),
    ):
        with pytest.raises(SettingsError, match=word):
            shared_sources(images, names, images, images.sources)


def test_common_classes_map_labels_by_name(griese):
    common = common_classes(("FRI", "FRII"), griese.classes)
    assert common.left_out == ("Compact", "Bent")
    assert "left out, unknown to the model: Compact, Bent" in common.text()
    kept = common.apply(griese)
    assert np.bincount(kept.labels).tolist() == [495, 924]
    assert kept.classes == ("FRI", "FRII")
    back = common_classes(griese.classes, ("FRII", "FRI"))
    assert (back.mapping, back.untested) == ({0: 1, 1: 0}, ("Compact", "Bent"))
    assert back.names == ("FRI", "FRII")


def test_labels_follow_the_models_order():
    images = toy(noise(4))
    kept = common_classes(("FRII", "Bent", "FRI"), images.classes).apply(images)
    assert kept.labels.tolist() == [2, 0, 2, 0]
    assert kept.sources == images.sources


def test_fewer_than_two_common_classes_are_refused(mirabest, real_data):
    with pytest.raises(SettingsError, match="0 classes of the same name, expected at least 2"):
        common_classes(("FRI", "FRII"), mirabest.classes)
    with pytest.raises(SettingsError, match=r"1 classes of the same name.*a subset"):
        common_classes(("FRI", "FRII"), ("FRI", "Bent"))
    subset = open_data(real_data / "mirabest.npz", options=ReadOptions(subset="nohybrid"))
    assert common_classes(("FRI", "FRII"), subset.classes).mapping == {0: 0, 1: 1}

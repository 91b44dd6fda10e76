"""Data check: the known cases of the real sets, and each kind of fault on made-up images."""

import time

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError
from benchmarker.core.seeds import generator
from benchmarker.data.checking import check_between, check_images, refuse_leaks
from benchmarker.data.images import ArrayPixels, ImageSet
from benchmarker.data.splits import Split

WORDS = {"train": "train", "valid": "validation", "test": "test"}


def stored_set(folder, name):
    with np.load(folder / f"{name}.npz") as stored:
        split_names = stored["split_names"]
        return ImageSet(
            name,
            ArrayPixels(stored["images"][..., np.newaxis], name),
            stored["labels"],
            tuple(stored["label_names"].tolist()),
            tuple(f"{name}-{row}" for row in range(len(stored["labels"]))),
            ra_deg=stored.get("ra_deg", None),
            dec_deg=stored.get("dec_deg", None),
            published_split=tuple(WORDS[split_names[number]] for number in stored["split"]),
            pixel_scale_arcsec=1.8,
        )


@pytest.fixture(scope="module")
def mirabest(real_data):
    return stored_set(real_data, "mirabest")


@pytest.fixture(scope="module")
def frdeep(real_data):
    return stored_set(real_data, "frdeep_first")


@pytest.fixture(scope="module")
def griese(real_data):
    return stored_set(real_data, "first_griese2022")


def toy(images, labels=None, **options):
    array = np.asarray(images)
    labels = np.asarray([0, 1] * len(array))[: len(array)] if labels is None else np.array(labels)
    sources = tuple(f"s{row}" for row in range(len(array)))
    return ImageSet("toy", ArrayPixels(array, "toy"), labels, ("FRI", "FRII"), sources, **options)


def noise(count, *, side=4, dtype=np.uint8):
    draw = generator("checking", count, side)
    return draw.integers(1, 255, (count, side, side, 1)).astype(dtype)


class MixedPixels:
    """Images of different sizes, one of which cannot be read."""

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def read(self, index):
        if self.images[index] is None:
            message = f"{self.name(index)}: truncated"
            raise InputFileError(message)
        return self.images[index]

    def name(self, index):
        return f"file{index}.fits"

    def digest(self, indices):
        return f"digest of {len(indices)}"


def test_mirabest_has_one_source_twice(mirabest):
    report = check_images(mirabest)
    (twice,) = report.of_kind("repeated-position")
    assert twice.rows == (511, 989)
    assert twice.pairs[0][2] == pytest.approx(7.8, abs=0.05)
    assert "labelled 100 and 102" in twice.text
    assert report.counts["all_zero"] == report.counts["identical"] == 0
    assert report.counts["neighbour_arcsec"] == 135.0
    assert not report.has_errors
    assert (report.images, report.classes["200"]) == (1256, 432)


def test_frdeep_has_an_empty_image_and_a_repeat(frdeep):
    report = check_images(frdeep)
    assert [finding.rows for finding in report.of_kind("all-zero")] == [(509,)]
    assert [finding.rows for finding in report.of_kind("duplicate")] == [(479, 499)]
    assert len(report.findings) == 2
    assert not report.has_errors


def test_griese_has_an_empty_image_and_neighbours_across_the_split(griese):
    started = time.monotonic()
    report = check_images(griese)
    assert time.monotonic() - started < 20  # 0.4 s on an idle core
    assert [finding.rows for finding in report.of_kind("all-zero")] == [(1910,)]
    (across,) = report.of_kind("neighbours-across-split")
    close = [pair for pair in across.pairs if pair[2] < 135]
    assert len(close) == 6
    assert report.counts["neighbour_pairs_across_split_in_central_half"] == 6
    assert report.counts["neighbour_pairs_across_split"] == 14  # half of 300 px is 270 arcsec
    (near,) = check_images(griese, neighbour_arcsec=135.0).of_kind("neighbours-across-split")
    assert {frozenset(pair[:2]) for pair in near.pairs} == {frozenset(p[:2]) for p in close}


def test_mirabest_and_frdeep_share_39_images(mirabest, frdeep):
    report = check_between(mirabest, frdeep)
    assert report.counts["identical_images"] == 39
    by_part = report.counts["identical_by_part"]
    assert (by_part["test/train"], by_part["train/test"]) == (7, 3)
    assert report.has_errors


def test_mirabest_and_griese_share_809_sources(mirabest, griese):
    counts = check_between(mirabest, griese).counts
    assert counts["identical_images"] == 0
    assert counts["same_position_images"] == 809
    by_part = counts["same_position_by_part"]
    assert (by_part["test/train"], by_part["train/test"]) == (82, 54)


def test_clean_images_give_no_finding():
    report = check_images(toy(noise(6)))
    assert report.findings == ()
    assert not report.has_errors
    assert report.as_dict()["classes"] == {"FRI": 3, "FRII": 3}


def test_identical_images_in_two_parts_are_an_error():
    images = noise(6)
    images[5] = images[0]
    words = ("train",) * 4 + ("validation", "test")
    report = check_images(toy(images, [0, 1, 0, 1, 1, 0], published_split=words))
    (leak,) = report.of_kind("leak")
    assert (leak.severity, leak.rows) == ("error", (0, 5))
    assert "test and train" in leak.text
    assert report.has_errors


def test_a_refusal_of_many_leaks_is_short():
    half = generator("leaks").integers(1, 255, (30, 4, 4, 1)).astype("u1")
    names = tuple(f"s{row}" for row in range(60))
    parts = ("train",) * 30 + ("test",) * 30
    data = ImageSet(
        name="twins",
        pixels=ArrayPixels(np.concatenate([half, half]), "twins"),
        labels=np.arange(60) % 2,
        classes=("a", "b"),
        sources=names,
        published_split=parts,
    )
    split = Split(train=names[:30], validation=(), test=names[30:], rule="halves")
    with pytest.raises(InputFileError, match="and 10 more") as caught:
        refuse_leaks(data, split)
    assert str(caught.value).count("identical pixels") == 20


def test_the_split_given_decides_what_leaks():
    images = noise(6)
    images[5] = images[0]
    data = toy(images, [0, 1, 0, 1, 1, 0])
    assert [f.kind for f in check_images(data).findings] == ["duplicate"]
    apart = Split(("s0", "s1"), ("s2",), ("s3", "s5"), "by hand")
    report = check_images(data, split=apart)
    assert report.of_kind("leak")
    together = Split(("s0", "s5", "s1"), ("s2",), ("s3", "s4"), "by hand")
    assert not check_images(data, split=together).has_errors
    left_out = Split(("s0", "s1"), ("s2",), ("s3", "s4"), "by hand")
    assert [f.severity for f in check_images(data, split=left_out).of_kind("duplicate")] == [
        "warning"
    ]
    with pytest.raises(InputFileError, match=r"share images:\n.*s0 \(row 0\); s5 \(row 5\)"):
        refuse_leaks(data, apart)
    refuse_leaks(data, together)


def test_identical_images_under_two_labels_are_an_error():
    images = noise(4)
    images[1] = images[0]
    report = check_images(toy(images))
    (conflict,) = report.of_kind("label-conflict")
    assert conflict.severity == "error"
    assert "labelled FRI and FRII" in conflict.text


def test_empty_and_constant_images_are_no_repeats_of_each_other():
    images = noise(6)
    images[0] = images[1] = 0
    images[2] = images[3] = 7
    report = check_images(toy(images))
    kinds = [finding.kind for finding in report.findings]
    assert kinds == ["all-zero", "all-zero", "constant", "constant"]


def test_pixels_that_are_no_numbers_are_counted():
    images = noise(4, dtype=np.float32)
    images[0, 0, 0] = np.nan
    images[1, :2, 0] = np.inf
    images[2] = np.nan
    report = check_images(toy(images))
    found = {finding.rows[0]: finding for finding in report.of_kind("non-finite")}
    assert "has 1 pixels" in found[0].text
    assert "has 2 pixels" in found[1].text
    assert [found[row].severity for row in (0, 1, 2)] == ["warning", "warning", "error"]
    assert report.counts["constant"] == 0
    images[3] = np.nan
    assert not check_images(toy(images)).of_kind("duplicate")


def test_other_sizes_and_unreadable_images_are_errors():
    images = [*noise(3), noise(1, side=5)[0], None]
    data = ImageSet(
        "mixed",
        MixedPixels(images),
        np.array([0, 1, 0, 1, 0]),
        ("A", "B"),
        tuple("abcde"),
    )
    report = check_images(data)
    (size,) = report.of_kind("size")
    assert size.rows == (3,)
    assert "5 x 5 x 1, most others are 4 x 4 x 1" in size.text
    (broken,) = report.of_kind("unreadable")
    assert "file4.fits: truncated" in broken.text
    assert report.has_errors


def test_one_source_on_both_sides_of_a_split_is_an_error():
    ra = np.array([10.0, 50.0, 10.0 + 5 / 3600, 90.0])
    words = ("train", "train", "test", "test")
    data = toy(noise(4), ra_deg=ra, dec_deg=np.zeros(4), published_split=words)
    report = check_images(data)
    (leak,) = report.of_kind("leak")
    assert leak.rows == (0, 2)
    assert "5.0 arcsec apart, in train and in test" in leak.text
    assert not report.of_kind("neighbours")  # the pixel scale is unknown


def test_a_repeat_with_its_position_is_told_once():
    images = noise(4)
    images[2] = images[0]
    ra = np.array([10.0, 50.0, 10.0, 90.0])
    report = check_images(toy(images, ra_deg=ra, dec_deg=np.zeros(4)))
    assert [finding.kind for finding in report.findings] == ["duplicate"]
    assert report.counts["repeated_positions"] == 1


def test_absent_classes_are_named():
    words = ("train", "train", "train", "test")
    report = check_images(toy(noise(4), [0, 1, 0, 0], published_split=words))
    assert [f.text for f in report.of_kind("absent-class")] == ["class FRII has no image in test"]
    report = check_images(toy(noise(2), [0, 0]))
    assert [f.text for f in report.of_kind("absent-class")] == [
        "class FRII has no image in the data set"
    ]


def test_images_are_read_one_at_a_time_and_progress_is_told():
    told = []
    check_images(toy(noise(5)), progress=told.append)
    assert told == [1, 2, 3, 4, 5]


def test_sets_without_overlap_or_split_give_no_error():
    first = toy(noise(4))
    assert check_between(first, toy(noise(6))).findings == ()
    report = check_between(first, first)
    assert report.counts["identical_images"] == 4
    assert not report.has_errors
    assert report.name == "toy against toy"

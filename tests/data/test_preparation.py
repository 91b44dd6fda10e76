"""Preparation: real MiraBest images bit for bit, formulas by hand, faulty images."""

import dataclasses

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.data.preparation import (
    NAMED,
    Preparation,
    count_nonfinite,
    mirabest_uint8,
    named_preparation,
    prepare,
)


@pytest.fixture(scope="module")
def mirabest_pairs(real_data):
    """FITS cut-outs with the images of the release that were made from them."""
    from astropy.io import fits

    with np.load(real_data / "mirabest.npz", allow_pickle=False) as archive:
        images, names = archive["images"], [str(name) for name in archive["filenames"]]
    pairs = []
    for path in sorted((real_data / "mirabest_fits_sample").glob("*.fits")):
        row = next(i for i, name in enumerate(names) if name.endswith(f"{path.stem}.png"))
        pairs.append((fits.getdata(path), images[row].reshape(150, 150)))
    return pairs


def test_mirabest_release_bit_for_bit(mirabest_pairs):
    assert len(mirabest_pairs) == 6
    for cutout, released in mirabest_pairs:
        made = mirabest_uint8(cutout)
        assert made.dtype == np.uint8
        assert np.array_equal(made[:, :, 0], released)


def test_mirabest_from_fits_equals_the_scaled_release(mirabest_pairs):
    for cutout, released in mirabest_pairs:
        made = prepare(cutout, named_preparation("mirabest"), "cutout")
        scaled = prepare(released, named_preparation("scaled"), "released")
        assert made.dtype == scaled.dtype == np.float32
        assert np.array_equal(made, scaled)
        assert scaled.max() == 1.0


def test_one_sample_holds_nan_pixels(mirabest_pairs):
    assert [count_nonfinite(cutout) for cutout, _ in mirabest_pairs] == [0, 0, 0, 10498, 0, 0]


def test_legacy_threshold_by_hand():
    # scaled: nineteen 0, one x, one 1; mean + 3 population deviations lies at 0.8152 for
    # x = 0.5 (sample deviation: 0.8328), so the faint pixel goes and the peak stays
    image = np.zeros((3, 7), np.float32)
    image[0, 0], image[1, 1] = 2.0, 4.0
    made = prepare(image, named_preparation("legacy"), "image")
    assert made.shape == (3, 7, 1)
    assert np.count_nonzero(made) == 1
    assert made[1, 1, 0] == 1.0
    scaled = image / 4
    assert 0.5 < scaled.mean() + 3 * scaled.std() < 1


def test_legacy_threshold_uses_population_deviation():
    def limit(faint, ddof):
        values = np.array([1, faint] + [0] * 28, np.float32)
        return values.mean(dtype=float) + 3 * values.std(dtype=float, ddof=ddof)

    # a faint pixel that only the population deviation lets through
    faint = next(x for x in np.arange(0.5, 1, 1e-3) if limit(x, 0) < x < limit(x, 1))
    image = np.zeros((5, 6), np.float32)
    image[2, 2], image[3, 4] = 1, faint
    made = prepare(image, named_preparation("legacy"), "image")[:, :, 0]
    assert np.array_equal(made, image)


def test_legacy_clips_the_whole_image_before_the_crop():
    rng = np.random.default_rng(1)
    image = rng.normal(0, 1, (40, 40)).astype(np.float32)
    image[2, 2] = 90  # outside the crop, yet it sets scale and threshold
    whole = prepare(image, named_preparation("legacy"), "image")
    crop = prepare(image, named_preparation("legacy", (20, 20)), "image")
    assert np.array_equal(crop, whole[10:30, 10:30])
    assert crop.max() < 1


def test_binary_threshold_as_in_the_original():
    image = np.array([[0, 1, 5], [8, 9, 10]], np.float32)
    made = prepare(image, Preparation(clip="legacy", bin_threshold=True), "image")
    assert np.allclose(made[:, :, 0], [[0, 0.1, 0.5], [0.8, 1, 1]])


def test_robust_threshold_ignores_the_source():
    image = np.zeros((10, 12), np.float32)
    image[:, ::3], image[:, 1::3] = 1, -1  # median 0, deviation 1: threshold 4.4478
    image[5, 5], image[5, 6], image[5, 7] = 4.4, 4.5, 1000
    made = prepare(image, named_preparation("robust"), "image")[:, :, 0]
    assert np.count_nonzero(made) == 2
    assert made[5, 7] == 1
    assert made[5, 6] == pytest.approx(0.0045)


@pytest.mark.parametrize("name", ["legacy", "robust", "mirabest", "minmax"])
@pytest.mark.parametrize("value", [0.0, -3.5, 1e-40, 1e30])
def test_image_without_contrast_becomes_zeros(name, value):
    image = np.full((160, 160, 1), value, np.float32)
    made = prepare(image, named_preparation(name), "flat")
    assert not made.any()


def test_black_uint8_image_stays_black():
    assert not prepare(np.zeros((4, 4), np.uint8), named_preparation("scaled"), "black").any()


def test_pixels_that_are_not_finite_become_zero_and_are_counted():
    image = np.arange(16, dtype=np.float32).reshape(4, 4)
    image[0, 1], image[2, 2], image[3, 0] = np.nan, np.inf, -np.inf
    made = prepare(image, named_preparation("minmax"), "image")
    assert np.isfinite(made).all()
    assert made[0, 1] == made[2, 2] == made[3, 0] == 0
    assert made.max() == made[3, 3] == 1
    assert count_nonfinite(image) == 3
    assert count_nonfinite(np.zeros((2, 2), np.uint8)) == 0


def test_nan_takes_no_part_in_robust_statistics():
    rng = np.random.default_rng(2)
    image = rng.normal(5, 1, (20, 20)).astype(np.float32)
    image[:8] = np.nan  # as zeros they would pull the median down to 4
    made = prepare(image, named_preparation("robust"), "image")
    sky = image[8:].astype(float)
    limit = np.median(sky) + 3 * 1.4826 * np.median(np.abs(sky - np.median(sky)))
    assert np.count_nonzero(made) == np.count_nonzero(image[8:] > limit)


@pytest.mark.parametrize("name", ["legacy", "robust", "mirabest", "minmax"])
def test_image_without_finite_pixel_is_refused(name):
    with pytest.raises(InputFileError, match=r"^J0003\.fits: no finite pixel .* expected an image"):
        prepare(np.full((160, 160), np.nan, np.float32), named_preparation(name), "J0003.fits")


@pytest.mark.parametrize(
    ("shape", "size", "rows", "columns"),
    [
        ((6, 6), (2, 2), [2, 3], [2, 3]),
        ((7, 7), (3, 3), [2, 3, 4], [2, 3, 4]),
        ((7, 6), (4, 3), [1, 2, 3, 4], [1, 2, 3]),  # odd margin: the extra one at the end
        ((5, 5), (5, 5), range(5), range(5)),
    ],
)
def test_central_crop(shape, size, rows, columns):
    image = np.arange(shape[0] * shape[1], dtype=np.float32).reshape(shape)
    made = prepare(image, Preparation(normalise="none", size=size), "image")
    assert np.array_equal(made[:, :, 0], image[np.ix_(list(rows), list(columns))])


def test_crop_larger_than_the_image_is_refused_with_both_shapes():
    with pytest.raises(InputFileError, match=r"small\.png: .* at least 4 x 9 pixels, got 5 x 8"):
        prepare(np.ones((5, 8)), Preparation(size=(4, 9)), "small.png")


def test_three_channels_are_mixed_to_grey():
    image = np.zeros((2, 2, 3), np.float32)
    image[0, 0, 0], image[0, 1, 1], image[1, 0, 2] = 1, 1, 1
    made = prepare(image, Preparation(normalise="none"), "image")
    assert made.shape == (2, 2, 1)
    assert made.reshape(-1) == pytest.approx([0.3, 0.59, 0.11, 0])


@pytest.mark.parametrize("channels", [0, 2, 4])
def test_other_numbers_of_channels_are_refused(channels):
    with pytest.raises(InputFileError, match=rf"x\.fits: expected 1 channel.*\(4, 4, {channels}\)"):
        prepare(np.ones((4, 4, channels)), NAMED["minmax"], "x.fits")


def test_scaled_needs_uint8():
    with pytest.raises(InputFileError, match=r"x\.fits: .* expects a prepared uint8 .* float32"):
        prepare(np.ones((4, 4), np.float32), NAMED["scaled"], "x.fits")


def test_swapped_bytes_and_doubles_give_native_float32():
    image = np.random.default_rng(3).random((12, 12)).astype(np.float32)
    plain = prepare(image, NAMED["legacy"], "image")
    for dtype in (">f4", "f8"):
        made = prepare(image.astype(dtype), NAMED["legacy"], "image")
        assert made.dtype == np.dtype("=f4")
        assert np.array_equal(made, plain)


def test_range_beyond_float32_is_scaled_without_overflow():
    image = np.array([[-3e38, 0], [1e38, 3e38]], np.float32)
    made = prepare(image, NAMED["minmax"], "image")
    assert made.reshape(-1) == pytest.approx([0, 0.5, 2 / 3, 1])


def test_circular_mask_keeps_the_inscribed_circle():
    made = prepare(np.ones((5, 5)), Preparation(normalise="none", circular_mask=True), "x")
    expected = np.ones((5, 5))
    expected[[0, 0, 4, 4], [0, 4, 0, 4]] = 0
    assert np.array_equal(made[:, :, 0], expected)


def test_keep_centre_drops_groups_at_the_edge():
    image = np.zeros((40, 40), np.float32)
    image[20, 20] = 5
    image[2:4, 2:4] = 9  # a neighbour in the corner
    image[[29, 30, 31], [29, 30, 31]] = 6  # reaches the central half, across corners
    settings = Preparation(clip="robust", keep_centre=True)
    made = prepare(image, settings, "x")[:, :, 0]
    assert sorted(zip(*np.nonzero(made), strict=True)) == [(20, 20), (29, 29), (30, 30), (31, 31)]
    assert made.max() == 1


def test_every_setting_changes_the_digest():
    base = Preparation(clip="legacy")
    others = [
        Preparation(clip="robust"),
        Preparation(clip="robust", normalise="none"),
        dataclasses.replace(base, size=(64, 64)),
        dataclasses.replace(base, size=(64, 65)),
        dataclasses.replace(base, bin_threshold=True),
        dataclasses.replace(base, circular_mask=True),
        dataclasses.replace(base, keep_centre=True),
        dataclasses.replace(base, standardise=(0.0, 1.0)),
        dataclasses.replace(base, standardise=(0.5, 0.5)),
    ]
    digests = {preparation.digest for preparation in [base, *others]}
    assert len(digests) == len(others) + 1
    assert Preparation(clip="legacy").digest == base.digest


def test_digest_stays_the_same_from_release_to_release():
    # a change here makes every cache entry and record of users foreign: raise VERSION if meant
    assert named_preparation("legacy", (150, 150)).digest.startswith("505542204bef490f")
    assert "standardise" not in named_preparation("scaled").as_dict()


def test_size_is_kept_in_record_form():
    preparation = named_preparation("scaled", (150, 120))
    assert preparation.as_dict()["size"] == [150, 120]
    assert named_preparation("mirabest").size == (150, 150)
    assert named_preparation("mirabest", (64, 64)).size == (64, 64)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"clip": "legcay"}, "unknown clip 'legcay' .did you mean legacy"),
        ({"normalise": "max"}, "unknown normalise 'max'.* known: minmax, scale255, none"),
        ({"size": (0, 5)}, r"size must be two whole numbers from 1 .*got \(0, 5\)"),
        ({"size": (5,)}, "size must be two"),
        ({"size": (5.5, 5)}, "size must be two"),
        ({"clip": "legacy", "normalise": "none"}, "clip legacy needs normalise minmax, got none"),
        ({"clip": "robust", "normalise": "scale255"}, "expected clip none, got robust"),
        ({"bin_threshold": True}, "bin_threshold belongs to clip legacy, got clip none"),
        ({"keep_centre": True}, "keep_centre needs a clip"),
        ({"standardise": (0.5, 0)}, r"two finite numbers .*deviation above 0.*got \(0.5, 0\)"),
        ({"standardise": (0.5, -1)}, "deviation above 0"),
        ({"standardise": (float("nan"), 1)}, "two finite numbers"),
        ({"standardise": (0.5,)}, "two finite numbers"),
        ({"standardise": ("half", 1)}, "two finite numbers"),
        ({"standardise": 0.5}, "two finite numbers"),
    ],
)
def test_settings_without_meaning_are_refused(settings, text):
    with pytest.raises(SettingsError, match=text):
        Preparation(**settings)


def test_unknown_preparation_is_refused_with_near_names():
    with pytest.raises(SettingsError, match=r"unknown preparation 'legasy' \(did you mean legacy"):
        named_preparation("legasy")


def test_sqrt_stretch_is_the_root_of_the_scaled_image():
    image = np.array([[0, 1], [64, 255]], np.uint8)
    plain = prepare(image, named_preparation("scaled"), "x")
    stretched = prepare(image, named_preparation("scaled-sqrt"), "x")
    np.testing.assert_array_equal(stretched, np.sqrt(plain))
    assert named_preparation("scaled").digest != named_preparation("scaled-sqrt").digest


def test_sqrt_of_values_that_may_be_negative_is_refused():
    with pytest.raises(SettingsError, match="stretch sqrt needs values from 0"):
        Preparation(normalise="none", stretch="sqrt")


def test_pad_puts_zeros_around_and_never_cuts():
    image = np.full((28, 27), 255, np.uint8)
    preparation = named_preparation("pad64")
    values = prepare(image, preparation, "digit")[:, :, 0]
    assert values.shape == preparation.shape_of(28, 27) == (64, 64)
    assert values[18:46, 18:45].min() == 1.0
    assert values.sum() == 28 * 27
    large = prepare(np.full((70, 40), 255, np.uint8), preparation, "large")
    assert large.shape == (70, 64, 1)


@pytest.mark.parametrize("name", ["pad", "pad0", "pad64x64", "padding"])
def test_a_mistyped_padding_is_refused(name):
    with pytest.raises(SettingsError, match="unknown preparation"):
        named_preparation(name)


def test_the_last_scaling_is_left_to_the_reader():
    image = np.array([[0, 255], [51, 0]], np.uint8)
    preparation = named_preparation("attention")
    assert preparation.standardise == (0.5, 0.5)
    assert preparation.stored == named_preparation("scaled")
    assert preparation.stored.standardise is None
    made = prepare(image, preparation, "x")
    np.testing.assert_array_equal(made, prepare(image, named_preparation("scaled"), "x"))


def test_scaife2021_is_padded_below_and_on_the_right():
    preparation = named_preparation("scaife2021")
    values = prepare(np.full((150, 150), 255, np.uint8), preparation, "x")[:, :, 0]
    assert values.shape == preparation.shape_of(150, 150) == (151, 151)
    assert values[:150, :150].min() == 1
    assert values.sum() == 150 * 150
    assert preparation.standardise == (0.0031, 0.035)


def test_attention_fits_makes_the_images_of_the_release_from_cutouts(mirabest_pairs):
    for cutout, released in mirabest_pairs:
        made = prepare(cutout, named_preparation("attention-fits"), "cut-out")
        again = prepare(released, named_preparation("attention"), "released")
        assert np.array_equal(made, again)

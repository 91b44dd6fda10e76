"""SkyAffine and its recipes: what is drawn, one interpolation, nothing where nothing is drawn."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from benchmarker.data.augment import draw
from benchmarker.data.radio_transforms import SkyAffine
from benchmarker.data.recipes import CLASS, Recipe, load_recipe


def recipe(**options):
    still = {"rotate_deg": [0, 0], "shift": [0, 0], "scale": [1, 1], "p": 1.0}
    return Recipe("own", transforms=({CLASS: "SkyAffine", **still, **options},))


def picture(rows=40, columns=40, seed=3):
    return np.random.default_rng(seed).random((rows, columns, 1), dtype=np.float32)


def drawn_params(count=4000):
    transform = SkyAffine()
    transform.set_random_seed(5)
    return [transform.get_params() for _ in range(count)]


def test_nothing_drawn_returns_the_image_itself():
    image = picture(41, 30)
    assert np.array_equal(draw(image, recipe(), 1, 2, 3), image)


@pytest.mark.parametrize("side", [40, 41])
def test_quarter_turns_and_shifts_move_pixels_only(side):
    image = picture(side, side)
    turned = draw(image, recipe(rotate_deg=[90, 90]), 1, 2, 3)
    np.testing.assert_allclose(turned, np.rot90(image), atol=1e-6)
    moved = draw(image, recipe(shift=[2, 2]), 1, 2, 3)
    assert np.array_equal(moved[2:, 2:], image[:-2, :-2])
    assert not moved[:2].any()
    assert not moved[:, :2].any()


def test_pixels_are_those_of_one_bilinear_interpolation():
    image = picture(31, 36)
    transform = SkyAffine()
    made = transform.effect(image[:, :, 0], angle_deg=33.0, moved=(2, -1), factor=1.08)
    rows, columns = np.indices((31, 36), dtype=np.float64)
    down, right = rows - 15 + 1, columns - 17.5 - 2
    angle = np.radians(33.0)
    # where each pixel comes from: turned back and made smaller, about the centre
    right, down = (
        (right * np.cos(angle) - down * np.sin(angle)) / 1.08,
        (right * np.sin(angle) + down * np.cos(angle)) / 1.08,
    )
    wanted = map_coordinates(
        image[:, :, 0].astype(np.float64), [down + 15, right + 17.5], order=1, mode="constant"
    )
    # beyond the edge the two libraries fade to 0 differently
    inside = (np.abs(down) <= 15) & (np.abs(right) <= 17.5)
    assert inside.sum() > 600
    assert np.abs(made - wanted)[inside].max() < 0.03  # coordinates in steps of 1/32 pixel
    assert not made[(np.abs(down) > 16) | (np.abs(right) > 18.5)].any()


def test_drawn_values_have_the_published_distributions():
    params = drawn_params()
    angles = np.array([p["angle_deg"] for p in params])
    scales = np.array([p["factor"] for p in params])
    shifts = np.array([p["moved"] for p in params])
    for values, low, high in ((angles, -180, 180), (scales, 0.9, 1.1)):
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high
        counts, _ = np.histogram(values, bins=8, range=(low, high))
        assert np.abs(counts - 500).max() < 100
    for axis in (0, 1):
        shares = np.bincount(shifts[:, axis] + 2) / len(shifts)
        np.testing.assert_allclose(shares, [1 / 8, 1 / 4, 1 / 4, 1 / 4, 1 / 8], atol=0.03)
    assert abs(np.corrcoef(shifts.T)[0, 1]) < 0.05


def test_affine_keeps_float_values_in_the_range_of_the_image():
    image = picture()
    made = draw(image, load_recipe("affine"), 1, 0, 0)
    assert made.dtype == np.float32
    assert 0 <= made.min() <= made.max() <= image.max()
    assert np.abs(made * 255 - np.rint(made * 255)).max() > 0.1


def test_levels_round_as_if_the_uint8_picture_had_been_turned():
    made = draw(picture(), recipe(rotate_deg=[20, 20], levels=255), 1, 0, 0)
    np.testing.assert_allclose(made * 255, np.rint(made * 255), atol=1e-4)


def test_flips_mirror_half_of_the_images():
    image = np.zeros((41, 41, 1), np.float32)
    image[20, 20:35] = image[10, 32:35] = 1  # a flag, whose mirror image is no rotation of it
    affine, flips = load_recipe("affine"), load_recipe("affine-flips")
    same = [
        np.array_equal(draw(image, affine, 1, 0, index), draw(image, flips, 1, 0, index))
        for index in range(200)
    ]
    mirrored = [
        np.array_equal(draw(image, affine, 1, 0, index)[:, ::-1], draw(image, flips, 1, 0, index))
        for index in range(200)
    ]
    assert 75 < sum(mirrored) < 125
    assert sum(same) + sum(mirrored) == 200

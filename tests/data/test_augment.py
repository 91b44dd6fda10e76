"""Variants of images: exact quarter turns, the original's convention, draws without state."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from benchmarker.core.errors import SettingsError
from benchmarker.data.augment import draw, expand, vary
from benchmarker.data.recipes import Recipe, Variant, load_recipe, rotations


def picture(height=31, width=31, channels=1):
    values = np.random.default_rng(5).random((height, width, channels), dtype=np.float32)
    return np.where(values > 0.7, values, np.float32(0))


def turned_by_formula(image, angle_deg):
    """Bilinear rotation, counter-clockwise about ((columns - 1) / 2, (rows - 1) / 2)."""
    height, width = image.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(float)
    y, x = rows - (height - 1) / 2, columns - (width - 1) / 2
    cosine, sine = np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))
    places = [y * cosine + x * sine + (height - 1) / 2, x * cosine - y * sine + (width - 1) / 2]
    planes = [
        map_coordinates(image[:, :, c].astype(float), places, order=1, mode="grid-constant")
        for c in range(image.shape[2])
    ]
    return np.stack(planes, axis=-1)


@pytest.mark.parametrize("side", [30, 31])
@pytest.mark.parametrize("channels", [1, 3])
def test_quarter_turns_are_exact(side, channels):
    image = picture(side, side, channels)
    made = expand(image, rotations(90))
    for turns in range(4):
        assert np.array_equal(made[turns], np.rot90(image, turns))


@pytest.mark.parametrize("shape", [(30, 30, 1), (31, 31, 1), (20, 33, 1), (31, 31, 3)])
def test_other_angles_follow_the_original_convention(shape):
    image = picture(*shape)
    made = expand(image, load_recipe("rotations24"))
    assert made.shape == (24, *shape)
    assert made.dtype == np.float32
    for variant, angle in zip(made, range(0, 360, 15), strict=True):
        assert np.abs(variant - turned_by_formula(image, angle)).max() < 2e-4


def test_one_pixel_moves_counter_clockwise():
    image = np.zeros((21, 21, 1), np.float32)
    image[10, 18] = 1  # to the right of the centre
    made = expand(image, rotations(45))
    # printed with row 0 at the top, counter-clockwise from the right is upwards
    brightest = [np.unravel_index(variant.argmax(), (21, 21)) for variant in made]
    assert brightest == [(10, 18), (4, 16), (2, 10), (4, 4), (10, 2), (16, 4), (18, 10), (16, 16)]


def test_values_stay_within_the_range_of_image_and_fill():
    image = picture() * 3 + 1
    for variant in expand(image, rotations(15)):
        assert variant.min() >= 0
        assert variant.max() <= image.max()
    below = expand(-image, rotations(15))
    assert below.min() >= -image.max()
    assert below.max() <= 0


def test_mirror_then_turn():
    image = picture()
    made = expand(image, load_recipe("d4"))
    for place, variant in enumerate(made):
        mirrored = image[:, ::-1] if place >= 4 else image
        assert np.array_equal(variant, np.rot90(mirrored, place % 4))
    assert len({variant.tobytes() for variant in made}) == 8


def test_image_that_is_not_square_keeps_its_shape():
    image = picture(20, 32)
    made = expand(image, rotations(90))
    assert made.shape == (4, 20, 32, 1)
    assert np.array_equal(made[2], image[::-1, ::-1])
    assert np.abs(made[1] - turned_by_formula(image, 90)).max() < 2e-4


def test_variants_are_the_same_in_every_thread():
    image = picture()
    variants = [Variant(float(angle), angle % 2 == 0) for angle in range(0, 360, 7)]
    alone = [vary(image, variant) for variant in variants]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda variant: vary(image, variant), variants * 4))
    for place, made in enumerate(together):
        assert np.array_equal(made, alone[place % len(variants)])


@pytest.mark.parametrize("name", ["random-rotation", "d4-random"])
def test_draw_depends_on_its_arguments_alone(name):
    image, recipe = picture(), load_recipe(name)
    keys = [(seed, epoch, index) for seed in (1, 2) for epoch in (0, 1) for index in range(10)]
    forward = {key: draw(image, recipe, *key) for key in keys}
    backward = {key: draw(image, recipe, *key) for key in reversed(keys)}
    start = threading.Barrier(4)

    def in_a_thread(part):
        start.wait()
        return {key: draw(image, recipe, *key) for key in keys[part::4]}

    with ThreadPoolExecutor(4) as pool:
        threaded = {
            key: made for part in pool.map(in_a_thread, range(4)) for key, made in part.items()
        }
    for key in keys:
        assert np.array_equal(forward[key], backward[key])
        assert np.array_equal(forward[key], threaded[key])


def test_draw_changes_with_seed_epoch_and_index():
    image, recipe = picture(), load_recipe("random-rotation")
    drawn = [draw(image, recipe, *key) for key in ((1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 0, 1))]
    assert len({made.tobytes() for made in drawn}) == 4


def test_d4_draws_reach_all_eight_and_only_those():
    image = picture()
    allowed = {variant.tobytes() for variant in expand(image, load_recipe("d4"))}
    drawn = {draw(image, load_recipe("d4-random"), 7, 0, index).tobytes() for index in range(100)}
    assert drawn == allowed


def test_random_angles_cover_the_circle():
    image = np.zeros((41, 41, 1), np.float32)
    image[19:22, 35:38] = 1
    recipe = load_recipe("random-rotation")
    angles = []
    for index in range(200):
        row, column = np.unravel_index(draw(image, recipe, 3, 0, index).argmax(), (41, 41))
        angles.append(np.arctan2(20 - row, column - 20))
    counts, _ = np.histogram(angles, bins=8, range=(-np.pi, np.pi))
    assert counts.min() >= 10


def test_no_global_random_state_is_touched():
    image = picture()
    before = (random.getstate(), np.random.get_state()[1].tobytes())  # noqa: NPY002
    expand(image, rotations(15))
    draw(image, load_recipe("random-rotation"), 1, 2, 3)
    draw(image, load_recipe("d4-random"), 1, 2, 3)
    assert (random.getstate(), np.random.get_state()[1].tobytes()) == before  # noqa: NPY002


def test_images_are_not_changed_in_place():
    image = picture()
    copy = image.copy()
    expand(image, load_recipe("rotations24"))
    draw(image, load_recipe("random-rotation"), 1, 2, 3)
    assert np.array_equal(image, copy)


def test_recipe_without_transforms_draws_the_image_itself():
    image = picture()
    assert np.array_equal(draw(image, load_recipe("rotations24"), 1, 2, 3), image)


@pytest.mark.parametrize(
    ("transform", "text"),
    [
        ({"__class_fullname__": "Rotate", "limits": 10}, "recipe own: albumentations refuses"),
        ({"__class_fullname__": "Rotate", "limit": "wide"}, "recipe own: albumentations refuses"),
    ],
)
def test_transform_that_albumentations_refuses(transform, text):
    with pytest.raises(SettingsError, match=text):
        draw(picture(), Recipe("own", transforms=(transform,)), 1, 0, 0)


def test_transform_that_changes_the_shape_is_refused():
    recipe = Recipe("own", transforms=({"__class_fullname__": "Transpose", "p": 1.0},))
    with pytest.raises(SettingsError, match=r"expected \(20, 30, 1\), got \(30, 20, 1\)"):
        draw(picture(20, 30), recipe, 1, 0, 0)

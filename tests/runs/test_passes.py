"""Varied passes and turned images: pure functions, and the plain image where nothing varies."""

import numpy as np
import pytest

from benchmarker.data.preparation import Preparation
from benchmarker.data.recipes import load_recipe, recipe_of_passes
from benchmarker.networks import registry
from benchmarker.runs.passes import (
    DrawnImages,
    TurnedImages,
    pass_scores,
    turn_scores,
)
from benchmarker.runs.scores import scores
from benchmarker.runs.trained import PreparedInMemory

COUNT = 6


@pytest.fixture(scope="module")
def stored():
    values = np.random.default_rng(1).random((COUNT, 28, 28, 1), "float32")
    names = tuple(f"s{number}" for number in range(COUNT))
    scaling = Preparation(normalise="scale255", standardise=(0.5, 0.5))
    return PreparedInMemory(values, names, np.arange(COUNT) % 2, scaling)


@pytest.fixture(scope="module")
def model():
    return registry.build("mcrgnet", (28, 28, 1), 2, seed=1)


def drawn(stored, number=0, seed=1, purpose="test pass"):
    return DrawnImages(stored, load_recipe("affine"), seed, purpose, number)


def test_a_draw_depends_on_seed_purpose_pass_and_row_alone(stored):
    first = drawn(stored).read(np.arange(COUNT))
    assert np.array_equal(first[4:5], drawn(stored).read(np.array([4])))
    for other in (
        drawn(stored, number=1),
        drawn(stored, seed=2),
        drawn(stored, purpose="validation pass"),
    ):
        assert not np.array_equal(first, other.read(np.arange(COUNT)))
    assert not np.allclose(first[0], stored.read([0])[0])


def test_what_comes_in_from_outside_is_empty_sky(stored):
    turned = TurnedImages(stored, np.arange(COUNT), 45.0).read(np.array([0]))
    assert turned[0, 0, 0, 0] == -1.0


def test_a_quarter_turn_only_moves_pixels(stored):
    turned = TurnedImages(stored, np.arange(COUNT), 90.0).read(np.arange(COUNT))
    assert np.array_equal(turned, np.rot90(stored.read(np.arange(COUNT)), axes=(1, 2)))


def test_first_angle_is_the_image_itself(stored, model):
    rows, found = turn_scores(model, stored, angles=4)
    assert np.array_equal(rows, np.arange(COUNT))
    assert found.shape == (4, COUNT, 2)
    assert np.array_equal(found[0], scores(model, stored))
    assert not np.allclose(found[1], found[0])


def test_only_so_many_sources_are_turned(stored, model):
    rows, found = turn_scores(model, stored, angles=2, most=3)
    assert rows.tolist() == [0, 2, 5]
    assert np.allclose(found[0], scores(model, stored)[rows], atol=1e-5)


def test_passes_differ_and_repeat(stored, model):
    recipe = load_recipe("affine")
    found = pass_scores(model, stored, recipe, seed=3, passes=3)
    assert found.shape == (3, COUNT, 2)
    assert not np.allclose(found[0], found[1])
    assert np.array_equal(found, pass_scores(model, stored, recipe, seed=3, passes=3))


def test_a_fixed_recipe_is_replaced_by_the_published_draws():
    assert recipe_of_passes(load_recipe("rotations24")).name == "affine"
    assert recipe_of_passes(load_recipe("random-rotation")).name == "random-rotation"

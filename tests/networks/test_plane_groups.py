"""Groups of the plane: multiplication, kernels turned by a quarter, kernels turned by less."""

import numpy as np
import pytest

from benchmarker.networks.plane_groups import (
    PlaneGroup,
    group_moves,
    kernel_moves,
    plane_group,
)

GROUPS = ["c1", "c4", "d1", "d4", "c8", "d8", "d16", "c6", "d3"]


def transformed(group, element, image):
    """A quarter-turn element of the group applied to an image by NumPy."""
    mirror, turn = divmod(element, group.rotations)
    quarters, rest = divmod(turn * 4, group.rotations)
    assert rest == 0
    return np.rot90(image[:, ::-1] if mirror else image, quarters)


@pytest.mark.parametrize("name", GROUPS)
def test_products_are_those_of_the_matrices(name):
    group = plane_group(name)
    assert group.name == name
    for first in range(group.order):
        assert group.product(first, group.inverse(first)) == 0
        for second in range(group.order):
            both = group.matrix(group.product(first, second))
            np.testing.assert_allclose(both, group.matrix(first) @ group.matrix(second), atol=1e-9)


@pytest.mark.parametrize("name", ["c4", "d4", "d8", "c16"])
@pytest.mark.parametrize("side", [2, 3, 5, 6])
def test_quarter_turns_move_pixels_as_numpy_does(name, side):
    group = plane_group(name)
    kernel = np.random.default_rng(1).random((side, side)).astype(np.float32)
    disc = np.hypot(*(np.mgrid[:side, :side] - (side - 1) / 2)) <= side / 2
    seen = kernel if group.is_exact else kernel * disc
    for element in range(group.order):
        if element % group.rotations * 4 % group.rotations:
            continue
        moved = (kernel_moves(group, side)[element] @ kernel.ravel()).reshape(side, side)
        np.testing.assert_array_equal(moved, transformed(group, element, seen))


def test_other_angles_interpolate_inside_the_disc():
    group = plane_group("c8")
    moves = kernel_moves(group, 5)
    rows, columns = np.divmod(np.arange(25), 5)
    places = np.stack([columns - 2.0, 2.0 - rows])  # right, up
    inside = np.hypot(*places) <= 1.5
    # bilinear interpolation is exact for a plane: a slope turned by 45 degrees
    turned = moves[1] @ places[0]
    expected = (places[0] + places[1]) / np.sqrt(2)
    np.testing.assert_allclose(turned[inside], expected[inside], atol=1e-6)
    corners = [0, 4, 20, 24]
    assert not moves[:, corners].any()
    assert not moves.flags.writeable


@pytest.mark.parametrize("name", GROUPS)
def test_the_group_permutes_its_own_maps(name):
    group = plane_group(name)
    moves = group_moves(group)
    assert (moves.sum(axis=1) == 1).all()
    assert (moves.sum(axis=2) == 1).all()
    np.testing.assert_array_equal(moves[0], np.eye(group.order))
    for g in range(group.order):
        for h in range(group.order):
            both = moves[group.product(g, h)]
            np.testing.assert_array_equal(moves[g] @ moves[h], both)


@pytest.mark.parametrize("text", ["d", "e4", "c0", "d33", "4", "c-4", ""])
def test_other_words_are_refused(text):
    with pytest.raises(ValueError, match=r"expected cN or dN with N from 1 to 32"):
        plane_group(text)


def test_only_quarter_turns_are_exact():
    exact = [n for n in range(1, 33) if PlaneGroup(n, mirrored=True).is_exact]
    assert exact == [1, 2, 4]

"""Ridge lines: known shapes have known angles and lengths on the sky."""

import numpy as np
import pytest

from benchmarker.simulate.geometry import Shape, bending_deg, extent_arcsec, ridge

HALF_PI = np.pi / 2


def shape(**changes):
    usual = {
        "length_0": 30.0,
        "length_1": 20.0,
        "turn_0": 0.0,
        "turn_1": 0.0,
        "onset": 0.0,
        "inclination": HALF_PI,
        "plane": HALF_PI,
    }
    return Shape(**{name: np.float64(value) for name, value in (usual | changes).items()})


def test_straight_source_in_the_plane_of_the_sky():
    assert extent_arcsec(shape()) == pytest.approx(50.0)
    assert bending_deg(shape()) == pytest.approx(0.0, abs=1e-4)
    assert np.allclose(ridge(shape(), 0, np.array([0.0, 0.5, 1.0])), [[0, 0], [15, 0], [30, 0]])
    assert np.allclose(ridge(shape(), 1, np.array([1.0])), [[-20, 0]])


@pytest.mark.parametrize("degrees", [15.0, 45.0, 80.0])
def test_inclination_shortens_a_source_but_does_not_bend_it(degrees):
    seen = shape(inclination=np.radians(degrees))
    assert extent_arcsec(seen) == pytest.approx(50.0 * np.sin(np.radians(degrees)))
    assert bending_deg(seen) == pytest.approx(0.0, abs=1e-4)


def test_arms_that_turn_from_the_core_bend_by_nearly_twice_the_turn():
    bent = shape(length_0=20.0, turn_0=np.radians(50), turn_1=np.radians(50), onset=-0.5)
    assert bending_deg(bent) == pytest.approx(100.0, abs=0.01)
    late = shape(length_0=20.0, turn_0=np.radians(50), turn_1=np.radians(50), onset=0.4)
    assert 15.0 < bending_deg(late) < 70.0


def test_opposite_turns_make_an_s_that_is_straight_overall():
    bent = shape(length_0=20.0, turn_0=np.radians(40), turn_1=np.radians(-40))
    assert bending_deg(bent) == pytest.approx(0.0, abs=1e-4)
    assert abs(ridge(bent, 0, np.array([1.0]))[0, 1]) > 5.0


def test_bend_seen_edge_on_is_hidden():
    bent = shape(length_0=20.0, turn_0=np.radians(50), turn_1=np.radians(50), plane=0.0)
    assert bending_deg(bent) == pytest.approx(0.0, abs=1e-4)


def test_length_along_the_arm_is_kept():
    along = np.linspace(0.0, 1.0, 2001)
    path = ridge(shape(turn_0=np.radians(80)), 0, along)
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).sum() == pytest.approx(30.0, rel=1e-6)


def test_many_shapes_at_once_agree_with_one_by_one():
    random = np.random.default_rng(1)
    many = Shape(*(random.uniform(0.1, 1.4, 9) for _ in range(7)))
    one_by_one = [many.take(k) for k in range(9)]
    assert np.allclose(bending_deg(many), [bending_deg(one) for one in one_by_one])
    assert np.allclose(extent_arcsec(many), [extent_arcsec(one) for one in one_by_one])

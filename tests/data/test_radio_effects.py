"""Beam, noise and sidelobes against their formulas."""

import numpy as np
import pytest

from benchmarker.core.seeds import generator
from benchmarker.data.radio_effects import (
    FWHM_TO_SIGMA,
    Beam,
    brightest,
    gaussian_kernel,
    noise,
    ripples,
    to_beam,
)

FIRST = Beam(3.0, 3.0)


def point(beam, side=81, flux=1.0):
    """A point source in the middle, seen with a beam, flux per pixel."""
    rows, columns = np.indices((side, side)) - (side - 1) / 2
    offsets = np.stack([rows, columns], axis=-1)
    form = np.einsum("rci,ij,rcj->rc", offsets, np.linalg.inv(beam.covariance), offsets)
    return (flux * np.exp(-form / 2) / beam.area).astype(np.float32)


def moments(image):
    """Second moments about the centre of light, (row, column)."""
    rows, columns = np.indices(image.shape)
    weights = image.astype(np.float64) / image.sum(dtype=np.float64)
    offsets = np.stack([rows - (weights * rows).sum(), columns - (weights * columns).sum()])
    return np.einsum("rc,irc,jrc->ij", weights, offsets, offsets)


def half_width(image):
    """Width at half maximum along the row of the centre, linear between pixels."""
    centre = image.shape[0] // 2
    half = image[centre, centre:] / image[centre, centre] - 0.5
    last = int(np.argmax(half < 0)) - 1
    return 2 * (last + half[last] / (half[last] - half[last + 1]))


@pytest.mark.parametrize(
    "new", [(5, 4, 30), (8, 3.2, 120), (3.5, 3.3, 77), (6, 6, 0), (3.1, 3.05, 60)]
)
def test_a_point_source_gets_the_widths_and_angle_of_the_new_beam(new):
    beam = Beam(*new)
    made = to_beam(point(FIRST), FIRST, beam)
    assert made.sum(dtype=np.float64) == pytest.approx(1, abs=1e-3)
    sizes, axes = np.linalg.eigh(moments(made))
    np.testing.assert_allclose(
        np.sqrt(sizes[::-1]) / FWHM_TO_SIGMA, [beam.major, beam.minor], rtol=0.02
    )
    if beam.major > 1.05 * beam.minor:
        angle = np.degrees(np.arctan2(-axes[1, 1], -axes[0, 1])) % 180
        assert angle == pytest.approx(beam.angle_deg, abs=1)
    assert made.max() * beam.area == pytest.approx(1, rel=0.02)


def test_position_angle_turns_from_up_to_the_left():
    beam = to_beam(point(FIRST), FIRST, Beam(12.0, 3.5, 45.0))
    assert beam[30, 30] > 10 * beam[30, 50]
    assert half_width(to_beam(point(FIRST), FIRST, Beam(9.0, 6.0, 90.0))) == pytest.approx(9, 0.02)


def test_the_same_beam_changes_nothing():
    image = np.random.default_rng(1).random((30, 40), dtype=np.float32)
    assert np.abs(to_beam(image, FIRST, FIRST) - image).max() < 1e-6


@pytest.mark.parametrize("sigma", [0.1, 0.3, 0.5, 0.8, 2.0])
def test_kernel_adds_its_second_moments_however_small(sigma):
    kernel = gaussian_kernel(np.diag([sigma**2, (2 * sigma) ** 2]))
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    assert kernel.min() > -1e-6
    assert np.array_equal(kernel, kernel[::-1, ::-1])
    np.testing.assert_allclose(np.diag(moments(kernel)), [sigma**2, 4 * sigma**2], rtol=1e-3)


def test_kernel_of_a_turned_line_has_its_second_moments():
    wanted = Beam(4.0, 1e-3, 30.0).covariance
    np.testing.assert_allclose(moments(gaussian_kernel(wanted)), wanted, atol=1e-3)


def test_noise_has_rms_one_and_the_beam_as_autocorrelation():
    beam = Beam(6.0, 4.0, 90.0)
    field = noise((400, 300), beam, generator(1, "noise"))
    assert field.shape == (400, 300)
    assert field.dtype == np.float32
    assert np.sqrt(np.mean(field.astype(np.float64) ** 2)) == pytest.approx(1, abs=1e-5)
    assert abs(field.mean()) < 0.05
    for axis, width in ((0, 4.0), (1, 6.0)):
        for lag in range(1, 7):
            parts = (
                np.take(field, range(lag, field.shape[axis]), axis),
                np.take(field, range(field.shape[axis] - lag), axis),
            )
            wanted = np.exp(-4 * np.log(2) * (lag / width) ** 2)
            assert np.mean(parts[0] * parts[1]) == pytest.approx(wanted, abs=0.03)
    # as strong at the edges as inside
    assert field[:, :5].std() == pytest.approx(1, abs=0.2)
    assert np.mean(np.abs(field) < 1) == pytest.approx(0.683, abs=0.02)


@pytest.mark.parametrize("angle", [0.0, 25.0])
def test_ripples_are_symmetric_about_the_source_and_at_most_one(angle):
    made = ripples((61, 61), (30, 30), 6.0, angle)
    assert made.dtype == np.float32
    assert made[30, 30] == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(made, made[::-1, ::-1], atol=1e-6)
    assert np.abs(made).max() == pytest.approx(1)
    assert made.min() < -0.02
    # three arms give six spokes: a sixth of a turn is the same pattern
    turned = ripples((61, 61), (30, 30), 6.0, angle + 60)
    np.testing.assert_allclose(turned, made, atol=1e-5)
    assert np.abs(ripples((61, 61), (30, 30), 6.0, angle + 30) - made).max() > 0.3


def test_ripples_move_with_the_source_and_grow_with_the_period():
    here, there = ripples((80, 80), (30, 30), 5.0, 10.0), ripples((80, 80), (42, 37), 5.0, 10.0)
    np.testing.assert_allclose(there[22:62, 17:57], here[10:50, 10:50], atol=0.01)
    wide = ripples((121, 121), (60, 60), 10.0, 10.0)
    narrow = ripples((61, 61), (30, 30), 5.0, 10.0)
    np.testing.assert_allclose(wide[::2, ::2], narrow, atol=0.03)


def test_ripples_are_the_sum_of_the_fringes():
    # one direct sum over the 210 baselines of 21 antennas
    places = [
        (n / 7) ** 1.7 * np.exp(1j * np.radians(arm)) for arm in (0, 120, 240) for n in range(1, 8)
    ]
    pairs = np.array([a - b for i, a in enumerate(places) for b in places[i + 1 :]])
    waves = 2 * np.pi / 6.0 * pairs / np.abs(pairs).max()
    rows, columns = np.indices((31, 41)) - np.array([12, 20])[:, None, None]
    phases = waves.real[:, None, None] * rows + waves.imag[:, None, None] * columns
    beam = np.cos(phases).mean(axis=0)
    clean = np.exp(-(phases**2).mean(axis=0) / 2)
    wanted = (beam - clean) * np.exp(-(rows**2 + columns**2) / 2 / 30**2)
    made = ripples((31, 41), (12, 20), 6.0, 0.0)
    np.testing.assert_allclose(made, wanted / np.abs(wanted).max(), atol=1e-5)


def test_brightest_pixels_stand_apart():
    image = np.zeros((20, 20), np.float32)
    image[5, 5], image[5, 6], image[15, 3] = 3, 2.5, 1
    assert brightest(image, 2, 3.0) == [(5, 5), (15, 3)]
    assert brightest(image, 5, 0.5) == [(5, 5), (5, 6), (15, 3)]
    assert brightest(np.zeros((4, 4), np.float32), 2, 1.0) == []

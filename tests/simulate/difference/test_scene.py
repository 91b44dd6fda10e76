import numpy as np
import pytest

from benchmarker.simulate.difference.psf import Psf
from benchmarker.simulate.difference.scene import (
    FWHM_PX,
    MASK,
    SKY_ADU,
    Canvas,
    Conditions,
    draw_conditions,
    magnitude_of,
    variance,
    zero_point,
)

CONDITIONS = Conditions(300.0, Psf(2.0), 0.45)


def test_noise_of_empty_sky_has_the_variance_of_sky_readout_and_template():
    image = Canvas((400, 400), CONDITIONS).finish(np.random.default_rng(1))
    expected = 1.15 * (300 / 2 + 6**2)
    assert image.var() == pytest.approx(expected, rel=0.03)
    assert CONDITIONS.noise**2 == pytest.approx(expected)


def test_light_makes_noise_though_it_is_subtracted():
    canvas = Canvas((400, 400), CONDITIONS)
    canvas.light += 5000.0
    image = canvas.finish(np.random.default_rng(2))
    assert image.var() == pytest.approx(1.15 * (5300 / 2 + 36), rel=0.03)
    assert abs(image.mean()) < 1.0


def test_neighbours_are_correlated_as_the_kernel_tells():
    image = Canvas((400, 400), CONDITIONS).finish(np.random.default_rng(3)).astype(float)
    kernel = CONDITIONS.kernel
    expected = (kernel[:, 1:] * kernel[:, :-1]).sum()
    assert (image[:, 1:] * image[:, :-1]).mean() / image.var() == pytest.approx(expected, abs=0.01)
    assert expected > 0.1
    assert (kernel**2).sum() == pytest.approx(1.0)


def test_five_sigma_over_a_sky_of_300_is_magnitude_19_5():
    flux = 5.0 / Conditions(300.0, Psf(2.0), 0.35).snr_per_flux(CONDITIONS.matched)
    assert magnitude_of(flux) == pytest.approx(19.5)
    assert magnitude_of(100 * flux) == pytest.approx(14.5)
    assert np.isnan(magnitude_of(-1.0))
    assert 24 < zero_point() < 27


def test_conditions_stay_within_those_of_the_instrument():
    drawn = [draw_conditions(np.random.default_rng(seed)) for seed in range(200)]
    assert all(SKY_ADU[0] <= c.sky <= SKY_ADU[1] for c in drawn)
    assert all(FWHM_PX[0] <= c.psf.fwhm <= FWHM_PX[1] for c in drawn)
    assert 1.9 < np.median([c.psf.fwhm for c in drawn]) < 2.3


def test_masked_pixels_carry_the_value_of_the_survey_and_zeroed_ones_zero():
    canvas = Canvas((30, 40), CONDITIONS)
    canvas.hide((slice(0, 3), slice(0, 40)), np.ones((3, 40), bool))
    canvas.zeroed[10:12] = True
    image = canvas.finish(np.random.default_rng(4))
    assert (image[:3] == MASK).all()
    assert (image[10:12] == 0).all()
    assert image.dtype == np.int32
    assert (image[3:10] != MASK).all()


def test_the_owner_of_a_pixel_is_what_contributes_most():
    canvas = Canvas((20, 20), CONDITIONS)
    box = canvas.box(10, 10, 2)
    canvas.begin()
    canvas.add(box, np.full((5, 5), 100.0))
    canvas.begin()
    patch = np.zeros((5, 5))
    patch[0, 0], patch[1, 1] = -500.0, 50.0
    canvas.add(box, patch)
    assert canvas.owner[8, 8] == 2
    assert canvas.owner[9, 9] == 1
    assert canvas.owner[0, 0] == 0


def test_a_box_beyond_the_edge_is_cut_or_empty():
    canvas = Canvas((20, 30), CONDITIONS)
    assert canvas.box(0.2, 29.4, 3) == (slice(0, 4), slice(26, 30))
    rows, _ = canvas.box(-50, 10, 3)
    assert rows.stop - rows.start == 0


def test_variance_never_falls_below_that_of_the_sky():
    assert variance(np.array([-1e9]), 100.0)[0] == variance(np.array([0.0]), 100.0)[0]

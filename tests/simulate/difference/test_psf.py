import math

import numpy as np
import pytest

from benchmarker.simulate.difference.psf import Psf, render_trail


@pytest.mark.parametrize("fwhm", [1.7, 2.0, 3.0])
@pytest.mark.parametrize("place", [(50.0, 50.0), (50.31, 49.57)])
def test_all_flux_is_collected_wherever_the_source_lies_in_its_pixel(fwhm, place):
    image = Psf(fwhm, 3.5, 0.2, 0.7).render(*place, (101, 101))
    assert image.sum() == pytest.approx(1.0, abs=1e-3)
    rows, columns = np.indices(image.shape)
    inner = slice(30, 71)
    part = image[inner, inner]
    assert (part * rows[inner, inner]).sum() / part.sum() == pytest.approx(place[0], abs=0.01)
    assert (part * columns[inner, inner]).sum() / part.sum() == pytest.approx(place[1], abs=0.01)


def test_a_pixel_holds_the_integral_and_not_the_middle_value():
    psf = Psf(1.7)
    fine = Psf(1.7 * 10).render(24.5, 24.5, (50, 50))
    exact = fine[20:30, 20:30].sum()
    assert psf.render(20, 20, (41, 41))[20, 20] == pytest.approx(exact, rel=1e-2)
    assert psf.peak > 1.15 * exact


def test_half_of_the_height_lies_at_half_of_the_width():
    psf = Psf(20.0, 3.0)
    row = psf.render(100, 100, (201, 201))[100]
    assert row[110] / row[100] == pytest.approx(0.5, abs=0.01)


def test_the_ellipse_points_along_its_angle_and_keeps_its_flux():
    image = Psf(8.0, 4.0, 0.2, math.pi / 2).render(40, 40, (81, 81))
    assert image[46, 40] > 1.2 * image[40, 46]
    assert image.sum() == pytest.approx(1.0, abs=5e-3)


def test_the_radius_is_where_a_source_is_faint():
    psf = Psf(2.0, 2.5)
    radius = psf.radius(1e4, 1.0)
    image = 1e4 * psf.render(60, 60, (121, 121))
    assert image[60, 60 + radius + 1] < 1.0 < image[60, 60 + radius - 2]


def test_a_trail_is_longer_than_its_width():
    trail = render_trail(Psf(2.0), (20, 20), (3.4, 0.0), (41, 41))
    rows, columns = np.indices(trail.shape)
    assert trail.sum() == pytest.approx(1.0, abs=0.01)
    near = slice(12, 29)
    wide = (trail * (columns - 20) ** 2)[near, near].sum()
    high = (trail * (rows - 20) ** 2)[near, near].sum()
    assert wide - high == pytest.approx(3.4**2 / 12, rel=0.1)

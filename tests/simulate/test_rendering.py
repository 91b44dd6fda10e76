"""Flux, beam and noise of the images, measured as an astronomer would."""

import numpy as np
import pytest

from benchmarker.core.seeds import generator
from benchmarker.simulate.components import components
from benchmarker.simulate.rendering import correlated_noise, image, render, sidelobes
from benchmarker.simulate.survey import FIRST, Survey
from benchmarker.simulate.truth import draw

CENTRE = np.array([[0.0, 0.0, 1.0, 0.0]])  # 1 Jy, point-like


def test_point_source_has_its_flux_density_as_peak():
    sky = render(CENTRE, size=65, survey=FIRST)
    assert sky[32, 32] == pytest.approx(1.0)
    assert sky.sum() / FIRST.beam_pixels == pytest.approx(1.0, rel=1e-6)


def test_point_source_has_the_width_of_the_beam():
    fine = Survey(pixel_arcsec=0.3)
    profile = render(CENTRE, size=65, survey=fine)[32]
    offsets = (np.arange(65) - 32) * 0.3
    right = np.interp(-0.5, -profile[32:], offsets[32:])
    left = np.interp(0.5, profile[:33], offsets[:33])
    assert right - left == pytest.approx(5.4, abs=0.01)


def test_east_is_left_and_north_is_up():
    parts = np.array([[18.0, 0.0, 1.0, 0.0], [0.0, 36.0, 2.0, 0.0]])
    sky = render(parts, size=65, survey=FIRST)
    assert sky[32, 22] == pytest.approx(1.0)
    assert sky[52, 32] == pytest.approx(2.0)


def test_sub_pixel_offsets_move_the_centroid():
    sky = render(np.array([[-0.72, 0.45, 1.0, 1.0]]), size=64, survey=FIRST)
    row, column = np.indices(sky.shape)
    assert (row * sky).sum() / sky.sum() == pytest.approx(31.5 + 0.25, abs=1e-6)
    assert (column * sky).sum() / sky.sum() == pytest.approx(31.5 + 0.4, abs=1e-6)


@pytest.mark.parametrize("label", ["COMP", "FRI", "FRII", "BENT"])
def test_total_flux_density_is_conserved(label):
    for index in range(10):
        truth = draw(5, label, index, FIRST)
        sky = components(truth, 5, index, FIRST)
        own = np.concatenate([sky.core, sky.arms])
        assert own[:, 2].sum() == pytest.approx(truth.flux_jy)
        assert (own[:, 2] >= 0).all()
        measured = render(own, size=300, survey=FIRST).sum() / FIRST.beam_pixels
        assert measured == pytest.approx(truth.flux_jy, rel=1e-4)


def test_noise_has_its_rms_and_the_autocorrelation_of_the_beam():
    noise = correlated_noise(generator(1, "test"), 1000, FIRST)
    assert noise.std() == pytest.approx(1.0, abs=0.01)
    assert noise.mean() == pytest.approx(0.0, abs=0.01)
    beam = np.exp(-((1.8 * np.arange(8) / FIRST.beam_sigma_arcsec) ** 2) / 2.0)
    for axis in (0, 1):
        turned = np.moveaxis(noise, axis, 0)
        found = [np.mean(turned[: 1000 - lag] * turned[lag:]) for lag in range(8)]
        assert np.allclose(found, beam, atol=0.02)


def test_noise_is_as_strong_at_the_edges():
    maps = [correlated_noise(generator(k, "edge"), 64, FIRST) for k in range(200)]
    edges = np.array([[m[0], m[-1], m[:, 0], m[:, -1]] for m in maps])
    assert edges.std() == pytest.approx(1.0, abs=0.03)


def test_noise_of_the_images_scatters_about_the_survey():
    survey = Survey(background_per_degree2=0.0, sidelobe_level=0.0)
    found, drawn = [], []
    for index in range(24):
        truth = draw(2, "COMP", index, survey)
        plane = image(truth, 2, index, size=100, survey=survey)[:, :, 0]
        corners = np.concatenate([plane[:35].ravel(), plane[-35:].ravel()])
        found.append(corners.std())
        drawn.append(truth.rms_jy)
    assert np.median(found) == pytest.approx(1.5e-4, rel=0.05)
    assert np.corrcoef(found, drawn)[0, 1] > 0.7


def test_sidelobes_are_small_and_hold_no_flux():
    sky = render(CENTRE, size=301, survey=FIRST)
    ripples = sidelobes(generator(1, "ripples"), sky, FIRST)
    assert 0.0 < np.abs(ripples).max() < 0.05
    assert abs(ripples.sum()) / FIRST.beam_pixels < 0.05
    assert not sidelobes(generator(1, "ripples"), sky, Survey(sidelobe_level=0.0)).any()


def test_background_has_the_density_of_the_survey():
    truth = draw(1, "COMP", 0, FIRST)
    fields = [components(truth, seed, 0, FIRST).background for seed in range(400)]
    degrees2 = (300 * 1.8 / 3600.0) ** 2
    assert sum(map(len, fields)) / 400 / degrees2 == pytest.approx(90.0, rel=0.1)
    flux_jy = np.concatenate(fields)[:, 2]
    assert flux_jy.min() >= 1e-3
    assert np.mean(flux_jy > 1e-2) == pytest.approx(0.1, abs=0.03)  # N(>S) proportional to 1/S

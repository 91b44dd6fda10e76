"""Whole images: pure functions of seed and index, artefacts as strong as recorded."""

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.simulate.mwa.plan import SnapshotSettings, plan
from benchmarker.simulate.mwa.snapshots import Parts, render, simulate_snapshots

SETTINGS = SnapshotSettings(size=64, seed=11)


@pytest.fixture(scope="module")
def found():
    return simulate_snapshots(16, settings=SETTINGS)


def test_shapes_and_labels(found):
    assert found.images.shape == (16, 64, 64)
    assert found.images.dtype == np.float32
    assert np.isfinite(found.images).all()
    assert found.labels.tolist() == found.table["label"].tolist()
    assert set(found.labels.tolist()) == {0, 1, 2, 3}
    assert len(set(found.table["name"].tolist())) == 16


def test_an_image_depends_on_seed_and_index_alone(found):
    shots = plan(16, SETTINGS)
    for index in (13, 2, 7):
        assert np.array_equal(render(shots[index], SETTINGS).image, found.images[index])
    other = simulate_snapshots(1, size=64, seed=12)
    assert not np.array_equal(other.images[0], found.images[0])


def test_workers_give_the_same_images(found):
    again = simulate_snapshots(6, settings=SETTINGS, workers=2)
    assert np.array_equal(again.images, found.images[:6])
    assert again.table["name"].tolist() == found.table["name"][:6].tolist()


def test_artefacts_are_as_strong_as_recorded(found):
    for index, shot in enumerate(plan(16, SETTINGS)):
        if shot.label == 0:
            continue
        artefact = found.images[index].astype(float) - Parts(shot, SETTINGS).good()
        noise = found.table["noise_jy"][index]
        rfi, sis = shot.strengths
        if rfi is None or sis is None:
            assert artefact.std() / noise == pytest.approx(shot.strength, rel=1e-3)
        else:  # the two are not quite orthogonal
            assert abs(rfi - sis) * 0.9 <= artefact.std() / noise <= (rfi + sis) * 1.1
        for what, strength in (("rfi", rfi), ("sis", sis)):
            recorded = found.table[f"{what}_rms_jy"][index]
            assert math.isnan(recorded) if strength is None else recorded == strength * noise


def test_strength_and_ratio_can_be_asked_for():
    settings = SnapshotSettings(size=64, seed=3, strength=(5.0, 5.0), ratio=1.0, kind="baselines")
    found = simulate_snapshots(12, settings=settings)
    mixed = found.labels == 3
    assert np.allclose(found.table["rfi_strength"][mixed], 5.0 / math.sqrt(2.0))
    assert np.allclose(found.table["sis_strength"][mixed], 5.0 / math.sqrt(2.0))
    assert set(found.table["rfi_kind"].tolist()) == {"", "baselines"}


def test_a_good_image_is_noise_and_sources():
    settings = SnapshotSettings(size=256, seed=2)
    shot = next(one for one in plan(40, settings) if one.label == 0 and one.band.setting == 169)
    parts = Parts(shot, settings)
    good = parts.good()
    quiet = 1.4826 * np.median(np.abs(good - np.median(good)))
    assert parts.noise().std() == pytest.approx(parts.coverage.thermal_jy, rel=0.05)
    assert quiet == pytest.approx(parts.coverage.thermal_jy, rel=0.25)
    assert good.max() > 10 * quiet


def test_polarisations_of_a_band_show_the_same_sky():
    settings = SnapshotSettings(size=128, seed=6, images_per_observation=8)
    shots = plan(8, settings)
    first = shots[0]
    twin = next(
        one
        for one in shots[1:]
        if one.band == first.band and one.polarisation != first.polarisation
    )
    sources = [Parts(one, settings).sources() for one in (first, twin)]
    assert np.array_equal(sources[0][0], sources[1][0])
    ratio = sources[0][1] / sources[1][1]
    assert np.ptp(ratio) / ratio.mean() < 0.2  # the dipoles' patterns, not other sources
    noise = [Parts(one, settings).noise() for one in (first, twin)]
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.2


def test_an_artefact_leaves_the_rest_of_the_image_as_it_was():
    shots = plan(16, SETTINGS)
    rfi = next(one for one in shots if one.label == 1)
    weak, strong = (replace(rfi, strength=value) for value in (1e-9, 30.0))
    difference = render(strong, SETTINGS).image - render(weak, SETTINGS).image
    artefact, _ = Parts(rfi, SETTINGS).rfi()
    assert np.corrcoef(difference.ravel(), artefact.ravel())[0, 1] > 0.9999


def test_settings_of_another_kind_are_refused():
    with pytest.raises(SettingsError, match="size is 10, expected an even number"):
        simulate_snapshots(4, size=10)

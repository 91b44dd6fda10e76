import numpy as np
import pytest

from benchmarker.simulate.difference import bogus, reals
from benchmarker.simulate.difference.exposure import GALAXY, STAR, draw_exposure
from benchmarker.simulate.difference.night_plan import NightSettings, plan
from benchmarker.simulate.difference.scene import MASK

SETTINGS = NightSettings(nights=2, exposures=2, size=512, seed=3)


@pytest.fixture(scope="module")
def drawn():
    return [draw_exposure(visit, SETTINGS) for visit in plan(SETTINGS)]


def test_an_exposure_is_a_function_of_its_visit(drawn):
    again = draw_exposure(plan(SETTINGS)[1], SETTINGS)
    np.testing.assert_array_equal(again.image, drawn[1].image)
    assert repr(again.found) == repr(drawn[1].found)
    assert (drawn[0].image != drawn[1].image).any()


def test_what_is_injected_above_seven_sigma_is_found(drawn):
    injected = [source for exposure in drawn for source in exposure.injected]
    found = {found.true_snr for exposure in drawn for found in exposure.found if found.label}
    strong = [source for source in injected if source.snr > 7]
    assert len(strong) > 20
    # some lie in masked pixels or under an artefact
    assert np.mean([source.snr in found for source in strong]) > 0.85


def test_no_injection_is_found_twice_or_called_bogus(drawn):
    for exposure in drawn:
        places = [(s.y, s.x) for s in exposure.injected]
        matched = [found.true_snr for found in exposure.found if found.label]
        assert len(set(matched)) == len(matched) <= len(places)
        known = {*bogus.SHARES, STAR, GALAXY}
        assert {found.kind for found in exposure.found if not found.label} <= known
        assert {found.kind for found in exposure.found if found.label} <= set(reals.SHARES)


def test_a_bogus_detection_is_explained_by_what_lies_there(drawn):
    kinds = {found.kind for exposure in drawn for found in exposure.found}
    assert {"dipole", "cosmic ray", "column", "trail", bogus.NOISE_PEAK, STAR} <= kinds
    peaks = [f.snr for e in drawn for f in e.found if f.kind == bogus.NOISE_PEAK]
    assert np.median(peaks) < 5.0


def test_supernovae_and_stars_stay_where_they_are(drawn):
    def places(kind):
        return [{(s.y, s.x) for s in e.injected if s.kind == kind} for e in drawn]

    first, *others = places(reals.SUPERNOVA)
    assert first
    assert all(other == first for other in others)
    first, second, *_ = places(reals.ASTEROID)
    assert not first & second
    sources = [{f.source for f in e.found if f.source.startswith("star")} for e in drawn]
    assert sources[0] & sources[1]


def test_the_border_is_masked_and_the_sky_is_near_zero(drawn):
    image = drawn[0].image
    assert image.dtype == np.int32
    assert (image[:6] == MASK).all()
    assert (image[:, -6:] == MASK).all()
    assert abs(np.median(image[image != MASK])) <= 1
    assert 0.01 < (image == MASK).mean() < 0.15


def test_a_real_source_measures_as_it_was_put_in(drawn):
    ratios = [f.snr / f.true_snr for e in drawn for f in e.found if f.label and f.true_snr > 10]
    assert 0.8 < np.median(ratios) < 1.1
    shifts = [
        f.magnitude - f.true_magnitude for e in drawn for f in e.found if f.label and f.snr > 15
    ]
    assert abs(np.median(shifts)) < 0.15

"""Statistics of the populations: what makes the classes, and where they overlap."""

import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.simulate.components import components
from benchmarker.simulate.cosmology import arcsec_per_kpc
from benchmarker.simulate.radio_galaxies import parameters
from benchmarker.simulate.rendering import render
from benchmarker.simulate.sky import position, source_name
from benchmarker.simulate.survey import FIRST, Survey
from benchmarker.simulate.truth import draw

FINE = Survey(pixel_arcsec=1.0, beam_arcsec=2.0)


@pytest.fixture(scope="module")
def columns():
    return parameters(200, seed=11)


def of(columns, label, name):
    return columns[name][columns["label"] == label]


def test_angular_scale_of_the_universe():
    from astropy.cosmology import FlatLambdaCDM

    redshift = np.array([0.005, 0.1, 0.5, 1.0, 2.5])
    expected = FlatLambdaCDM(H0=70, Om0=0.3).arcsec_per_kpc_proper(redshift).value
    assert np.allclose(arcsec_per_kpc(redshift), expected, rtol=1e-3)


def test_bent_sources_are_bent_and_the_others_hardly(columns):
    bent, fr1, fr2 = (of(columns, label, "bending_deg") for label in ("BENT", "FRI", "FRII"))
    assert np.median(bent) > 50.0
    assert np.median(fr1) < 12.0
    assert np.median(fr2) < np.median(fr1)
    # the ranges meet: some bent source is straighter than some FR I
    assert bent.min() < fr1.max()
    assert np.mean(bent < fr1.max()) < 0.2


def test_tails_of_wide_and_narrow_angle_are_both_there(columns):
    bent = of(columns, "BENT", "bending_deg")
    assert np.mean((bent > 30) & (bent < 90)) > 0.25
    assert np.mean(bent > 110) > 0.15


def test_sizes_of_the_classes_overlap(columns):
    compact, fr1, fr2 = (
        of(columns, name, "angular_size_arcsec") for name in ("COMP", "FRI", "FRII")
    )
    assert np.median(compact) < 3.0
    assert compact.max() > 5.4
    assert fr2.min() < compact.max() < fr1.min()
    assert 30.0 < np.median(fr1) < 65.0
    assert 20.0 < np.median(fr2) < 55.0


def test_flux_densities_follow_the_counts(columns):
    compact = np.sort(of(columns, "COMP", "flux_jy"))
    assert compact[0] >= 0.008
    slope = np.polyfit(np.log(compact[:160]), np.log(1.0 - np.arange(160) / 200.0), 1)[0]
    assert slope == pytest.approx(-1.0, abs=0.2)


def test_beaming_follows_the_inclination(columns):
    towards = columns["inclination_deg"] < 40
    assert np.median(columns["jet_ratio"][towards]) > 2.0 * np.median(
        columns["jet_ratio"][~towards]
    )
    assert columns["jet_ratio"].min() >= 1.0
    assert ((columns["core_share"] >= 0) & (columns["core_share"] < 1)).all()


def fanaroff_riley_ratio(label, index):
    """Distance between the brightest points of the two arms over their full extent."""
    truth = draw(11, label, index, FIRST)
    sky = components(truth, 11, index, FIRST)
    parts = sky.arms.copy()
    parts[:, :2] -= sky.core[0, :2]
    angle = np.radians(truth.position_angle_deg)
    axis = np.array([np.sin(angle), np.cos(angle)])
    plane = render(parts, size=140, survey=FINE)
    north, east = np.indices(plane.shape) - 69.5
    along = -east * axis[0] + north * axis[1]
    lit = plane > 0.02 * plane.max()
    peaks = [along[np.unravel_index(np.argmax(plane * side), plane.shape)] for side in sides(along)]
    return abs(peaks[0] - peaks[1]) / np.ptp(along[lit])


def sides(along):
    return along > 0, along < 0


def test_fanaroff_riley_ratio_tells_the_classes_apart():
    fr1 = np.array([fanaroff_riley_ratio("FRI", index) for index in range(40)])
    fr2 = np.array([fanaroff_riley_ratio("FRII", index) for index in range(40)])
    assert np.median(fr1) < 0.4
    assert np.median(fr2) > 0.6
    assert np.mean(fr1 < 0.5) > 0.8
    assert np.mean(fr2 > 0.5) > 0.8


def test_selections_hold_even_where_few_candidates_pass():
    narrow = Survey(largest_arcsec=32.0)
    truths = [draw(1, "BENT", index, narrow) for index in range(100)]
    assert max(truth.angular_size_arcsec for truth in truths) <= 32.0
    assert min(truth.angular_size_arcsec for truth in truths) >= 30.0
    assert min(truth.bending_deg for truth in truths) >= 28.0


def test_selection_that_nothing_passes_is_refused():
    with pytest.raises(SettingsError, match="no source of 30 to 30 arcsec was drawn"):
        draw(1, "BENT", 0, Survey(largest_arcsec=30.0))


def test_positions_lie_in_the_footprint_far_apart():
    from astropy.coordinates import SkyCoord

    places = np.array([position(8901, order) for order in range(2000)])
    ra, dec = places.T
    assert ((ra >= 0) & (ra < 360)).all()
    assert (((ra > 111) & (ra < 256)) | (ra > 324) | (ra < 51)).all()
    assert dec.min() >= -9
    assert dec.max() <= 56
    sky = SkyCoord(ra, dec, unit="deg")
    assert sky.match_to_catalog_sky(sky, nthneighbor=2)[1].arcmin.min() > 9.0
    # evenly on the sphere: the southern strip holds its share of the area
    assert np.mean((ra > 324) | (ra < 51)) == pytest.approx(0.171, abs=0.01)


def test_names_are_cut_off_and_unique():
    assert source_name(0.0, 0.0) == "J000000.00+000000.0"
    assert source_name(187.70593076, 12.39112329) == "J123049.42+122328.0"
    assert source_name(15.0 * (1 + 59 / 60 + 59.999 / 3600), -9.99999) == "J015959.99-095959.9"
    names = [source_name(*position(5, order)) for order in range(5000)]
    assert len(set(names)) == 5000


def outer_share(label, index):
    """Share of the arms' flux density that lies beyond half of their reach from the core."""
    sky = components(draw(11, label, index, FIRST), 11, index, FIRST)
    reach = np.linalg.norm(sky.arms[:, :2] - sky.core[0, :2], axis=1)
    return sky.arms[reach > 0.5 * reach.max(), 2].sum() / sky.arms[:, 2].sum()


def test_fr1_arms_fade_outwards_and_fr2_arms_brighten():
    fr1 = np.array([outer_share("FRI", index) for index in range(80)])
    fr2 = np.array([outer_share("FRII", index) for index in range(80)])
    assert np.median(fr1) < 0.3
    assert np.mean(fr1 < 0.5) > 0.9
    assert np.median(fr2) > 0.75
    assert np.mean(fr2 > 0.5) > 0.8

"""The plan of a set: nothing but physics tells of the class."""

import itertools

import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.simulate.mwa.bands import SIDELOBE_SETTINGS
from benchmarker.simulate.mwa.plan import CLASSES, SnapshotSettings, observe, plan, shot

COUNT = 6000


@pytest.fixture(scope="module")
def shots():
    return plan(COUNT, SnapshotSettings(seed=4))


def p_value(labels, nuisance):
    from scipy.stats import chi2_contingency

    labels, nuisance = np.asarray(labels), np.asarray(nuisance)
    table = [
        [np.sum((labels == one) & (nuisance == other)) for other in np.unique(nuisance)]
        for one in np.unique(labels)
    ]
    return chi2_contingency(table).pvalue


NUISANCE = {
    "polarisation": lambda one: one.polarisation,
    "version": lambda one: one.observation.version,
    "band": lambda one: one.band.name,
    "declination": lambda one: one.observation.pointing.dec_deg,
    "flagged": lambda one: len(one.observation.flagged),
    "scale": lambda one: one.flux_scale > 1.0,
    "shift": lambda one: one.observation.shift_px > 0.6,
    "residual": lambda one: one.residual_share > 0.125,
    "hour angle": lambda one: one.observation.pointing.hour_angle_deg > 0.0,
}


@pytest.mark.parametrize("name", NUISANCE)
@pytest.mark.parametrize("high", [True, False])
def test_nuisance_is_independent_of_the_class(shots, name, high):
    chosen = [one for one in shots if (one.observation.setting in SIDELOBE_SETTINGS) == high]
    assert {one.label for one in chosen} == (set(range(4)) if high else {0, 1})
    assert p_value([one.label for one in chosen], [NUISANCE[name](one) for one in chosen]) > 1e-3


def test_the_test_of_independence_would_see_a_confounded_class():
    labels = np.arange(2000) % 2
    assert p_value(labels, np.where(np.arange(2000) < 200, labels, 0)) < 1e-6


def test_far_sidelobes_are_seen_above_139_mhz_alone(shots):
    far = [one for one in shots if one.label >= 2]
    assert min(one.band.low_mhz for one in far) > 138.8
    assert {one.observation.setting for one in far} == set(SIDELOBE_SETTINGS)


def test_classes_are_balanced_within_what_physics_allows(shots):
    counts = np.bincount([one.label for one in shots], minlength=4)
    assert np.allclose(counts / COUNT, [0.3, 0.3, 0.2, 0.2], atol=0.005)
    every = plan(400, SnapshotSettings(seed=4, low_band_share=0.0))
    assert np.bincount([one.label for one in every]).tolist() == [100] * 4


def test_strengths_are_even_in_the_logarithm(shots):
    strengths = np.array([one.strength for one in shots if one.label])
    assert strengths.min() >= 0.5
    assert strengths.max() <= 30.0
    below = np.mean(strengths < np.sqrt(0.5 * 30))
    assert below == pytest.approx(0.5, abs=0.03)
    assert all(one.strength is None for one in shots if one.label == 0)


def test_ratio_of_the_two_artefacts(shots):
    mixed = [one for one in shots if CLASSES[one.label] == "rfisis"]
    for one in mixed:
        rfi, sis = one.strengths
        assert 1 / 3 <= rfi / sis <= 3.0
        assert np.hypot(rfi, sis) == pytest.approx(one.strength)
    alone = next(one for one in shots if CLASSES[one.label] == "sis")
    assert alone.strengths == (None, alone.strength)
    assert next(one for one in shots if one.label == 0).strengths == (None, None)


def test_images_of_an_observation_share_it_and_differ(shots):
    for _, group in itertools.groupby(shots[:400], lambda one: one.observation.number):
        images = list(group)
        assert len({one.observation.obsid for one in images}) == 1
        assert len({(one.band.name, one.polarisation) for one in images}) == len(images)
    names = [one.name for one in shots]
    assert len(set(names)) == COUNT


def test_names_are_the_survey_s(shots):
    import re

    pattern = r"\d{10}_\d{3}-\d{3}MHz_(XX|YY)_r-1\.0_v2\.[15]"
    assert all(re.fullmatch(pattern, one.name) for one in shots)


def test_a_larger_set_begins_with_the_smaller(shots):
    settings = SnapshotSettings(seed=4)
    observe.cache_clear()
    assert [shot(index, settings) for index in (57, 3)] == [shots[57], shots[3]]
    other = plan(20, SnapshotSettings(seed=5))
    assert [one.name for one in other] != [one.name for one in shots[:20]]


def test_every_fault_of_the_settings_is_told_at_once():
    with pytest.raises(SettingsError) as caught:
        SnapshotSettings(
            size=63,
            seed=-1,
            images_per_observation=9,
            low_band_share=2.0,
            strength=(3.0, 1.0),
            ratio=0.5,
            kind="noise",
            channels=2,
        )
    text = str(caught.value)
    assert "8 faults" in text
    assert "kind is 'noise', expected one of horizon, baselines, both, reflector" in text
    with pytest.raises(SettingsError, match="0 snapshots asked for, expected 1 to 38400"):
        plan(0, SnapshotSettings())

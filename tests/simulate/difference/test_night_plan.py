import re

import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.simulate.difference.night_plan import NightSettings, plan


def test_names_are_those_of_the_survey():
    visits = plan(NightSettings(nights=2, exposures=5, camera="01a", first_night=59000))
    assert len({visit.obs for visit in visits}) == 10
    assert all(re.fullmatch(r"01a5900[01]o000[1-5][co]", visit.obs) for visit in visits)
    assert {visit.obs[-1] for visit in visits} == {"c", "o"}


@pytest.mark.parametrize("exposures", [1, 6, 2000])
def test_all_exposures_lie_within_their_night(exposures):
    visits = plan(NightSettings(exposures=exposures))
    assert all(visit.night < visit.mjd < visit.night + 1 for visit in visits)
    assert len({visit.mjd for visit in visits}) == exposures


def test_a_field_is_visited_four_times_a_night_and_again_the_next():
    visits = plan(NightSettings(nights=2, exposures=6))
    assert [visit.field for visit in visits] == [0, 0, 0, 0, 1, 1] * 2
    assert visits[0].ra == visits[6].ra != visits[4].ra


def test_all_faults_are_told_at_once():
    with pytest.raises(SettingsError) as caught:
        NightSettings(nights=0, exposures=-1, size=10, camera="x", first_night=5, threshold=0.0)
    for words in ("nights is 0", "exposures is -1", "size is 10", "'x'", "first_night", "3 to 50"):
        assert words in str(caught.value)

"""Axes: places between the ends, and the values that are written."""

import numpy as np
import pytest
from scipy.stats import norm

from benchmarker.report.site.scales import (
    PROBIT_ENDS,
    linear,
    logarithmic,
    probit,
    widened,
)


def written(scale):
    return [text for _, text in scale.ticks]


def test_a_linear_axis_writes_round_values_inside_its_ends():
    scale = linear("epoch", 1.0, 16.0)
    assert written(scale) == ["2.5", "5", "7.5", "10", "12.5", "15"]
    assert scale.place([1.0, 8.5, 16.0]).tolist() == [0.0, 0.5, 1.0]
    assert written(linear("epoch", 1.0, 16.0, whole=True)) == ["5", "10", "15"]


def test_shares_are_written_in_percent():
    scale = linear("accuracy", 0.6, 0.85, percent=True)
    assert written(scale) == ["60", "65", "70", "75", "80", "85"]
    assert scale.ticks[1][0] == pytest.approx(0.65)


def test_values_beyond_the_ends_stand_at_them():
    assert linear("x", 0.0, 1.0).place([-5.0, 7.0]).tolist() == [0.0, 1.0]


def test_an_axis_without_width_gets_some():
    assert linear("epoch", 1.0, 1.0).place([1.0]).tolist() == [0.5]


def test_a_missing_value_has_no_place():
    assert np.isnan(linear("x", 0.0, 1.0).place([np.nan])).all()


def test_a_logarithmic_axis_is_even_in_factors():
    scale = logarithmic("cost", [1e4, 1e8])
    places = scale.place([1e4, 1e6, 1e8])
    assert places[1] - places[0] == pytest.approx(places[2] - places[1])
    assert written(scale) == ["10k", "100k", "1M", "10M", "100M"]
    assert {"500k", "1M", "2M"} <= set(written(logarithmic("cost", [4e5, 3e6])))


def test_one_value_is_enough_for_a_logarithmic_axis():
    assert logarithmic("cost", [213.0]).place([213.0]) == pytest.approx(0.5)


def test_a_probit_axis_is_even_in_normal_deviates():
    scale = probit("missed")
    rates = np.array([0.001, 0.02, 0.5, 0.9])
    low, high = norm.ppf(PROBIT_ENDS)
    np.testing.assert_allclose(scale.place(rates), (norm.ppf(rates) - low) / (high - low))
    assert scale.place([0.0, 1.0]).tolist() == [0.0, 1.0]
    assert written(scale)[:3] == ["0.1", "0.5", "2"]


def test_ends_leave_room_and_forgive_what_is_missing():
    assert widened([2.0, np.nan, 4.0], share=0.5) == (1.0, 5.0)
    assert widened([np.nan]) == (0.0, 1.0)
    assert widened([]) == (0.0, 1.0)

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import trim_mean

from benchmarker.metrics.seeds import Average, average, check_seeds, interquartile_mean


def test_mean_and_sample_deviation():
    found = average([0.70, 0.75, 0.83])
    assert found.mean == pytest.approx(0.76)
    assert found.sd == pytest.approx(math.sqrt((0.06**2 + 0.01**2 + 0.07**2) / 2))
    assert found.n == 3


def test_one_value_has_no_spread_and_none_has_no_mean():
    assert average([0.5]) == Average(mean=0.5, sd=None, n=1)
    assert average([]) == Average(mean=None, sd=None, n=0)


def test_undefined_seeds_are_left_out_and_counted():
    assert average([0.5, None, float("nan"), 0.7]).n == 2


def test_missing_repeated_and_foreign_seeds_are_named():
    check = check_seeds([8901, 8901, 7, 99], (8901, 1826, 4915))
    assert not check.is_fine
    assert check.texts() == [
        "missing seeds 1826, 4915",
        "repeated seed 8901",
        "foreign seeds 7, 99",
    ]
    assert check_seeds([1826, 8901], (8901, 1826)).is_fine


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=23))
def test_the_interquartile_mean_is_the_trimmed_mean_of_scipy(values):
    assert interquartile_mean(values) == pytest.approx(trim_mean(values, 0.25), abs=1e-9)
    assert interquartile_mean([None, *values, math.nan]) == interquartile_mean(values)


def test_nothing_has_no_interquartile_mean():
    assert interquartile_mean([None, math.nan]) is None
    assert interquartile_mean([]) is None

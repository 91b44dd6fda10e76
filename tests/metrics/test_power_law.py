"""The power law of learning curves: found where it is, undefined where it is not."""

import json

import numpy as np
import pytest
from scipy.optimize import curve_fit

from benchmarker.metrics.power_law import fit_power_law

SIZES = np.repeat([10, 25, 50, 100, 250], 3)


def errors(sizes, *, scale=1.5, exponent=0.5, floor=0.0, spread=0.004):
    draw = np.random.default_rng(4)
    return (
        scale * np.asarray(sizes, float) ** -exponent + floor + draw.normal(0, spread, len(sizes))
    )


def test_a_law_is_found_again_with_its_floor():
    found = fit_power_law(SIZES, errors(SIZES, floor=0.08))
    assert found["defined"]
    assert found["exponent"] == pytest.approx(0.5, abs=0.05)
    assert found["floor"] == pytest.approx(0.08, abs=0.02)
    assert found["interval"]["low"] < 0.5 < found["interval"]["high"]
    assert found["residual"] == pytest.approx(0.004, rel=0.4)


def test_it_equals_a_plain_fit_of_scipy_also_where_it_goes_beyond():
    sizes = np.repeat([25, 50, 100], 3)
    values = errors(sizes)
    found = fit_power_law(sizes, values)
    best, covariance = curve_fit(lambda n, a, b: a * n**-b, sizes, values, p0=(1, 0.5))
    assert (found["scale"], found["exponent"]) == pytest.approx(best, rel=1e-4)
    assert found["floor"] is None
    beyond = found["extrapolation"]
    assert [point["size"] for point in beyond] == [200, 400]
    for point in beyond:
        power = point["size"] ** -best[1]
        slope = np.array([power, -best[0] * np.log(point["size"]) * power])
        half = 2.364624 * np.sqrt(slope @ covariance @ slope)  # t of 7 degrees of freedom, 97.5 %
        assert point["accuracy"] == pytest.approx(1 - best[0] * power, rel=1e-4)
        assert point["high"] - point["accuracy"] == pytest.approx(half, rel=1e-3)
        assert point["accuracy"] - point["low"] == pytest.approx(half, rel=1e-3)


def test_the_order_of_the_runs_changes_nothing_and_the_result_is_json():
    values = errors(SIZES)
    order = np.random.default_rng(1).permutation(len(SIZES))
    found = fit_power_law(SIZES, values)
    assert fit_power_law(SIZES[order], values[order]) == found
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    inside = [point["size"] for point in found["curve"]]
    assert inside == sorted(inside)
    assert inside[0] == pytest.approx(10)
    assert inside[-1] == pytest.approx(250)
    assert min(point["size"] for point in found["extrapolation"]) > 250


@pytest.mark.parametrize(
    ("sizes", "values", "reason"),
    [
        ([25, 50], [0.3, 0.2], "2 sizes, a law needs 3"),
        ([25], [0.3], "1 size, a law needs 3"),
        ([25, 50, 100], [0.3, 0.3, 0.3], "the same at every size"),
        ([25, 50, 100], [0.3, 0.1, 0.0], "no error is left"),
        ([25, 50, 100], [0.1, 0.2, 0.3], "does not surely fall"),
        ([25, 50, 100], [0.3, 0.2, 0.3], "does not surely fall"),
    ],
)
def test_it_is_undefined_and_says_why(sizes, values, reason):
    found = fit_power_law(sizes, values)
    assert found["defined"] is False
    assert reason in found["reason"]
    assert "extrapolation" not in found

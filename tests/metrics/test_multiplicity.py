import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarker.metrics.multiplicity import holm


def test_the_example_of_the_method():
    # as p.adjust(c(0.01, 0.02, 0.03, 0.04), "holm") of R gives them
    np.testing.assert_allclose(holm(np.array([0.01, 0.02, 0.03, 0.04])), [0.04, 0.06, 0.06, 0.06])
    np.testing.assert_allclose(holm(np.array([0.04, 0.001, 0.6])), [0.08, 0.003, 0.6])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_a_value_is_rejected_where_the_rule_rejects_it(values):
    """Step down: stop at the first value that is above the level over those that are left."""
    corrected = holm(np.array(values))
    rejected = set()
    for step, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        if values[place] * (len(values) - step) >= 0.05:
            break
        rejected.add(place)
    assert rejected == set(np.flatnonzero(corrected < 0.05))
    assert (corrected >= np.array(values) - 1e-15).all()
    assert (corrected <= 1).all()


def test_what_is_undefined_is_no_comparison():
    corrected = holm(np.array([0.01, np.nan, 0.04]))
    assert corrected[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan(corrected[1])
    assert holm(np.array([])).shape == (0,)

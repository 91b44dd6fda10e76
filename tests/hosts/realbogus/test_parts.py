from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarker.core.errors import SettingsError
from benchmarker.data.reading_psat import object_of
from benchmarker.hosts.realbogus.parts import SHARES, grouped_parts, legacy_parts


@pytest.fixture(scope="module")
def split(specs):
    with np.load(specs / "psat_vectors.npz") as stored:
        names = [name for name in stored.files if name.startswith("split__")]
        return {name.removeprefix("split__"): stored[name].tolist() for name in names}


def test_legacy_order_equals_the_vectors(split):
    # one more bogus stamp than are kept: cut at the end of the list
    bad = [*split["neg_list_after_skew3"], "1_x.fits"]
    parts = legacy_parts(split["pos_list"], bad, skew=3)
    assert list(parts.train.entries) == split["train_files"]
    assert parts.train.labels.tolist() == split["train_y"]
    assert list(parts.test.entries) == split["test_files"]
    assert parts.test.labels.tolist() == split["test_y"]
    assert len(parts.validation) == 0
    assert parts.torn == set(split["leaked_groups"])


def test_no_object_is_torn_where_the_original_tears_two(split):
    parts = grouped_parts(split["pos_list"], split["neg_list_after_skew3"], skew=3, seed=0)
    assert parts.torn == set()
    sizes = [len(rows) for rows in (parts.train, parts.validation, parts.test)]
    assert sum(sizes) == 113 + 339
    np.testing.assert_allclose(np.array(sizes) / sum(sizes), SHARES, atol=0.01)
    for rows in (parts.train, parts.validation, parts.test):
        assert rows.labels.mean() == pytest.approx(0.25, abs=0.01)
        assert set(np.unique(rows.labels)) == {0, 1}


@settings(max_examples=30, deadline=None)
@given(
    good=st.lists(st.integers(0, 12), min_size=9, max_size=60),
    bad=st.lists(st.integers(6, 30), min_size=9, max_size=60),
    seed=st.integers(0, 99),
)
def test_objects_stay_whole_whatever_they_are(good, bad, seed):
    lists = [
        [f"{number}_{word}_{row}.fits" for row, number in enumerate(numbers)]
        for word, numbers in (("g", good), ("b", bad))
    ]
    try:
        parts = grouped_parts(*lists, skew=None, seed=seed)
    except SettingsError:
        assert min(len(set(good)), len(set(bad))) < 3
        return
    rows = (parts.train, parts.validation, parts.test)
    assert sorted(name for part in rows for name in part.entries) == sorted(chain(*lists))
    for one, other in combinations(rows, 2):
        assert not set(map(object_of, one.entries)) & set(map(object_of, other.entries))


def test_the_skew_keeps_so_many_bogus_stamps_drawn_by_seed():
    good = [f"{number}_g.fits" for number in range(20)]
    bad = [f"{number}_b.fits" for number in range(100, 300)]

    def kept(seed):
        parts = grouped_parts(good, bad, skew=3, seed=seed)
        rows = [*parts.train.entries, *parts.validation.entries, *parts.test.entries]
        return {name for name in rows if name.endswith("_b.fits")}

    assert len(kept(0)) == 60
    assert kept(0) == kept(0)
    assert kept(0) != kept(1)
    assert kept(0) != set(bad[:60])


def test_the_order_of_a_list_changes_nothing():
    good = [f"{number}_g.fits" for number in range(20)]
    bad = [f"{number}_b.fits" for number in range(100, 140)]
    one, other = (grouped_parts(g, bad, skew=None, seed=3) for g in (good, good[::-1]))
    assert one.train.entries == other.train.entries


def test_too_few_objects_are_refused():
    one, many = ["1_a.fits", "1_b.fits"], [f"{number}_c.fits" for number in range(9)]
    with pytest.raises(SettingsError, match="1 objects with real stamps, expected at least 2"):
        legacy_parts(one, many, skew=None)
    with pytest.raises(SettingsError, match="1 objects with bogus stamps, expected at least 3"):
        grouped_parts(many, one, skew=None, seed=0)

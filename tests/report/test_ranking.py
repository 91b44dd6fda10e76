import itertools

import numpy as np
import pytest

from benchmarker.core.errors import CheckFailedError
from benchmarker.core.records import find_records
from benchmarker.metrics.multiplicity import holm
from benchmarker.metrics.paired import differences
from benchmarker.report import ranking
from benchmarker.report.contenders import contenders
from benchmarker.report.ranking import Rules, aligned, expected_seeds, resampled
from tests.report.factory import make_run
from tests.report.test_contenders import rename_sources

SEEDS = (1826, 4915, 8901)
SPLIT = {"rule": "published", "digest": "d", "train": 1, "validation": 1, "test": 160}


def ranked(results, **options):
    return contenders(find_records(results), **options)


def many(results, skills, seeds=SEEDS, **options):
    for network, skill in skills.items():
        for seed in seeds:
            make_run(results, network, seed, skill=skill, split=SPLIT, **options)


def test_the_rule_of_shared_ranks(tmp_path):
    """Walked through by hand: leader against all below, corrected, until the first unlike."""
    many(tmp_path, {"a": 3.2, "b": 3.1, "c": 2.2, "d": 2.1, "e": 0.7})
    found = ranked(tmp_path)
    field = resampled(found).field("mpca")
    expected, leader = [1], 0
    for place in range(1, len(found)):
        below = np.arange(leader + 1, len(found))
        corrected = dict(zip(below, holm(differences(field, leader, below).p), strict=True))
        if corrected[place] < 0.05:
            leader = place
        expected.append(leader + 1)
    assert [one.row["rank"] for one in found] == expected
    assert len(set(expected)) >= 3
    assert len(expected) > len(set(expected))
    assert [one.row["network"] for one in found[:1]] == ["a"]


def test_ranks_do_not_depend_on_the_order_of_the_records(tmp_path):
    many(tmp_path, {"a": 3.0, "b": 2.9, "c": 1.0}, seeds=SEEDS[:2])
    records = find_records(tmp_path)
    found = [
        {one.label: (one.row["rank"], one.row["mpca_low"]) for one in contenders(order)}
        for order in itertools.islice(itertools.permutations(records), 0, 720, 119)
    ]
    assert all(other == found[0] for other in found)


def test_rows_without_the_expected_seeds_have_no_rank(tmp_path):
    many(tmp_path, {"a": 3.0, "b": 1.0})
    many(tmp_path, {"few": 6.0}, seeds=SEEDS[:2])
    many(tmp_path, {"other": 6.0}, seeds=(*SEEDS[:2], 7))
    rows = {one.label: one.row for one in ranked(tmp_path)}
    assert (rows["a"]["rank"], rows["b"]["rank"]) == (1, 2)
    assert (rows["few"]["rank"], rows["other"]["rank"]) == (None, None)
    assert rows["few"]["note"] == "not ranked: missing seed 8901"
    assert rows["other"]["note"] == "not ranked: missing seed 8901, foreign seed 7"
    assert rows["few"]["mpca_low"] is not None
    allowed = {one.label: one.row for one in ranked(tmp_path, rules=Rules(allow_unlike=True))}
    assert allowed["few"]["rank"] == 1
    assert allowed["few"]["note"] == "ranked in spite of: missing seed 8901"
    assert allowed["a"]["note"] == ""


def test_the_seeds_that_are_asked_for_decide(tmp_path):
    many(tmp_path, {"a": 3.0, "b": 1.0})
    many(tmp_path, {"few": 6.0}, seeds=SEEDS[:2])
    rows = {one.label: one.row for one in ranked(tmp_path, rules=Rules(seeds=SEEDS[:2]))}
    assert (rows["few"]["rank"], rows["a"]["rank"]) == (1, None)
    assert rows["a"]["note"] == "not ranked: foreign seed 8901"


def test_of_as_many_rows_the_larger_set_of_seeds_counts(tmp_path):
    many(tmp_path, {"a": 3.0})
    many(tmp_path, {"few": 6.0}, seeds=SEEDS[:2])
    found = ranked(tmp_path)
    assert expected_seeds(found) == SEEDS
    assert {one.label: one.row["rank"] for one in found} == {"a": 1, "few": None}


def test_protocols_are_ranked_apart(tmp_path):
    many(tmp_path, {"a": 3.0, "b": 1.0}, seeds=SEEDS[:1])
    many(tmp_path, {"a": 1.0}, seeds=SEEDS[:1], protocol="legacy")
    found = {(one.row["network"], one.row["protocol"]): one.row["rank"] for one in ranked(tmp_path)}
    assert found == {("a", "standard"): 1, ("b", "standard"): 2, ("a", "legacy"): 1}


def test_a_row_tested_on_other_sources_has_no_rank_and_changes_no_other(tmp_path):
    many(tmp_path, {"a": 3.0, "b": 1.0}, seeds=SEEDS[:1])
    before = {one.label: one.row for one in ranked(tmp_path)}
    folder = make_run(tmp_path, "strange", SEEDS[0], skill=6.0, split=SPLIT)
    rename_sources(folder, lambda name: name.replace("J00001", "K00001"))
    rows = {one.label: one.row for one in ranked(tmp_path)}
    assert rows["a"] == before["a"]
    assert rows["strange"]["rank"] is None
    assert rows["strange"]["note"] == "not ranked: seed 1826 tested on other sources than most"
    assert rows["strange"]["mpca_low"] is not None
    allowed = ranked(tmp_path, rules=Rules(allow_unlike=True))
    labels, predicted = aligned(allowed)
    assert len(labels) == 150
    assert {rows.shape for rows in predicted} == {(1, 150)}
    assert all(one.row["rank"] is not None for one in allowed)


def test_nothing_in_common_cannot_be_aligned(tmp_path):
    many(tmp_path, {"a": 3.0}, seeds=SEEDS[:1])
    folder = make_run(tmp_path, "strange", SEEDS[0], split=SPLIT)
    rename_sources(folder, lambda name: f"other-{name}")
    with pytest.raises(CheckFailedError, match="no test source in common: "):
        ranked(tmp_path, rules=Rules(allow_unlike=True))
    assert len(ranked(tmp_path)) == 2


def test_only_what_one_row_lacks_is_its_own_fault(tmp_path):
    """All rows of a field may be odd without a crash: then none is ranked."""
    folder = make_run(tmp_path, "a", SEEDS[0], split=SPLIT)
    rename_sources(folder, lambda name: f"other-{name}")
    make_run(tmp_path, "a", SEEDS[1], split=SPLIT)
    (one,) = ranked(tmp_path)
    assert one.row["rank"] is None
    assert "tested on other sources than most" in one.row["note"]
    assert one.row["mpca_low"] is not None


class Row:
    def __init__(self):
        self.row = {"rank": None}


@pytest.mark.parametrize(
    ("p_values", "ranks"),
    [
        # 0.03 is no difference among four comparisons, 0.01 is
        ({0: [0.2, 0.5, 0.03, 0.9]}, [1, 1, 1, 1, 1]),
        ({0: [0.2, 0.5, 0.01, 0.9], 3: [0.6]}, [1, 1, 1, 4, 4]),
        ({0: [0.01, 0.01, 0.01, 0.01], 1: [0.02, 0.02, 0.02], 2: [0.06, 0.04]}, [1, 2, 2, 2, 2]),
    ],
)
def test_p_values_are_corrected_for_all_rows_below_the_leader(monkeypatch, p_values, ranks):
    class Found:
        def __init__(self, p):
            self.p = np.array(p)

    monkeypatch.setattr(ranking, "differences", lambda *given: Found(p_values[given[1]]))
    rows = [Row() for _ in ranks]
    ranking._fill_ranks(rows, None, np.arange(len(rows)))
    assert [one.row["rank"] for one in rows] == ranks

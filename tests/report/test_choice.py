import pytest

from benchmarker.core.errors import MissingDataError, SettingsError
from benchmarker.report import leaderboard
from benchmarker.report.choice import by_rank, chosen, sorted_by
from tests.report.factory import make_run


@pytest.fixture
def rows(tmp_path):
    make_run(tmp_path, "convXpress", skill=3.0)
    make_run(tmp_path, "simple", skill=0.5)
    make_run(tmp_path, "simple", data="mirabest", protocol="legacy")
    broken = tmp_path / "runs" / "broken"
    broken.mkdir()
    (broken / "run.json").write_text("{")
    return leaderboard.read_rows(tmp_path, model="best")


def told(rows):
    return [(row["network"], row["data"]) for row in rows if row["state"] == "complete"]


def test_rows_of_the_wanted_values(rows):
    assert told(chosen(rows, {})) == told(rows)
    assert told(chosen(rows, {"data": ["mirabest"]})) == [("simple", "mirabest")]
    both = chosen(rows, {"network": ["simple"], "data": ["first", "mirabest"]})
    assert told(both) == [("simple", "first"), ("simple", "mirabest")]
    assert told(chosen(rows, {"protocol": ["legacy"]})) == [("simple", "mirabest")]


def test_folders_that_cannot_be_read_stay_listed(rows):
    assert chosen(rows, {"network": ["convXpress"]})[-1]["state"] == "unreadable"


def test_what_no_run_has_is_named(rows):
    with pytest.raises(MissingDataError, match=r"no run with network 'simpel' \(did you mean"):
        chosen(rows, {"network": ["simpel"]})
    with pytest.raises(MissingDataError, match="no run has all of: network convXpress; data mira"):
        chosen(rows, {"network": ["convXpress"], "data": ["mirabest"]})


def test_scores_fall_and_costs_rise(rows):
    scores = [row["mpca_mean"] for row in sorted_by(rows, "mpca_mean") if row["mpca_mean"]]
    assert scores == sorted(scores, reverse=True)
    turned = [row["mpca_mean"] for row in sorted_by(rows, "mpca_mean", reverse=True)]
    assert turned[:3] == scores[::-1]
    assert turned[3] is None
    rates = [row["learning_rate"] for row in sorted_by(rows, "learning_rate")]
    assert rates[:3] == sorted(rates[:3])
    names = [row["network"] for row in sorted_by(rows, "network")]
    assert names == ["convXpress", "simple", "simple", ""]


def test_an_unknown_column_is_refused(rows):
    with pytest.raises(SettingsError, match=r"--sort mpca_men \(did you mean mpca_mean"):
        sorted_by(rows, "mpca_men")


def test_by_a_rank_within_what_is_ranked_together(rows):
    for number, row in enumerate(rows):
        row["cost_rank"] = [2, 1, None, None][number]
    found = by_rank(rows, "cost_rank")
    assert told(found) == [("simple", "first"), ("convXpress", "first"), ("simple", "mirabest")]

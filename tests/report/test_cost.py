import pytest
from scipy.stats import rankdata

from benchmarker.core.errors import SettingsError
from benchmarker.report import cost


def row(rank, parameters, multiply_adds, speed):
    return {
        "rank": rank,
        "parameters": parameters,
        "multiply_adds": multiply_adds,
        "inference_images_per_second": speed,
    }


@pytest.fixture
def field():
    return [
        row(1, 5e6, 8e8, 100.0),
        row(1, 1e6, 9e8, 300.0),
        row(3, 1e6, 1e8, 50.0),
        row(4, 2e5, 2e8, 900.0),
    ]


def test_the_score_is_the_weighted_mean_of_the_ranks(field):
    weights = cost.read_weights(None)
    cost.fill([field], weights)
    ranks = {
        "mpca": rankdata([1, 1, 3, 4]),
        "parameters": rankdata([5e6, 1e6, 1e6, 2e5]),
        "multiply_adds": rankdata([8e8, 9e8, 1e8, 2e8]),
        "inference_time": rankdata([1 / 100, 1 / 300, 1 / 50, 1 / 900]),
    }
    for place, found in enumerate(field):
        expected = sum(weights[name] * ranks[name][place] for name in ranks) / 6
        assert found["combined_score"] == pytest.approx(expected)
        costs = [ranks[name][place] for name in cost.COSTS]
        assert found["cost_score"] == pytest.approx(sum(costs) / 3)
    assert [found["cost_rank"] for found in field] == [4, 3, 2, 1]
    assert field[0]["rank_weights"] == ("mpca 3, parameters 1, multiply_adds 1, inference_time 1")


def test_weights_are_an_option(field):
    cost.fill([field], cost.read_weights("mpca=0, inference_time=0,multiply_adds=0"))
    assert [found["combined_rank"] for found in field] == [4, 2, 2, 1]
    cost.fill([field], cost.read_weights("parameters=0,inference_time=0,multiply_adds=0"))
    assert [found["combined_rank"] for found in field] == [1, 1, 3, 4]
    assert [found["cost_score"] for found in field] == [None] * 4


def test_a_row_without_a_measure_has_no_score(field):
    field[1]["inference_images_per_second"] = None
    field[2]["rank"] = None
    cost.fill([field], cost.read_weights(None))
    assert [found["cost_rank"] for found in field] == [3, None, 2, 1]
    assert [found["combined_rank"] for found in field] == [2, None, None, 1]
    cost.fill([field], cost.read_weights("inference_time=0"))
    assert field[1]["cost_rank"] is not None


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("mpka=3", "did you mean mpca?"),
        ("mpca", "expected NAME=NUMBER of mpca, parameters"),
        ("mpca=-1", "expected a number from 0 on"),
        ("mpca=nan", "expected a number from 0 on"),
        ("mpca=inf", "expected a number from 0 on"),
        ("mpca=x,parameters=y", "2 faults"),
        ("mpca=0,parameters=0,multiply_adds=0,inference_time=0", "every weight is 0"),
    ],
)
def test_what_is_no_weight_is_refused(text, part):
    with pytest.raises(SettingsError, match=r"--weights") as refused:
        cost.read_weights(text)
    assert part in str(refused.value)


def test_how_it_was_ranked_is_stated():
    weights = cost.read_weights("mpca=2")
    assert cost.explained("cost", weights).endswith(
        "weighted parameters 1, multiply_adds 1, inference_time 1."
    )
    assert "recognition and cost" in cost.explained("both", weights)
    assert "weighted mpca 2, parameters 1" in cost.explained("both", weights)

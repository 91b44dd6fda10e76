import numpy as np
import pytest

from benchmarker.metrics import intervals
from benchmarker.metrics.intervals import bootstrap_weights, percentile_interval, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (0, 0, 0, 1),
        (0, 10, 0.0, 0.27753),  # Newcombe 1998: z^2 / (n + z^2) at zero successes
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I, method 3
        (15, 148, 0.0624, 0.1605),
        (10, 10, 0.72247, 1.0),
    ],
)
def test_wilson_values_of_the_literature(successes, trials, low, high):
    assert wilson(successes, trials) == pytest.approx((low, high), abs=6e-5)


def test_weights_keep_the_size_of_every_stratum():
    strata = np.array([3, 1, 1, 3, 3, 7])
    weights = np.concatenate(list(bootstrap_weights(strata, seed=5, resamples=50)))
    assert weights.shape == (50, 6)
    for stratum, size in ((1, 2), (3, 3), (7, 1)):
        assert (weights[:, strata == stratum].sum(axis=1) == size).all()
    assert len(np.unique(weights, axis=0)) > 5


def test_weights_do_not_repeat_from_chunk_to_chunk(monkeypatch):
    monkeypatch.setattr(intervals, "CHUNK_ELEMENTS", 60)
    chunks = list(bootstrap_weights(np.zeros(20, dtype=int), seed=5, resamples=7))
    assert [len(chunk) for chunk in chunks] == [3, 3, 1]
    assert len(np.unique(np.concatenate(chunks), axis=0)) == 7


def test_percentiles_leave_out_undefined_draws():
    draws = np.c_[np.arange(101.0), np.full(101, np.nan), np.arange(101.0)]
    draws[50:, 2] = np.nan
    low, high = percentile_interval(draws)
    assert low[[0, 2]] == pytest.approx([2.5, 1.225])
    assert high[[0, 2]] == pytest.approx([97.5, 47.775])
    assert np.isnan(low[1])
    assert np.isnan(high[1])


def test_one_column_of_draws_has_one_interval():
    draws = np.random.default_rng(1).normal(size=200)
    low, high = percentile_interval(draws)
    assert (low, high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])))
    assert np.isnan(percentile_interval(np.full(3, np.nan))).all()
    assert np.isnan(percentile_interval(np.empty(0))).all()

import numpy as np
import pytest

from benchmarker.simulate.difference.bogus import KINDS, SHARES, add_bogus, add_dipole
from benchmarker.simulate.difference.psf import Psf
from benchmarker.simulate.difference.reals import draw_kind
from benchmarker.simulate.difference.scene import Canvas, Conditions

CONDITIONS = Conditions(300.0, Psf(2.1, 3.0, 0.1, 0.4), 0.4)
EXPECTED = {
    "dipole": 0.24,
    "bright star": 0.14,
    "cosmic ray": 0.12,
    "trail": 0.10,
    "noise peak": 0.10,
    "column": 0.08,
    "burn": 0.07,
    "mismatch ring": 0.05,
    "edge": 0.05,
    "crosstalk": 0.05,
}


def drawn(kind, seed, side=101):
    canvas = Canvas((side, side), CONDITIONS)
    canvas.begin()
    middle = side // 2
    add_bogus(canvas, (middle + 0.2, middle - 0.3), kind, np.random.default_rng(seed))
    return canvas


def test_shares_are_those_of_a_survey():
    assert pytest.approx(EXPECTED) == SHARES
    draw = np.random.default_rng(1)
    kinds = [draw_kind(draw, SHARES) for _ in range(4000)]
    for kind, share in EXPECTED.items():
        assert kinds.count(kind) / 4000 == pytest.approx(share, abs=0.025)


def test_a_dipole_sums_to_almost_nothing():
    ratios = []
    for seed in range(20):
        canvas = Canvas((101, 101), CONDITIONS)
        add_dipole(canvas, (50.2, 49.8), np.random.default_rng(seed))
        ratios.append(abs(canvas.difference.sum()) / np.abs(canvas.difference).sum())
        assert canvas.difference.max() > 3 * CONDITIONS.noise
        assert canvas.difference.min() < -3 * CONDITIONS.noise
    assert np.mean(ratios) < 0.08


def test_a_ring_has_a_middle_of_the_other_sign():
    signs = set()
    for seed in range(30):
        canvas = drawn("mismatch ring", seed)
        middle = canvas.difference[48:54, 47:53]
        strongest = middle.flat[np.abs(middle).argmax()]
        signs.add(bool(strongest > 0))
        other = middle.min() if strongest > 0 else middle.max()
        assert other * strongest < 0
    assert signs == {True, False}


def test_a_saturated_core_is_masked_and_belongs_to_its_star():
    canvas = drawn("bright star", 3)
    assert canvas.masked[50, 50]
    assert 4 < canvas.masked.sum() < 800
    assert (canvas.owner[canvas.masked] == 1).all()
    assert canvas.light.max() > 60_000


def test_a_cosmic_ray_is_sharp_and_short():
    for seed in range(10):
        bright = np.argwhere(drawn("cosmic ray", seed).difference > 0)
        assert 1 <= len(bright) <= 40
        assert np.ptp(bright, axis=0).max() <= 11


def test_a_trail_crosses_a_stamp():
    lengths = [
        np.ptp(np.argwhere(drawn("trail", seed).difference > 20), axis=0).max()
        for seed in range(10)
    ]
    assert np.median(lengths) >= 15


def test_a_column_is_one_pixel_wide_with_a_masked_neighbour():
    signs = set()
    for seed in range(12):
        canvas = drawn("column", seed)
        columns = np.flatnonzero(np.abs(canvas.difference).sum(axis=0))
        assert columns.tolist() == [50]
        hidden = np.flatnonzero(canvas.masked.any(axis=0))
        assert hidden.tolist() in ([49], [51])
        signs.add(float(np.sign(np.median(canvas.difference[50 - 19 : 50 + 19, 50]))))
    assert signs == {1.0, -1.0}


def test_a_burn_fades_one_way_along_its_column():
    patch = drawn("burn", 2).difference
    above, below = patch[:40, 45:55].sum(), patch[60:, 45:55].sum()
    assert max(above, below) > 20 * min(above, below)


def test_an_edge_hides_or_zeroes_what_lies_beyond():
    states = set()
    for seed in range(12):
        canvas = drawn("edge", seed)
        gone = canvas.masked | canvas.zeroed
        assert not gone[50, 50]
        assert 300 < gone.sum() < 1500
        states.add(bool(canvas.masked.any()))
    assert states == {True, False}


def test_a_ghost_is_flat_and_wide_and_of_either_sign():
    signs = set()
    for seed in range(12):
        patch = drawn("crosstalk", seed).difference
        height = np.abs(patch).max()
        assert (np.abs(patch) > 0.99 * height).sum() > 9
        signs.add(bool(patch.sum() > 0))
    assert signs == {True, False}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", [(0.0, 0.0), (63.4, 30.0), (-40.0, 200.0)])
def test_every_kind_may_lie_at_the_edge_or_outside(kind, place):
    canvas = Canvas((64, 64), CONDITIONS)
    canvas.begin()
    add_bogus(canvas, place, kind, np.random.default_rng(5))
    assert np.isfinite(canvas.difference).all()

import numpy as np
import pytest

from benchmarker.simulate.difference.finder import matched_filter
from benchmarker.simulate.difference.psf import Psf
from benchmarker.simulate.difference.reals import (
    ASTEROID,
    SHARES,
    SUPERNOVA,
    TRAILED,
    add_real,
    draw_kind,
    draw_snr,
)
from benchmarker.simulate.difference.scene import Canvas, Conditions, magnitude_of

CONDITIONS = Conditions(300.0, Psf(2.1, 3.0, 0.1, 0.4), 0.4)


def drawn(kind, snr, seed=0, place=(30.2, 29.7)):
    canvas = Canvas((61, 61), CONDITIONS)
    canvas.begin()
    draw = np.random.default_rng(seed)
    return canvas, add_real(canvas, place, kind, snr, draw), draw


def test_the_flux_of_an_injected_source_is_recovered():
    canvas, source, _ = drawn(ASTEROID, 500.0)
    assert canvas.difference.sum() == pytest.approx(source.flux, rel=0.01)
    assert source.magnitude == pytest.approx(magnitude_of(source.flux))


def test_signal_to_noise_is_as_asked():
    heights, flux = [], 0.0
    for seed in range(150):
        canvas, source, draw = drawn(ASTEROID, 8.0, seed, (30.0, 30.0))
        flux = source.flux
        heights.append(matched_filter(canvas.finish(draw), CONDITIONS)[30, 30])
    empty = [
        matched_filter(Canvas((61, 61), CONDITIONS).finish(np.random.default_rng(s)), CONDITIONS)
        for s in range(40)
    ]
    inner = slice(12, -12)
    noise = np.std([image[inner, inner] for image in empty])
    assert np.mean(heights) == pytest.approx(flux, rel=0.04)
    assert np.mean(heights) / noise == pytest.approx(8.0, rel=0.06)


def test_a_supernova_has_a_host_and_an_asteroid_none():
    alone, _, _ = drawn(ASTEROID, 5.0)
    hosted, source, _ = drawn(SUPERNOVA, 5.0)
    assert hosted.light.sum() > alone.light.sum() + source.flux
    assert alone.light.sum() == pytest.approx(alone.difference.sum())


def test_a_trailed_source_is_longer():
    def size(kind):
        # the second moment of the flux within a few pixels
        canvas, source, _ = drawn(kind, 300.0, seed=3)
        rows, columns = np.indices(canvas.shape)
        near = np.hypot(rows - 30.2, columns - 29.7) < 8
        squared = (rows - 30.2) ** 2 + (columns - 29.7) ** 2
        return float((canvas.difference * squared)[near].sum() / source.flux)

    assert size(TRAILED) > size(ASTEROID) + 0.05


def test_many_are_faint():
    draw = np.random.default_rng(0)
    snr = np.array([draw_snr(draw) for _ in range(4000)])
    assert snr.min() >= 5.0
    assert np.log10(snr / 5).mean() == pytest.approx(0.45, rel=0.06)


def test_shares_of_kinds():
    draw = np.random.default_rng(0)
    kinds = [draw_kind(draw, SHARES) for _ in range(4000)]
    assert sum(SHARES.values()) == pytest.approx(1.0)
    for kind, share in SHARES.items():
        assert kinds.count(kind) / 4000 == pytest.approx(share, abs=0.025)

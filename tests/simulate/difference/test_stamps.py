import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.simulate.difference import bogus, reals
from benchmarker.simulate.difference.scene import MASK
from benchmarker.simulate.difference.stamps import simulate_stamps


@pytest.fixture(scope="module")
def stamps():
    return simulate_stamps(60, 160, seed=7)


def test_stamps_come_with_all_that_is_known_of_them(stamps):
    assert stamps.pixels.shape == (220, 40, 40)
    assert stamps.pixels.dtype == np.float32
    assert stamps.labels.tolist() == [1] * 60 + [0] * 160
    assert set(stamps.kinds[:60]) <= set(reals.SHARES)
    assert set(stamps.kinds[60:]) == set(bogus.SHARES)
    assert stamps.snr[:60].min() >= 5.0
    assert np.isfinite(stamps.magnitude[:60]).all()
    assert np.isfinite(stamps.pixels).all()
    np.testing.assert_array_equal(stamps.pixels, np.rint(stamps.pixels))


def test_a_stamp_depends_on_seed_and_number_alone(stamps):
    fewer = simulate_stamps(3, 5, seed=7)
    np.testing.assert_array_equal(fewer.pixels[:3], stamps.pixels[:3])
    np.testing.assert_array_equal(fewer.pixels[3:], stamps.pixels[60:65])
    assert (simulate_stamps(3, 0, seed=8).pixels != fewer.pixels[:3]).any()


def test_bright_reals_have_their_peak_in_the_middle(stamps):
    bright = (stamps.labels == 1) & (stamps.snr > 15)
    assert bright.sum() > 5
    for stamp in stamps.pixels[bright]:
        row, column = np.unravel_index(stamp.argmax(), stamp.shape)
        assert abs(row - 20) <= 1
        assert abs(column - 20) <= 1


def test_brighter_reals_have_smaller_magnitudes(stamps):
    strong, weak = stamps.snr[:60] > 30, stamps.snr[:60] < 8
    assert stamps.magnitude[:60][strong].max() < stamps.magnitude[:60][weak].min() + 1.0


def test_noise_peaks_are_peaks_of_noise(stamps):
    peaks = stamps.kinds == bogus.NOISE_PEAK
    assert np.all((stamps.snr[peaks] > 3.0) & (stamps.snr[peaks] < 6.0))
    assert not (stamps.pixels[peaks] == MASK).any()


@pytest.mark.parametrize("kind", ["bright star", "column"])
def test_kinds_that_mask_pixels_do(stamps, kind):
    chosen = stamps.pixels[stamps.kinds == kind]
    assert len(chosen) > 5
    assert ((chosen == MASK).sum(axis=(1, 2)) > 5).mean() > 0.9


@pytest.mark.parametrize(
    ("counts", "size", "words"),
    [((0, 0), 40, "at least one"), ((-1, 4), 40, "-1 real"), ((1, 0), 5, "12 to 200")],
)
def test_counts_and_sizes_that_make_no_sense_are_refused(counts, size, words):
    with pytest.raises(SettingsError, match=words):
        simulate_stamps(*counts, size=size, seed=1)

"""Damage to images: deterministic, as strong as stated, and refused where it has no meaning."""

import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.data.corruptions import (
    BEAM_PX,
    KINDS,
    STRENGTHS,
    USUAL,
    Corruption,
    check_kinds,
    damaged,
    refuse_channels,
    usual_kinds,
)
from benchmarker.data.preparation import Preparation
from benchmarker.data.radio_effects import FWHM_TO_SIGMA

PICTURE = Preparation(normalise="scale255")
PLAIN = Preparation(normalise="none")


def point(size=61, channels=1, place=(30, 30)):
    """A point source under the beam that images are said to have, peak 1."""
    rows, columns = np.indices((size, size))
    squared = (rows - place[0]) ** 2 + (columns - place[1]) ** 2
    image = np.exp(-squared / 2 / (BEAM_PX * FWHM_TO_SIGMA) ** 2)
    return np.repeat(image[:, :, np.newaxis], channels, axis=2).astype(np.float32)


def made(kind, strength, *, image=None, seed=8901, source="J1", preparation=PLAIN):
    image = point() if image is None else image
    what = Corruption(kind, strength)
    return damaged(image, what, seed=seed, source=source, preparation=preparation)


def widths(image):
    """Full widths at half maximum of a Gaussian along rows and columns, from its moments."""
    plane = image[:, :, 0].astype(float) / image.sum()
    offsets = np.indices(plane.shape)
    centre = (offsets * plane).sum(axis=(1, 2))
    moments = (plane * (offsets - centre[:, None, None]) ** 2).sum(axis=(1, 2))
    return np.sqrt(moments) / FWHM_TO_SIGMA


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strength", STRENGTHS)
def test_the_same_damage_comes_again_and_shapes_stay(kind, strength):
    image = point(channels=3)
    before = image.copy()
    first = made(kind, strength, image=image, preparation=PICTURE)
    again = made(kind, strength, image=image, preparation=PICTURE)
    assert first.dtype == np.float32
    assert first.shape == image.shape
    assert np.array_equal(first, again)
    assert np.array_equal(image, before)
    assert not np.array_equal(first, image)
    assert first.min() >= 0
    assert first.max() <= 1


@pytest.mark.parametrize("kind", ["noise", "shift", "sidelobes", "missing", "channels"])
def test_draws_differ_from_source_to_source_and_from_seed_to_seed(kind):
    image = point(channels=4, place=(30, 24))
    sources = [made(kind, 4, image=image, source=f"J{number}") for number in range(8)]
    seeds = [made(kind, 4, image=image, seed=number) for number in range(8)]
    assert len({found.tobytes() for found in sources}) > 2
    assert len({found.tobytes() for found in seeds}) > 2


def test_noise_has_the_stated_share_of_the_peak():
    image = 0.5 * point()
    for strength, amount in zip(STRENGTHS, KINDS["noise"].amounts, strict=True):
        added = made("noise", strength, image=image) - image
        assert np.sqrt((added.astype(float) ** 2).mean()) == pytest.approx(0.5 * amount, rel=1e-4)


def test_the_beam_has_the_stated_width_and_the_peak_stays():
    for strength, amount in zip(STRENGTHS, KINDS["beam"].amounts, strict=True):
        found = made("beam", strength)
        assert found.max() == pytest.approx(1, abs=1e-5)
        assert widths(found) == pytest.approx([amount, amount], rel=0.02)


def test_a_shift_moves_by_the_stated_distance():
    for strength, amount in zip(STRENGTHS, KINDS["shift"].amounts, strict=True):
        for source in "abcdef":
            found = made("shift", strength, source=source)
            place = np.array(np.unravel_index(found[:, :, 0].argmax(), (61, 61)))
            # each axis is rounded to a whole pixel
            assert abs(np.hypot(*(place - 30)) - amount) <= np.sqrt(0.5)


def test_sidelobes_reach_the_stated_share_of_the_peak():
    for strength, amount in zip(STRENGTHS, KINDS["sidelobes"].amounts, strict=True):
        added = made("sidelobes", strength) - point()
        assert np.abs(added).max() == pytest.approx(amount, rel=1e-3)


def test_a_block_of_the_stated_side_is_blank():
    image = np.ones((50, 50, 1), np.float32)
    for strength, amount in zip(STRENGTHS, KINDS["missing"].amounts, strict=True):
        blank = made("missing", strength, image=image)[:, :, 0] == 0
        rows, columns = np.flatnonzero(blank.any(axis=1)), np.flatnonzero(blank.any(axis=0))
        assert len(rows) == len(columns) == round(50 * amount)
        assert blank.sum() == len(rows) * len(columns)


def test_contrast_shrinks_around_the_mean():
    image = point()
    found = made("contrast", 2)
    assert found.mean() == pytest.approx(image.mean(), rel=1e-4)
    assert np.ptp(found) == pytest.approx(0.5 * np.ptp(image), rel=1e-5)


def test_channels_are_lost_and_one_always_stays():
    image = point(channels=3)
    lost = [int((made("channels", s, image=image).max(axis=(0, 1)) == 0).sum()) for s in STRENGTHS]
    assert lost == [1, 1, 2, 2, 2]
    assert [Corruption("channels", s).amount(2) for s in STRENGTHS] == [1.0] * 5


def test_one_channel_cannot_be_lost():
    assert "channels" not in usual_kinds(1)
    assert usual_kinds(3) == (*USUAL, "channels")
    refuse_channels(USUAL, 1, "convXpress")
    refuse_channels(("channels",), 2, "convXpress")
    with pytest.raises(SettingsError, match="convXpress is shown images of one channel"):
        refuse_channels(("noise", "channels"), 1, "convXpress")


def test_all_faults_of_what_was_asked_are_told_at_once():
    check_kinds(USUAL, STRENGTHS)
    with pytest.raises(SettingsError) as caught:
        check_kinds(("nose", "beam", "beam"), (0, 6))
    text = str(caught.value)
    assert "unknown kind 'nose' (did you mean noise?)" in text
    assert "strength 0, expected 1 to 5" in text
    assert "strength 6" in text
    assert "beam twice" in text
    with pytest.raises(SettingsError, match="expected at least one"):
        check_kinds((), (1,))

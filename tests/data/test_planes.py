"""Stamps whose planes stand for themselves."""

import keras
import numpy as np
import pytest

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.data.planes import FILL, filled_up, scaled_planes
from benchmarker.data.preparation import Preparation, named_preparation, prepare

STAMP = np.random.default_rng(1).normal(2, 5, (63, 60, 3)).astype("float32")


def test_a_plane_has_length_one():
    found = scaled_planes(STAMP, "unit")
    assert np.allclose(np.linalg.norm(found, axis=(0, 1)), 1, atol=1e-6)
    assert np.allclose(found[..., 1], STAMP[..., 1] / np.linalg.norm(STAMP[..., 1]), atol=1e-7)


def test_rows_are_scaled_as_keras_normalize_does():
    expected = np.stack([keras.utils.normalize(STAMP[..., n]) for n in range(3)], axis=-1)
    assert np.allclose(scaled_planes(STAMP, "unit-rows"), expected, atol=1e-6)


@pytest.mark.parametrize("how", ["unit", "unit-rows", "as-is"])
def test_holes_count_as_zero_and_nothing_stays_nothing(how):
    stamp = STAMP.copy()
    stamp[:9, :, 0] = np.nan
    stamp[..., 2] = 0
    found = scaled_planes(stamp, how)
    assert np.isfinite(found).all()
    assert not found[:9, :, 0].any()
    assert not found[..., 2].any()


def test_a_stamp_cut_off_by_the_edge_is_filled_up_at_its_end():
    found = prepare(STAMP, named_preparation("braai"), "stamp")
    assert found.shape == (63, 63, 3)
    assert np.array_equal(found[:, :60], scaled_planes(STAMP, "unit"))
    assert (found[:, 60:] == np.float32(FILL)).all()
    assert filled_up(STAMP, (10, 10)).shape == STAMP.shape


def test_crop_and_block_means_come_first():
    preparation = Preparation(normalise="none", planes="as-is", size=(10, 20), downsample=2)
    found = prepare(STAMP, preparation, "stamp")
    halved = STAMP[:62].reshape(31, 2, 30, 2, 3).mean((1, 3))
    assert np.allclose(found, halved[10:20, 5:25], atol=1e-5)
    assert preparation.channels_of(3) == 3


def test_real_stamps_of_ztf_are_prepared(real_data):
    with np.load(real_data / "ztf_alert_cutouts.npz") as arrays:
        names = ("science", "template", "difference")
        triplets = np.stack([arrays[name] for name in names], axis=-1)
    for number, triplet in enumerate(triplets):
        found = prepare(triplet, named_preparation("braai-rows"), f"alert {number}")
        assert np.isfinite(found).all()
        lengths = np.linalg.norm(found, axis=1)
        rows = np.nan_to_num(triplet).any(axis=1)
        assert np.allclose(lengths[rows], 1, atol=1e-5)


def test_combinations_without_meaning_are_refused():
    with pytest.raises(SettingsError, match="planes want clip none, normalise none"):
        Preparation(planes="unit")
    with pytest.raises(SettingsError, match="unknown planes 'units'"):
        Preparation(normalise="none", planes="units")
    empty = np.full((63, 63, 3), np.nan, "float32")
    with pytest.raises(InputFileError, match="stamp: no finite pixel"):
        prepare(empty, named_preparation("braai"), "stamp")


def test_what_was_declared_is_read_back():
    preparation = named_preparation("braai-rows")
    assert Preparation(**preparation.as_dict()) == preparation
    assert named_preparation("as-is").digest != named_preparation("braai").digest

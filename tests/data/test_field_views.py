"""Whole fields: standardised, robust, Fourier; block means; as a preparation."""

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.data import field_views
from benchmarker.data.preparation import Preparation, named_preparation, prepare

NOISE = np.random.default_rng(1).normal(3.0, 2.0, (60, 48)).astype("float32")


def with_holes():
    values = NOISE.copy()
    values[:5], values[7, 7] = np.nan, np.inf
    return values


def test_contrast_has_no_mean_and_unit_deviation():
    found = field_views.contrast(NOISE)
    assert found.dtype == np.float32
    assert abs(found.mean()) < 1e-5
    assert found.std() == pytest.approx(1, abs=1e-5)
    assert np.allclose(found, (NOISE - NOISE.mean()) / NOISE.std(), atol=1e-5)


@pytest.mark.parametrize("view", [field_views.contrast, field_views.texture])
def test_pixels_that_are_not_finite_become_zero_and_do_not_count(view):
    values = with_holes()
    found = view(values)
    good = np.isfinite(values)
    assert not found[~good].any()
    alone = view(values[good][np.newaxis])[0]
    assert np.allclose(found[good], alone, atol=1e-6)


def test_texture_does_not_see_a_bright_source():
    bright = NOISE.copy()
    bright[10, 10] = 1e4
    plain, found = field_views.texture(NOISE), field_views.texture(bright)
    assert found[10, 10] == field_views.TEXTURE_LIMIT
    assert np.abs(np.delete(found - plain, 10, axis=0)).max() < 0.02


def test_stripes_are_two_points_in_the_fourier_plane():
    rows = np.arange(64)[:, np.newaxis]
    stripes = np.sin(2 * np.pi * 8 * rows / 64) * np.ones((1, 64))
    noise = np.random.default_rng(2).normal(0, 1.0, (64, 64))
    found = field_views.fourier((stripes + noise).astype("float32"))
    brightest = np.argsort(found.reshape(-1))[-2:]
    rows, columns = np.divmod(brightest, 64)
    assert sorted(rows.tolist()) == [32 - 8, 32 + 8]
    assert columns.tolist() == [32, 32]


def test_an_image_without_contrast_is_all_zeros():
    flat = np.full((9, 9), 4.0, np.float32)
    assert not field_views.contrast(flat).any()
    assert not field_views.texture(flat).any()
    assert not prepare(flat, named_preparation("field-all"), "flat").any()


def test_block_means_pass_over_holes_and_ends():
    values = np.arange(42, dtype="float32").reshape(6, 7)
    assert field_views.block_mean(values, 1) is values
    assert np.allclose(
        field_views.block_mean(values, 3), values[:6, :6].reshape(2, 3, 2, 3).mean((1, 3))
    )
    values[0, 0] = np.nan
    values[3:, :3] = np.inf
    found = field_views.block_mean(values, 3)
    assert found[0, 0] == pytest.approx(values[:3, :3][np.isfinite(values[:3, :3])].mean())
    assert np.isnan(found[1, 0])


def test_the_published_preparation_counts_pixels_that_are_cut_off():
    preparation = named_preparation("field", (20, 16))
    found = prepare(NOISE, preparation, "noise")
    assert found.shape == (20, 16, 1)
    assert np.allclose(found[..., 0], field_views.contrast(NOISE)[20:40, 16:32])
    assert preparation.shape_of(60, 48) == (20, 16)


def test_all_views_are_channels():
    preparation = named_preparation("field-all/2")
    found = prepare(with_holes(), preparation, "noise")
    assert found.shape == (30, 24, preparation.channels_of(1)) == (30, 24, 3)
    assert preparation.shape_of(60, 48) == (30, 24)
    assert np.isfinite(found).all()
    small = field_views.block_mean(with_holes(), 2)
    assert np.array_equal(found[..., 0], field_views.contrast(small))
    assert np.array_equal(found[..., 2], field_views.fourier(field_views.texture(small)))


def test_what_was_declared_is_read_back_and_older_digests_stay():
    preparation = named_preparation("field-all/4")
    assert Preparation(**preparation.as_dict()) == preparation
    assert named_preparation("field") != named_preparation("field/2")
    assert not {"views", "downsample", "standardise"} & set(Preparation().as_dict())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"views": ("contrast",)}, "views want .* normalise none"),
        ({"views": ("contrasts",), "normalise": "none"}, "unknown view 'contrasts'"),
        ({"downsample": 0}, "downsample must be a whole number from 1, got 0"),
        ({"downsample": 2.5}, "downsample must be a whole number from 1, got 2.5"),
    ],
)
def test_combinations_without_meaning_are_refused(settings, said):
    with pytest.raises(SettingsError, match=said):
        Preparation(**settings)


@pytest.mark.parametrize("name", ["field/x", "field/0", "field/-1"])
def test_a_wrong_factor_is_named(name):
    with pytest.raises(SettingsError, match=f"preparation {name}: expected a whole number"):
        named_preparation(name)


def test_an_image_smaller_than_one_block_is_refused():
    with pytest.raises(InputFileError, match="small: 60 x 48 pixels, expected at least 50"):
        prepare(NOISE, named_preparation("field/50"), "small")

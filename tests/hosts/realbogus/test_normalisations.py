import numpy as np
import pytest
from astropy.io import fits

from benchmarker.core.errors import SettingsError
from benchmarker.hosts.realbogus.normalisations import ALIASES, NAMES, is_flat, normalise
from benchmarker.hosts.realbogus.stamps import StampForm, crop, open_stamp, to_vectors

STAMPS = (
    *("f40", "dip40", "faint40", "int40_magic", "odd63", "nan40", "zeros40"),
    *("allzero40", "const40", "rect30x40", "min20", "packed40"),
)
# where the original divides by nothing, and what it gives; ours are zeros
UNDEFINED = {
    ("const40", "signPreserveNorm"),
    ("const40", "featureStandardisation"),
    ("allzero40", "rescale"),
    ("allzero40", "featureStandardisation"),
}


@pytest.fixture(scope="module")
def vectors(specs):
    with np.load(specs / "psat_vectors.npz") as stored:
        return dict(stored)


def form_of(vectors, name):
    extent, extension, magic = (int(number) for number in vectors[f"meta__{name}"])
    return StampForm(extent, extension, None if magic == -1 else magic, legacy=True)


@pytest.mark.parametrize("name", STAMPS)
def test_crop_and_every_normalisation_equal_the_vectors(vectors, name):
    cut = crop(vectors[f"in__{name}"], form_of(vectors, name), name)
    assert cut.dtype == vectors[f"crop__{name}"].dtype
    assert np.array_equal(cut, vectors[f"crop__{name}"], equal_nan=True)
    for how in NAMES:
        found, expected = normalise(to_vectors(cut), how), vectors[f"{how}__{name}"]
        assert found.dtype == expected.dtype
        if (name, how) in UNDEFINED:
            assert not found.any()
            assert not np.abs(expected).max() < 1e38  # NaN, or the largest float
        else:
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", STAMPS)
def test_stamps_of_files_equal_the_vectors(vectors, name, tmp_path):
    form, path = form_of(vectors, name), tmp_path / "stamp.fits"
    pixels = vectors[f"in__{name}"]
    if form.extension:
        fits.HDUList(
            [
                fits.PrimaryHDU(),
                fits.CompImageHDU(pixels, compression_type="GZIP_2", quantize_level=0),
            ]
        ).writeto(path)
    else:
        fits.PrimaryHDU(pixels).writeto(path)
    cut = open_stamp(path, form).pixels
    assert cut.dtype == vectors[f"crop__{name}"].dtype
    assert np.array_equal(cut, vectors[f"crop__{name}"], equal_nan=True)


@pytest.mark.parametrize("extent", [5, 15])
def test_other_extents_equal_the_vectors(vectors, extent):
    cut = crop(vectors["in__f40"], StampForm(extent, magic=None), "f40")
    found = normalise(to_vectors(cut))
    np.testing.assert_allclose(found, vectors[f"signPreserveNorm_extent{extent}__f40"], rtol=1e-6)


@pytest.mark.parametrize("how", NAMES)
def test_stamps_together_are_as_each_alone(vectors, how):
    alone = [to_vectors(vectors[f"crop__{name}"]) for name in ("f40", "dip40", "const40")]
    together = normalise(np.stack(alone), how)
    assert together.dtype == np.float32
    for row, stamp in zip(together, alone, strict=True):
        np.testing.assert_array_equal(row, normalise(stamp, how))


def test_the_background_of_any_size_is_taken_away():
    draw = np.random.default_rng(1)
    stamps = draw.normal(size=(3, 12, 12))
    found = normalise(to_vectors(stamps), "bg_sub_spn").reshape(3, 12, 12)
    assert (found >= 0).all()
    # the border is the seed itself: nothing stands out of it
    assert not found[:, 0].any()
    assert found.max() > 0


@pytest.mark.parametrize("how", NAMES)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_infinite_and_huge_pixels_stay_finite(how, kind):
    stamp = np.zeros((6, 6), kind)
    stamp[2, 2], stamp[3, 3], stamp[4, 4], stamp[0, 0] = np.inf, np.inf, -np.inf, np.nan
    found = normalise(to_vectors(stamp), how)
    assert found.dtype == kind
    assert np.isfinite(found).all()
    assert found.any()


@pytest.mark.parametrize("how", [name for name in NAMES if name not in ("noNorm", "rescale")])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_flat_stamps_are_zero_also_where_their_spread_is_not(how, kind):
    stamps = np.stack([np.full(400, value, kind) for value in (0.1, 0.7, 7.3, 1e4 / 3)])
    assert stamps.std(axis=1).any()  # of rounding alone
    found = normalise(stamps, how)
    np.testing.assert_allclose(found, 0, atol=1e-3 if how == "meanSubtract" else 0)


def test_flat_stamps_are_told():
    stamps = np.array([[1, 1, 1, 1], [0, 0, 0, np.nan], [0, 0, 0, 1.0]])
    assert is_flat(stamps).tolist() == [True, True, False]


def test_aliases_and_unknown_names():
    stamp = np.arange(9.0)
    for alias, name in ALIASES.items():
        np.testing.assert_array_equal(normalise(stamp, alias), normalise(stamp, name))
    with pytest.raises(SettingsError, match="did you mean rescale"):
        normalise(stamp, "rescal")

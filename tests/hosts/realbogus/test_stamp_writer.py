"""FITS files put together here: astropy must agree with every card and pixel."""

import math

import numpy as np
import pytest
from astropy.io import fits

from benchmarker.core.errors import SettingsError
from benchmarker.hosts.realbogus.stamp_writer import StampWriter, card


@pytest.mark.parametrize(
    "value",
    [
        *(0, -31415, 4300000000123, 1.0, -0.1, 58362.25, 1e-30, 1.5e300, 123456.789012345),
        *("c", "O'Neil", "a" * 68, "", "02a58362o0123c", np.int64(7), np.float32(0.5)),
    ],
)
def test_cards_read_back_unchanged(value):
    read = fits.Card.fromstring(card("KEY", value))
    read.verify("exception")
    assert len(card("KEY", value)) == 80
    assert read.value == value


@pytest.mark.parametrize("text", ["é\n\0x", "a" * 100, "'" * 60])
def test_texts_that_do_not_fit_are_cut(text):
    read = fits.Card.fromstring(card("KEY", text))
    read.verify("exception")
    assert len(read.value) <= 68


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize("side", [40, 7])
def test_stamps_read_back_unchanged(tmp_path, dtype, side):
    stamps = np.arange(2 * side * side).reshape(2, side, side).astype(dtype)
    writer = StampWriter(tmp_path, stamps.dtype, side, {"OBS": "02a"})
    unknown = {"MAG": math.nan, "KIND": "", "X": 2.5}
    writer.write(["a.fits", "b.fits"], stamps, [{"X": 1.5, "MAG": 18.0}, unknown])
    for name, stamp in zip(["a.fits", "b.fits"], stamps, strict=True):
        with fits.open(tmp_path / name) as hdus:
            hdus.verify("exception")
            assert hdus[0].data.dtype == np.dtype(dtype).newbyteorder(">")
            np.testing.assert_array_equal(hdus[0].data, stamp)
            assert hdus[0].header["OBS"] == "02a"
    assert fits.getheader(tmp_path / "a.fits")["MAG"] == 18.0
    header = fits.getheader(tmp_path / "b.fits")
    assert "MAG" not in header
    assert "KIND" not in header
    assert header["X"] == 2.5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.fits", "b.fits"]


def test_types_that_fits_does_not_know(tmp_path):
    with pytest.raises(SettingsError, match="bool"):
        StampWriter(tmp_path, np.dtype(bool), 4, {})

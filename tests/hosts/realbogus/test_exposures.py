"""Exposures: found under several names, opened plain and packed, broken ones told."""

import numpy as np
import pytest
from astropy.io import fits

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.hosts.realbogus.exposures import (
    ExposurePlaces,
    is_safe_name,
    open_exposure,
)
from tests.hosts.realbogus.survey import MASK, pixels_of, write_exposure

OBS = "02a58362o0123c"


def whole(exposure):
    return exposure.read(slice(0, exposure.shape[0]), slice(0, exposure.shape[1]))


@pytest.mark.parametrize(
    "name",
    [
        f"02a/58362/{OBS}.diff.fz",
        f"02a/58362/{OBS}.diff.fits",
        f"02a/58362/{OBS}.fits.fz",
        f"{OBS}.fits",
        f"{OBS}.diff.fz",
    ],
)
def test_found_where_surveys_put_them(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    assert ExposurePlaces(tmp_path).find(OBS) == tmp_path / name
    assert ExposurePlaces(tmp_path).find("02a58362o0124c") is None


def test_a_pattern_of_ones_own(tmp_path):
    places = ExposurePlaces(tmp_path, "red/{night}/{camera}_{obs}.fits")
    assert places.usual(OBS) == tmp_path / f"red/58362/02a_{OBS}.fits"


@pytest.mark.parametrize(
    "pattern", ["{camera}.fz", "{obs}{date}", "{obs", "{obs.__class__}", "{0}{obs}"]
)
def test_patterns_that_are_refused(pattern):
    with pytest.raises(SettingsError, match="pattern of exposures"):
        ExposurePlaces(pattern=pattern)


def test_names_that_may_become_files():
    assert is_safe_name(OBS)
    assert not any(map(is_safe_name, ["", "../x", "a/b", ".hidden", "-rf", "a b", "a\n", "ä"]))


@pytest.mark.parametrize(
    ("dtype", "packed"),
    [
        *(("int16", False), ("int32", False), ("float32", False), ("float64", False)),
        *(("int16", True), ("int32", True)),  # floats are packed with loss
    ],
)
def test_pixels_keep_their_type(tmp_path, dtype, packed):
    pixels = pixels_of(1, dtype=dtype)
    path = write_exposure(tmp_path, OBS, pixels, packed=packed)
    with open_exposure(path, MASK) as exposure:
        assert exposure.dtype == np.dtype(dtype)
        assert exposure.shape == pixels.shape
        assert exposure.tile == ((1, 150) if packed else (64, 150))
        np.testing.assert_array_equal(whole(exposure), pixels)
        part = exposure.read(slice(3, 9), slice(70, 80))
        np.testing.assert_array_equal(part, pixels[3:9, 70:80])
        assert exposure.header == {"MJD-OBS": 58362.25, "FILTER": "c"}


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(("stored", "wide"), [("uint16", "int32"), ("uint8", "int16")])
def test_unsigned_pixels_get_room_for_the_mask(tmp_path, packed, stored, wide):
    pixels = (pixels_of(1, dtype="int32") % 200).astype(stored)
    path = write_exposure(tmp_path, OBS, pixels, packed=packed)
    with open_exposure(path, MASK) as exposure:
        assert exposure.dtype == np.dtype(wide)
        np.testing.assert_array_equal(whole(exposure), pixels.astype(wide))


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("blank", [MASK, -9999])
def test_blank_pixels_are_masked_ones(tmp_path, packed, blank):
    pixels = pixels_of(1, dtype="int32")
    pixels[5, 7] = blank
    image = (fits.CompImageHDU if packed else fits.PrimaryHDU)(pixels)
    image.header["BLANK"] = blank
    hdus = [fits.PrimaryHDU(), image] if packed else [image]
    path = tmp_path / "blank.fits"
    fits.HDUList(hdus).writeto(path)
    with open_exposure(path, MASK) as exposure:
        read = whole(exposure)
    assert read.dtype == np.int32
    assert read[5, 7] == MASK
    pixels[5, 7] = MASK
    np.testing.assert_array_equal(read, pixels)


def broken(path, fault):
    data = bytearray(path.read_bytes())
    if fault == "cut off":
        data = data[: len(data) // 2]
    elif fault == "empty":
        data = data[:0]
    elif fault == "no fits":
        data = b"nothing of the kind" * 500
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("fault", ["cut off", "empty", "no fits"])
def test_broken_files_are_told(tmp_path, packed, fault):
    path = write_exposure(tmp_path, OBS, pixels_of(1), packed=packed)
    broken(path, fault)
    with pytest.raises(InputFileError, match=OBS), open_exposure(path, MASK):
        pass


def test_damaged_tiles_are_told(tmp_path):
    path = write_exposure(tmp_path, OBS, pixels_of(1))
    with fits.open(path, disable_image_compression=True) as hdus:
        start = hdus[1].fileinfo()["datLoc"]
    data = bytearray(path.read_bytes())
    data[start : start + 8 * 120] = b"\xff" * 8 * 120  # where the tiles begin and how long
    path.write_bytes(bytes(data))
    with pytest.raises(InputFileError, match=OBS), open_exposure(path, MASK) as exposure:
        whole(exposure)


def test_no_file_no_image_and_a_cube(tmp_path):
    with pytest.raises(InputFileError, match="No such file"), open_exposure(tmp_path / "x", MASK):
        pass
    fits.PrimaryHDU().writeto(tmp_path / "none.fits")
    with pytest.raises(InputFileError, match="no image"), open_exposure(tmp_path / "none.fits", 0):
        pass
    fits.PrimaryHDU(np.zeros((2, 3, 4), "i2")).writeto(tmp_path / "cube.fits")
    with pytest.raises(InputFileError, match="height"), open_exposure(tmp_path / "cube.fits", 0):
        pass

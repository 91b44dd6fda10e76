"""FITS files: the fault list 1-12, each with a small bad file made here."""

import gzip
import threading
import time
import warnings
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.data.fits_images import read_fits, read_stored
from benchmarker.data.reading_options import ReadOptions


@pytest.fixture
def pixels():
    return np.arange(12, dtype=np.float32).reshape(3, 4) / 7


def write(path, data, *, checksum=False, **cards):
    hdu = fits.PrimaryHDU(data)
    hdu.header.update(cards)
    hdu.writeto(path, checksum=checksum)
    return path


def header(*cards):
    """Raw header bytes: what astropy would refuse to write."""
    text = "".join(f"{card:<80}" for card in (*cards, "END"))
    return text.ljust(-(-len(text) // 2880) * 2880).encode()


def refused(path, *words, **options):
    with pytest.raises(InputFileError) as caught:
        read_fits(path, **options)
    text = str(caught.value)
    assert str(path) in text
    for word in words:
        assert word in text
    return text


def test_plain_image_is_native_float32(tmp_path, pixels):
    image = read_fits(write(tmp_path / "a.fits", pixels.astype(">f4")))
    assert image.pixels.dtype == np.dtype(np.float32)
    assert image.pixels.dtype.isnative
    assert np.array_equal(image.pixels, pixels)
    assert (image.extension, image.checksum, image.filled) == (0, "unverified", "")
    image.pixels[0, 0] = 1  # a caller may write into it


def test_cut_off_data_names_expected_and_found_bytes(tmp_path):
    path = write(tmp_path / "a.fits", np.ones((100, 100), np.float32))
    path.write_bytes(path.read_bytes()[: 2880 + 1234])
    refused(path, "cut off in the data", "expected 40000 bytes", "found 1234")


def test_missing_padding_is_accepted(tmp_path, pixels):
    path = write(tmp_path / "a.fits", pixels)
    path.write_bytes(path.read_bytes()[: 2880 + pixels.nbytes])
    assert np.array_equal(read_fits(path).pixels, pixels)


def test_cut_off_header(tmp_path, pixels):
    path = write(tmp_path / "a.fits", pixels)
    path.write_bytes(path.read_bytes()[:300])
    refused(path, "not a FITS image", "END", "300 bytes")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty file"),
        (b"<!DOCTYPE html><html>404</html>", "web page"),
        (b"BZh91AY&SY", "bzip2 file: unpack it first"),
        (b"hello, I am no image", "hello"),
    ],
)
def test_other_files_are_one_error_class(tmp_path, content, word):
    path = tmp_path / "a.fits"
    path.write_bytes(content)
    refused(path, "not a FITS image", word)


def test_absent_file_and_folder(tmp_path):
    refused(tmp_path / "none.fits", "No such file")
    refused(tmp_path, "directory")


@pytest.mark.parametrize("place", ["data", "header"])
def test_wrong_checksum_is_an_error(tmp_path, pixels, place):
    path = write(tmp_path / "a.fits", pixels, checksum=True, OBJECT="3C 31")
    raw = bytearray(path.read_bytes())
    raw[2881 if place == "data" else raw.index(b"3C 31")] ^= 1
    path.write_bytes(raw)
    refused(path, "checksum", "wrong")


def test_right_checksum_is_recorded(tmp_path, pixels):
    assert read_fits(write(tmp_path / "a.fits", pixels, checksum=True)).checksum == "verified"


def test_checksum_of_an_extension_is_verified(tmp_path, pixels):
    path = tmp_path / "a.fits"
    hdus = fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(pixels, name="SCI")])
    hdus.writeto(path, checksum=True)
    assert read_fits(path).checksum == "verified"
    raw = bytearray(path.read_bytes())
    raw[-2880] ^= 1
    path.write_bytes(raw)
    refused(path, "checksum", "HDU 1")


@pytest.mark.parametrize(
    ("cards", "word"),
    [
        (("NAXIS   = 2", "NAXIS1  = 10000000", "NAXIS2  = 10000000"), "100000000000000 pixels"),
        (("NAXIS   = 2", "NAXIS1  = -5", "NAXIS2  = 5"), "no negative length"),
        (("NAXIS   = 999",), "0 to 16 axes"),
        (("NAXIS   = 2", "NAXIS1  = 5"), "NAXIS2 is 'missing'"),
        (("NAXIS   = 2", "NAXIS1  = 5.5", "NAXIS2  = 5"), "expected a whole number"),
        (("NAXIS   = 2", "NAXIS1  = 99999999999999999999", "NAXIS2  = 5"), "whole number"),
    ],
)
def test_absurd_headers_are_refused_from_the_header(tmp_path, cards, word):
    path = tmp_path / "a.fits"
    path.write_bytes(header("SIMPLE  = T", "BITPIX  = -32", *cards) + b"\0" * 2880)
    refused(path, word)


def test_bitpix_17_is_refused(tmp_path):
    path = tmp_path / "a.fits"
    cards = ("SIMPLE  = T", "BITPIX  = 17", "NAXIS   = 2", "NAXIS1  = 2", "NAXIS2  = 2")
    path.write_bytes(header(*cards) + b"\0" * 2880)
    refused(path, "BITPIX is 17")


def test_absurd_tile_compressed_claim_is_refused(tmp_path, pixels):
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(pixels)]).writeto(path)
    raw = path.read_bytes()
    card = next(raw[i : i + 80] for i in range(0, len(raw), 80) if raw[i : i + 8] == b"ZNAXIS1 ")
    path.write_bytes(raw.replace(card, b"ZNAXIS1 =          99999999999".ljust(80)))
    refused(path, "refused before reading")


def test_pixel_limit_can_be_set(tmp_path, pixels):
    path = write(tmp_path / "a.fits", pixels)
    refused(path, "claims 12 pixels", "at most 11", limits=ReadOptions(max_pixels=11))
    assert read_fits(path, limits=ReadOptions(max_pixels=12)).pixels.shape == (3, 4)


def test_first_image_extension_or_the_configured_one(tmp_path, pixels):
    path = tmp_path / "a.fits"
    table = fits.BinTableHDU.from_columns([fits.Column("x", "E", array=[1.0])], name="CAT")
    first, second = fits.ImageHDU(pixels, name="SCI"), fits.ImageHDU(pixels * 2, name="RMS")
    fits.HDUList([fits.PrimaryHDU(), table, first, second]).writeto(path)
    image = read_fits(path)
    assert (image.extension, image.extension_name) == (2, "SCI")
    assert np.array_equal(image.pixels, pixels)
    for wanted in (3, "rms"):
        assert np.array_equal(read_fits(path, extension=wanted).pixels, pixels * 2)
    by_options = read_fits(path, limits=ReadOptions(extension="RMS"))
    assert by_options.extension == 3
    refused(path, "expected an image in extension 'CAT'", "2 SCI", extension="CAT")
    refused(path, "expected an image in extension 7", extension=7)


def test_no_image_at_all(tmp_path):
    path = tmp_path / "a.fits"
    fits.PrimaryHDU().writeto(path)
    refused(path, "expected an image", "0 (no image)")


def test_degenerate_axes_are_dropped_and_others_refused(tmp_path, pixels):
    image = read_fits(write(tmp_path / "cube.fits", pixels[None, None]))
    assert np.array_equal(image.pixels, pixels)
    assert image.facts()["stored_shape"] == [1, 1, 3, 4]
    refused(write(tmp_path / "rgb.fits", np.ones((3, 4, 5), np.float32)), "(3, 4, 5)")
    refused(write(tmp_path / "line.fits", np.ones(5, np.float32)), "(5,)")
    single = read_fits(write(tmp_path / "row.fits", np.ones((1, 5), np.float32)))
    assert single.pixels.shape == (1, 5)


def test_nan_and_infinite_pixels_follow_the_policy(tmp_path, pixels):
    pixels[0, :3] = [np.nan, np.inf, -np.inf]
    path = write(tmp_path / "a.fits", pixels)
    image = read_fits(path, limits=ReadOptions(non_finite="zero"))
    assert (image.nan, image.infinite, image.blank, image.filled) == (1, 2, 0, "zero")
    assert image.pixels[0].tolist()[:3] == [0, 0, 0]
    kept = read_fits(path)
    assert kept.filled == "keep"
    assert np.isnan(kept.pixels[0, :3]).all()
    refused(path, "3 of 12 pixels", limits=ReadOptions(non_finite="reject"))


@pytest.mark.parametrize("policy", ["zero", "keep", "reject"])
def test_image_without_a_finite_pixel_is_always_refused(tmp_path, policy):
    path = write(tmp_path / "a.fits", np.full((3, 4), np.nan, np.float32))
    refused(path, "no finite pixel", limits=ReadOptions(non_finite=policy))


def test_scaled_integers_with_blank(tmp_path):
    stored = np.array([[0, 10], [-32768, 20]], dtype=np.int16)
    path = tmp_path / "a.fits"
    hdu = fits.PrimaryHDU(stored)
    hdu.header["BLANK"] = -32768
    hdu.writeto(path)
    # set by hand: astropy would rescale the stored values
    fits.setval(path, "BSCALE", value=0.5)
    fits.setval(path, "BZERO", value=1.0)
    image = read_fits(path, limits=ReadOptions(non_finite="zero"))
    assert image.pixels.tolist() == [[1.0, 6.0], [0.0, 11.0]]
    assert (image.blank, image.nan, image.bitpix) == (1, 0, 16)


@pytest.mark.parametrize("kind", ["u1", ">i2", ">u2", ">i4", ">i8", ">f8"])
def test_every_stored_type_becomes_native_float32(tmp_path, kind):
    stored = np.array([[1, 2], [3, 200]]).astype(kind)
    image = read_fits(write(tmp_path / "a.fits", stored))
    assert image.pixels.dtype == np.float32
    assert image.pixels.tolist() == [[1, 2], [3, 200]]


def test_float64_beyond_float32_counts_as_infinite(tmp_path):
    path = write(tmp_path / "a.fits", np.array([[1e300, 1.0]]))
    image = read_fits(path, limits=ReadOptions(non_finite="zero"))
    assert (image.infinite, image.pixels.tolist()) == (1, [[0.0, 1.0]])


def test_gzip_and_rice_are_read(tmp_path, pixels):
    plain = write(tmp_path / "a.fits", pixels)
    packed = tmp_path / "a.fits.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert np.array_equal(read_fits(packed).pixels, pixels)
    assert read_fits(packed).compressed == "gzip"
    rice = tmp_path / "rice.fits"
    whole = np.arange(64, dtype=np.int16).reshape(8, 8)
    hdus = [fits.PrimaryHDU(), fits.CompImageHDU(whole, compression_type="RICE_1")]
    fits.HDUList(hdus).writeto(rice)
    assert np.array_equal(read_fits(rice).pixels, whole)
    assert read_fits(rice).compressed == "RICE_1"


def test_gzip_bomb_is_refused_and_a_cut_off_one_named(tmp_path):
    cards = ("SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 2", "NAXIS1  = 4000", "NAXIS2  = 4000")
    content = header(*cards) + b"\0" * (-(-16_000_000 // 2880) * 2880)
    bomb = tmp_path / "bomb.fits"
    bomb.write_bytes(gzip.compress(content))
    assert bomb.stat().st_size < 20_000
    refused(bomb, "refused before reading", limits=ReadOptions(max_pixels=1_000_000))
    refused(bomb, "refused before reading", limits=ReadOptions(max_bytes=1_000_000))
    bomb.write_bytes(bomb.read_bytes()[:-2000])
    refused(bomb, "cannot be read")


def test_gzip_of_an_endless_tail_is_not_decompressed(tmp_path, pixels):
    plain = write(tmp_path / "a.fits", pixels).read_bytes()
    path = tmp_path / "tail.fits"
    path.write_bytes(gzip.compress(plain + b"\0" * 20_000_000))
    # the limit would be broken if anything behind the image were read
    assert np.array_equal(read_fits(path, limits=ReadOptions(max_bytes=10_000)).pixels, pixels)


def test_damaged_rice_data_is_one_error_class(tmp_path):
    path = tmp_path / "a.fits"
    data = np.random.default_rng(1).integers(0, 999, (32, 32)).astype(np.int16)
    hdu = fits.CompImageHDU(data, compression_type="GZIP_1")
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
    raw = bytearray(path.read_bytes())
    raw[-2880:-2000] = b"\xaa" * 880
    path.write_bytes(raw)
    refused(path, "cannot be decoded")


def test_warnings_do_not_leak(real_data):
    # headers that astropy warns of; every warning is an error in these tests
    for path in sorted((real_data / "mirabest_fits_sample").glob("*.fits")):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            read_fits(path)
        assert not seen


def test_warning_filters_survive_threads(tmp_path, pixels, monkeypatch):
    path = write(tmp_path / "a.fits", pixels)
    slowly = fits.open

    def open_slowly(*arguments, **options):
        time.sleep(0.1)
        return slowly(*arguments, **options)

    monkeypatch.setattr(fits, "open", open_slowly)
    before = list(warnings.filters)
    threads = [threading.Thread(target=read_fits, args=(path,)) for _ in range(2)]
    for thread in threads:  # the second is to enter before the first has left
        thread.start()
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    assert warnings.filters == before


def test_six_real_images(real_data):
    paths = sorted((real_data / "mirabest_fits_sample").glob("*.fits"))
    images = [read_fits(path) for path in paths]
    assert len(images) == 6
    assert {image.pixels.shape for image in images} == {(300, 300)}
    assert [image.nan for image in images] == [0, 0, 0, 10498, 0, 0]
    # brightness in Jy/beam above the survey's noise, never thousands
    assert all(0.001 < np.nanmax(image.pixels) < 10 for image in images)


def test_wrong_options_are_named():
    with pytest.raises(SettingsError, match=r"non_finite is 'zeros' .did you mean zero"):
        ReadOptions(non_finite="zeros")
    with pytest.raises(SettingsError, match="skip_budget is -1"):
        replace(ReadOptions(), skip_budget=-1)


def test_the_stored_type_and_the_header_are_there_for_those_who_want_them(tmp_path):
    pixels = np.arange(-8, 8, dtype=np.int16).reshape(2, 8)
    hdu = fits.PrimaryHDU(pixels)
    hdu.header["OBS"] = ("02a58362o0123c", "exposure")
    hdu.writeto(tmp_path / "a.fits")
    stored = read_stored(tmp_path / "a.fits")
    assert stored.pixels.dtype.str == ">i2"
    assert np.array_equal(stored.pixels, pixels)
    assert stored.header["OBS"] == "02a58362o0123c"
    assert stored.header["NAXIS1"] == "8"


def test_scaled_numbers_are_scaled_also_where_the_type_is_kept(tmp_path):
    fits.PrimaryHDU(np.array([[40000, 1]], np.uint16)).writeto(tmp_path / "a.fits")
    assert read_stored(tmp_path / "a.fits").pixels.tolist() == [[40000, 1]]

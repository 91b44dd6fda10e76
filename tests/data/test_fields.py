"""Whole fields of every kind, and the lists that name them."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from benchmarker.core.errors import InputFileError, MissingDataError
from benchmarker.data.fields import Listed, label_codes, read_field, read_list
from benchmarker.data.reading_options import ReadOptions

CLASSES = ("good", "rfi", "sis", "rfisis")


@pytest.fixture
def values():
    found = np.random.default_rng(1).normal(size=(31, 50)).astype(np.float32)
    found[2, 3] = np.nan
    found[4, 5] = np.inf
    return found


@pytest.mark.parametrize("axes", [(), (1,), (1, 1)])
def test_further_axes_of_one_are_dropped_and_nan_stays(tmp_path, values, axes):
    path = tmp_path / "a.fits"
    fits.writeto(path, values.reshape(*axes, *values.shape))
    field = read_field(path)
    assert field.values.dtype == np.float32
    assert field.values.dtype.isnative
    assert field.values.shape == (31, 50)
    assert np.isnan(field.values[2, 3])
    assert np.isnan(field.values[4, 5])
    rest = np.isfinite(values)
    np.testing.assert_array_equal(field.values[rest], values[rest])


def test_cubes_are_refused(tmp_path, values):
    fits.writeto(tmp_path / "a.fits", np.stack([values, values]))
    with pytest.raises(InputFileError, match="axes"):
        read_field(tmp_path / "a.fits")


def test_tile_compressed_and_gzipped(tmp_path, values):
    quiet = np.nan_to_num(values, posinf=0)
    hdu = fits.CompImageHDU(quiet, compression_type="RICE_1", quantize_level=64)
    hdu.header["OBSID"] = 1060093416
    hdu.writeto(tmp_path / "a.fits.fz")
    field = read_field(tmp_path / "a.fits.fz")
    assert field.extension == 1
    assert field.header["OBSID"] == 1060093416
    np.testing.assert_allclose(field.values, quiet, atol=0.05)
    fits.writeto(tmp_path / "a.fits", values, fits.Header({"OBSID": 7}))
    (tmp_path / "a.fits.gz").write_bytes(gzip.compress((tmp_path / "a.fits").read_bytes()))
    field = read_field(tmp_path / "a.fits.gz")
    assert (field.extension, field.header["OBSID"]) == (0, 7)
    assert np.isnan(field.values[2, 3])


def test_integers_are_scaled_and_blank_is_nan(tmp_path):
    hdu = fits.PrimaryHDU(np.array([[1, 2], [3, -99]], np.int16))
    hdu.header.update(BSCALE=0.5, BZERO=10.0, BLANK=-99)
    hdu.writeto(tmp_path / "a.fits", output_verify="silentfix")
    raw = (tmp_path / "a.fits").read_bytes()
    stored = np.array([[1, 2], [3, -99]], ">i2").tobytes()
    (tmp_path / "a.fits").write_bytes(raw[:2880] + stored.ljust(2880, b"\0"))
    field = read_field(tmp_path / "a.fits")
    np.testing.assert_array_equal(field.values, [[10.5, 11.0], [11.5, np.nan]])


def test_the_header_is_that_of_the_image_and_comments_are_left_out(tmp_path, values):
    header = fits.Header({"POL": "XX", "FREQ": 1.5e8, "DONE": True})
    header["COMMENT"] = "not a value"
    header["LONG"] = "wsclean " * 20
    header["EMPTY"] = None
    header.append(("POL", "YY"), end=True)
    image = fits.ImageHDU(values, header, name="SCI")
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(tmp_path / "a.fits")
    found = read_field(tmp_path / "a.fits").header
    assert (found["POL"], found["FREQ"], found["DONE"]) == ("XX", 1.5e8, True)
    assert found["LONG"] == ("wsclean " * 20).rstrip()
    assert found["EXTNAME"] == "SCI"
    assert not {"COMMENT", "EMPTY", ""} & found.keys()


def test_what_is_no_field_is_told(tmp_path, values):
    fits.writeto(tmp_path / "nan.fits", np.full((3, 4), np.nan))
    fits.writeto(tmp_path / "cut.fits", values)
    (tmp_path / "cut.fits").write_bytes((tmp_path / "cut.fits").read_bytes()[:4000])
    for name, text in (("nan", "no finite pixel"), ("cut", "cut off"), ("gone", "cannot be read")):
        with pytest.raises(InputFileError, match=text):
            read_field(tmp_path / f"{name}.fits")
    fits.writeto(tmp_path / "a.fits", values)
    with pytest.raises(InputFileError, match="refused before reading"):
        read_field(tmp_path / "a.fits", limits=ReadOptions(max_pixels=100))


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """Write a list, read it; paths relative to the folder with a.fits and b.fits."""
    (tmp_path / "lists").mkdir()
    for name in ("a", "b"):
        (tmp_path / "lists" / f"{name}.fits").touch()
    monkeypatch.chdir(tmp_path)

    def read(text, encoding="utf-8"):
        path = tmp_path / "lists" / "list.csv"
        path.write_bytes(text.encode(encoding))
        found = read_list(path)
        return [(os.path.relpath(one.path, path.parent), one.label) for one in found]

    return read


PLAIN = [("a.fits", None), ("b.fits", None)]
LABELLED = [("a.fits", "0"), ("b.fits", "3")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.fits\nb.fits\n", PLAIN),
        ("a.fits\r\nb.fits", PLAIN),
        ("a.fits,\nb.fits,,\n", PLAIN),
        ("\n a.fits \n\n b.fits,9999\n", PLAIN),
        ("path\na.fits\nb.fits\n", PLAIN),
        ('"a.fits"\n"b.fits"', PLAIN),
        ("a.fits,0\nb.fits,3\n", LABELLED),
        ("a.fits,0,\nb.fits,3,\n", LABELLED),
        ("a.fits, 0\nb.fits, 3,,,\n", LABELLED),
        ("File,Class\na.fits,0\nb.fits,3\n", LABELLED),
        ("# path,label\na.fits,0\nb.fits,3\n", LABELLED),
        ("obsid,path,band,label\n1,a.fits,72,0\n2,b.fits,72,3\n", LABELLED),
        ("path,obsid\na.fits,1\nb.fits,2\n", PLAIN),
        ("a.fits,rfi\nb.fits\n", [("a.fits", "rfi"), ("b.fits", None)]),
    ],
)
def test_lists_as_people_write_them(listed, text, expected):
    assert listed(text) == expected
    assert listed(text, "utf-8-sig") == expected


def test_paths_are_relative_to_the_list_then_to_the_working_folder(listed, tmp_path):
    (tmp_path / "here.fits").touch()
    (tmp_path / "a.fits").touch()  # the one beside the list goes first
    absolute = str(tmp_path / "x" / "y.fits")
    found = dict(listed(f"here.fits\na.fits\ngone.fits\n{absolute}\n~/z.fits\n"))
    assert list(found)[:3] == ["../here.fits", "a.fits", "gone.fits"]
    assert list(found)[3] == os.path.relpath(absolute, tmp_path / "lists")
    assert os.path.relpath(Path("~/z.fits").expanduser(), tmp_path / "lists") in found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no image: expected a path on each line"),
        ("\n,,\n", "names no image: expected a path on each line"),
        ("path,label\n", "names no image below its titles"),
        ("a.fits,1,2\nb.fits,1,x,y\n", r"2 faults:\n  line 1: 3 columns.*\n  line 2: 4 columns"),
        ("a.fits\n,3\n", "line 2: no path"),
        ("SIMPLE  =                    T", "is an image, expected a list"),
        ('a.fits\n"b.fits\n', None),
    ],
)
def test_lists_with_faults(listed, text, message):
    if message is None:  # an open quote swallows the rest, so a name with a line end comes out
        assert listed(text)[1][0] == "b.fits"
        return
    with pytest.raises(InputFileError, match=message):
        listed(text)


def test_a_list_that_is_not_there_or_no_text(tmp_path):
    with pytest.raises(MissingDataError, match="cannot read the list"):
        read_list(tmp_path / "gone.csv")
    (tmp_path / "bad.csv").write_bytes(b"a.fits\n\xff\xfe\n")
    with pytest.raises(InputFileError, match="no text in UTF-8"):
        read_list(tmp_path / "bad.csv")


def test_labels_are_codes_or_names(tmp_path):
    words = ["0", "RFI", "sis", "3", "2.0", None]
    listed = [Listed(tmp_path / "a.fits", word) for word in words]
    assert label_codes(listed, CLASSES, "list.csv") == [0, 1, 2, 3, 2, None]
    wrong = [Listed(tmp_path / "a.fits", word) for word in ("4", "goood")]
    with pytest.raises(InputFileError) as caught:
        label_codes(wrong, CLASSES, "list.csv")
    assert "list.csv has 2 faults" in str(caught.value)
    assert "(did you mean good?)" in str(caught.value)

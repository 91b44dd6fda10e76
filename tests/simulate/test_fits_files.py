"""The folder that is written: astropy agrees with it, and our own reader returns the same set."""

import json

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from benchmarker.core.errors import SettingsError
from benchmarker.core.files import write_text
from benchmarker.data.images import ArrayPixels, ImageSet
from benchmarker.data.reading_fits_folder import read_fits_folder
from benchmarker.simulate.radio_galaxies import lazy_images, simulate_images, write_fits


@pytest.fixture(scope="module")
def images():
    return simulate_images(3, size=64, seed=6)


@pytest.fixture(scope="module")
def folder(images, tmp_path_factory):
    return write_fits(images, tmp_path_factory.mktemp("simulated") / "set")


def test_header_says_where_and_what(images, folder):
    path = folder / "FRII" / f"{images.sources[2]}.fits"
    with fits.open(path, checksum=True) as opened:
        header, data = opened[0].header, opened[0].data
        opened[0].verify("exception")
        assert opened[0].verify_checksum() == 1
        assert opened[0].verify_datasum() == 1
    assert data.dtype == np.dtype(">f4")
    assert np.array_equal(data, images.pixels.array[2, :, :, 0])
    assert header["OBJECT"] == images.sources[2]
    assert header["BUNIT"] == "JY/BEAM"
    assert header["BMAJ"] * 3600 == pytest.approx(5.4)
    assert header["BMIN"] * 3600 == pytest.approx(5.4)
    assert header["BPA"] == 0.0
    assert header["RESTFRQ"] == 1.4e9
    assert header["SIMULATE"] is True
    assert header["SIMCLASS"] == "FRII"
    assert header["SIMSEED"] == 6


def test_wcs_has_the_position_at_the_centre_and_east_left(images, folder):
    header = fits.getheader(folder / "COMP" / f"{images.sources[0]}.fits")
    wcs = WCS(header)
    assert list(wcs.wcs.ctype) == ["RA---SIN", "DEC--SIN"]
    ra, dec = wcs.wcs_pix2world(31.5, 31.5, 0)
    assert ra == pytest.approx(images.ra_deg[0], abs=1e-9)
    assert dec == pytest.approx(images.dec_deg[0], abs=1e-9)
    east = wcs.pixel_to_world(21.5, 31.5)
    centre = wcs.pixel_to_world(31.5, 31.5)
    assert centre.separation(east).arcsec == pytest.approx(18.0, abs=1e-3)
    assert centre.position_angle(east).deg == pytest.approx(90.0, abs=0.05)
    north = wcs.pixel_to_world(31.5, 41.5)
    assert centre.position_angle(north).deg % 360 == pytest.approx(0.0, abs=1e-6)


def test_name_of_a_source_is_its_position(images):
    from astropy.coordinates import SkyCoord

    for source, ra, dec in zip(images.sources, images.ra_deg, images.dec_deg, strict=True):
        ra_text = f"{source[1:3]}:{source[3:5]}:{source[5:10]}"
        dec_text = f"{source[10:13]}:{source[13:15]}:{source[15:]}"
        named = SkyCoord(ra_text, dec_text, unit=("hourangle", "deg"))
        assert named.separation(SkyCoord(ra, dec, unit="deg")).arcsec < 0.2


def test_folder_reader_returns_the_same_set(images, folder):
    found = read_fits_folder(
        folder, manifest=folder / "manifest.csv", labels=folder / "class_labels.txt"
    )
    assert found.digest == images.digest
    assert found.sources == images.sources
    assert found.classes == images.classes


def test_tables(images, folder):
    manifest = (folder / "manifest.csv").read_text().splitlines()
    assert manifest[0] == "Name,Type-MAN"
    assert manifest[1:5] == [f"{name},{k + 1}" for k, name in enumerate(images.sources[:4])]
    assert (
        folder / "class_labels.txt"
    ).read_text() == "Label,Class\n1,COMP\n2,FRI\n3,FRII\n4,BENT\n"
    truth = (folder / "truth.csv").read_text().splitlines()
    assert len(truth) == 13
    assert truth[0].startswith("source,label,ra_deg,dec_deg,redshift,size_kpc")
    split = (folder / "split.csv").read_text().splitlines()
    assert split[1] == f"{images.sources[0]},train"
    assert json.loads((folder / "simulation.json").read_text()) == images.provenance


def test_part_of_a_set_without_split(tmp_path):
    part = lazy_images(3, size=64, seed=6, split=False).take([1, 7])
    seen = []
    write_fits(part, tmp_path / "part", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]
    assert len(list((tmp_path / "part").rglob("*.fits"))) == 2
    assert len((tmp_path / "part" / "truth.csv").read_text().splitlines()) == 3
    assert not (tmp_path / "part" / "split.csv").exists()


def test_folder_in_use_is_refused(images, tmp_path):
    write_text(tmp_path / "manifest.csv", "Name,Type-MAN\n")
    with pytest.raises(SettingsError, match=r"holds a manifest\.csv already: choose an empty"):
        write_fits(images, tmp_path)


def test_other_sets_are_refused(tmp_path):
    pixels = ArrayPixels(np.zeros((1, 64, 64, 1), np.float32), "array")
    other = ImageSet("mine", pixels, np.array([0]), ("A",), ("a",))
    with pytest.raises(SettingsError, match="mine is not a simulated set"):
        write_fits(other, tmp_path)

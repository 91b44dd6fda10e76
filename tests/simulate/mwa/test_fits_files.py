"""The folder that is written: astropy agrees with it, and the readers return the same images."""

import csv
import json
import math

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from benchmarker.core.errors import SettingsError
from benchmarker.core.files import write_text
from benchmarker.data.fields import read_field, read_list
from benchmarker.simulate.mwa.fits_files import fits_bytes, write_snapshots
from benchmarker.simulate.mwa.plan import SnapshotSettings, plan
from benchmarker.simulate.mwa.snapshots import Parts, render, simulate_snapshots

SETTINGS = SnapshotSettings(size=64, seed=11)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_snapshots(6, SETTINGS, tmp_path_factory.mktemp("mwa") / "set")


@pytest.fixture(scope="module")
def made():
    return simulate_snapshots(6, settings=SETTINGS)


def rows(folder, name):
    with (folder / name).open() as stream:
        return list(csv.DictReader(stream))


def test_header_and_checksums(folder, made):
    for index, row in enumerate(rows(folder, "list.csv")):
        with fits.open(folder / row["path"], checksum=True) as opened:
            opened[0].verify("exception")
            assert opened[0].verify_checksum() == 1
            assert opened[0].verify_datasum() == 1
            header, data = opened[0].header, opened[0].data
        assert data.shape == (1, 1, 64, 64)
        assert np.array_equal(data[0, 0], made.images[index])
        assert header["BUNIT"] == "JY/BEAM"
        assert header["OBSID"] == made.table["obsid"][index]
        assert header["POL"] == made.table["polarisation"][index]
        assert header["FREQ"] == header["CRVAL3"]
        assert header["FREQ"] / 1e6 == pytest.approx(
            (made.table["low_mhz"][index] + made.table["high_mhz"][index]) / 2
        )
        assert header["DATE-OBS"][:10] == made.table["night"][index]
        assert header["BMAJ"] >= header["BMIN"] > 2 * header["CDELT2"]
        assert not {"GOOD", "RFI", "SIS", "RFISIS", "CNNVER"} & set(header)


def test_coordinates_round_trip(folder, made):
    for index, row in enumerate(rows(folder, "list.csv")):
        wcs = WCS(fits.getheader(folder / row["path"])).celestial
        ra, dec = wcs.wcs_pix2world(32, 32, 0)
        assert ra == pytest.approx(made.table["ra_deg"][index], abs=1e-9)
        assert dec == pytest.approx(made.table["dec_deg"][index], abs=1e-9)
        corners = np.array([[0.0, 0.0], [63.0, 10.0], [30.0, 63.0]])
        back = wcs.wcs_world2pix(wcs.wcs_pix2world(corners, 0), 0)
        assert np.allclose(back, corners, atol=1e-6)
        centre, east = wcs.pixel_to_world(32, 32), wcs.pixel_to_world(22, 32)
        assert centre.position_angle(east).deg == pytest.approx(90.0, abs=1.0)


def test_sources_are_where_the_coordinates_say():
    """The brightest source's direction cosines, turned into RA and Dec by astropy and back."""
    settings = SnapshotSettings(size=256, seed=1)
    shot = plan(1, settings)[0]
    places, flux = Parts(shot, settings).sources()
    inside = np.abs(places).max(axis=1) < 120 * math.radians(shot.band.pixel_deg)
    bright = places[inside][np.argmax(flux[inside])]
    unit = fits.HDUList.fromstring(fits_bytes(render(shot, settings)))[0]
    row, column = np.unravel_index(unit.data[0, 0].argmax(), (256, 256))
    sky = WCS(unit.header).celestial.pixel_to_world(column, row)
    east = sky.ra.rad - math.radians(unit.header["CRVAL1"])
    centre = math.radians(unit.header["CRVAL2"])
    along = math.cos(sky.dec.rad) * math.sin(east)
    up = math.sin(sky.dec.rad) * math.cos(centre)
    up -= math.cos(sky.dec.rad) * math.sin(centre) * math.cos(east)
    pixel = math.radians(shot.band.pixel_deg)
    assert np.allclose([along, up], bright, atol=pixel)
    assert unit.data.max() == pytest.approx(flux[inside].max(), rel=0.05)


def test_list_and_table(folder, made):
    listed = read_list(folder / "list.csv")
    assert [int(entry.label) for entry in listed] == made.labels.tolist()
    first = read_field(listed[0].path)
    assert np.array_equal(first.values, made.images[0])
    table = rows(folder, "table.csv")
    assert [row["name"] for row in table] == made.table["name"].tolist()
    assert all(row["strength"] == "" for row in table if row["class"] == "good")
    assert float(table[1]["noise_jy"]) == made.table["noise_jy"][1]
    assert {row["split"] for row in table} <= {"train", "validation", "test"}
    settings = json.loads((folder / "simulation.json").read_text())["settings"]
    assert settings == SETTINGS.as_dict()


def test_the_same_image_is_the_same_file(folder):
    row = rows(folder, "list.csv")[3]
    again = fits_bytes(render(plan(4, SETTINGS)[3], SETTINGS))
    assert (folder / row["path"]).read_bytes() == again


def test_the_card_opens_the_folder(folder, tmp_path, monkeypatch):
    from benchmarker.data.reading_fits_folder import read_fits_folder

    images = read_fits_folder(folder, classes=("good", "rfi", "sis", "rfisis"))
    assert len(images) == 6
    assert images.pixels.read(0).shape == (64, 64, 1)


def test_folder_in_use_is_refused(tmp_path):
    write_text(tmp_path / "list.csv", "path,label\n")
    with pytest.raises(SettingsError, match=r"holds a list\.csv already: choose an empty"):
        write_snapshots(4, SETTINGS, tmp_path)

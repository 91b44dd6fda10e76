import csv

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from benchmarker.hosts.attention.files import (
    SkyPlace,
    file_word,
    map_arrays,
    write_arrays,
    write_fits,
    write_table,
)
from tests.hosts.attention.test_figures import IMAGES, explained


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("100_162.947+055.386_0.0739_0250.34", "100_162.947+055.386_0.0739_0250.34"),
        ("../a b/c:d", "a_b_c_d"),
        ("é", "unnamed"),
        ("x" * 300, "x" * 100),
    ],
)
def test_any_name_becomes_part_of_a_file_name(name, word):
    assert file_word(name) == word


def test_arrays_come_back_without_objects_and_with_the_same_bytes(tmp_path):
    found = explained()
    paths = [write_arrays(tmp_path / name, map_arrays(found)) for name in ("a.npz", "b.npz")]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with np.load(paths[0], allow_pickle=False) as arrays:
        assert arrays["images"] == pytest.approx(IMAGES)
        assert arrays["map_gate2"].shape == (2, 6, 6)
        assert arrays["resized"].shape == (2, 2, 12, 12)
        assert arrays["mean"] == pytest.approx(arrays["resized"].mean(axis=1))
        assert arrays["labels"].tolist() == [0, -1]
        assert arrays["classes"].tolist() == ["FRI", "FRII"]
        assert arrays["map_names"].tolist() == ["gate1", "gate2"]


def test_the_table_says_who_what_and_where(tmp_path):
    path = write_table(tmp_path / "maps.csv", explained(), ["one.png", ""])
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    assert rows[0]["name"] == "first"
    assert [row["predicted"] for row in rows] == ["FRI", "FRII"]
    assert float(rows[1]["probability"]) == pytest.approx(1 / (1 + np.exp(-3)))
    assert [row["file"] for row in rows] == ["one.png", ""]


def test_fits_maps_lie_where_the_source_is(tmp_path):
    place = SkyPlace(203.22, 57.62, 1.8)
    path = write_fits(tmp_path / "a.fits", explained(), 0, place)
    with fits.open(path) as hdus:
        assert [hdu.name for hdu in hdus[1:]] == ["SOURCE", "GATE1", "GATE2"]
        assert hdus[0].data == pytest.approx(explained().maps.mean[0])
        assert hdus[0].header["OBJECT"] == "first"
        for hdu in hdus:
            wcs, (height, width) = WCS(hdu.header), hdu.data.shape
            centre = wcs.pixel_to_world_values((width - 1) / 2, (height - 1) / 2)
            assert [float(value) for value in centre] == pytest.approx([203.22, 57.62])
            # the corners of every map are those of the image: 12 pixels of 1.8 arcsec
            low = wcs.pixel_to_world_values((width - 1) / 2, -0.5)[1]
            high = wcs.pixel_to_world_values((width - 1) / 2, height - 0.5)[1]
            assert (high - low) * 3600 == pytest.approx(12 * 1.8, rel=1e-4)
            east = wcs.pixel_to_world_values(-0.5, (height - 1) / 2)[0]
            assert east > 203.22
    assert path.read_bytes() == write_fits(tmp_path / "b", explained(), 0, place).read_bytes()


def test_fits_without_a_position_has_no_coordinates(tmp_path):
    place = SkyPlace(float("nan"), 57.0, 1.8, from_top=True)
    path = write_fits(tmp_path / "a.fits", explained(), 0, place)
    with fits.open(path) as hdus:
        assert "CRVAL1" not in hdus[0].header
        assert hdus["SOURCE"].data == pytest.approx(IMAGES[0][::-1])

import csv
import warnings

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from benchmarker.core.errors import SettingsError
from benchmarker.simulate.difference.exposure import draw_exposure
from benchmarker.simulate.difference.night_files import finish, write_nights
from benchmarker.simulate.difference.night_plan import NightSettings, plan

SETTINGS = NightSettings(nights=2, exposures=2, size=256, seed=4)


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("night")
    return folder, write_nights(SETTINGS, folder)


def files(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_exposures_do_not_depend_on_the_number_of_workers(night, tmp_path):
    folder, tables = night
    again = write_nights(SETTINGS, tmp_path, workers=2)
    assert files(tmp_path) == files(folder)
    assert again.rows == tables.rows


def test_an_exposure_lies_where_the_survey_puts_it_and_reads_back(night):
    folder, _ = night
    visit = plan(SETTINGS)[0]
    path = folder / "diff" / "02a" / "58362" / f"{visit.obs}.diff.fz"
    with fits.open(path) as opened:
        image, header = opened[1].data, opened[1].header
        assert opened[0].data is None
        assert opened[1].compression_type == "RICE_1"
    np.testing.assert_array_equal(image, draw_exposure(visit, SETTINGS).image)
    assert image.dtype.kind == "i"
    assert header["OBS"] == visit.obs
    assert header["MJD-OBS"] == visit.mjd
    assert header["FILTER"] == visit.obs[-1]


def test_positions_on_the_sky_agree_with_the_header(night):
    folder, tables = night
    visit = plan(SETTINGS)[0]
    path = folder / "diff" / "02a" / "58362" / f"{visit.obs}.diff.fz"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wcs = WCS(fits.getheader(path, 1))
    for row in tables.detections[:5]:
        # catalogue positions have the first pixel's middle at 0.5, FITS at 1
        ra, dec = wcs.all_pix2world(row["x"] + 0.5, row["y"] + 0.5, 1)
        assert row["ra"] == pytest.approx(float(ra), abs=2e-6)
        assert row["dec"] == pytest.approx(float(dec), abs=2e-6)


def test_the_catalogue_tells_the_truth_of_every_detection(night):
    folder, tables = night
    with (folder / "catalogue.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(tables.detections) > 50
    for row in rows:
        assert (row["true_snr"] != "") == (row["label"] == "1")
        assert row["kind"]
        assert float(row["snr"]) >= SETTINGS.threshold
    with (folder / "injected.csv").open(newline="") as stream:
        injected = list(csv.DictReader(stream))
    assert len(injected) >= sum(row["label"] == "1" for row in rows) > 5
    assert sum(tables.kinds.values()) == len(rows)


def test_rows_name_each_other(night):
    _, tables = night
    objects = {row["id"]: row for row in tables.objects}
    assert [row["id"] for row in tables.statistics] == list(objects)
    for row, truth in zip(tables.detections, tables.truth, strict=True):
        assert 1 <= row["atlas_metadata_id"] <= 4
        moving = truth["kind"] in ("asteroid", "trailed")
        assert (row["pkn"] > 900) == moving == (row["atlas_object_id"] is None)
        if not moving:
            listed = objects[row["atlas_object_id"]]["detection_list_id"]
            assert listed == (2 if truth["label"] else 0)


def test_the_same_source_of_a_field_is_one_object(night):
    _, tables = night
    owners = {}
    for row, truth in zip(tables.detections, tables.truth, strict=True):
        if truth["source"]:
            owners.setdefault(truth["source"], set()).add(row["atlas_object_id"])
    assert owners
    assert all(len(found) == 1 for found in owners.values())
    repeated = [truth["source"] for truth in tables.truth if truth["source"]]
    assert len(repeated) > len(owners)


def test_a_whole_folder_is_not_written_again(tmp_path):
    finish(SETTINGS, tmp_path)
    with pytest.raises(SettingsError, match="choose an empty folder"):
        write_nights(SETTINGS, tmp_path)

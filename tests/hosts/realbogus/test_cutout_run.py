"""Stamps of whole nights: files, names, headers, and what is done when things change."""

import os
import shutil

import numpy as np
import pytest
from astropy.io import fits

from benchmarker.core.errors import (
    MissingDataError,
    SettingsError,
)
from benchmarker.hosts.realbogus import queries
from benchmarker.hosts.realbogus.credentials import SQLITE, Credentials
from benchmarker.hosts.realbogus.cutout_run import CutoutPlan
from benchmarker.hosts.realbogus.cutouts import CutForm
from benchmarker.hosts.realbogus.database import open_database
from benchmarker.hosts.realbogus.stamp_facts import facts_of_header
from benchmarker.hosts.realbogus.stamps import StampForm, open_stamp
from tests.hosts.realbogus.survey import (
    HEIGHT,
    NIGHT,
    WIDTH,
    Night,
    Rows,
    pixels_of,
    small_survey,
    stamp_of,
    write_exposure,
)

pytest.importorskip("sqlalchemy", reason="pip install 'benchmarker[database]'")
OBS = "02a58362o0001c"


def test_files_of_a_night_on_both_databases(credentials, tmp_path):
    places = small_survey(credentials, tmp_path)
    night = Night(tmp_path, credentials, places)
    summary = night.cut()
    assert summary.stamps == {"good": 12, "bad": 12}
    assert summary.listed == {"good.txt": 12, "bad.txt": 12}
    for word in ("good", "bad"):
        listed = (night.out / f"{word}.txt").read_text().splitlines()
        assert listed == sorted(path.name for path in (night.out / word).iterdir())
    for (word, obs), spots in places.items():
        lines = (night.out / f"{word}{obs}.txt").read_text().splitlines()
        assert [tuple(map(float, line.split()[:2])) for line in lines] == spots
        assert all(line.split()[2:] == ["18.5", "0.1", "10.0", "-5.0", obs] for line in lines)
        pixels = pixels_of(int(obs[9:13]) + 1)
        for row, (x, y) in enumerate(spots, start=1):
            (path,) = (night.out / word).glob(f"*_{obs}_{row}.fits")
            with fits.open(path) as hdus:
                hdus.verify("exception")
                header = hdus[0].header
                np.testing.assert_array_equal(hdus[0].data, stamp_of(pixels, x, y))
                assert hdus[0].data.dtype.kind == "i"
            assert (header["X"], header["Y"], header["OBS"]) == (x, y, obs)
            assert (header["MJD-OBS"], header["FILTER"]) == (58362.25, "c")
            owner = path.name.split("_")[0]
            if word == "bad":
                assert header["OBJID"] == int(owner)
            else:
                assert owner == f"d{header['DETID']}"
                assert "OBJID" not in header


def test_stamps_are_read_by_the_reader_of_data_sets(night):
    night.cut()
    path = min((night.out / "bad").iterdir())
    stamp = open_stamp(path, StampForm(10))
    facts = facts_of_header(stamp.header)
    assert stamp.pixels.shape == (20, 20)
    assert facts["camera"] == "02a"
    assert facts["kind"] == "bogus"
    assert facts["signal_to_noise"] == pytest.approx(10.857, abs=1e-3)


def test_a_second_run_writes_nothing(night):
    night.cut()
    before = night.files(times=True)
    summary = night.cut()
    assert (summary.skipped, summary.jobs) == (6, 6)
    assert night.files(times=True) == before
    assert summary.seconds == {"cut": 0.0, "write": 0.0}


def test_processes_change_nothing(night):
    night.cut()
    alone = night.files()
    shutil.rmtree(night.out)
    summary = night.cut(processes=2)
    assert summary.stamps == {"good": 12, "bad": 12}
    marks = {name for name in alone if name.startswith(".")}
    assert night.files() == alone
    assert len(marks) == 6


@pytest.mark.parametrize("lost", ["good", ".cutouts/bad", "good.txt", "02a58362o0000c.txt"])
def test_what_is_deleted_is_made_again(night, lost):
    night.cut()
    before, times = night.files(), night.files(times=True)
    (gone, *_) = [name for name in before if lost in name and name != "good.txt"] or ["good.txt"]
    (night.out / gone).unlink()
    night.cut()
    assert night.files() == before
    obs = next((part for part in (OBS, "02a58362o0000c", "02a58362o0002c") if part in gone), "none")
    after = night.files(times=True)
    assert all(after[n] == t for n, t in times.items() if n != gone and obs not in n)


def test_an_empty_stamp_of_a_power_cut_is_made_again(night):
    night.cut()
    before = night.files()
    path = min((night.out / "good").iterdir())
    path.write_bytes(b"")
    night.cut()
    assert night.files() == before


def test_detections_that_change_in_the_database(night):
    import sqlalchemy as sa

    night.cut()
    before = night.files()
    with open_database(night.credentials) as database:
        d = database.table("atlas_detectionsddc")
        m = database.columns("atlas_metadataddc")
        first = database.rows(sa.select(m.id).where(m.obs == "02a58362o0000c"))[0][0]
        of_first = sa.and_(d.c.atlas_metadata_id == first, d.c.pkn == 999)
        with database.engine.begin() as connection:
            ids = [row[0] for row in connection.execute(sa.select(d.c.id).where(of_first))]
            connection.execute(d.delete().where(d.c.id == ids[0]))
    summary = night.cut()
    assert (summary.skipped, summary.stamps["good"]) == (5, 11)
    names = {path.name for path in (night.out / "good").glob("*02a58362o0000c*")}
    assert len(names) == 3
    with open_database(night.credentials) as database, database.engine.begin() as connection:
        connection.execute(d.delete().where(of_first))
    assert night.cut().listed["good.txt"] == 8
    assert not list(night.out.rglob("*good*02a58362o0000c*"))
    assert len(night.files()) < len(before)


def test_an_exposure_that_is_made_anew_is_cut_anew(night):
    night.cut()
    path = write_exposure(night.folder / "diff", "02a58362o0000c", pixels_of(50))
    os.utime(path, ns=(1, 1))
    summary = night.cut()
    assert (summary.jobs, summary.skipped) == (6, 4)
    stamp = next((night.out / "good").glob("*_02a58362o0000c_1.fits"))
    spot = night.places["good", "02a58362o0000c"][0]
    np.testing.assert_array_equal(fits.getdata(stamp), stamp_of(pixels_of(50), *spot))


def test_other_settings_need_another_folder(night):
    night.cut()
    with pytest.raises(SettingsError, match="choose another folder"):
        night.cut(form=CutForm(20))
    with pytest.raises(SettingsError, match="choose another folder"):
        night.cut(good_as_real=True)


def test_missing_exposures_are_listed(night):
    gone = night.folder / "diff/02a/58362/02a58362o0001c.diff.fz"
    kept = gone.rename(night.folder / "kept.fz")
    summary = night.cut()
    assert summary.missing == [OBS]
    assert summary.stamps == {"good": 8, "bad": 8}
    assert (night.out / "missing.txt").read_text() == f"{OBS} {gone}\n"
    kept.rename(gone)
    summary = night.cut()
    assert (summary.missing, summary.skipped) == ([], 4)
    assert summary.stamps == {"good": 12, "bad": 12}
    assert not (night.out / "missing.txt").exists()
    # once cut, an exposure may go back to its archive
    gone.unlink()
    assert night.cut().missing == []


def test_unreadable_exposures_are_told_and_the_others_cut(night):
    path = night.folder / "diff/02a/58362/02a58362o0001c.diff.fz"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    summary = night.cut()
    assert list(summary.unreadable) == [OBS]
    assert "cut off" in summary.unreadable[OBS]
    assert summary.stamps == {"good": 8, "bad": 8}
    path.write_bytes(data)
    assert night.cut().stamps == {"good": 12, "bad": 12}


def test_no_exposure_at_all(night):
    shutil.rmtree(night.folder / "diff")
    with pytest.raises(MissingDataError, match="none of 3 exposures can be used"):
        night.cut()
    assert len((night.out / "missing.txt").read_text().splitlines()) == 3
    assert not (night.out / "good.txt").exists()


def test_nights_without_exposures(night):
    summary = night.cut(nights=[NIGHT, NIGHT + 1])
    assert summary.empty_nights == [NIGHT + 1]
    with pytest.raises(MissingDataError, match=r"no exposure of camera 01a .* 58362"):
        night.cut(camera="01a")


def test_a_night_without_detections(tmp_path):
    credentials = Credentials(SQLITE, str(tmp_path / "survey.db"))
    rows = Rows()
    rows.exposure(OBS)
    with open_database(credentials, create=True) as database:
        rows.write(database)
    night = Night(tmp_path, credentials, {})
    summary = night.cut()
    assert (summary.exposures, summary.jobs, summary.listed) == (
        1,
        0,
        {"good.txt": 0, "bad.txt": 0},
    )
    assert not (night.out / "good.txt").exists()
    assert not (night.out / "good").exists()


def test_detections_outside_of_the_detector(tmp_path):
    credentials = Credentials(SQLITE, str(tmp_path / "survey.db"))
    rows = Rows()
    write_exposure(tmp_path / "diff", OBS, pixels_of(1))
    exposure = rows.exposure(OBS)
    for x, y in [(-500, 5), (10, 10), (5, 1e9), (WIDTH + 10, HEIGHT + 10)]:
        rows.asteroid(exposure, x, y)
    with open_database(credentials, create=True) as database:
        rows.write(database)
    night = Night(tmp_path, credentials, {})
    summary = night.cut()
    assert (summary.outside, summary.stamps["good"]) == (2, 2)
    assert (night.out / "good.txt").read_text() == f"d2_{OBS}_2.fits\nd4_{OBS}_4.fits\n"
    again = night.cut()
    assert (again.skipped, again.outside) == (1, 2)


def test_names_of_exposures_never_leave_the_folder(tmp_path):
    credentials = Credentials(SQLITE, str(tmp_path / "survey.db"))
    rows = Rows()
    evil = rows.exposure("02a/../../../evil")
    rows.asteroid(evil, 5.0, 5.0)
    with open_database(credentials, create=True) as database:
        rows.write(database)
    summary = Night(tmp_path, credentials, {}).cut()
    assert "cannot be that of a file" in summary.unreadable["02a/../../../evil"]
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize(("stamps", "kept"), [("real", "good"), ("bogus", "bad")])
def test_one_class_alone(night, stamps, kept):
    summary = night.cut(stamps=stamps)
    assert {word for word, count in summary.stamps.items() if count} == {kept}
    assert {path.name for path in night.out.glob("*.txt") if "02a" not in path.name} == {
        f"{kept}.txt"
    }


def test_progress_is_told(night):
    told = []
    night.cut(lambda outcome, done, total: told.append((outcome.stamps, done, total)))
    assert told == [(4, done, 6) for done in range(1, 7)]


@pytest.mark.parametrize(
    "wrong", [{"nights": []}, {"stamps": "both"}, {"camera": "../x"}, {"camera": "%"}]
)
def test_plans_that_are_refused(tmp_path, wrong):
    with pytest.raises(SettingsError):
        CutoutPlan(**{"nights": [1], "folder": tmp_path, **wrong})


def test_detections_of_the_good_list_are_grouped_by_object(tmp_path):
    credentials = Credentials(SQLITE, str(tmp_path / "survey.db"))
    rows = Rows()
    rows.add("atlas_diff_objects", id=77, detection_list_id=2)
    write_exposure(tmp_path / "diff", OBS, pixels_of(1))
    exposure = rows.exposure(OBS)
    rows.detection(exposure, 77, 50.0, 50.0, kind="nova", mag=None)
    with open_database(credentials, create=True) as database:
        rows.write(database)
    night = Night(tmp_path, credentials, {})
    night.cut(good_as_real=True, stamps="real")
    header = fits.getheader(night.out / "good" / f"77_{OBS}_1.fits")
    assert (header["OBJID"], header["KIND"]) == (77, "nova")
    assert "MAG" not in header
    assert queries.GOOD_LIST not in header.values()

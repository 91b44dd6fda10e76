"""Selections of psat-ml, on both kinds of database."""

from datetime import date

import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.hosts.realbogus import queries, queries_ps1
from benchmarker.hosts.realbogus.database import open_database
from benchmarker.hosts.realbogus.queries_ps1 import Ps1Selection
from tests.hosts.realbogus.survey import Rows

pytest.importorskip("sqlalchemy", reason="pip install 'benchmarker[database]'")


@pytest.fixture
def filled(credentials):
    """A database with what `rows` was given."""
    opened = []

    def fill(rows):
        context = open_database(credentials, create=True)
        opened.append(context)
        database = context.__enter__()
        rows.write(database)
        return database

    yield fill
    for context in opened:
        context.__exit__(None, None, None)


def found(database, kind, night=58362, camera="02a"):
    exposures = queries.exposures_of_night(database, night, camera)
    return {
        row.obs: detections["x"].tolist()
        for row, detections in queries.detections(database, exposures, kind)
    }


def test_exposures_by_night_and_camera(filled):
    rows = Rows()
    for obs, mjd in [
        ("02a58362o0002c", 58362.9),
        ("02a58362o0001o", 58362.1),
        ("02a58362o0000c", 58362.0),
        ("02a58363o0001c", 58363.0),
        ("02a58363o0002c", 58363.4),
        ("01a58362o0001c", 58362.5),
        ("a02a58362o001c", 58362.5),
    ]:
        rows.exposure(obs, mjd=mjd)
    database = filled(rows)
    given = queries.exposures_of_night(database, 58362, "02a")
    assert [(row.obs, row.filter) for row in given] == [
        ("02a58362o0001o", "o"),
        ("02a58362o0002c", "c"),
    ]
    assert given[1].mjd == 58362.9
    assert [r.obs for r in queries.exposures_of_night(database, 58363, "02a")] == ["02a58363o0002c"]
    assert queries.exposures_of_night(database, 1, "02a") == []


@pytest.mark.parametrize("camera", ["%", "__a", "02a' OR '1'='1", '02a"; DROP TABLE x; --', "\\"])
def test_a_camera_is_no_pattern_and_no_sql(filled, camera):
    rows = Rows()
    rows.exposure("02a58362o0001c")
    database = filled(rows)
    assert queries.exposures_of_night(database, 58362, camera) == []
    assert len(queries.exposures_of_night(database, 58362, "02a")) == 1


def test_asteroids(filled):
    rows = Rows()
    one = rows.exposure("02a58362o0001c")
    rows.asteroid(one, 1.0, 1.0)
    rows.asteroid(one, 2.0, 1.0, pkn=900)
    rows.asteroid(one, 3.0, 1.0, det=1)
    rows.asteroid(one, 4.0, 1.0, mag=0.0)
    rows.asteroid(one, 5.0, 1.0, mag=None)
    rows.asteroid(one, 6.0, 1.0, pkn=None)
    rows.asteroid(one, 7.0, 1.0, pkn=901)
    rows.asteroid(one, None, 1.0)
    rows.exposure("02a58362o0002c")
    database = filled(rows)
    assert found(database, queries.ASTEROIDS) == {
        "02a58362o0001c": [1.0, 7.0],
        "02a58362o0002c": [],
    }


def test_the_good_list(filled):
    rows = Rows()
    one = rows.exposure("02a58362o0001c")
    rows.add("atlas_diff_objects", id=11, detection_list_id=2)
    rows.add("atlas_diff_objects", id=12, detection_list_id=3)
    rows.detection(one, 11, 1.0, 1.0)
    rows.detection(one, 11, 2.0, 1.0, image_group_id=None)
    rows.detection(one, 12, 3.0, 1.0)
    rows.detection(one, 11, 4.0, 1.0, mag=None, dmag=None)
    database = filled(rows)
    assert found(database, queries.GOOD_LIST) == {"02a58362o0001c": [1.0, 4.0]}
    exposures = queries.exposures_of_night(database, 58362, "02a")
    ((_, detections),) = queries.detections(database, exposures, queries.GOOD_LIST)
    assert detections["object"].tolist() == [11, 11]
    assert np.isnan(detections["mag"][1])


def test_bogus(filled):
    rows = Rows()
    one = rows.exposure("02a58362o0001c")
    rows.bogus_object(1)
    rows.bogus_object(2, realbogus_factor=0.01)
    rows.bogus_object(3, realbogus_factor=None)
    rows.bogus_object(4, detection_list_id=4)
    rows.bogus_object(5)
    rows.tables["tcs_latest_object_stats"][-1]["external_crossmatches"] = "2018abc"
    rows.add("atlas_diff_objects", id=6, detection_list_id=0, realbogus_factor=0.0)
    rows.tables["atlas_diff_objects"][-1]["id"] = 6
    for owner in range(1, 7):
        rows.detection(one, owner, float(owner), 1.0)
    for place, wrong in enumerate(
        [{"pkn": 1}, {"det": 2}, {"mag": -1.0}, {"image_group_id": None}]
    ):
        rows.detection(one, 1, 10.0 + place, 1.0, **wrong)
    assert found(filled(rows), queries.BOGUS) == {"02a58362o0001c": [1.0]}


def test_a_detection_that_stands_there_twice_comes_once(filled):
    rows = Rows()
    one = rows.exposure("02a58362o0001c")
    for _ in range(2):
        rows.asteroid(one, 1.0, 1.0, dmag=None)
    rows.asteroid(one, 1.0, 1.5, dmag=None)
    assert found(filled(rows), queries.ASTEROIDS) == {"02a58362o0001c": [1.0, 1.0]}


def test_one_question_for_a_batch_of_exposures(filled, monkeypatch):
    rows = Rows()
    for number in range(40):
        exposure = rows.exposure(f"02a58362o{number:04d}c")
        rows.asteroid(exposure, float(number), 1.0)
    database = filled(rows)
    exposures = queries.exposures_of_night(database, 58362, "02a")
    asked = []
    usual = type(database).rows

    def count(self, *rest):
        asked.append(rest)
        return usual(self, *rest)

    monkeypatch.setattr(type(database), "rows", count)
    given = list(queries.detections(database, exposures, queries.ASTEROIDS))
    assert [d["x"].tolist() for _, d in given] == [[float(n)] for n in range(40)]
    assert len(asked) == 3  # 16, 16, 8


def test_kinds_are_told_where_the_database_knows_them(filled):
    rows = Rows()
    one = rows.exposure("02a58362o0001c")
    rows.asteroid(one, 1.0, 1.0, kind="trailed")
    rows.asteroid(one, 2.0, 1.0)
    database = filled(rows)
    exposures = queries.exposures_of_night(database, 58362, "02a")
    ((_, detections),) = queries.detections(database, exposures, queries.ASTEROIDS)
    assert detections["kind"].tolist() == ["trailed", ""]
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE atlas_detectionsddc DROP COLUMN kind")
    ((_, detections),) = queries.detections(database, exposures, queries.ASTEROIDS)
    assert detections["kind"].tolist() == ["", ""]


LATER = date(2019, 5, 1)


def ps1_object(rows, identifier, **values):
    given = {
        "detection_list_id": 2,
        "confidence_factor": 0.5,
        "followup_flag_date": LATER,
        "sherlockClassification": "SN",
        **values,
    }
    return rows.add("tcs_transient_objects", id=identifier, **given)


def ps1_image(rows, name, **values):
    given = {"image_type": "diff", "filter": "r.00000", "pss_error_code": 0, **values}
    rows.add("tcs_postage_stamp_images", image_filename=name, **given)


def test_good_objects_of_pan_starrs(filled):
    rows = Rows()
    mover = {"detection_list_id": 5, "observation_status": "mover"}
    comments = {
        1: "EPH: 2014 AB (1.23 arcsec)",
        2: "MPC: (7) Iris (5.99 arcsec)",
        3: "EPH: far (6.00 arcsec)",
        4: "EPH: far (15.00 arcsec)",
        5: "seen by EPH: (1.0 arcsec)",
        6: "EPH: without a distance",
    }
    for identifier, comment in comments.items():
        ps1_object(rows, identifier, **mover)
        rows.add("tcs_object_comments", transient_object_id=identifier, comment=comment)
    for identifier, wrong in [
        (7, {"confidence_factor": 0.05}),
        (8, {"confidence_factor": None}),
        (9, {"followup_flag_date": date(2010, 1, 1)}),
        (10, {"observation_status": "nova"}),
    ]:
        ps1_object(rows, identifier, **(mover | wrong))
        rows.add("tcs_object_comments", transient_object_id=identifier, comment=comments[1])
    ps1_object(rows, 11)
    ps1_object(rows, 12, followup_flag_date=None)
    ps1_object(rows, 13, detection_list_id=4)
    database = filled(rows)
    assert queries_ps1.good_objects(database, Ps1Selection("gpc1", good_list=5)) == [1, 2, 11]
    assert queries_ps1.good_objects(database, Ps1Selection("gpc1")) == [11]


def test_bad_objects_of_pan_starrs(filled):
    rows = Rows()
    bad = {"detection_list_id": 0, "confidence_factor": 0.1}
    for identifier, other in enumerate(
        [
            {},
            {"confidence_factor": 0.01},
            {"confidence_factor": 0.3},
            {"confidence_factor": 0.0099},
            {"sherlockClassification": None},
            {"followup_flag_date": date(2009, 1, 1)},
            {"detection_list_id": 4},
        ],
        start=1,
    ):
        ps1_object(rows, identifier, **(bad | other))
    rows.add("tcs_object_groups", transient_object_id=4, object_group_id=77)
    rows.add("tcs_object_groups", transient_object_id=1, object_group_id=77)
    rows.add("tcs_object_groups", transient_object_id=5, object_group_id=78)
    database = filled(rows)
    assert queries_ps1.bad_objects(database, Ps1Selection("gpc1")) == [1, 2]
    assert queries_ps1.bad_objects(database, Ps1Selection("gpc1", bad_group=77)) == [1, 2, 4]


def test_stamps_of_pan_starrs(filled):
    rows = Rows()
    ps1_image(rows, "12_58000.5_7_8_diff")
    ps1_image(rows, "12_58001.5_7_9_diff", filter="z.00000")
    ps1_image(rows, "123_58000.5_7_8_diff")
    ps1_image(rows, "12_58000.5_7_4300000000_diff")
    ps1_image(rows, "12_58000.5_7_10_target", image_type="target")
    ps1_image(rows, "12_58000.5_7_11_diff", pss_error_code=1)
    ps1_image(rows, "12_58000.5_7_12_diff", filter="r.00002")
    ps1_image(rows, "12_58000.5_7_13_diff", pss_error_code=None)
    database = filled(rows)
    given = list(queries_ps1.stamps_of_objects(database, [12], "gpc1"))
    assert given == ["12_58000.5_7_8_diff", "12_58001.5_7_9_diff"]
    assert list(queries_ps1.stamps_of_objects(database, [12], "gpc2")) == ["12_58000.5_7_12_diff"]
    assert list(queries_ps1.stamps_of_objects(database, [], "gpc1")) == []


def test_stamps_of_many_objects_are_asked_for_in_batches(filled):
    rows = Rows()
    objects = list(range(1, 451))
    for identifier in objects:
        ps1_image(rows, f"{identifier}_58000.5_7_8_diff")
    database = filled(rows)
    given = list(queries_ps1.stamps_of_objects(database, objects, "gpc1"))
    assert given == [f"{identifier}_58000.5_7_8_diff" for identifier in objects]


@pytest.mark.parametrize("wrong", [{"camera": "02a"}, {"camera": "gpc1", "lower": 0.3}])
def test_selections_that_cannot_be(wrong):
    with pytest.raises(SettingsError):
        Ps1Selection(**wrong)

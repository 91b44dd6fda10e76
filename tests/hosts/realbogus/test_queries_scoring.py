"""Candidates, their stamps and scores written back, on both kinds of database."""

import dataclasses
import math
from pathlib import Path

import pytest

from benchmarker.core.errors import MissingDataError, RunFailedError, SettingsError
from benchmarker.hosts.realbogus.database import open_database
from benchmarker.hosts.realbogus.queries_scoring import (
    candidate_stamps,
    unscored,
    write_scores,
)
from benchmarker.hosts.realbogus.schema import names_of
from tests.hosts.realbogus.survey import Rows

sa = pytest.importorskip("sqlalchemy", reason="pip install 'benchmarker[database]'")
OBJECTS = [(1, 4, None), (2, 4, 0.5), (3, 2, None), (4, 4, None)]


@pytest.fixture
def database(credentials):
    rows = Rows()
    for identifier, detection_list, score in OBJECTS:
        known = {"id": identifier, "detection_list_id": detection_list}
        rows.add("atlas_diff_objects", zooniverse_score=score, realbogus_factor=0.25, **known)
        images = {"tcs_images_id": 9 if identifier != 1 else None, "followup_id": identifier}
        rows.add("tcs_transient_objects", confidence_factor=score, **known, **images)
    with open_database(credentials, create=True) as opened:
        rows.write(opened)
        yield opened


def scores_in(database, column="zooniverse_score"):
    o = database.columns("atlas_diff_objects")
    return dict(map(tuple, database.rows(sa.select(o.id, o[column]).order_by(o.id))))


def test_candidates_without_a_score(database):
    assert unscored(database, "atlas", 4) == [1, 4]
    assert unscored(database, "atlas", 0) == []
    assert unscored(database, "ps1", 4) == [4]
    assert unscored(database, "ps1", 2) == [3]
    with pytest.raises(SettingsError, match="expected 0 to 8"):
        unscored(database, "atlas", 9)
    with pytest.raises(SettingsError, match="expected atlas or ps1"):
        unscored(database, "ztf", 4)


def test_stamps_of_candidates(credentials):
    rows = Rows()
    usual = {"image_type": "diff", "pss_error_code": 0, "mjd_obs": 58362.99}
    for name, exposure, band, other in [
        ("7_58362.9_02a58363o0001c_5_diff", "02a58363o0001c", "c", {}),
        ("7_58361.2_99_5_diff", "skycell.1234.056", "r.00000", {"mjd_obs": 58361.2}),
        ("7_58361.3_99_5_diff", None, "r.00002", {"mjd_obs": 58361.3}),
        ("7_58362.9_02a58363o0001c_4300000000_diff", "02a58363o0001c", "c", {}),
        ("7_58362.9_02a58363o0001c_5_ref", "02a58363o0001c", "c", {"image_type": "ref"}),
        ("7_58362.9_02a58363o0001c_6_diff", "02a58363o0001c", "c", {"mjd_obs": None}),
        ("7_58362.9_02a58363o0001c_8_diff", "02a58363o0001c", "c", {"pss_error_code": 4}),
        ("77_58362.9_04a58363o0001c_5_diff", "04a58363o0001c", "c", {}),
    ]:
        given = {"image_filename": name, "pss_filename": exposure, "filter": band}
        rows.add("tcs_postage_stamp_images", **given, **(usual | other))
    with open_database(credentials, create=True) as database:
        rows.write(database)
        found = list(candidate_stamps(database, [77, 7]))
    assert [(stamp.owner, stamp.night, stamp.camera) for stamp in found] == [
        (77, "58363", "04a"),
        (7, "58361", "gpc1"),
        (7, "58361", "gpc2"),
        (7, "58363", "02a"),
    ]
    assert found[3].path(Path("/db4/images"), "atlas4") == Path(
        "/db4/images/atlas4/58363/7_58362.9_02a58363o0001c_5_diff.fits"
    )


def test_scores_are_written_and_tried_without_writing(database):
    before = scores_in(database)
    assert write_scores(database, "atlas", {1: 0.9, 2: 0.1}, dry_run=True) == 2
    assert scores_in(database) == before
    assert write_scores(database, "atlas", {1: 0.9, 2: 0.1}) == 2
    assert scores_in(database) == before | {1: 0.9, 2: 0.1}
    # the same again changes no row, and that is no fault
    assert write_scores(database, "atlas", {1: 0.9, 2: 0.1}) == 2
    assert write_scores(database, "atlas", {}) == 0


def test_scores_go_to_the_column_of_the_configuration(credentials, database):
    other = names_of({"atlas_diff_objects.zooniverse_score": "realbogus_factor"}, "config")
    renamed = dataclasses.replace(database, names=other)
    write_scores(renamed, "atlas", {1: 0.75})
    assert scores_in(database) == {1: None, 2: 0.5, 3: None, 4: None}
    assert scores_in(database, "realbogus_factor")[1] == 0.75


@pytest.mark.parametrize("dry_run", [True, False])
def test_unknown_objects_stop_everything(database, dry_run):
    before = scores_in(database)
    with pytest.raises(MissingDataError, match="1 objects are not there: 99; nothing written"):
        write_scores(database, "atlas", {1: 0.9, 99: 0.1}, dry_run=dry_run)
    assert scores_in(database) == before


@pytest.mark.parametrize("score", [math.nan, -0.1, 1.1, math.inf])
def test_scores_that_are_none(database, score):
    with pytest.raises(SettingsError, match="expected 0 to 1"):
        write_scores(database, "atlas", {1: 0.5, 2: score})
    assert scores_in(database)[1] is None


def test_a_connection_lost_while_scores_are_written(mariadb, mariadb_credentials):
    rows = Rows()
    for identifier in range(1, 200):
        rows.add("atlas_diff_objects", id=identifier, detection_list_id=4)
    with open_database(mariadb_credentials, create=True) as opened:
        rows.write(opened)
        database = dataclasses.replace(opened, waits=(0.01, 0.01))
        killed = []

        def kill(connection, *_):
            own = connection.connection.dbapi_connection.thread_id()
            killed.append(own)
            if len(killed) <= fails:
                mariadb.sql([f"KILL {own}"])

        # after the rows are changed and before the transaction ends
        sa.event.listen(opened.engine, "commit", kill)
        fails = 1
        assert write_scores(database, "atlas", dict.fromkeys(range(1, 100), 0.5)) == 99
        assert len(killed) == 2
        fails = 99
        with pytest.raises(RunFailedError, match="connection lost"):
            write_scores(database, "atlas", dict.fromkeys(range(1, 200), 0.75))
        sa.event.remove(opened.engine, "commit", kill)
        found = scores_in(database)
    assert set(found.values()) == {0.5, None}
    assert sum(score == 0.5 for score in found.values()) == 99

import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.hosts.realbogus.credentials import Credentials, from_url
from benchmarker.hosts.realbogus.database import open_database
from benchmarker.hosts.realbogus.registering import NUMBERS, register, write_survey_config
from benchmarker.hosts.realbogus.survey_config import read_config

sa = pytest.importorskip("sqlalchemy", reason="pip install 'benchmarker[database]'")


def rows(*names):
    return {
        "atlas_metadataddc": [
            {"id": number, "obs": obs, "mjd": 58362.5} for number, obs in enumerate(names, 1)
        ],
        "atlas_diff_objects": [{"id": 1, "detection_list_id": 0}],
        "tcs_latest_object_stats": [{"id": 1, "external_crossmatches": None}],
        "atlas_detectionsddc": [
            {"id": 1, "atlas_metadata_id": 1, "atlas_object_id": 1, "image_group_id": 1, "x": 3.5},
            {
                "id": 2,
                "atlas_metadata_id": len(names),
                "atlas_object_id": None,
                "image_group_id": None,
                "x": 4.5,
            },
        ],
    }


@pytest.fixture
def database(credentials):
    with open_database(credentials, create=True) as opened:
        yield opened


def counts(database):
    return [
        database.rows(sa.select(sa.func.count()).select_from(database.table(table)))[0][0]
        for table in NUMBERS
    ]


def test_numbers_go_on_behind_those_that_are_there(database):
    assert register(database, rows("02a58362o0001c", "02a58362o0002c"))
    assert register(database, rows("02a58363o0001c", "02a58363o0002c"))
    assert counts(database) == [4, 2, 2, 4]
    d, m = database.table("atlas_detectionsddc").c, database.table("atlas_metadataddc").c
    question = sa.select(m.obs, d.id, d.atlas_object_id, d.image_group_id)
    found = database.rows(question.where(m.id == d.atlas_metadata_id).order_by(d.id))
    assert [tuple(row) for row in found] == [
        ("02a58362o0001c", 1, 1, 1),
        ("02a58362o0002c", 2, None, None),
        ("02a58363o0001c", 3, 2, 2),
        ("02a58363o0002c", 4, None, None),
    ]


def test_what_is_all_there_is_not_written_twice(database):
    assert register(database, rows("02a58362o0001c"))
    assert not register(database, rows("02a58362o0001c"))
    assert counts(database) == [1, 1, 1, 2]


def test_half_of_a_night_that_is_there_is_refused_and_nothing_is_written(database):
    register(database, rows("02a58362o0001c"))
    with pytest.raises(SettingsError, match="1 of 2 exposures"):
        register(database, rows("02a58362o0001c", "02a58362o0002c"))
    assert counts(database) == [1, 1, 1, 2]


def test_the_configuration_of_a_file_beside_it_may_be_moved(tmp_path):
    folder = tmp_path / "a night"
    credentials = Credentials("sqlite", str(folder / "survey 1.db"))
    write_survey_config(folder / "config.yaml", credentials, "diff")
    moved = folder.rename(tmp_path / "moved")
    config = read_config(moved / "config.yaml")
    assert config.credentials.database == str(moved / "survey 1.db")
    assert config.exposures.folder == moved / "diff"


def test_the_configuration_of_a_file_elsewhere_names_it_whole(tmp_path):
    credentials = Credentials("sqlite", str(tmp_path / "other" / "survey.db"))
    path = write_survey_config(tmp_path / "night" / "config.yaml", credentials, "diff")
    assert read_config(path).credentials.database == str(tmp_path / "other" / "survey.db")


def test_the_configuration_of_a_server_holds_no_password(tmp_path):
    credentials = from_url("mysql://reader:verysecret@host:3310/atlas")
    path = write_survey_config(tmp_path / "config.yaml", credentials, "diff")
    assert "verysecret" not in path.read_text(encoding="utf-8")
    found = read_config(path).credentials
    assert (found.username, found.hostname, found.port) == ("reader", "host", 3310)

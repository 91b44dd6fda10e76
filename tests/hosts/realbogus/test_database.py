"""Databases of both kinds: opened, checked, lost and found again."""

import dataclasses
import threading
import time
import warnings

import pytest

from benchmarker.core import extras
from benchmarker.core.errors import (
    InputFileError,
    MissingDataError,
    RunFailedError,
    SettingsError,
)
from benchmarker.hosts.realbogus import database as module
from benchmarker.hosts.realbogus.credentials import SQLITE, Credentials
from benchmarker.hosts.realbogus.database import create_schema, open_database
from benchmarker.hosts.realbogus.schema import COLUMNS, Names, names_of
from tests.hosts.realbogus.survey import Rows

sa = pytest.importorskip("sqlalchemy", reason="pip install 'benchmarker[database]'")


def make(credentials, names=None):
    rows = Rows()
    rows.exposure("02a58362o0001c")
    with open_database(credentials, names or Names(), create=True) as database:
        rows.write(database)


def reach(credentials):
    with open_database(credentials) as database:
        database.check(["atlas_metadataddc"])


def names_in(database):
    m = database.columns("atlas_metadataddc")
    return [row[0] for row in database.rows(sa.select(m.obs).order_by(m.obs))]


def test_schema_is_made_once_and_holds_every_column(credentials):
    make(credentials)
    with open_database(credentials) as database:
        create_schema(database.engine)
        database.check(COLUMNS)
        assert names_in(database) == ["02a58362o0001c"]
        assert database.has("atlas_detectionsddc", "kind")


def test_an_exposure_stands_there_once(credentials):
    make(credentials)
    again = Rows()
    again.exposure("02a58362o0001c", id=7)
    with open_database(credentials) as database, pytest.raises(sa.exc.IntegrityError):
        again.write(database)


def test_names_of_tables_and_columns_are_configuration(credentials):
    other = {
        "atlas_metadataddc": "select",
        "atlas_metadataddc.obs": "order",
        "atlas_diff_objects.zooniverse_score": "vra_score",
    }
    names = names_of(other, "config")
    make(credentials, names)
    with open_database(credentials, names) as database:
        assert names_in(database) == ["02a58362o0001c"]
        with database.engine.connect() as connection:
            inspector = sa.inspect(connection)
            columns = {c["name"] for c in inspector.get_columns("atlas_diff_objects")}
            assert "vra_score" in columns
            assert "zooniverse_score" not in columns
            assert inspector.has_table("select")


@pytest.mark.parametrize(
    "name", ["a; DROP TABLE x", "a`b", 'a"b', "a b", "", "a--", "x" * 65, "1a", None, 5]
)
def test_sql_in_names_is_refused(name):
    with pytest.raises(InputFileError, match="expected a name of letters"):
        names_of({"atlas_metadataddc.obs": name}, "config")


def test_names_of_nothing_are_refused_with_near_ones():
    with pytest.raises(InputFileError, match=r"did you mean atlas_metadataddc\.obs"):
        names_of({"atlas_metadatadc.obs": "obs"}, "config")


def test_missing_tables_and_columns_are_told_at_once(credentials):
    make(credentials)
    other = {"atlas_diff_objects.realbogus_factor": "realbogus_facto", "tcs_object_groups": "nix"}
    names = names_of(other, "config")
    with open_database(credentials, names) as database, pytest.raises(SettingsError) as caught:
        database.check(["atlas_diff_objects", "tcs_object_groups"])
    told = str(caught.value)
    assert "2 faults" in told
    assert "did you mean realbogus_factor" in told
    assert "no table 'nix'" in told


def test_values_are_parameters(credentials):
    make(credentials)
    with open_database(credentials) as database:
        m = database.columns("atlas_metadataddc")
        evil = "' OR 1=1; DROP TABLE atlas_metadataddc; --"
        assert database.rows(sa.select(m.id).where(m.obs == evil)) == []
        assert names_in(database)


def test_a_transaction_is_whole_or_nothing(credentials):
    make(credentials)
    with open_database(credentials) as database:
        table = database.table("atlas_metadataddc")

        def fail(connection):
            connection.execute(table.update().values({table.c.obs: "changed"}))
            raise KeyError

        with pytest.raises(KeyError):
            database.attempt(fail, write=True)
        assert names_in(database) == ["02a58362o0001c"]


def test_no_file_no_database(tmp_path):
    path = tmp_path / "absent.db"
    with pytest.raises(MissingDataError, match=r"absent\.db"):
        reach(Credentials(SQLITE, str(path)))
    assert not path.exists()


def test_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "text.db"
    path.write_text("nothing of the kind, and long enough to be looked at " * 10)
    with pytest.raises(SettingsError, match="not a database"):
        reach(Credentials(SQLITE, str(path)))


def test_another_writer_of_the_file_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LOCKED_SECONDS", 0.05)
    credentials = Credentials(SQLITE, str(tmp_path / "s.db"))
    make(credentials)
    with open_database(credentials) as one, open_database(credentials) as other:
        database = dataclasses.replace(one, waits=(0.1,) * 30)
        begun = threading.Event()

        def hold():
            with other.engine.connect() as connection:
                connection.exec_driver_sql("BEGIN EXCLUSIVE")
                begun.set()
                time.sleep(0.4)
                connection.rollback()

        thread = threading.Thread(target=hold)
        thread.start()
        begun.wait(10)
        assert names_in(database) == ["02a58362o0001c"]
        thread.join()


def test_libraries_that_are_not_there(monkeypatch, tmp_path):
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=r"pip install 'benchmarker\[database\]'"):
        reach(Credentials(SQLITE, str(tmp_path / "s.db")))
    with pytest.raises(SettingsError, match="pip install SQLAlchemy PyMySQL"):
        reach(Credentials("mysql", "atlas4", hostname="h"))


def test_wrong_password_and_wrong_name(mariadb_credentials):
    secret = "wr0ng-and-secret"  # noqa: S105
    wrong = dataclasses.replace(mariadb_credentials, password=secret)
    with pytest.raises(SettingsError, match="refuses this user or password") as caught:
        reach(wrong)
    assert secret not in str(caught.value)
    other = dataclasses.replace(mariadb_credentials, database="atlas_none")
    with pytest.raises(MissingDataError, match="no database of this name"):
        reach(other)
    with pytest.raises(SettingsError, match="refuses"):
        reach(dataclasses.replace(mariadb_credentials, database="mysql"))


def test_no_server_is_told_at_once(mariadb_credentials):
    away = dataclasses.replace(mariadb_credentials, port=1)
    with pytest.raises(MissingDataError, match="no answer from the server"):
        reach(away)


def test_a_killed_server_is_waited_for(mariadb, mariadb_credentials):
    make(mariadb_credentials)
    with open_database(mariadb_credentials) as database:
        assert names_in(database)
        mariadb.stop(kill=True)
        try:
            hasty = dataclasses.replace(database, waits=(0.01, 0.01))
            with pytest.raises(RunFailedError, match="run the same command again"):
                names_in(hasty)
            timer = threading.Timer(0.5, mariadb.start)
            timer.start()
            patient = dataclasses.replace(database, waits=(0.2,) * 200)
            assert names_in(patient) == ["02a58362o0001c"]
            timer.join()
        finally:
            if mariadb.process is None:
                mariadb.start()


def test_a_connection_that_is_killed_within_a_question(mariadb, mariadb_credentials):
    make(mariadb_credentials)
    with warnings.catch_warnings(), open_database(mariadb_credentials) as database:
        calls = []

        def ask(connection):
            calls.append(connection.execute(sa.text("SELECT CONNECTION_ID()")).scalar())
            if len(calls) == 1:
                mariadb.sql([f"KILL {calls[0]}"])
            return connection.execute(sa.text("SELECT 42")).scalar()

        quick = dataclasses.replace(database, waits=(0.05, 0.05))
        assert quick.attempt(ask, write=False) == 42
        assert len(calls) == 2
        assert calls[0] != calls[1]


def test_nothing_shows_the_password(mariadb_credentials, caplog):
    caplog.set_level("DEBUG")
    with open_database(mariadb_credentials) as database:
        create_schema(database.engine)
        database.check(COLUMNS)
        shown = f"{database!r} {database.engine} {database.place}"
    assert mariadb_credentials.password not in shown + caplog.text

"""The same tests on SQLite and on a MariaDB server."""

import tempfile
from pathlib import Path

import pytest

from benchmarker.hosts.realbogus.credentials import SQLITE, Credentials
from tests.hosts.realbogus import servers
from tests.hosts.realbogus.survey import Night, small_survey


@pytest.fixture(scope="session")
def mariadb():
    """A MariaDB server; the test skips where there is none."""
    servers.require_mariadb()
    # the path of a socket has at most 107 characters
    with tempfile.TemporaryDirectory(prefix="db-") as folder:
        server = servers.new_server(Path(folder))
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def mariadb_credentials(mariadb):
    """A fresh database on the server."""
    mariadb.sql(
        [
            f"DROP DATABASE IF EXISTS {servers.DATABASE}",
            f"CREATE DATABASE {servers.DATABASE} CHARACTER SET utf8mb4",
        ]
    )
    return Credentials(
        "mysql",
        servers.DATABASE,
        username=servers.USER,
        password=servers.PASSWORD,
        hostname="127.0.0.1",
        port=mariadb.port,
    )


@pytest.fixture(params=["sqlite", "mariadb"])
def credentials(request, tmp_path):
    """An empty database of either kind."""
    pytest.importorskip("sqlalchemy", reason="pip install 'benchmarker[database]'")
    if request.param == "sqlite":
        return Credentials(SQLITE, str(tmp_path / "survey.db"))
    return request.getfixturevalue("mariadb_credentials")


@pytest.fixture
def night(tmp_path):
    """A survey of one night in SQLite."""
    pytest.importorskip("sqlalchemy", reason="pip install 'benchmarker[database]'")
    credentials = Credentials(SQLITE, str(tmp_path / "survey.db"))
    places = small_survey(credentials, tmp_path)
    return Night(tmp_path, credentials, places)

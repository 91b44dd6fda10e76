"""A survey's database: opened, checked, asked again when its connection is lost.

SQLite lies in a file and needs no server; MySQL and MariaDB are reached through PyMySQL. Both
are spoken to by SQLAlchemy, with values as parameters of the statements.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from benchmarker.core.errors import (
    BenchmarkerError,
    MissingDataError,
    Problems,
    RunFailedError,
    SettingsError,
    suggest,
)
from benchmarker.core.extras import require
from benchmarker.hosts.realbogus.credentials import SQLITE, Credentials
from benchmarker.hosts.realbogus.schema import COLUMNS, OPTIONAL, Columns, Names

if TYPE_CHECKING:
    import sqlalchemy as sa

CONNECT_SECONDS = 10
LOCKED_SECONDS = 30  # SQLite waits so long for another writer
WAITS = (0.2, 1.0, 3.0, 10.0)  # seconds before each new attempt
# server gone, lost during a query, cannot connect, socket, shutting down, connection killed
LOST = {2006, 2013, 2003, 2002, 1053, 1927}
REFUSED = {1045, 1044, 1698, 1142}  # user, database, socket user, command of the user
NO_DATABASE = 1049
DEFAULT_NAMES = Names()
Result = TypeVar("Result")


@dataclass(frozen=True)
class Database:
    """An open database of a survey.

    Arguments
    ---------
    engine : of SQLAlchemy; makes a connection when one is needed
    names : what tables and columns are called there
    place : for messages, without a password
    name : of the database alone
    """

    engine: sa.Engine
    names: Names
    place: str
    name: str
    waits: Sequence[float] = WAITS

    def table(self, name: str) -> sa.Table:
        """A table by its name in psat-ml."""
        return self.names.tables[name]

    def columns(self, table: str) -> Columns:
        """The columns of a table, by the names of both in psat-ml."""
        return self.names.columns(table)

    def rows(self, statement: sa.Select, values: Mapping[str, Any] | None = None) -> list[sa.Row]:
        """All rows of a question; asked again where the connection was lost.

        Raises `RunFailedError` when the database stays away.
        """

        def ask(connection: sa.Connection) -> list[sa.Row]:
            return list(connection.execute(statement, dict(values or {})).all())

        return self.attempt(ask, write=False)

    def attempt(self, work: Callable[[sa.Connection], Result], *, write: bool) -> Result:
        """What `work` returns, done in one transaction: wholly or not at all.

        Where the connection is lost all of it is done again, so `work` must bear that.
        """
        waits = iter(self.waits)
        while True:
            try:
                with self.engine.begin() if write else self.engine.connect() as connection:
                    return work(connection)
            except _errors() as error:
                if not _is_lost(error):
                    raise _told(error, self.place) from None
                wait = next(waits, None)
                if wait is None:
                    raise _lost(self.place, len(self.waits) + 1, error) from None
            time.sleep(wait)

    def has(self, table: str, column: str) -> bool:
        """Whether an optional column is there."""
        return self.names.column(table, column) in self._found(table)

    def check(self, tables: Iterable[str]) -> None:
        """Raise `SettingsError` with every table and column of these that is not there."""
        problems = Problems(self.place, SettingsError)
        for table in tables:
            found = self._found(table)
            if not found:
                problems.add(f"no table {self.names.table(table)!r}{self._called(table)}")
                continue
            for column in COLUMNS[table]:
                name = self.names.column(table, column)
                if name not in found and (table, column) not in OPTIONAL:
                    near = suggest(name, found)
                    text = f"table {self.names.table(table)!r} has no column {name!r}{near}"
                    problems.add(text + self._called(f"{table}.{column}"))
        problems.raise_if_any()

    def _called(self, name: str) -> str:
        return f"; it is set by 'names' of the configuration, key {name}"

    def _found(self, table: str) -> set[str]:
        import sqlalchemy as sa

        def look(connection: sa.Connection) -> set[str]:
            inspector = sa.inspect(connection)
            name = self.names.table(table)
            if not inspector.has_table(name):
                return set()
            return {str(column["name"]) for column in inspector.get_columns(name)}

        return self.attempt(look, write=False)

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


@contextmanager
def open_database(
    credentials: Credentials, names: Names = DEFAULT_NAMES, *, create: bool = False
) -> Iterator[Database]:
    """The database of the credentials, reached once to see that it is there.

    With `create` a SQLite file that is not there is made. Raises `MissingDataError` where there
    is no database or no server, `SettingsError` for a wrong user or password, or where
    SQLAlchemy is not installed.
    """
    engine = make_engine(credentials, create=create)
    database = Database(engine, names, credentials.place, credentials.name)
    try:
        _reach(database)
        yield database
    finally:
        database.close()


def _reach(database: Database) -> None:
    """One connection without further attempts: a wrong address is told at once."""
    import sqlalchemy as sa

    try:
        with database.engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
    except _errors() as error:
        raise _told(error, database.place) from None


def make_engine(credentials: Credentials, *, create: bool = False) -> sa.Engine:
    """An engine of SQLAlchemy that shows neither passwords nor values."""
    if credentials.kind == SQLITE:
        require("A survey's database", "database", "sqlalchemy")
        return _sqlite(credentials, create=create)
    require("A survey's database on a server", "database", "sqlalchemy", "pymysql")
    import sqlalchemy as sa

    url = sa.URL.create(
        "mysql+pymysql",
        username=credentials.username or None,
        password=credentials.password or None,
        host=credentials.hostname or None,
        port=credentials.port,
        database=credentials.database,
        query={"charset": "utf8mb4"},
    )
    more = {"unix_socket": credentials.socket} if credentials.socket else {}
    settings = {"connect_timeout": CONNECT_SECONDS, **more}
    return sa.create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=settings)


def _sqlite(credentials: Credentials, *, create: bool) -> sa.Engine:
    import sqlalchemy as sa

    path = Path(credentials.database)
    if not credentials.database:
        pool = {"poolclass": sa.pool.StaticPool}  # else each connection has a memory of its own
        return sa.create_engine("sqlite://", hide_parameters=True, **pool)
    if not create and not path.is_file():
        message = f"no database file {path}"
        raise MissingDataError(message)
    url = sa.URL.create("sqlite", database=str(path))
    return sa.create_engine(url, hide_parameters=True, connect_args={"timeout": LOCKED_SECONDS})


def create_schema(engine: sa.Engine, names: Names = DEFAULT_NAMES) -> None:
    """Make every table that is not there yet; those that are there stay as they are."""
    next(iter(names.tables.values())).metadata.create_all(engine)


def _errors() -> tuple[type[Exception], ...]:
    import sqlalchemy.exc

    return (sqlalchemy.exc.DBAPIError,)


def _code(error: Exception) -> int | None:
    """Number of an error of MySQL; None for others."""
    values = getattr(getattr(error, "orig", None), "args", ())
    return values[0] if values and isinstance(values[0], int) else None


def _text(error: Exception) -> str:
    """What the database says, without the statement and its values."""
    values = getattr(getattr(error, "orig", None), "args", ())
    return str(values[-1]) if values else type(error).__name__


def _is_lost(error: Exception) -> bool:
    return bool(
        getattr(error, "connection_invalidated", False)
        or _code(error) in LOST
        or "database is locked" in _text(error)
    )


def _lost(place: str, attempts: int, error: Exception) -> RunFailedError:
    message = (
        f"{place}: connection lost, and not back after {attempts} attempts ({_text(error)}); "
        "what was written until now is whole: run the same command again to go on"
    )
    return RunFailedError(message)


def _told(error: Exception, place: str) -> BenchmarkerError:
    """The error that tells the user what to do about it."""
    code = _code(error)
    if code in REFUSED:
        message = (
            f"{place}: the server refuses this user or password "
            "(the file of --config, or BENCHMARKER_DATABASE_PASSWORD)"
        )
        return SettingsError(message)
    if code == NO_DATABASE:
        return MissingDataError(f"{place}: the server has no database of this name")
    if code in LOST:
        return MissingDataError(f"{place}: no answer from the server: {_text(error)}")
    return SettingsError(f"{place}: the database refuses a question: {_text(error)}")

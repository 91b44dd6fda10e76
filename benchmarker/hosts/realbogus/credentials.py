"""Where a survey's database is and who reads it: the YAML form of psat-ml, or an address.

The password stands in one object that never shows it. It may come from the environment instead
of the file, and no message, record or log of this package holds it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from benchmarker.core.errors import InputFileError, Problems, SettingsError, suggest

PASSWORD_VARIABLE = "BENCHMARKER_DATABASE_PASSWORD"  # noqa: S105 (the name, not a password)
LOCAL = "local"  # the entry that psat-ml reads
MYSQL_PORT = 3306
MYSQL = ("mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql")
SQLITE = "sqlite"
KEYS = {"username", "password", "hostname", "database", "port", "url", "socket"}
NEEDED = ("username", "hostname", "database")


@dataclass(frozen=True)
class Credentials:
    """One database, of a server or in a file.

    Arguments
    ---------
    kind : ``mysql`` (MySQL and MariaDB) or ``sqlite``
    database : name on the server; the path of the file for SQLite, empty for one in memory
    username, password, hostname, port, socket : of a server
    """

    kind: str
    database: str
    username: str = ""
    password: str = field(default="", repr=False)
    hostname: str = ""
    port: int = MYSQL_PORT
    socket: str = ""

    @property
    def place(self) -> str:
        """The database for messages and records, without the password."""
        if self.kind == SQLITE:
            return f"SQLite file {self.database or '(in memory)'}"
        where = self.socket or f"{self.hostname}:{self.port}"
        return f"database {self.database} of user {self.username} on {where}"

    @property
    def name(self) -> str:
        """Name of the database alone; of a file its name without the suffix."""
        return Path(self.database).stem if self.kind == SQLITE else self.database


def from_url(url: str, folder: Path | None = None) -> Credentials:
    """Credentials of ``sqlite:///file``, ``mysql://user:password@host:port/name`` or ``mariadb://``.

    A relative file lies in `folder`, where given. Without a password in the address that of the
    environment is taken. Raises `SettingsError` without showing the address, which may hold one.
    """
    parts = _split(url)
    if parts.scheme == SQLITE:
        return Credentials(SQLITE, _file(parts, folder))
    if parts.scheme not in MYSQL:
        # only the word before "://" is shown: a password may stand anywhere behind it
        message = (
            f"a database address begins with {parts.scheme!r}, "
            f"expected sqlite, mysql or mariadb, as in sqlite:///survey.db"
        )
        raise SettingsError(message)
    database = unquote(parts.path.lstrip("/"))
    if not parts.hostname or not database:
        message = "a database address has no server or no name, expected mysql://USER@HOST/NAME"
        raise SettingsError(message)
    return _with_environment(
        Credentials(
            "mysql",
            database,
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            hostname=parts.hostname,
            port=parts.port or MYSQL_PORT,
        )
    )


def _split(url: str) -> Any:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (read here because it is checked when it is read)
    except ValueError:
        message = "a database address cannot be read, expected mysql://USER@HOST:PORT/NAME"
        raise SettingsError(message) from None
    if not parts.scheme:
        message = "a database address has no kind, expected one as sqlite:///survey.db"
        raise SettingsError(message)
    return parts


def _file(parts: Any, folder: Path | None) -> str:
    if parts.netloc:
        message = (
            f"sqlite://{parts.netloc}... has two slashes, expected three for a path from here "
            "(sqlite:///survey.db) or four for one from the root"
        )
        raise SettingsError(message)
    name = unquote(parts.path.removeprefix("/"))
    if not name or name == ":memory:":
        return ""
    return str(folder / name) if folder is not None else name


def from_entry(entry: Mapping[str, Any], where: str, folder: Path) -> Credentials:
    """Credentials of one entry of ``databases``; raises `InputFileError` with all its faults."""
    problems = Problems(where)
    for key in sorted(map(str, entry.keys() - KEYS)):
        problems.add(f"unknown key {key!r}{suggest(key, KEYS)}")
    if "url" in entry:
        if len(entry.keys() & KEYS) > 1:
            problems.add("'url' stands beside other keys, expected it alone")
        problems.raise_if_any()
        return from_url(str(entry["url"]), folder)
    for key in NEEDED:
        if key not in entry or entry[key] in (None, ""):
            problems.add(f"key {key!r} is missing, expected {', '.join(NEEDED)} or 'url'")
    port = entry.get("port", MYSQL_PORT)
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 2**16:
        problems.add(f"port is {port!r}, expected a number from 1 to 65535")
    problems.raise_if_any()
    words = {key: str(entry[key]) for key in NEEDED}
    words |= {key: str(entry[key]) for key in ("password", "socket") if entry.get(key) is not None}
    return _with_environment(Credentials("mysql", port=port, **words))


def _with_environment(credentials: Credentials) -> Credentials:
    if credentials.password:
        return credentials
    return replace(credentials, password=os.environ.get(PASSWORD_VARIABLE, ""))


def read_yaml(path: str | Path) -> dict[str, Any]:
    """A YAML file of keys, read by the safe loader.

    Raises `InputFileError` with the line of a fault but without its text, which may be secret.
    """
    import yaml

    path = Path(path)
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read as YAML: {getattr(error, 'strerror', None) or error}"
        raise InputFileError(message) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark is not None else ""
        message = f"{path}: is no YAML{line}, expected 'databases:' as in docs/psat-ml.md"
        raise InputFileError(message) from None
    if not isinstance(value, dict):
        message = f"{path}: holds no keys, expected 'databases:' as in docs/psat-ml.md"
        raise InputFileError(message)
    return value


def from_config(config: Mapping[str, Any], path: Path) -> Credentials:
    """Credentials of a configuration: the entry ``local`` of ``databases``, or its only one."""
    entries = config.get("databases")
    if not isinstance(entries, dict) or not entries:
        message = f"{path}: no 'databases', expected them as in docs/psat-ml.md"
        raise InputFileError(message)
    name = LOCAL if LOCAL in entries or len(entries) > 1 else next(iter(entries))
    entry = entries.get(name)
    if not isinstance(entry, dict):
        known = ", ".join(map(str, entries))
        message = f"{path}: no keys for the database {name!r}; databases there: {known}"
        raise InputFileError(message)
    return from_entry(entry, f"{path}, databases.{name}", path.parent)

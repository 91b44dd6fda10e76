"""Exposures and detections put into a survey's database, and a configuration to find them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from benchmarker.core.errors import SettingsError
from benchmarker.core.files import write_text
from benchmarker.hosts.realbogus.credentials import LOCAL, SQLITE, Credentials
from benchmarker.hosts.realbogus.database import Database, create_schema
from benchmarker.hosts.realbogus.survey_config import OWN

if TYPE_CHECKING:
    import sqlalchemy as sa

EXPOSURES = "atlas_metadataddc"
# table -> column -> table whose numbers it holds
NUMBERS = {
    EXPOSURES: {"id": EXPOSURES},
    "atlas_diff_objects": {"id": "atlas_diff_objects"},
    "tcs_latest_object_stats": {"id": "atlas_diff_objects"},
    "atlas_detectionsddc": {
        "id": "atlas_detectionsddc",
        "atlas_metadata_id": EXPOSURES,
        "atlas_object_id": "atlas_diff_objects",
        "image_group_id": "atlas_diff_objects",
    },
}
AT_ONCE = 5000  # rows in one statement
Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def register(database: Database, rows: Rows) -> bool:
    """Write rows of a simulated survey in one transaction; tables are made where there are none.

    Numbers of the rows begin at 1 and go on behind those that the database holds. Returns
    whether anything was written: what is all there already stays as it is. Raises
    `SettingsError` where only some of the exposures are there.
    """
    create_schema(database.engine, database.names)
    database.check(NUMBERS)

    def write(connection: sa.Connection) -> bool:
        if _are_there(database, connection, [row["obs"] for row in rows[EXPOSURES]]):
            return False
        first = {table: _most(database, connection, table) for table in NUMBERS}
        for table, numbers in NUMBERS.items():
            shifts = {column: first[other] for column, other in numbers.items()}
            values = [_shifted(row, shifts) for row in rows[table]]
            for start in range(0, len(values), AT_ONCE):
                connection.execute(database.table(table).insert(), values[start : start + AT_ONCE])
        return True

    return database.attempt(write, write=True)


def _are_there(database: Database, connection: sa.Connection, names: list[str]) -> bool:
    """Whether all exposures are registered; none may be where not all are."""
    import sqlalchemy as sa

    obs = database.table(EXPOSURES).c.obs
    found = 0
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        question = sa.select(sa.func.count()).where(obs.in_(some))
        found += int(connection.execute(question).scalar_one())
    if 0 < found < len(names):
        message = (
            f"{database.place}: {found} of {len(names)} exposures of these names are there "
            "already, expected none: choose another first night, camera or database"
        )
        raise SettingsError(message)
    return found == len(names)


def _most(database: Database, connection: sa.Connection, table: str) -> int:
    import sqlalchemy as sa

    return int(connection.execute(sa.select(sa.func.max(database.table(table).c.id))).scalar() or 0)


def _shifted(row: Mapping[str, Any], shifts: Mapping[str, int]) -> dict[str, Any]:
    moved = {name: row[name] + by for name, by in shifts.items() if row.get(name) is not None}
    return {**row, **moved}


def write_survey_config(path: str | Path, credentials: Credentials, exposures: str) -> Path:
    """Write a configuration in the form of psat-ml, without the password.

    `exposures` is the folder of the exposures, from that of the file.
    """
    import yaml

    path = Path(path)
    value = {
        "databases": {LOCAL: _entry(credentials, path.parent)},
        OWN: {"exposures": {"folder": exposures}},
    }
    return write_text(path, yaml.safe_dump(value, sort_keys=False))


def _entry(credentials: Credentials, folder: Path) -> dict[str, Any]:
    if credentials.kind == SQLITE:
        place, folder = Path(credentials.database).resolve(), folder.resolve()
        # beside the file, so that the folder can be moved; else where it is
        shown = place.relative_to(folder) if place.is_relative_to(folder) else place
        return {"url": f"sqlite:///{quote(str(shown))}"}
    entry: dict[str, Any] = {
        "username": credentials.username,
        "hostname": credentials.hostname,
        "database": credentials.database,
        "port": credentials.port,
    }
    return entry | ({"socket": credentials.socket} if credentials.socket else {})

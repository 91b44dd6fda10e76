"""Tables of the ATLAS and Pan-STARRS databases, as far as they are read here.

Every table and column has the name of psat-ml in this package; what it is called in a database
is configuration. Names reach the database as quoted identifiers, values as parameters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from benchmarker.core.errors import Problems, suggest

if TYPE_CHECKING:
    import sqlalchemy as sa

# what a database of the surveys calls things; anything else in a name is refused
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,63}")
SITE_SCORES = ("pvr", "ptr", "pmv", "pkn", "pno", "pbn", "pcr", "pxt", "psc")

# table -> column -> type: key, id (of another table), integer, number, date, flag or text length
COLUMNS: dict[str, dict[str, Any]] = {
    "atlas_metadataddc": {
        "id": "key",
        "obs": 60,
        **dict.fromkeys(("mjd", "fwmaj", "fwmin", "mag5sig"), "number"),
        "filt": 10,
        "nx": "integer",
        "ny": "integer",
    },
    "atlas_detectionsddc": {
        "id": "key",
        "atlas_metadata_id": "id",
        "atlas_object_id": "id",
        "det_id": "integer",
        **dict.fromkeys(
            ("x", "y", "ra", "dec", "mag", "dmag", "major", "minor", "phi", "chin"), "number"
        ),
        **dict.fromkeys(("det", *SITE_SCORES, "dup"), "integer"),
        "image_group_id": "id",
        # not of the surveys: what a simulation or a person says it is
        "kind": 40,
    },
    "atlas_diff_objects": {
        "id": "key",
        "detection_list_id": "integer",
        "realbogus_factor": "number",
        "zooniverse_score": "number",
        "followup_flag_date": "date",
        "followup_id": "integer",
        "sherlockClassification": 40,
    },
    "tcs_latest_object_stats": {"id": "key", "external_crossmatches": 330},
    "tcs_transient_objects": {
        "id": "key",
        "detection_list_id": "integer",
        "observation_status": 40,
        "confidence_factor": "number",
        "sherlockClassification": 40,
        "followup_flag_date": "date",
        "followup_id": "integer",
        "tcs_images_id": "id",
        "tcs_cmf_metadata_id": "id",
        "ipp_idet": "integer",
    },
    "tcs_object_comments": {"id": "key", "transient_object_id": "id", "comment": 768},
    "tcs_object_groups": {"id": "key", "transient_object_id": "id", "object_group_id": "integer"},
    "tcs_postage_stamp_images": {
        "id": "key",
        "image_filename": 255,
        "image_type": 20,
        "filter": 20,
        "pss_filename": 255,
        "pss_error_code": "integer",
        "mjd_obs": "number",
    },
}
OPTIONAL = {("atlas_detectionsddc", "kind")}
INDICES = {
    "atlas_metadataddc": {"idx_mjd": "mjd"},
    "atlas_detectionsddc": {
        "idx_atlas_metadata_id": "atlas_metadata_id",
        "idx_atlas_object_id": "atlas_object_id",
    },
    "atlas_diff_objects": {"idx_detection_list_id": "detection_list_id"},
    "tcs_transient_objects": {"idx_tcs_detection_list_id": "detection_list_id"},
    "tcs_object_comments": {"idx_comment_object_id": "transient_object_id"},
    "tcs_object_groups": {"idx_group_object_id": "transient_object_id"},
    "tcs_postage_stamp_images": {"idx_image_filename": "image_filename"},
}
UNIQUE = {("atlas_metadataddc", "obs")}


class Columns:
    """Columns by their names in psat-ml; two of them may be one column of the database."""

    def __init__(self, by_key: Mapping[str, sa.Column]) -> None:
        self._by_key = by_key

    def __getitem__(self, key: str) -> sa.Column:
        return self._by_key[key]

    def __getattr__(self, key: str) -> sa.Column:
        try:
            return self._by_key[key]
        except KeyError:
            raise AttributeError(key) from None


@dataclass(frozen=True)
class Names:
    """What tables and columns are called in a database, where it is not as in psat-ml.

    Arguments
    ---------
    other : ``table`` or ``table.column`` of psat-ml -> name in the database
    """

    other: Mapping[str, str] = field(default_factory=dict)

    def table(self, table: str) -> str:
        """Name of a table in the database."""
        return self.other.get(table, table)

    def column(self, table: str, column: str) -> str:
        """Name of a column in the database."""
        return self.other.get(f"{table}.{column}", column)

    def columns(self, table: str) -> Columns:
        """The columns of a table by their names in psat-ml."""
        made = self.tables[table].columns
        by_name = {str(column.name): column for column in made}
        return Columns({key: by_name[self.column(table, key)] for key in COLUMNS[table]})

    @cached_property
    def tables(self) -> dict[str, sa.Table]:
        """The tables by their names in psat-ml; so are the keys of their columns.

        Where two names of psat-ml are one column of the database, its key is the first of them.
        """
        return _tables(self)


def names_of(other: Mapping[Any, Any], where: str) -> Names:
    """Names of a configuration; raises `InputFileError` with all that cannot be names."""
    problems = Problems(where)
    known = list(COLUMNS) + [f"{t}.{c}" for t, columns in COLUMNS.items() for c in columns]
    for key, name in other.items():
        if key not in known:
            problems.add(f"nothing is called {key!r}{suggest(str(key), known)}")
        if not isinstance(name, str) or not IDENTIFIER.fullmatch(name):
            problems.add(
                f"{key} is to be {name!r}, expected a name of letters, digits and _ (at most 64)"
            )
    problems.raise_if_any()
    return Names(dict(other))


def _tables(names: Names) -> dict[str, sa.Table]:
    import sqlalchemy as sa

    metadata = sa.MetaData()
    for table, columns in COLUMNS.items():
        indices = [
            sa.Index(name, names.column(table, column))
            for name, column in INDICES.get(table, {}).items()
        ]
        described: dict[str, sa.Column] = {}
        for column, kind in columns.items():
            described.setdefault(names.column(table, column), _column(names, table, column, kind))
        called = sa.sql.quoted_name(names.table(table), True)
        made = sa.Table(called, metadata, *described.values())
        made.info["called"] = table
        for index in indices:
            made.append_constraint(index)
    return {table.info["called"]: table for table in metadata.tables.values()}


def _column(names: Names, table: str, column: str, kind: str | int) -> sa.Column:
    import sqlalchemy as sa

    # SQLite numbers rows by themselves only in a column of type INTEGER
    identifier = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    types = {
        "key": identifier,
        "id": identifier,
        "integer": sa.Integer(),
        "number": sa.Double(),
        "date": sa.Date(),
    }
    return sa.Column(
        sa.sql.quoted_name(names.column(table, column), True),
        sa.String(kind) if isinstance(kind, int) else types[kind],
        key=column,
        primary_key=kind == "key",
        nullable=kind != "key",
        unique=(table, column) in UNIQUE or None,
    )

"""What is asked of a database for scoring: candidates, their stamps; and scores written back.

The selections are those of psat-ml's runKerasTensorflowClassifierOnPSATImages. Stamps of many
candidates are found by one question. Scores are written in one transaction: all or none.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarker.core.errors import MissingDataError, SettingsError
from benchmarker.hosts.realbogus.database import Database
from benchmarker.hosts.realbogus.exposures import CAMERA_LETTERS, NIGHT_LETTERS
from benchmarker.hosts.realbogus.queries_ps1 import CAMERAS, NO_DETECTION, OBJECTS_AT_ONCE
from benchmarker.hosts.realbogus.schema import Columns

if TYPE_CHECKING:
    import sqlalchemy as sa

# survey -> table of its objects and the column of their scores
SCORES = {
    "atlas": ("atlas_diff_objects", "zooniverse_score"),
    "ps1": ("tcs_transient_objects", "confidence_factor"),
}
MOST_LIST = 8
MOST_SHOWN = 10
IDS_AT_ONCE = 500
SKYCELL = "skycell"  # in the names of Pan-STARRS images


@dataclass(frozen=True)
class CandidateStamp:
    """A stamp of a candidate.

    Arguments
    ---------
    owner : number of the object; name : of the file, without ``.fits``
    night : of the folder; camera : ``02a`` or ``gpc1``, empty where it is not known
    """

    owner: int
    name: str
    night: str
    camera: str

    def path(self, images: Path, database: str) -> Path:
        """Where the stamp lies: ``images/DATABASE/NIGHT/NAME.fits``."""
        return images / database / self.night / f"{Path(self.name).name}.fits"


def unscored(database: Database, survey: str, detection_list: int) -> list[int]:
    """Objects of a detection list without a score; of Pan-STARRS the newest first.

    Raises `SettingsError` for a list that is not 0 to 8.
    """
    import sqlalchemy as sa

    if not 0 <= detection_list <= MOST_LIST:
        message = f"detection list is {detection_list}, expected 0 to {MOST_LIST}"
        raise SettingsError(message)
    table, column = _scores(survey)
    o = database.columns(table)
    question = sa.select(o.id).where(o.detection_list_id == detection_list, o[column].is_(None))
    if survey == "ps1":
        question = question.where(o.tcs_images_id.is_not(None)).order_by(o.followup_id.desc())
    return [row[0] for row in database.rows(question.order_by(o.id))]


def candidate_stamps(database: Database, objects: Sequence[int]) -> Iterator[CandidateStamp]:
    """Difference stamps of the objects, in the order of the objects, then by name."""
    import sqlalchemy as sa

    p = database.columns("tcs_postage_stamp_images")
    usable = (
        p.pss_error_code == 0,
        p.image_type == "diff",
        p.mjd_obs.is_not(None),
        p.image_filename.not_like(f"%{NO_DETECTION}%"),
    )
    for first in range(0, len(objects), OBJECTS_AT_ONCE):
        batch = objects[first : first + OBJECTS_AT_ONCE]
        begins = [p.image_filename.startswith(f"{one}_", autoescape=True) for one in batch]
        question = sa.select(p.image_filename, p.pss_filename, p.filter, p.mjd_obs)
        found: dict[str, set[CandidateStamp]] = defaultdict(set)
        for row in database.rows(question.where(*usable, sa.or_(*begins))):
            found[row[0].partition("_")[0]].add(_stamp(*row))
        for one in batch:
            yield from sorted(found[str(one)], key=lambda stamp: stamp.name)


def _stamp(name: str, exposure: str | None, band: str | None, mjd: float) -> CandidateStamp:
    owner, exposure = int(name.partition("_")[0]), exposure or ""
    if not exposure or SKYCELL in exposure:
        camera = next((c for c, end in CAMERAS.items() if (band or "").endswith(end)), "")
        return CandidateStamp(owner, name, str(int(mjd)), camera)
    # the night of an ATLAS exposure is not that of its MJD everywhere on Earth
    return CandidateStamp(owner, name, exposure[NIGHT_LETTERS], exposure[CAMERA_LETTERS])


def write_scores(
    database: Database, survey: str, scores: Mapping[int, float], *, dry_run: bool = False
) -> int:
    """Write the score of each object, in one transaction; returns how many there are.

    With `dry_run` nothing is written, and the number is that of the objects that would get a
    score. Raises `MissingDataError` naming objects that are not there and `SettingsError` for a
    score that is no number from 0 to 1; nothing is written then.
    """
    import sqlalchemy as sa

    wrong = {one: score for one, score in scores.items() if not 0 <= score <= 1}
    if wrong:
        one, score = next(iter(wrong.items()))
        what = "no number" if math.isnan(score) else score
        message = f"score of {one} is {what}, expected 0 to 1; {len(wrong)} of {len(scores)} so"
        raise SettingsError(message)
    table_name, column = _scores(survey)
    table, columns = database.table(table_name), database.columns(table_name)
    change = (
        sa.update(table)
        .where(columns.id == sa.bindparam("one"))
        .values({columns[column]: sa.bindparam("score")})
    )
    values = [{"one": one, "score": float(score)} for one, score in scores.items()]

    def work(connection: sa.Connection) -> int:
        _refuse_unknown(connection, columns, list(scores), database.place)
        if values and not dry_run:
            connection.execute(change, values)
        return len(values)

    return database.attempt(work, write=not dry_run)


def _refuse_unknown(
    connection: sa.Connection, columns: Columns, objects: list[int], place: str
) -> None:
    import sqlalchemy as sa

    known: set[int] = set()
    question = sa.select(columns.id).where(columns.id.in_(sa.bindparam("some", expanding=True)))
    for first in range(0, len(objects), IDS_AT_ONCE):
        some = objects[first : first + IDS_AT_ONCE]
        known.update(row[0] for row in connection.execute(question, {"some": some}))
    missing = [one for one in objects if one not in known]
    if missing:
        shown = ", ".join(map(str, missing[:MOST_SHOWN]))
        more = ", ..." if len(missing) > MOST_SHOWN else ""
        message = f"{place}: {len(missing)} objects are not there: {shown}{more}; nothing written"
        raise MissingDataError(message)


def _scores(survey: str) -> tuple[str, str]:
    if survey not in SCORES:
        message = f"survey is {survey!r}, expected {' or '.join(SCORES)}"
        raise SettingsError(message)
    return SCORES[survey]

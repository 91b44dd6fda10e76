"""What is asked of the database of Pan-STARRS: objects for training, and their stamps.

The selections are those of psat-ml's getPS1TrainingSetCutouts. Stamps of many objects are found
by one question; all values are parameters.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from benchmarker.core.errors import SettingsError
from benchmarker.hosts.realbogus.database import Database

if TYPE_CHECKING:
    import sqlalchemy as sa

CAMERAS = {"gpc1": "00000", "gpc2": "00002"}  # what the names of their filters end in
GOOD, GARBAGE = 2, 0
LEAST_CONFIDENCE = 0.05  # of a mover
# a comment on a known mover, with its distance from the ephemeris: at most 5.99 arcsec
MOVER = re.compile(r"(EPH|MPC):.*\([0-5]\.[0-9]+ arcsec\)", re.DOTALL)
NO_DETECTION = "4300000000"  # number of a forced stamp where nothing was detected
# each object is one condition of the question; SQLite bears 1000 in a row
OBJECTS_AT_ONCE = 200
TABLES = (
    *("tcs_transient_objects", "tcs_object_comments", "tcs_object_groups"),
    "tcs_postage_stamp_images",
)
FIRST_DAY = date(2010, 1, 1)


@dataclass(frozen=True)
class Ps1Selection:
    """Which objects are good and bad.

    Arguments
    ---------
    camera : ``gpc1`` or ``gpc2``
    good_list, bad_list : detection lists 0 to 8
    lower, upper : bad objects have a confidence factor of at least `lower` and below `upper`
    flag_date : objects were flagged after this day
    bad_group : number of a list of artefacts that people made, or None
    """

    camera: str
    good_list: int = GOOD
    bad_list: int = GARBAGE
    lower: float = 0.01
    upper: float = 0.3
    flag_date: date = FIRST_DAY
    bad_group: int | None = None

    def __post_init__(self) -> None:
        if self.camera not in CAMERAS:
            message = f"camera is {self.camera!r}, expected {' or '.join(CAMERAS)} with ps1"
            raise SettingsError(message)
        if not self.lower < self.upper:
            message = f"bad objects from {self.lower} to below {self.upper}: there are none such"
            raise SettingsError(message)


def good_objects(database: Database, chosen: Ps1Selection) -> list[int]:
    """Known movers of the good list, and all of list 2; sorted, each once."""
    import sqlalchemy as sa

    o = database.columns("tcs_transient_objects")
    c = database.columns("tcs_object_comments")
    after = o.followup_flag_date > chosen.flag_date
    movers = (
        sa.select(o.id, c.comment)
        .where(c.transient_object_id == o.id, o.detection_list_id == chosen.good_list, after)
        .where(o.observation_status == "mover", o.confidence_factor > LEAST_CONFIDENCE)
        .where(sa.or_(c.comment.startswith("EPH:"), c.comment.startswith("MPC:")))
    )
    found = {row[0] for row in database.rows(movers) if MOVER.match(row[1])}
    found |= _column(database, sa.select(o.id).where(o.detection_list_id == GOOD, after))
    return sorted(found)


def bad_objects(database: Database, chosen: Ps1Selection) -> list[int]:
    """Objects of the bad list with a low score, and those of the group; sorted, each once."""
    import sqlalchemy as sa

    o = database.columns("tcs_transient_objects")
    question = sa.select(o.id).where(
        o.detection_list_id == chosen.bad_list,
        o.confidence_factor >= chosen.lower,
        o.confidence_factor < chosen.upper,
        o.sherlockClassification.is_not(None),
        o.followup_flag_date > chosen.flag_date,
    )
    found = _column(database, question)
    if chosen.bad_group is not None:
        g = database.columns("tcs_object_groups")
        in_group = sa.select(g.transient_object_id).where(g.object_group_id == chosen.bad_group)
        found |= _column(database, in_group)
    return sorted(found)


def _column(database: Database, question: sa.Select) -> set[int]:
    return {row[0] for row in database.rows(question) if row[0] is not None}


def stamps_of_objects(database: Database, objects: Sequence[int], camera: str) -> Iterator[str]:
    """Names of the difference stamps of the objects, without ``.fits``; not those of no detection.

    A name begins with its object and an underscore.
    """
    import sqlalchemy as sa

    p = database.columns("tcs_postage_stamp_images")
    usable = (
        p.pss_error_code == 0,
        p.image_type == "diff",
        p.filter.endswith(CAMERAS[camera]),
        p.image_filename.not_like(f"%{NO_DETECTION}%"),
    )
    for first in range(0, len(objects), OBJECTS_AT_ONCE):
        batch = objects[first : first + OBJECTS_AT_ONCE]
        begins = [p.image_filename.startswith(f"{one}_", autoescape=True) for one in batch]
        question = sa.select(p.image_filename).where(*usable, sa.or_(*begins))
        by_object: dict[str, set[str]] = defaultdict(set)
        for row in database.rows(question):
            by_object[row[0].partition("_")[0]].add(row[0])
        for one in batch:
            yield from sorted(by_object[str(one)])

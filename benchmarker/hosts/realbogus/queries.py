"""What is asked of the database of ATLAS for cutouts: exposures, then detections in batches.

The selections are those of psat-ml's getATLASTrainingSetCutouts. One question is asked for all
exposures of a batch; all values are parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarker.hosts.realbogus.database import Database

if TYPE_CHECKING:
    import sqlalchemy as sa

ASTEROIDS, GOOD_LIST, BOGUS = "asteroids", "good list", "bogus"
KINDS = (ASTEROIDS, GOOD_LIST, BOGUS)
# exposures in one question: some ten thousand detections, a few tens of megabytes
EXPOSURES_AT_ONCE = 16
KNOWN_ASTEROID = 900  # of 1000: score of the site software
GARBAGE, GOOD = 0, 2  # detection lists
MOST_REALBOGUS = 0.01  # of an object that counts as bogus
TABLES = {
    ASTEROIDS: ("atlas_metadataddc", "atlas_detectionsddc"),
    GOOD_LIST: ("atlas_metadataddc", "atlas_detectionsddc", "atlas_diff_objects"),
    BOGUS: (
        *("atlas_metadataddc", "atlas_detectionsddc", "atlas_diff_objects"),
        "tcs_latest_object_stats",
    ),
}
# what makes two rows the same detection
SAME = ("x", "y", "mag", "dmag", "ra", "dec")
DETECTION = np.dtype(
    [("detection", "i8"), ("object", "i8"), *((name, "f8") for name in SAME), ("kind", "U40")]
)


@dataclass(frozen=True)
class ExposureRow:
    """An exposure as the database knows it.

    Arguments
    ---------
    id : of the row; obs : name, as ``02a58362o0123c``; mjd : days; filter : letter, may be empty
    """

    id: int
    obs: str
    mjd: float
    filter: str


def exposures_of_night(database: Database, night: int, camera: str) -> list[ExposureRow]:
    """Exposures of a camera with ``night < MJD < night + 1``, by name."""
    import sqlalchemy as sa

    m = database.columns("atlas_metadataddc")
    question = (
        sa.select(m.id, m.obs, m.mjd, m.filt)
        # characters of a name, never a pattern
        .where(m.obs.startswith(camera, autoescape=True))
        .where(m.mjd > sa.bindparam("begins"), m.mjd < sa.bindparam("ends"))
        .order_by(m.obs)
    )
    rows = database.rows(question, {"begins": night, "ends": night + 1})
    return [ExposureRow(row[0], row[1], row[2], row[3] or "") for row in rows]


def detections(
    database: Database, exposures: Sequence[ExposureRow], kind: str
) -> Iterator[tuple[ExposureRow, np.ndarray]]:
    """Each exposure with its detections of a kind, in the order given.

    The detections are of type `DETECTION`, by the number of the detection, each once; unknown
    magnitudes and places on the sky are NaN, an unknown object is 0. Exposures without
    detections come with none of them.
    """
    question = _question(database, kind)
    for first in range(0, len(exposures), EXPOSURES_AT_ONCE):
        batch = exposures[first : first + EXPOSURES_AT_ONCE]
        found: dict[int, list[sa.Row]] = {exposure.id: [] for exposure in batch}
        for row in database.rows(question, {"exposures": list(found)}):
            found[row[0]].append(row)
        for exposure in batch:
            yield exposure, _table(found.pop(exposure.id))


def _question(database: Database, kind: str) -> sa.Select:
    import sqlalchemy as sa

    d = database.columns("atlas_detectionsddc")
    label = d.kind if database.has("atlas_detectionsddc", "kind") else sa.literal("")
    question = sa.select(
        d.atlas_metadata_id,
        d.id,
        d.atlas_object_id,
        *(d[name] for name in SAME),
        label.label("told_kind"),
    )
    of_these = d.atlas_metadata_id.in_(sa.bindparam("exposures", expanding=True))
    known = (d.x.is_not(None), d.y.is_not(None))
    question = question.where(of_these, *known).order_by(d.atlas_metadata_id, d.id)
    if kind == ASTEROIDS:
        return question.where(d.pkn > KNOWN_ASTEROID, d.det == 0, d.mag > 0)
    o = database.columns("atlas_diff_objects")
    question = question.where(o.id == d.atlas_object_id, d.image_group_id.is_not(None))
    if kind == GOOD_LIST:
        return question.where(o.detection_list_id == GOOD)
    s = database.columns("tcs_latest_object_stats")
    return question.where(
        s.id == o.id,
        s.external_crossmatches.is_(None),
        o.detection_list_id == GARBAGE,
        o.realbogus_factor.is_not(None),
        o.realbogus_factor < MOST_REALBOGUS,
        d.pkn == 0,
        d.det == 0,
        d.mag > 0,
    )


def _table(rows: Iterable[sa.Row]) -> np.ndarray:
    """Rows of one exposure as an array, without those that tell the same again."""
    kept: dict[tuple, tuple] = {}
    for _, identifier, owner, *values, kind in rows:
        numbers = tuple(np.nan if value is None else float(value) for value in values)
        # the values as they came: NaN is not equal to itself
        kept.setdefault(tuple(values), (identifier, owner or 0, *numbers, kind or ""))
    return np.array(list(kept.values()), DETECTION)

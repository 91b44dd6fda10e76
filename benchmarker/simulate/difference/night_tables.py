"""What simulated exposures hold, as rows: for people, and for the database of a survey."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from benchmarker.simulate.difference.exposure import DrawnExposure, Found
from benchmarker.simulate.difference.night_plan import Visit
from benchmarker.simulate.difference.reals import SUPERNOVA
from benchmarker.simulate.difference.scene import PIXEL_ARCSEC

# of ATLAS catalogues: the middle of the first pixel is at 0.5
CATALOGUE_OFFSET = 0.5
MAGNITUDE_ERRORS = 2.5 / math.log(10)
GARBAGE, GOOD = 0, 2  # detection lists of the survey
SITE_SCORES = ("pvr", "ptr", "pmv", "pno", "pbn", "pcr", "pxt", "psc")
KNOWN, UNKNOWN = 999, 0  # asteroid: site score of 0 to 1000
REALBOGUS = {GARBAGE: 0.001, GOOD: 0.9}
Row = dict[str, Any]


@dataclass(frozen=True)
class Catalogued:
    """An exposure without its pixels: a row of it, of its detections, of what was put in."""

    visit: Visit
    exposure: Row
    found: list[Found]
    places: list[tuple[float, float]]
    injected: list[Row]


def catalogued(visit: Visit, drawn: DrawnExposure) -> Catalogued:
    """The small part of an exposure, which a process hands to the one that collects."""
    size = drawn.image.shape[0]
    exposure = {
        "obs": visit.obs,
        "mjd": visit.mjd,
        "filt": visit.filter,
        "fwmaj": round(drawn.fwhm, 4),
        "fwmin": round(drawn.fwhm, 4),
        "nx": size,
        "ny": size,
        "mag5sig": round(drawn.limit, 4),
    }
    injected = [
        {
            "obs": visit.obs,
            "x": round(source.x + CATALOGUE_OFFSET, 3),
            "y": round(source.y + CATALOGUE_OFFSET, 3),
            "kind": source.kind,
            "snr": round(source.snr, 3),
            "magnitude": round(source.magnitude, 4),
        }
        for source in drawn.injected
    ]
    places = [_sky(visit, size, found.y, found.x) for found in drawn.found]
    return Catalogued(visit, exposure, drawn.found, places, injected)


def _sky(visit: Visit, size: int, y: float, x: float) -> tuple[float, float]:
    """Right ascension and declination in degrees: the tangential projection (Calabretta 2002)."""
    step = math.radians(PIXEL_ARCSEC / 3600.0)
    east, north = -(x - (size - 1) / 2.0) * step, (y - (size - 1) / 2.0) * step
    dec = math.radians(visit.dec)
    bottom = math.cos(dec) - north * math.sin(dec)
    ra = math.radians(visit.ra) + math.atan2(east, bottom)
    found = math.atan2(math.sin(dec) + north * math.cos(dec), math.hypot(east, bottom))
    return round(math.degrees(ra) % 360.0, 6), round(math.degrees(found), 6)


@dataclass(eq=False)
class NightTables:
    """Rows of the tables of ATLAS, and of those for people; numbers begin at 1.

    `exposures`, `detections`, `objects`, `statistics` have the columns of psat-ml's tables
    (the last two share their numbers); `truth` and `injected` those of the CSV files.
    """

    exposures: list[Row] = field(default_factory=list)
    detections: list[Row] = field(default_factory=list)
    objects: list[Row] = field(default_factory=list)
    statistics: list[Row] = field(default_factory=list)
    truth: list[Row] = field(default_factory=list)
    injected: list[Row] = field(default_factory=list)
    _known: dict[tuple[int, str], int] = field(default_factory=dict)

    @property
    def rows(self) -> dict[str, list[Row]]:
        """The tables of the database by their names."""
        return {
            "atlas_metadataddc": self.exposures,
            "atlas_detectionsddc": self.detections,
            "atlas_diff_objects": self.objects,
            "tcs_latest_object_stats": self.statistics,
        }

    @property
    def kinds(self) -> dict[str, int]:
        """How many detections of each kind, the most frequent first."""
        kinds = [row["kind"] for row in self.truth]
        return {kind: kinds.count(kind) for kind in sorted(set(kinds), key=kinds.count)[::-1]}

    def add(self, new: Catalogued) -> None:
        """Add an exposure with its detections."""
        number = len(self.exposures) + 1
        self.exposures.append({"id": number, **new.exposure})
        self.injected += new.injected
        for place, found in zip(new.places, new.found, strict=True):
            owner = self._object(new.visit, found)
            row = _detection(found, place)
            detection = len(self.detections) + 1
            self.detections.append(
                {
                    "id": detection,
                    "atlas_metadata_id": number,
                    "atlas_object_id": owner,
                    "det_id": detection,
                    "image_group_id": None if owner is None else owner,
                    **row,
                }
            )
            self.truth.append(_truth(new.visit, found, row))

    def _object(self, visit: Visit, found: Found) -> int | None:
        """Number of the object; a moving source has none, a star is the same in each exposure."""
        if found.label and found.kind != SUPERNOVA:
            return None
        key = (visit.field, found.source)
        if found.source and key in self._known:
            return self._known[key]
        number = len(self.objects) + 1
        listed = GOOD if found.label else GARBAGE
        self.objects.append(
            {"id": number, "detection_list_id": listed, "realbogus_factor": REALBOGUS[listed]}
        )
        self.statistics.append({"id": number, "external_crossmatches": None})
        if found.source:
            self._known[key] = number
        return number


def _detection(found: Found, place: tuple[float, float]) -> Row:
    asteroid = found.label == 1 and found.kind != SUPERNOVA
    return {
        "x": round(found.x + CATALOGUE_OFFSET, 3),
        "y": round(found.y + CATALOGUE_OFFSET, 3),
        "ra": place[0],
        "dec": place[1],
        "mag": round(found.magnitude, 4),
        "dmag": round(MAGNITUDE_ERRORS / found.snr, 5),
        "det": 0,
        "dup": 0,
        "pkn": KNOWN if asteroid else UNKNOWN,
        **dict.fromkeys(SITE_SCORES, 0),
        "kind": found.kind,
    }


def _truth(visit: Visit, found: Found, row: Row) -> Row:
    return {
        "obs": visit.obs,
        **{name: row[name] for name in ("x", "y", "ra", "dec", "mag", "dmag")},
        "snr": round(found.snr, 3),
        "label": found.label,
        "kind": found.kind,
        "source": f"field {visit.field} {found.source}" if found.source else "",
        "true_snr": round(found.true_snr, 3),
        "true_mag": round(found.true_magnitude, 4),
    }

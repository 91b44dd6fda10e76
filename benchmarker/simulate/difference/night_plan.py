"""Which exposures a simulated survey takes: cameras, nights, fields, names."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from benchmarker.core.errors import Problems, SettingsError
from benchmarker.core.seeds import generator

CAMERAS = ("01a", "02a", "03a", "04a")
VISITS = 4  # of each field in a night, as ATLAS does
LEAST_SIZE, MOST_SIZE = 128, 10560
MOST_EXPOSURES, MOST_NIGHTS = 2000, 1000
MINUTES_BETWEEN = 0.6
DUSK = 0.25  # of a day: the first exposure
FILTERS = "co"


@dataclass(frozen=True)
class NightSettings:
    """A simulated survey.

    Arguments
    ---------
    nights, exposures : nights in all and exposures of each
    size : height and width of an exposure in pixels
    seed : of everything that is drawn
    camera : its code, as in the names of exposures
    first_night : its MJD, five digits
    threshold : of the finder, in sigma
    """

    nights: int = 1
    exposures: int = 6
    size: int = 1024
    seed: int = 8901
    camera: str = "02a"
    first_night: int = 58362
    threshold: float = 4.0

    def __post_init__(self) -> None:
        problems = Problems("simulated difference images", SettingsError)
        for name, least, most in (
            ("nights", 1, MOST_NIGHTS),
            ("exposures", 1, MOST_EXPOSURES),
            ("size", LEAST_SIZE, MOST_SIZE),
            ("first_night", 10_000, 99_999 - MOST_NIGHTS),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                problems.add(f"{name} is {value}, expected {least} to {most}")
        if not re.fullmatch(r"[0-9]{2}[a-z]", self.camera):
            problems.add(f"camera is {self.camera!r}, expected a code such as 02a")
        if not 3.0 <= self.threshold <= 50.0:
            problems.add(f"threshold is {self.threshold}, expected 3 to 50 sigma")
        problems.raise_if_any()

    def as_dict(self) -> dict[str, Any]:
        """For the record."""
        return asdict(self)


@dataclass(frozen=True)
class Visit:
    """One exposure to be taken.

    Arguments
    ---------
    obs : its name, as ``02a58362o0123c``: camera, night, running number, filter
    night : MJD; mjd : of the middle; filter : letter
    field : its number; ra, dec : of its middle in degrees
    """

    obs: str
    night: int
    mjd: float
    filter: str
    field: int
    ra: float
    dec: float


def plan(settings: NightSettings) -> list[Visit]:
    """All exposures in the order in which they are taken; a night has one filter."""
    visits = []
    for night in range(settings.first_night, settings.first_night + settings.nights):
        letter = FILTERS[night % len(FILTERS)]
        for number in range(settings.exposures):
            field = number // VISITS
            draw = generator(settings.seed, "difference pointing", field)
            ra, dec = draw.uniform(0.0, 360.0), draw.uniform(-40.0, 60.0)
            obs = f"{settings.camera}{night}o{number + 1:04d}{letter}"
            # however many there are, they fit into half a day
            mjd = night + DUSK + number * min(MINUTES_BETWEEN / 1440, 0.5 / settings.exposures)
            visits.append(Visit(obs, night, round(mjd, 6), letter, field, ra, dec))
    return visits

"""The configuration of a survey: its database, what things are called there, its exposures.

A file of psat-ml serves as it is. What this package adds stands under one key, ``benchmarker``;
all other keys are left to the programs that they are for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarker.core.errors import InputFileError, Problems, suggest
from benchmarker.hosts.realbogus.credentials import Credentials, from_config, read_yaml
from benchmarker.hosts.realbogus.exposures import ATLAS_FOLDER, ATLAS_PATTERN, ExposurePlaces
from benchmarker.hosts.realbogus.schema import Names, names_of

OWN = "benchmarker"
KEYS = {"exposures", "names", "images"}
EXPOSURE_KEYS = {"folder", "pattern"}
PS1_IMAGES = Path("/db0/images")


@dataclass(frozen=True)
class SurveyConfig:
    """What a configuration file says.

    Arguments
    ---------
    credentials : of the database
    names : of its tables and columns
    exposures : where difference images lie
    images : folder of stamps that the survey made (Pan-STARRS)
    """

    credentials: Credentials
    names: Names = field(default_factory=Names)
    exposures: ExposurePlaces = field(default_factory=ExposurePlaces)
    images: Path = PS1_IMAGES


def read_config(path: str | Path) -> SurveyConfig:
    """Read a configuration; relative paths in it begin at its folder.

    Raises `InputFileError` with every fault; no message holds the password.
    """
    path = Path(path)
    config = read_yaml(path)
    own = config.get(OWN) or {}
    problems = Problems(f"{path}, {OWN}")
    if not isinstance(own, Mapping):
        message = f"{path}: {OWN!r} is {own!r}, expected keys {', '.join(sorted(KEYS))}"
        raise InputFileError(message)
    _refuse_unknown(own, KEYS, problems)
    places = _keys(own, "exposures", problems)
    _refuse_unknown(places, EXPOSURE_KEYS, problems)
    names = _keys(own, "names", problems)
    problems.raise_if_any()
    return SurveyConfig(
        credentials=from_config(config, path),
        names=names_of(names, f"{path}, {OWN}.names"),
        exposures=ExposurePlaces(
            path.parent / str(places.get("folder", ATLAS_FOLDER)),
            str(places.get("pattern", ATLAS_PATTERN)),
        ),
        images=path.parent / str(own.get("images", PS1_IMAGES)),
    )


def _keys(own: Mapping[str, Any], name: str, problems: Problems) -> Mapping[str, Any]:
    value = own.get(name) or {}
    if isinstance(value, Mapping):
        return value
    problems.add(f"{name} is {value!r}, expected keys with values")
    return {}


def _refuse_unknown(given: Mapping[Any, Any], known: set[str], problems: Problems) -> None:
    for key in given:
        if key not in known:
            problems.add(f"unknown key {key!r}{suggest(str(key), known)}")

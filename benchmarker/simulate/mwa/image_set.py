"""Simulated snapshots as the image set that every reader returns; pixels drawn when asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np

from benchmarker.core.errors import Problems, SettingsError, suggest
from benchmarker.core.hashing import digest_json
from benchmarker.data.images import ImageSet
from benchmarker.simulate.mwa.calendar import NIGHTS
from benchmarker.simulate.mwa.plan import CLASSES, Shot, SnapshotSettings, plan
from benchmarker.simulate.mwa.snapshots import render

READER = "simulated-mwa-snapshots"
VERSION = 1  # raise it when the same seed gives other images; records and digests hold it
# 60, 15 and 25 percent of every twenty nights, mixed so that the first five hold all three
NIGHT_PARTS = tuple(
    {"t": "train", "v": "validation", "s": "test"}[letter] for letter in "tsvttsttvstttsttvstt"
)


@dataclass(frozen=True)
class SnapshotPixels:
    """Snapshots that are drawn when they are read.

    The digest is that of what they are drawn from, not of the pixels: drawing a set takes
    minutes, and the last bits may differ between machines.
    """

    shots: tuple[Shot, ...]
    settings: SnapshotSettings

    def __len__(self) -> int:
        return len(self.shots)

    def read(self, index: int) -> np.ndarray:
        return _drawn(self.shots[index], self.settings)[:, :, np.newaxis]

    def name(self, index: int) -> str:
        return f"simulated snapshot {index} ({self.shots[index].name})"

    def digest(self, indices: Sequence[int]) -> str:
        rows = [self.shots[index].index for index in indices]
        return digest_json({"reader": READER, "version": VERSION, "rows": rows, **self._facts()})

    def _facts(self) -> dict[str, Any]:
        return {"settings": self.settings.as_dict()}


# the first image of a set is asked for several times before a run starts
@lru_cache(maxsize=2)
def _drawn(shot: Shot, settings: SnapshotSettings) -> np.ndarray:
    image = render(shot, settings).image
    image.setflags(write=False)
    return image


def part_of(shot: Shot) -> str:
    """``train``, ``validation`` or ``test``: a night, and so an observation, is in one part."""
    return NIGHT_PARTS[shot.observation.number % NIGHTS % len(NIGHT_PARTS)]


def snapshots_of_card(values: Mapping[str, Any], seed: int, *, split: bool) -> ImageSet:
    """The set that a card's settings describe: `count`, and fields of `SnapshotSettings`.

    Raises `SettingsError` for a missing count, an unknown key or a value not allowed.
    """
    known = [field.name for field in fields(SnapshotSettings)]
    chosen = {key: value for key, value in values.items() if key not in ("simulation", "count")}
    problems = Problems("settings of the card", SettingsError)
    for key in chosen.keys() - set(known):
        problems.add(f"unknown key {key!r}{suggest(key, known)}, expected {', '.join(known)}")
    if not isinstance(values.get("count"), int):
        problems.add(f"count is {values.get('count')!r}, expected the number of images")
    problems.raise_if_any()
    if "strength" in chosen:
        chosen["strength"] = tuple(chosen["strength"])
    return lazy_snapshots(values["count"], SnapshotSettings(**chosen | {"seed": seed}), split=split)


def lazy_snapshots(count: int, settings: SnapshotSettings, *, split: bool = True) -> ImageSet:
    """The first `count` snapshots of a set, each drawn when it is read (some 0.1 s).

    Images are (size, size, 1), float32, Jy/beam, row 0 south, column 0 east. `split` publishes
    60 % of the nights to train, 15 % to validate, 25 % to test; nights are the groups. Positions
    are those of the observations; band, polarisation, version and strengths of the artefacts
    are facts. Raises `SettingsError` for a count below 1 or above the observations.
    """
    shots = plan(count, settings)
    labels = np.array([shot.label for shot in shots], dtype=np.int64)
    return ImageSet(
        name="mwa-snapshots",
        pixels=SnapshotPixels(tuple(shots), settings),
        labels=labels,
        classes=CLASSES,
        sources=tuple(shot.name for shot in shots),
        ra_deg=np.array([shot.observation.ra_deg for shot in shots]),
        dec_deg=np.array([shot.observation.pointing.dec_deg for shot in shots]),
        published_split=tuple(part_of(shot) for shot in shots) if split else None,
        groups=tuple(shot.observation.night for shot in shots),
        facts=_facts(shots),
        provenance={
            "reader": READER,
            "version": VERSION,
            "count": count,
            "counts": {name: int(np.sum(labels == code)) for code, name in enumerate(CLASSES)},
            "settings": settings.as_dict(),
        },
    )


def _facts(shots: Sequence[Shot]) -> dict[str, np.ndarray]:
    """What scores are shown apart by; strengths are over the thermal noise, NaN without."""
    strengths = [(shot.strength, *shot.strengths) for shot in shots]
    numbers = np.array([[np.nan if v is None else v for v in row] for row in strengths])
    return {
        "band": np.array([shot.band.name for shot in shots]),
        "polarisation": np.array([shot.polarisation for shot in shots]),
        "version": np.array([shot.observation.version for shot in shots]),
        "strength": numbers[:, 0],
        "rfi_strength": numbers[:, 1],
        "sis_strength": numbers[:, 2],
    }

"""`simulate_snapshots`: images of the MWA with and without artefacts, and what is in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from benchmarker.core.seeds import generator
from benchmarker.simulate.mwa.bands import middle_band
from benchmarker.simulate.mwa.coverage import Coverage
from benchmarker.simulate.mwa.imaging import Imager
from benchmarker.simulate.mwa.interference import (
    Interference,
    Scene,
    draw_interference,
    draw_scene,
    interference_visibilities,
)
from benchmarker.simulate.mwa.plan import CLASSES, Observation, Shot, SnapshotSettings, plan
from benchmarker.simulate.mwa.sidelobes import (
    FarSource,
    apparent_jy,
    draw_far_sources,
    far_visibilities,
)
from benchmarker.simulate.mwa.sky import (
    Field,
    draw_field,
    ionospheric_shift,
    residuals,
    restored,
)
from benchmarker.simulate.mwa.tile_beam import tile_power
from benchmarker.simulate.mwa.tiles import Pointing

CLEANED_TO_RMS = 3.0
UNDEFINED = math.nan


@dataclass(frozen=True, eq=False)
class Snapshots:
    """Images, labels and table of a simulated set.

    Arguments
    ---------
    images : float32 (n, size, size), Jy/beam, row 0 south, column 0 east
    labels : int64 (n,): 0 good, 1 rfi, 2 sis, 3 rfisis
    table : columns of length n (see `FACTS`); NaN where a number is undefined, text empty
    """

    images: np.ndarray
    labels: np.ndarray
    table: dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One image, float32 (size, size) in Jy/beam, and its facts (see `FACTS`)."""

    image: np.ndarray
    facts: dict[str, Any]


def simulate_snapshots(
    count: int,
    size: int = 256,
    seed: int = 8901,
    *,
    settings: SnapshotSettings | None = None,
    workers: int = 1,
) -> Snapshots:
    """Simulate the first `count` images of a set; the number of workers does not matter.

    `settings`, where given, take the place of `size` and `seed`. Raises `SettingsError` for
    settings that are not allowed.
    """
    settings = settings or SnapshotSettings(size=size, seed=seed)
    shots = plan(count, settings)
    found = list(each_snapshot(shots, settings, workers=workers))
    return Snapshots(
        images=np.stack([snapshot.image for snapshot in found]),
        labels=np.array([shot.label for shot in shots], dtype=np.int64),
        table=columns_of([snapshot.facts for snapshot in found]),
    )


def columns_of(rows: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Facts of images as columns."""
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def each_snapshot(
    shots: list[Shot], settings: SnapshotSettings, *, workers: int = 1
) -> Iterator[Snapshot]:
    """The images one after another, drawn by so many processes at once."""
    if workers <= 1:
        for shot in shots:
            yield render(shot, settings)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # a fresh interpreter each: a forked one inherits locks of libraries that use threads
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        chunk = max(1, settings.images_per_observation)
        yield from pool.map(render, shots, [settings] * len(shots), chunksize=chunk)


def render(shot: Shot, settings: SnapshotSettings) -> Snapshot:
    """Draw one image: a function of its plan and the settings alone."""
    parts = Parts(shot, settings)
    image, facts = parts.good(), parts.facts()
    rfi, sis = shot.strengths
    for what, strength, draw in (("rfi", rfi, parts.rfi), ("sis", sis, parts.sis)):
        if strength is None:
            continue
        artefact, describe = draw()
        factor = strength * parts.coverage.thermal_jy / float(artefact.std())
        image = image + factor * artefact
        facts |= {f"{what}_rms_jy": strength * parts.coverage.thermal_jy, **describe(factor)}
    return Snapshot(image.astype(np.float32), facts)


@lru_cache(maxsize=4)
def _imager(observation: Observation, shot_band: Any, size: int, channels: int) -> Imager:
    coverage = Coverage(shot_band, observation.pointing, observation.flagged, channels)
    return Imager(coverage, size)


@lru_cache(maxsize=4)
def _shared(observation: Observation, settings: SnapshotSettings) -> _Shared:
    """Sky, far sources and interferers of an observation."""
    half = settings.size / 2.0 * math.radians(1.1 / observation.setting)
    words = (settings.seed, "mwa observation", observation.number)
    sky = draw_field(generator(*words, "field"), half * (1.0 + 20.0 / settings.size))
    far = draw_far_sources(
        generator(*words, "far"), observation.pointing, observation.sidereal_deg, half
    )
    scene = draw_scene(
        generator(*words, "scene"),
        half,
        middle_band(observation.setting).wavelength_m,
        observation.flagged,
        settings.channels,
    )
    return _Shared(sky, far, scene)


@dataclass(frozen=True, eq=False)
class _Shared:
    field: Field
    far: tuple[FarSource, ...]
    scene: Scene


Described = tuple[np.ndarray, Callable[[float], dict[str, Any]]]


@dataclass(frozen=True)
class Parts:
    """The separate parts of one image, each (size, size) in Jy/beam.

    `rfi` and `sis` come at the strength they were drawn with, and with a function that
    tells their facts once the factor is known that they are scaled by.
    """

    shot: Shot
    settings: SnapshotSettings

    @property
    def imager(self) -> Imager:
        """Shared by the images of one observation and band."""
        settings = self.settings
        return _imager(self.shot.observation, self.shot.band, settings.size, settings.channels)

    @property
    def coverage(self) -> Coverage:
        """Baselines and weights."""
        return self.imager.coverage

    @property
    def steered(self) -> np.ndarray:
        """Where the tiles point, east, north, up: on the meridian at the survey's declination."""
        pointing = Pointing(0.0, self.shot.observation.pointing.dec_deg)
        return pointing.to_local(np.array([0.0, 0.0, 1.0]))

    def good(self) -> np.ndarray:
        """Noise, restored sources and what an imperfect CLEAN left of them."""
        places, flux = self.sources()
        share = np.minimum(
            self.shot.residual_share * flux, CLEANED_TO_RMS * self.coverage.thermal_jy
        )
        visibilities = self.coverage.thermal_noise(self._random("noise"))
        visibilities += residuals(self.coverage, places, share)
        image = self.imager.image(visibilities)
        return image + restored(self.coverage, self.settings.size, places, flux - share)

    def noise(self) -> np.ndarray:
        """The thermal noise of `good` alone."""
        return self.imager.image(self.coverage.thermal_noise(self._random("noise")))

    def sources(self) -> tuple[np.ndarray, np.ndarray]:
        """Direction cosines (n, 2) and apparent flux (n,) in Jy of the sources in the field."""
        shot, field = self.shot, self._shared.field
        words = (self.settings.seed, "mwa observation", shot.observation.number, "ionosphere")
        mhz = shot.band.middle_mhz
        shift = ionospheric_shift(
            generator(*words), field.lmn[:, :2], shot.observation.shift_px, mhz
        )
        directions = self.coverage.pointing.to_local(field.lmn)
        power = tile_power(directions, self.steered, shot.band.wavelength_m, shot.polarisation)
        return field.lmn[:, :2] + shift, field.flux_at(mhz) * power * shot.flux_scale

    def rfi(self) -> Described:
        """Interference at the strength it was drawn with."""
        drawn = draw_interference(
            self._random("rfi"), self.shot.band, self.settings.channels, self.settings.kind
        )
        visibilities = interference_visibilities(drawn, self._shared.scene, self.coverage)
        return self.imager.image(visibilities), lambda factor: _rfi_facts(drawn, factor)

    def sis(self) -> Described:
        """Sources in the far sidelobes at the flux that the tile's beam leaves them."""
        sources = self._shared.far
        flux = apparent_jy(sources, self.coverage, self.steered, self.shot.polarisation)
        image = self.imager.image(far_visibilities(sources, self.coverage, flux))
        return image, lambda factor: _sis_facts(sources, flux * factor)

    def facts(self) -> dict[str, Any]:
        """What is known of the image before its artefacts are drawn."""
        shot, observation = self.shot, self.shot.observation
        strength, ratio = shot.strength, shot.ratio
        rfi, sis = shot.strengths
        beam = np.linalg.eigvalsh(self.coverage.restoring_beam)
        return {
            "name": shot.name,
            "label": shot.label,
            "class": CLASSES[shot.label],
            "index": shot.index,
            "obsid": observation.obsid,
            "night": observation.night,
            "low_mhz": round(shot.band.low_mhz, 2),
            "high_mhz": round(shot.band.high_mhz, 2),
            "centre_channel": shot.band.setting,
            "polarisation": shot.polarisation,
            "version": observation.version,
            "seed": self.settings.seed,
            "ra_deg": observation.ra_deg,
            "dec_deg": observation.pointing.dec_deg,
            "hour_angle_deg": observation.pointing.hour_angle_deg,
            "shift_px": observation.shift_px,
            "flux_scale": shot.flux_scale,
            "residual_share": shot.residual_share,
            "flagged_tiles": len(observation.flagged),
            "noise_jy": self.coverage.thermal_jy,
            "beam_major_deg": math.degrees(math.sqrt(8.0 * math.log(2.0) * float(beam[1]))),
            "beam_minor_deg": math.degrees(math.sqrt(8.0 * math.log(2.0) * float(beam[0]))),
            "beam_angle_deg": _beam_angle_deg(self.coverage.restoring_beam),
            "strength": UNDEFINED if strength is None else strength,
            "ratio": UNDEFINED if ratio is None else ratio,
            "rfi_strength": UNDEFINED if rfi is None else rfi,
            "sis_strength": UNDEFINED if sis is None else sis,
            **_NO_RFI,
            **_NO_SIS,
        }

    @property
    def _shared(self) -> _Shared:
        return _shared(self.shot.observation, self.settings)

    def _random(self, what: str) -> np.random.Generator:
        return generator(self.settings.seed, "mwa snapshot", self.shot.index, what)


_NO_RFI = {
    "rfi_rms_jy": UNDEFINED,
    "rfi_kind": "",
    "rfi_jy": UNDEFINED,
    "rfi_channels": 0,
    "rfi_seconds": UNDEFINED,
}
_NO_SIS = {
    "sis_rms_jy": UNDEFINED,
    "sis_sources": 0,
    "sis_name": "",
    "sis_jy": UNDEFINED,
    "sis_l": UNDEFINED,
    "sis_m": UNDEFINED,
}


def _rfi_facts(drawn: Interference, factor: float) -> dict[str, Any]:
    return {
        "rfi_kind": drawn.kind,
        "rfi_jy": drawn.scaled(factor).brightest_jy,
        "rfi_channels": drawn.channels[1],
        "rfi_seconds": drawn.seconds,
    }


def _sis_facts(sources: tuple[FarSource, ...], flux_jy: np.ndarray) -> dict[str, Any]:
    first = int(np.argmax(flux_jy))
    return {
        "sis_sources": len(sources),
        "sis_name": sources[first].name,
        "sis_jy": float(flux_jy[first]),
        "sis_l": sources[first].lmn[0],
        "sis_m": sources[first].lmn[1],
    }


def _beam_angle_deg(covariance: np.ndarray) -> float:
    """Position angle of the major axis, from north through east, -90 to 90."""
    _, axes = np.linalg.eigh(covariance)
    east, north = axes[:, 1]
    angle = math.degrees(math.atan2(east, north))
    return (angle + 90.0) % 180.0 - 90.0

"""Which images a set holds: observations, bands, polarisations and classes, before any pixel.

Everything of an image follows from (seed, index). Images of one observation share its sky,
pointing, flagged tiles, ionosphere and interferers. Polarisation, band, observation and version say
nothing of the class; only the far sidelobes are missing below 139 MHz, and above it all
four classes are equally frequent in every band.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from benchmarker.core.errors import Problems, SettingsError
from benchmarker.core.seeds import generator
from benchmarker.simulate.mwa.bands import SETTINGS, SIDELOBE_SETTINGS, SUB_BANDS, Band, sub_band
from benchmarker.simulate.mwa.calendar import (
    MOST_OBSERVATIONS,
    NIGHTS,
    night_of,
    obsid_of,
    sidereal_deg,
)
from benchmarker.simulate.mwa.coverage import CHANNELS
from benchmarker.simulate.mwa.interference import KINDS
from benchmarker.simulate.mwa.tiles import TILE_COUNT, Pointing

CLASSES = ("good", "rfi", "sis", "rfisis")
LOW_SETTINGS = tuple(setting for setting in SETTINGS if setting not in SIDELOBE_SETTINGS)
POLARISATIONS = ("XX", "YY")
VERSIONS = ("2.1", "2.5")
DECLINATIONS_DEG = (-72.0, -55.0, -40.5, -26.7, -13.0, 1.6, 18.3)  # of the survey's drift scans
MOST_FLAGGED = 8
SMALLEST_PX, LARGEST_PX = 64, 4000
ACTIVE_SHARE = 0.2


@dataclass(frozen=True)
class SnapshotSettings:
    """What a set of simulated snapshots is like.

    Arguments
    ---------
    size : height and width in pixels, 64 to 4000, even
    seed : not negative
    images_per_observation : 1 to 8; an observation has four sub-bands and two polarisations
    low_band_share : share of observations below 139 MHz, where the far sidelobes are weak:
        these are good or rfi only
    strength : lowest and highest rms of an image's artefacts over its thermal noise, drawn
        even in the logarithm
    ratio : an rfisis image's rfi rms over its sis rms lies between 1/ratio and ratio
    kind : one of horizon, baselines, both, reflector for every rfi image; None draws it
    channels : channels per sub-band, at least 8

    Raises `SettingsError` listing every value that is not allowed.
    """

    size: int = 256
    seed: int = 8901
    images_per_observation: int = 4
    low_band_share: float = 0.2
    strength: tuple[float, float] = (0.5, 30.0)
    ratio: float = 3.0
    kind: str | None = None
    channels: int = CHANNELS

    def __post_init__(self) -> None:
        problems = Problems("snapshot settings", SettingsError)
        for text in _faults(self):
            problems.add(text)
        problems.raise_if_any()

    def as_dict(self) -> dict[str, Any]:
        """The settings for a record."""
        return {**asdict(self), "strength": list(self.strength)}


def _faults(settings: SnapshotSettings) -> list[str]:
    low, high = settings.strength
    most = SUB_BANDS * len(POLARISATIONS)
    size = settings.size
    checks = (
        (
            SMALLEST_PX <= size <= LARGEST_PX and size % 2 == 0,
            f"size is {size}, expected an even number of pixels from {SMALLEST_PX} to {LARGEST_PX}",
        ),
        (settings.seed >= 0, f"seed is {settings.seed}, expected 0 or more"),
        (
            1 <= settings.images_per_observation <= most,
            f"images_per_observation is {settings.images_per_observation}, expected 1 to {most}",
        ),
        (
            0.0 <= settings.low_band_share <= 1.0,
            f"low_band_share is {settings.low_band_share}, expected 0 to 1",
        ),
        (
            0.0 < low <= high < math.inf,
            f"strength is {low} to {high}, expected two positive numbers, the lower one first",
        ),
        (1.0 <= settings.ratio < math.inf, f"ratio is {settings.ratio}, expected at least 1"),
        (
            settings.kind is None or settings.kind in KINDS,
            f"kind is {settings.kind!r}, expected one of {', '.join(KINDS)}",
        ),
        (settings.channels >= CHANNELS, f"channels is {settings.channels}, expected 8 or more"),
    )
    return [text for fine, text in checks if not fine]


@dataclass(frozen=True)
class Observation:
    """What all images of an observation share; angles in degrees, shift in pixels at 154 MHz."""

    number: int
    obsid: int
    night: str
    setting: int
    sidereal_deg: float
    pointing: Pointing
    version: str
    flagged: tuple[int, ...]
    shift_px: float

    @property
    def ra_deg(self) -> float:
        """Right ascension of the phase centre."""
        return (self.sidereal_deg - self.pointing.hour_angle_deg) % 360.0


@dataclass(frozen=True)
class Shot:
    """One image: its observation, band and polarisation, and what is wrong with it.

    `strength` is the rms of all artefacts over the thermal noise, `ratio` rfi over sis; both
    are undefined (None) where a class has none.
    """

    index: int
    observation: Observation
    band: Band
    polarisation: str
    label: int
    strength: float | None
    ratio: float | None
    flux_scale: float
    residual_share: float

    @property
    def name(self) -> str:
        """As the survey's files are called, without the suffix."""
        where = f"{self.observation.obsid}_{self.band.name}MHz_{self.polarisation}"
        return f"{where}_r-1.0_v{self.observation.version}"

    @property
    def strengths(self) -> tuple[float | None, float | None]:
        """Rms of the rfi and of the sis over the thermal noise; None where there is none."""
        if self.label == 0 or self.strength is None:
            return None, None
        if self.ratio is None:
            return (self.strength, None) if self.label == 1 else (None, self.strength)
        sis = self.strength / math.hypot(1.0, self.ratio)
        return self.ratio * sis, sis


def plan(count: int, settings: SnapshotSettings) -> list[Shot]:
    """The first `count` images of a set; a larger set begins with the smaller one.

    Raises `SettingsError` for no image at all, or more than there are observations for.
    """
    most = MOST_OBSERVATIONS * settings.images_per_observation
    if not 1 <= count <= most:
        message = f"{count} snapshots asked for, expected 1 to {most}"
        raise SettingsError(message)
    return [shot(index, settings) for index in range(count)]


def shot(index: int, settings: SnapshotSettings) -> Shot:
    """Image `index` of a set."""
    number, place = divmod(index, settings.images_per_observation)
    observation = observe(number, settings)
    random = generator(settings.seed, "mwa snapshot", index)
    low, high = np.log(settings.strength)
    strength = math.exp(random.uniform(low, high))
    ratio = math.exp(random.uniform(-1.0, 1.0) * math.log(settings.ratio))
    combination = int(_permuted(settings.seed, "combinations", number, 8)[place])
    label = _label(settings, observation, place)
    return Shot(
        index=index,
        observation=observation,
        band=sub_band(observation.setting, combination % SUB_BANDS),
        polarisation=POLARISATIONS[combination // SUB_BANDS],
        label=label,
        strength=strength if label else None,
        ratio=ratio if CLASSES[label] == "rfisis" else None,
        flux_scale=1.0 + 0.1 * random.standard_normal(),
        residual_share=random.uniform(0.05, 0.2),
    )


def _label(settings: SnapshotSettings, observation: Observation, place: int) -> int:
    """Classes in turn, starting anywhere and in any order, so none is more frequent."""
    classes = 2 if observation.setting in LOW_SETTINGS else len(CLASSES)
    order = _permuted(settings.seed, "classes", observation.number, classes)
    return int(order[place % classes])


def _permuted(seed: int, what: str, observation: int, count: int) -> np.ndarray:
    return generator(seed, "mwa observation", observation, what).permutation(count)


@lru_cache(maxsize=64)
def observe(number: int, settings: SnapshotSettings) -> Observation:
    """Observation `number` of a set."""
    seed = settings.seed
    obsid = obsid_of(seed, number)
    random = generator(seed, "mwa observation", number)
    flagged = random.choice(TILE_COUNT, int(random.integers(0, MOST_FLAGGED + 1)), replace=False)
    night = generator(seed, "mwa night sky", number % NIGHTS)
    dec = float(night.choice(DECLINATIONS_DEG))
    active = night.random() < ACTIVE_SHARE
    shift = math.exp(night.uniform(*np.log((1.0, 3.0) if active else (0.2, 1.0))))
    low = _is_low(settings, number)
    return Observation(
        number=number,
        obsid=obsid,
        night=night_of(seed, number).isoformat(),
        setting=int(random.choice(LOW_SETTINGS if low else SIDELOBE_SETTINGS)),
        sidereal_deg=sidereal_deg(obsid) % 360.0,
        pointing=Pointing(float(random.uniform(-3.0, 3.0)), dec),
        version=str(random.choice(VERSIONS)),
        flagged=tuple(sorted(flagged.tolist())),
        shift_px=min(3.0, shift * math.exp(0.2 * random.standard_normal())),
    )


def _is_low(settings: SnapshotSettings, number: int) -> bool:
    """Spread evenly over the observations, so that a small set has the share too."""
    start = float(generator(settings.seed, "mwa low bands").random())
    share = settings.low_band_share
    return math.floor((number + 1) * share + start) > math.floor(number * share + start)

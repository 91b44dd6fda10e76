"""Radio-frequency interference: transmitters at the horizon, bad baselines, moving reflectors."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from benchmarker.simulate.mwa.bands import Band
from benchmarker.simulate.mwa.coverage import CHANNELS, Coverage, Emitters
from benchmarker.simulate.mwa.tiles import TILE_COUNT, tile_places

HORIZON, BASELINES, BOTH, REFLECTOR = "horizon", "baselines", "both", "reflector"
KINDS = (HORIZON, BASELINES, BOTH, REFLECTOR)
# FM radio and digital television, MHz
TRANSMITTERS = ((87.5, 108.0), (174.0, 230.0))
SHARES_NEAR_TRANSMITTER = (0.35, 0.15, 0.2, 0.3)
SHARES_ELSEWHERE = (0.3, 0.35, 0.2, 0.15)
TELEVISION_MHZ, LINE_MHZ = 7.0, 0.15
MOST_BASELINES = 6
FEWEST_FRINGES = 2.0  # a longer wave would be a mere slope across the image
MOST_POSITIONS = 24


@dataclass(frozen=True, eq=False)
class Scene:
    """What all images of one observation share: where the transmitter and the reflector are.

    `track_lm` are the reflector's positions (n, 2) in direction cosines, `glints` their
    relative brightness; `gains` (2, 128) the tiles' complex response to the transmitter and
    to the reflector; `echoes` (channels, 128) what reflections from the ground add to the
    transmitter's signal, relative to it; `pairs` the tile numbers of baselines that may go bad.
    """

    transmitter_m: np.ndarray
    track_lm: np.ndarray
    reflector_m: float
    glints: np.ndarray
    gains: np.ndarray
    echoes: np.ndarray
    pairs: np.ndarray


@dataclass(frozen=True)
class Interference:
    """What is drawn for one image: kind, Jy before scaling, first channel and number of them.

    `seconds` is how long the transmitter is heard, `seed_phase` the phases' start in turns.
    """

    kind: str
    horizon_jy: float
    baseline_jy: tuple[float, ...]
    channels: tuple[int, int]
    seconds: float
    line_mhz: float
    phases: tuple[float, ...]

    def scaled(self, factor: float) -> Interference:
        """With all fluxes multiplied."""
        baselines = tuple(flux * factor for flux in self.baseline_jy)
        return replace(self, horizon_jy=self.horizon_jy * factor, baseline_jy=baselines)

    @property
    def brightest_jy(self) -> float:
        """The largest flux of any part."""
        return max(self.horizon_jy, *self.baseline_jy, 0.0)


def draw_scene(
    random: np.random.Generator,
    half_width: float,
    wavelength_m: float,
    flagged: tuple[int, ...] = (),
    channels: int = CHANNELS,
) -> Scene:
    """Places of an observation's interference; the reflector's track crosses the image.

    The baselines that may go bad are between tiles that are not `flagged`, and long enough
    to show some fringes in the image of that half width (a direction cosine).
    """
    azimuth = random.uniform(0.0, 2.0 * math.pi)
    distance = 10.0 ** random.uniform(4.3, 5.5)
    height = math.sqrt(1.0 - 0.99**2) * random.uniform(0.0, 1.0)
    level = math.sqrt(1.0 - height**2)
    transmitter = distance * np.array(
        [level * math.sin(azimuth), level * math.cos(azimuth), height]
    )
    satellite = random.random() < 0.5
    reflector = 10.0 ** (random.uniform(5.6, 6.2) if satellite else random.uniform(4.0, 4.8))
    pairs = _long_baselines(flagged, FEWEST_FRINGES * wavelength_m / (2.0 * half_width))
    amplitude = np.exp(0.4 * random.standard_normal((2, TILE_COUNT)))
    phase = 0.6 * random.standard_normal((2, TILE_COUNT))
    # echoes a microsecond late differ from tile to tile and from channel to channel
    echoes = random.standard_normal((channels, TILE_COUNT, 2)) @ np.array([1.0, 1.0j])
    echoes *= random.uniform(0.4, 1.2) / math.sqrt(2.0)
    return Scene(
        transmitter_m=transmitter,
        track_lm=_track(random, half_width),
        reflector_m=reflector,
        glints=_glints(random),
        gains=amplitude * np.exp(1j * phase),
        echoes=echoes,
        pairs=random.choice(pairs, MOST_BASELINES, replace=False),
    )


def _long_baselines(flagged: tuple[int, ...], shortest_m: float) -> np.ndarray:
    """Tile numbers, the lower first, of the baselines of at least that length: (n, 2)."""
    first, second = np.triu_indices(TILE_COUNT, 1)
    places = tile_places()[:, :2]
    length = np.linalg.norm(places[first] - places[second], axis=1)
    usable = ~(np.isin(first, flagged) | np.isin(second, flagged))
    return np.column_stack([first, second])[usable & (length >= shortest_m)]


def _track(random: np.random.Generator, half_width: float) -> np.ndarray:
    """Positions along a straight line through the inner part of the image."""
    middle = random.uniform(-0.5, 0.5, 2) * half_width
    direction = random.uniform(0.0, 2.0 * math.pi)
    length = random.uniform(0.6, 2.0) * min(half_width, math.radians(10.0))
    along = (np.arange(MOST_POSITIONS) + random.uniform(0.0, 0.7, MOST_POSITIONS)) / MOST_POSITIONS
    steps = length * (along - 0.5)[:, np.newaxis]
    return middle + steps * np.array([math.cos(direction), math.sin(direction)])


def _glints(random: np.random.Generator) -> np.ndarray:
    """Relative brightness at each position: a reflector flashes, and is dark in between."""
    lit = random.random(MOST_POSITIONS) < random.uniform(0.4, 0.9)
    lit[random.integers(MOST_POSITIONS)] = True
    brightness = lit * np.exp(0.7 * random.standard_normal(MOST_POSITIONS))
    return brightness / brightness.sum()


def draw_interference(
    random: np.random.Generator, band: Band, channels: int, kind: str | None = None
) -> Interference:
    """Kind (drawn if None), strength, channels and duration in one image."""
    near = any(low < band.high_mhz and band.low_mhz < high for low, high in TRANSMITTERS)
    shares = SHARES_NEAR_TRANSMITTER if near else SHARES_ELSEWHERE
    drawn = str(random.choice(KINDS, p=shares))
    kind = kind or drawn
    baselines = 10.0 ** random.uniform(3.0, math.log10(2e4), random.integers(1, MOST_BASELINES + 1))
    horizon = 10.0 ** random.uniform(1.0, math.log10(300.0))
    width = int(random.integers(1, channels + 1))
    first = int(random.integers(0, channels - width + 1))
    seconds = 10.0 ** random.uniform(0.3, math.log10(112.0))
    television = band.low_mhz >= TRANSMITTERS[1][0] - band.width_mhz
    phases = random.random(MOST_BASELINES)
    return Interference(
        kind=kind,
        horizon_jy=horizon if kind != BASELINES else 0.0,
        baseline_jy=tuple(baselines.tolist()) if kind in (BASELINES, BOTH) else (),
        channels=(first, width),
        seconds=seconds,
        line_mhz=TELEVISION_MHZ if television and near else LINE_MHZ,
        phases=tuple(phases.tolist()),
    )


def interference_visibilities(drawn: Interference, scene: Scene, coverage: Coverage) -> np.ndarray:
    """Visibilities in Jy, complex128 (baselines, channels)."""
    total = np.zeros(coverage.weights.shape, dtype=np.complex128)
    if drawn.kind in (HORIZON, BOTH):
        total += _horizon(drawn, scene, coverage)
    if drawn.kind == REFLECTOR:
        total += _reflector(drawn, scene, coverage)
    if drawn.baseline_jy:
        total += _bad_baselines(drawn, scene, coverage)
    first, count = drawn.channels
    total[:, :first] = 0.0
    total[:, first + count :] = 0.0
    return total


def _horizon(drawn: Interference, scene: Scene, coverage: Coverage) -> np.ndarray:
    """A transmitter that stands still: averaging wears down its direct wave, not the echoes.

    Echoes differ from channel to channel already, and their delays are none of the direct path.
    """
    paths = coverage.terrestrial_paths(scene.transmitter_m[np.newaxis])
    flux = np.array([drawn.horizon_jy])
    direct = coverage.emitted(Emitters(paths, flux, scene.gains[:1]))
    heard = (scene.gains[0] * (1.0 + scene.echoes))[:, np.newaxis]
    whole = coverage.emitted(Emitters(paths, flux, heard))
    kept = coverage.band_blur(paths[0], drawn.line_mhz)[:, np.newaxis]
    found = whole - direct * (1.0 - kept)
    return found * coverage.blur(coverage.terrestrial_rate(), drawn.seconds)


def _reflector(drawn: Interference, scene: Scene, coverage: Coverage) -> np.ndarray:
    away = np.sqrt(np.clip(1.0 - np.sum(scene.track_lm**2, axis=1), 0.0, None))
    lmn = np.column_stack([scene.track_lm, away])
    places = coverage.pointing.to_local(lmn) * scene.reflector_m
    paths = coverage.terrestrial_paths(places)
    return coverage.emitted(Emitters(paths, drawn.horizon_jy * scene.glints, scene.gains[1:]))


def _bad_baselines(drawn: Interference, scene: Scene, coverage: Coverage) -> np.ndarray:
    """Constant signals of their own on a few baselines; a flagged tile's are not there."""
    first, second = coverage.pairs
    found = np.zeros(coverage.weights.shape, dtype=np.complex128)
    parts = zip(scene.pairs.tolist(), drawn.baseline_jy, drawn.phases, strict=False)
    for (one, other), flux, phase in parts:
        row = (first == one) & (second == other)
        found[row] += flux * np.exp(2j * math.pi * phase)
    return found

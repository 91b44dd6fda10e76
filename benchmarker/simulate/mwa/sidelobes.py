"""Sources in the tile's far sidelobes: never deconvolved, they cover the image with ripples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmarker.simulate.mwa.coverage import Coverage, Emitters
from benchmarker.simulate.mwa.tile_beam import tile_power
from benchmarker.simulate.mwa.tiles import Pointing

NEAREST, FURTHEST = 0.35, 0.9  # direction cosine radius from the image's centre
LOWEST_UP = 0.05
TRIES = 400
REAL_SHARE = 0.5  # of images in which a real bright source would be up
FAINTEST_GAIN = 1e-3


@dataclass(frozen=True)
class BrightSource:
    """J2000 degrees, Jy at 150 MHz and spectral index."""

    name: str
    ra_deg: float
    dec_deg: float
    flux_jy: float
    index: float


# Fluxes and indices after the source list of the GLEAM-X pipeline.
BRIGHT_SOURCES = (
    BrightSource("CasA", 350.850, 58.815, 13000.0, -0.5),
    BrightSource("CygA", 299.868, 40.734, 9000.0, -1.0),
    BrightSource("Crab", 83.633, 22.014, 1500.0, -0.5),
    BrightSource("VirA", 187.706, 12.391, 1200.0, -1.0),
    BrightSource("PicA", 79.957, -45.779, 570.0, -1.0),
    BrightSource("HerA", 252.784, 4.993, 520.0, -1.1),
    BrightSource("HydA", 139.524, -12.095, 350.0, -0.9),
)


@dataclass(frozen=True)
class FarSource:
    """A source outside the image: name (empty for a nameless one), l, m, n, Jy and index."""

    name: str
    lmn: tuple[float, float, float]
    flux_jy: float
    index: float


def draw_far_sources(
    random: np.random.Generator, pointing: Pointing, lst_deg: float, half_width: float
) -> tuple[FarSource, ...]:
    """One or two sources above the horizon, outside |l|, |m| < `half_width`.

    Where real bright sources are up, half of the observations have the brightest in the far
    sidelobes; else places and fluxes are random.
    """
    up = _real_ones(pointing, lst_deg, half_width)
    real = random.random() < REAL_SHARE
    count = 1 + int(random.random() < 0.4)
    nameless = _random_places(random, pointing, half_width, count)
    flux = 10.0 ** random.uniform(2.0, 3.0, count)
    drawn = [
        FarSource("", tuple(lmn), jy, -0.8)
        for lmn, jy in zip(nameless.tolist(), flux.tolist(), strict=True)
    ]
    return tuple([*(up if real else []), *drawn][:count])


def _real_ones(pointing: Pointing, lst_deg: float, half_width: float) -> list[FarSource]:
    ra = np.array([source.ra_deg for source in BRIGHT_SOURCES])
    dec = np.array([source.dec_deg for source in BRIGHT_SOURCES])
    lmn = pointing.of(lst_deg - ra, dec)
    fits = _fits(lmn, pointing, half_width)
    found = [
        FarSource(source.name, tuple(place), source.flux_jy, source.index)
        for source, place, ok in zip(BRIGHT_SOURCES, lmn.tolist(), fits, strict=True)
        if ok
    ]
    return sorted(found, key=lambda source: -source.flux_jy)


def _random_places(
    random: np.random.Generator, pointing: Pointing, half_width: float, count: int
) -> np.ndarray:
    radius = np.sqrt(random.uniform(NEAREST**2, FURTHEST**2, TRIES))
    angle = random.uniform(0.0, 2.0 * math.pi, TRIES)
    away = np.sqrt(1.0 - radius**2)
    lmn = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), away])
    return lmn[np.argsort(~_fits(lmn, pointing, half_width), kind="stable")[:count]]


def _fits(lmn: np.ndarray, pointing: Pointing, half_width: float) -> np.ndarray:
    radius = np.hypot(lmn[:, 0], lmn[:, 1])
    outside = np.abs(lmn[:, :2]).max(axis=1) > 1.05 * half_width
    up = pointing.to_local(lmn)[:, 2] > LOWEST_UP
    return (radius >= NEAREST) & (radius <= FURTHEST) & (lmn[:, 2] > 0) & outside & up


def apparent_jy(
    sources: tuple[FarSource, ...], coverage: Coverage, steered: np.ndarray, polarisation: str
) -> np.ndarray:
    """Flux of each source behind the tile's sidelobes, Jy, float64 (n,).

    `steered` is the tile's pointing, east, north, up. A source in a null keeps one thousandth.
    """
    directions = coverage.pointing.to_local(np.array([source.lmn for source in sources]))
    power = tile_power(directions, steered, coverage.band.wavelength_m, polarisation)
    ratio = coverage.band.middle_mhz / 150.0
    flux = np.array([source.flux_jy * ratio**source.index for source in sources])
    return flux * np.maximum(power, FAINTEST_GAIN)


def far_visibilities(
    sources: tuple[FarSource, ...], coverage: Coverage, flux_jy: np.ndarray
) -> np.ndarray:
    """Visibilities (baselines, channels), with the loss by the band's and the time's averaging."""
    total = np.zeros(coverage.weights.shape, dtype=np.complex128)
    for source, flux in zip(sources, flux_jy, strict=True):
        lmn = np.array(source.lmn)
        paths = coverage.celestial_paths(lmn[np.newaxis])
        found = coverage.emitted(Emitters(paths, np.array([flux])))
        found *= coverage.blur(coverage.celestial_rate(lmn))
        total += found * coverage.band_blur(paths[0])[:, np.newaxis]
    return total

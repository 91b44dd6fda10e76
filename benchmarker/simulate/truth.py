"""The physical parameters of one source: drawn, then selected as a catalogue selects."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np

from benchmarker.core.errors import SettingsError
from benchmarker.core.seeds import generator
from benchmarker.simulate.cosmology import arcsec_per_kpc
from benchmarker.simulate.geometry import Shape, bending_deg, extent_arcsec
from benchmarker.simulate.populations import CLASSES, POPULATIONS, Population, Spread
from benchmarker.simulate.sky import position, source_name
from benchmarker.simulate.survey import Survey

CANDIDATES = 96  # drawn at once; the first that passes every selection is taken
TRIES = 50
BRIGHTEST_JY = 3.0
STEEP = 0.7  # spectral index of the arms; 2 + 0.7 is the beaming exponent of a steady jet
REFERENCE_ARCSEC = 40.0  # a source larger than this needs more flux to be seen at all


@dataclass(frozen=True)
class Truth:
    """What was drawn for one source; angles in degrees, J2000, lengths as named.

    `angular_size_arcsec` and `bending_deg` are as seen on the sky, between the ends of the
    arms. `jet_ratio` is the approaching jet's brightness over the receding one's.
    `shape` holds the same geometry for drawing, before the position angle is applied.
    """

    source: str
    label: str
    ra_deg: float
    dec_deg: float
    redshift: float
    size_kpc: float
    inclination_deg: float
    position_angle_deg: float
    angular_size_arcsec: float
    bending_deg: float
    flux_jy: float
    core_share: float
    arm_length_ratio: float
    arm_flux_ratio: float
    jet_ratio: float
    edge_bright: bool
    rms_jy: float
    shape: Shape


COLUMNS = tuple(field.name for field in fields(Truth) if field.name != "shape")


def draw(seed: int, label: str, index: int, survey: Survey) -> Truth:
    """Parameters of source `index` of class `label`: a function of these three and the survey."""
    random = generator(seed, "radio galaxy", label, index)
    population = POPULATIONS[label]
    redshift, size_kpc, shape = _select(random, population, survey)
    size_arcsec = float(extent_arcsec(shape))
    lowest = population.faintest_jy * max(1.0, size_arcsec / REFERENCE_ARCSEC)
    flux_jy = _power_law(random, lowest, BRIGHTEST_JY)
    cosine = math.cos(float(shape.inclination))
    speed = random.uniform(0.2, 0.8)  # of light; FR II jets are faster but fainter
    jet_ratio = ((1.0 + speed * cosine) / (1.0 - speed * cosine)) ** (2.0 + STEEP)
    boost = (1.0 - speed**2) / (1.0 - speed * cosine) ** 2
    core_share = float(_lognormal(random, population.core_share)) * boost
    ra_deg, dec_deg = position(seed, index * len(CLASSES) + CLASSES.index(label))
    return Truth(
        source=source_name(ra_deg, dec_deg),
        label=label,
        ra_deg=ra_deg,
        dec_deg=dec_deg,
        redshift=redshift,
        size_kpc=size_kpc,
        inclination_deg=math.degrees(float(shape.inclination)),
        position_angle_deg=random.uniform(0.0, 360.0),
        angular_size_arcsec=size_arcsec,
        bending_deg=float(bending_deg(shape)),
        flux_jy=flux_jy,
        core_share=min(core_share, 0.97 if label == "COMP" else 0.6),
        arm_length_ratio=float(shape.length_0 / shape.length_1),
        arm_flux_ratio=float(_lognormal(random, Spread(1.0, 0.2))),
        jet_ratio=min(jet_ratio, 30.0),
        edge_bright=bool(random.random() < population.edge_bright),
        rms_jy=survey.rms_jy * math.exp(0.07 * random.standard_normal()),
        shape=shape,
    )


def _select(
    random: np.random.Generator, population: Population, survey: Survey
) -> tuple[float, float, Shape]:
    """Redshift, size in kpc and shape of the first candidate that the class would admit."""
    smallest, largest = population.seen_arcsec[0], survey.largest_arcsec
    least, most = population.seen_bend_deg
    for _ in range(TRIES):
        redshift = np.clip(_lognormal(random, population.redshift, CANDIDATES), 0.005, 2.5)
        size_kpc = _lognormal(random, population.size_kpc, CANDIDATES)
        shape = _shapes(random, population, size_kpc * arcsec_per_kpc(redshift))
        extent, bend = extent_arcsec(shape), bending_deg(shape)
        fits = (extent >= smallest) & (extent <= min(population.seen_arcsec[1], largest))
        fits &= (bend >= least) & (bend <= most)
        if fits.any():
            chosen = int(np.argmax(fits))
            return float(redshift[chosen]), float(size_kpc[chosen]), shape.take(chosen)
    message = f"no source of {smallest:g} to {largest:g} arcsec was drawn: raise largest_arcsec"
    raise SettingsError(message)


def _shapes(random: np.random.Generator, population: Population, size_arcsec: np.ndarray) -> Shape:
    count = size_arcsec.size
    share = 0.5 + 0.5 * np.tanh(0.25 * random.standard_normal(count))
    turn = np.radians(population.turn_deg) * random.standard_normal(count)
    wiggle = np.radians(population.wiggle_deg) * random.standard_normal(count)
    unequal = random.uniform(0.6, 1.4, count)
    limit = np.radians(88.0)
    return Shape(
        length_0=size_arcsec * share,
        length_1=size_arcsec * (1.0 - share),
        turn_0=np.clip(turn * unequal + wiggle, -limit, limit),
        turn_1=np.clip(turn * (2.0 - unequal) - wiggle, -limit, limit),
        onset=random.uniform(-0.3, 0.45, count),
        # isotropic, less the 15 degrees around the line of sight where a blazar is seen instead
        inclination=np.arccos(random.uniform(0.0, math.cos(math.radians(15.0)), count)),
        plane=random.uniform(0.0, 2.0 * math.pi, count),
    )


def _lognormal(random: np.random.Generator, spread: Spread, count: int | None = None) -> np.ndarray:
    return spread.median * 10.0 ** (spread.dex * random.standard_normal(count))


def _power_law(random: np.random.Generator, lowest: float, highest: float) -> float:
    """A flux density with N(>S) proportional to 1/S between the limits."""
    share = random.random() * (1.0 - lowest / highest)
    return lowest / (1.0 - share)

"""The brightness of a source as round Gaussian clumps along its ridge lines.

A component list is a float64 array of shape (n, 4): offset east and north of the field centre
in arcsec, flux density in Jy, standard deviation in arcsec. Round clumps convolve with the
round beam exactly, and an image of many of them is one matrix product.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmarker.core.seeds import generator
from benchmarker.simulate.geometry import ridge
from benchmarker.simulate.survey import Survey
from benchmarker.simulate.truth import Truth

CLUMPS = 44  # per arm: lobes look continuous at the beam of the survey, yet not smooth
FIELD_PX = 300  # background is drawn over this field whatever the cut-out, so the sky is the same
ARCSEC2_PER_DEGREE2 = 3600.0**2


@dataclass(frozen=True)
class Sky:
    """Components of the source itself, apart by part, and of the unrelated background."""

    core: np.ndarray
    arms: np.ndarray
    background: np.ndarray

    @property
    def all(self) -> np.ndarray:
        """Every component, shape (n, 4)."""
        return np.concatenate([self.core, self.arms, self.background])


def components(truth: Truth, seed: int, index: int, survey: Survey) -> Sky:
    """Draw the clumps of a source and of its field; a function of truth, seed, class and index."""
    random = generator(seed, "clumps", truth.label, index)
    arms_jy = truth.flux_jy * (1.0 - truth.core_share)
    first = truth.arm_flux_ratio / (1.0 + truth.arm_flux_ratio)
    style = _edge_bright if truth.edge_bright else _fading
    arms = [
        style(random, truth, arm, arms_jy * share) for arm, share in ((0, first), (1, 1.0 - first))
    ]
    core = np.array([[0.0, 0.0, truth.flux_jy * truth.core_share, random.uniform(0.0, 0.6)]])
    own = _turned(np.concatenate([core, *arms]), truth.position_angle_deg)
    own[:, :2] -= _pointing_error(random, own)
    field = _background(generator(seed, "background", truth.label, index), survey)
    return Sky(own[:1], own[1:], field)


def _fading(random: np.random.Generator, truth: Truth, arm: int, flux_jy: float) -> np.ndarray:
    """An arm that fades outwards: a jet, bright where it flares, that widens into a plume."""
    along = _spread_evenly(random)
    length = float(truth.shape.length_0 if arm == 0 else truth.shape.length_1)
    opening, power = random.uniform(0.05, 0.25), random.uniform(0.6, 1.6)
    width = 0.4 + length * opening * along**power
    pieces = _clumps(
        random,
        _Arm(truth, arm, flux_jy, roughness=0.9),
        along,
        _fading_brightness(random, truth, arm, along),
        width,
    )
    pieces[:, 1] += _meander(random, along) * length
    return pieces


def _fading_brightness(
    random: np.random.Generator, truth: Truth, arm: int, along: np.ndarray
) -> np.ndarray:
    """Brightness per length: highest where the jet flares, boosted near the core, with a gap."""
    flare, scale = random.uniform(0.0, 0.4), random.uniform(0.25, 1.2)
    brightness = np.exp(-np.abs(along - flare) / scale)
    beamed = math.sqrt(truth.jet_ratio) ** (1.0 if arm == 0 else -1.0)
    gap, depth = random.uniform(0.2, 0.7), random.uniform(-0.5, 1.0)
    brightness *= 1.0 - max(depth, 0.0) * np.exp(-(((along - gap) / 0.12) ** 2))
    return brightness * (1.0 + (beamed - 1.0) * np.exp(-along / 0.15))


def _meander(random: np.random.Generator, along: np.ndarray) -> np.ndarray:
    """Sideways swing of a plume, growing outwards, in units of the arm's length."""
    height = 0.06 * random.standard_normal()
    waves, start = random.uniform(0.5, 1.5), random.uniform(0.0, 2.0 * math.pi)
    return height * along * np.sin(2.0 * math.pi * waves * along + start)


def _edge_bright(random: np.random.Generator, truth: Truth, arm: int, flux_jy: float) -> np.ndarray:
    """An arm that ends in a hot spot, with a lobe flowing back from it and a faint jet."""
    along = 1.0 - _spread_evenly(random) * random.uniform(0.25, 0.95)
    steepness = random.uniform(0.5, 5.0)
    length = float(truth.shape.length_0 if arm == 0 else truth.shape.length_1)
    width = 0.4 + length * random.uniform(0.05, 0.15) * np.sqrt(np.clip(1.08 - along, 0.0, 1.0))
    hot = min(0.85, 0.3 * 10.0 ** (0.3 * random.standard_normal()))
    jet = 0.03 * (truth.jet_ratio / (1.0 + truth.jet_ratio) if arm == 0 else 0.1)
    whole = _Arm(truth, arm, flux_jy * (1.0 - hot - jet), 0.6)
    lobe = _clumps(random, whole, along, along**steepness, width)
    inner = _spread_evenly(random)[:20]
    thin = _Arm(truth, arm, flux_jy * jet, 0.8)
    chain = _clumps(random, thin, inner, np.ones_like(inner), np.full_like(inner, 0.3))
    place = ridge(truth.shape, arm, np.array([random.uniform(0.88, 1.0)]))[0]
    spot = np.array([[*place, flux_jy * hot, 0.3 + 0.02 * length * random.random()]])
    return np.concatenate([spot, lobe, chain])


@dataclass(frozen=True)
class _Arm:
    truth: Truth
    number: int
    flux_jy: float
    roughness: float  # natural logarithm's scatter of clump brightness


def _clumps(
    random: np.random.Generator,
    arm: _Arm,
    along: np.ndarray,
    brightness: np.ndarray,
    width: np.ndarray,
) -> np.ndarray:
    """Clumps scattered about the ridge line by its width; their sum is the arm's flux density."""
    centre = ridge(arm.truth.shape, arm.number, along)
    weight = brightness * np.exp(arm.roughness * random.standard_normal(along.size))
    # the largest eddies are about half as wide as the flow, so the outline stays irregular
    place = centre + 0.8 * width[:, np.newaxis] * random.standard_normal(centre.shape)
    return np.column_stack([place, arm.flux_jy * weight / weight.sum(), 0.6 * width])


def _spread_evenly(random: np.random.Generator) -> np.ndarray:
    return (np.arange(CLUMPS) + random.random(CLUMPS)) / CLUMPS


def _turned(parts: np.ndarray, position_angle_deg: float) -> np.ndarray:
    """Components with the jet axis put at a position angle, from north through east."""
    angle = math.radians(position_angle_deg)
    sine, cosine = math.sin(angle), math.cos(angle)
    on_axis, across = parts[:, 0], parts[:, 1]
    east, north = on_axis * sine + across * cosine, on_axis * cosine - across * sine
    return np.column_stack([east, north, parts[:, 2:]])


def _pointing_error(random: np.random.Generator, parts: np.ndarray) -> np.ndarray:
    """Offset of the catalogue's position: on the host, or on the middle of the radio emission."""
    on_host = random.random() < 0.5
    middle = np.average(parts[:, :2], axis=0, weights=parts[:, 2])
    return (0.0 if on_host else middle) + 0.5 * random.standard_normal(2)


def _background(random: np.random.Generator, survey: Survey) -> np.ndarray:
    """Unrelated sources: Poisson number, even on the sky, N(>S) proportional to 1/S."""
    side = FIELD_PX * survey.pixel_arcsec
    mean = survey.background_per_degree2 * side**2 / ARCSEC2_PER_DEGREE2
    count = int(random.poisson(mean))
    place = random.uniform(-side / 2.0, side / 2.0, (count, 2))
    flux_jy = survey.background_jy / (1.0 - random.random(count))
    size = np.abs(1.0 * random.standard_normal(count))
    return np.column_stack([place, np.minimum(flux_jy, 1.0), size])

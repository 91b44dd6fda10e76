"""Damaged images: kinds and strengths of what may be wrong with an image that a network is shown.

Prepared images are damaged, before `Preparation.standardise`, with the effects that also serve
as augmentation. Strengths are 1 to 5, as in Hendrycks & Dietterich 2019 (arXiv:1903.12261);
what each stands for is written below and into every result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarker.core.errors import Problems, SettingsError, suggest
from benchmarker.core.seeds import derive_seed, generator
from benchmarker.data.preparation import Preparation
from benchmarker.data.radio_effects import Beam, noise
from benchmarker.data.recipes import CLASS, Recipe

STRENGTHS = (1, 2, 3, 4, 5)
BEAM_PX = 3.0  # full width at half maximum of FIRST, in its pixels: of images as they are
FRINGE_PX = 6.0
FRINGED_SOURCES = 2
UNIT_RANGE = (0.0, 1.0)  # of prepared images; what leaves it is cut, as in a picture

Limits = tuple[float, float] | None


@dataclass(frozen=True)
class Damage:
    """One kind at one strength, for one source.

    Arguments
    ---------
    amount : how much, in the unit of its kind
    limits : lowest and highest value of the result, None for whatever comes out
    seed : everything drawn derives from it
    """

    amount: float
    limits: Limits
    seed: int

    @property
    def random(self) -> np.random.Generator:
        """The generator of this damage, each time from its beginning."""
        return generator(self.seed, "damage")


@dataclass(frozen=True)
class Kind:
    """A kind of damage.

    Arguments
    ---------
    amounts : for the strengths 1 to 5; a share of them for ``channels``
    unit : what the amounts are
    apply : from a float32 image (height, width, channels) and a `Damage` to such an image
    """

    amounts: tuple[float, ...]
    unit: str
    apply: Callable[[np.ndarray, Damage], np.ndarray]


def _noise(image: np.ndarray, damage: Damage) -> np.ndarray:
    from benchmarker.data.radio_transforms import CorrelatedNoise

    effect = CorrelatedNoise(beam=(BEAM_PX, BEAM_PX, 0.0), limits=damage.limits)
    drawn = noise(image.shape[:2], Beam(BEAM_PX, BEAM_PX), damage.random)
    return effect.apply(image, level=damage.amount, field=drawn)


def _beam(image: np.ndarray, damage: Damage) -> np.ndarray:
    from benchmarker.data.radio_transforms import BeamConvolution

    effect = BeamConvolution(beam=(BEAM_PX, BEAM_PX, 0.0), limits=damage.limits)
    return effect.apply(image, new=Beam(damage.amount, damage.amount))


def _shift(image: np.ndarray, damage: Damage) -> np.ndarray:
    from benchmarker.data.radio_transforms import SkyAffine

    angle = damage.random.uniform(0, 2 * math.pi)
    moved = (round(damage.amount * math.cos(angle)), round(damage.amount * math.sin(angle)))
    return SkyAffine().apply(image, angle_deg=0.0, moved=moved, factor=1.0)


def _sidelobes(image: np.ndarray, damage: Damage) -> np.ndarray:
    from benchmarker.data.radio_transforms import SidelobeRipples

    random = damage.random
    sign = 1.0 if random.random() < 0.5 else -1.0
    effect = SidelobeRipples(sources=FRINGED_SOURCES, limits=damage.limits)
    return effect.apply(
        image,
        share=sign * damage.amount,
        fringe=FRINGE_PX,
        turned_deg=float(random.uniform(0.0, 180.0)),
    )


def _missing(image: np.ndarray, damage: Damage) -> np.ndarray:
    from benchmarker.data.augment import draw

    side = [damage.amount, damage.amount]
    block = {
        CLASS: "CoarseDropout", "num_holes_range": [1, 1], "hole_height_range": side,
        "hole_width_range": side, "fill": 0.0, "p": 1.0,
    }  # fmt: skip
    return draw(image, Recipe("missing", transforms=(block,)), damage.seed, 0, 0)


def _contrast(image: np.ndarray, damage: Damage) -> np.ndarray:
    mean = image.mean(axis=(0, 1), keepdims=True, dtype=np.float64).astype(np.float32)
    return mean + np.float32(damage.amount) * (image - mean)


def _channels(image: np.ndarray, damage: Damage) -> np.ndarray:
    lost = damage.random.permutation(image.shape[2])[: int(damage.amount)]
    made = image.copy()
    made[:, :, lost] = 0
    return made


KINDS = {
    "noise": Kind(
        (0.01, 0.02, 0.05, 0.1, 0.2), "rms of beam-correlated noise over the image's peak", _noise
    ),
    "beam": Kind(
        (4.0, 5.0, 6.0, 8.0, 10.0), "width of the beam in pixels, instead of 3 (peak kept)", _beam
    ),
    "shift": Kind((1.0, 2.0, 4.0, 8.0, 12.0), "pixels, in a drawn direction", _shift),
    "sidelobes": Kind(
        (0.05, 0.1, 0.2, 0.3, 0.5), "largest sidelobe over the peak of its source", _sidelobes
    ),
    "missing": Kind((0.1, 0.2, 0.3, 0.4, 0.5), "side of a blank block over the image's", _missing),
    "contrast": Kind((0.75, 0.5, 0.3, 0.2, 0.1), "contrast left, around the mean", _contrast),
    # shares of all channels but one, rounded up: one always stays
    "channels": Kind((0.2, 0.4, 0.6, 0.8, 1.0), "channels set to 0", _channels),
}
USUAL = tuple(name for name in KINDS if name != "channels")


@dataclass(frozen=True)
class Corruption:
    """A kind of damage, a key of `KINDS`, at a strength from 1 to 5."""

    kind: str
    strength: int

    def amount(self, channels: int = 1) -> float:
        """How much that is in the unit of its kind, for images of so many channels."""
        stated = KINDS[self.kind].amounts[self.strength - 1]
        if self.kind != "channels":
            return stated
        return float(math.ceil(round(stated * (channels - 1), 9)))


def usual_kinds(channels: int) -> tuple[str, ...]:
    """The kinds that are tested where none is named; ``channels`` where there are several."""
    return (*USUAL, "channels") if channels > 1 else USUAL


def check_kinds(kinds: Sequence[str], strengths: Sequence[int]) -> None:
    """Raise `SettingsError` listing every unknown kind or strength, and each given twice."""
    problems = Problems("the damage asked for", SettingsError)
    for kind in kinds:
        if kind not in KINDS:
            text = f"unknown kind {kind!r}{suggest(kind, KINDS)}; known: {', '.join(KINDS)}"
            problems.add(text)
    for strength in strengths:
        if strength not in STRENGTHS:
            problems.add(f"strength {strength}, expected 1 to {STRENGTHS[-1]}")
    for words in (list(kinds), list(strengths)):
        twice = sorted({str(word) for word in words if words.count(word) > 1})
        if twice:
            problems.add(f"{', '.join(twice)} twice")
        if not words:
            problems.add("no kind or no strength, expected at least one")
    problems.raise_if_any()


def refuse_channels(kinds: Sequence[str], channels: int, where: str) -> None:
    """Raise `SettingsError` where channels shall be dropped of images that have one."""
    if "channels" in kinds and channels == 1:
        message = (
            f"channels cannot be dropped: {where} is shown images of one channel; expected other "
            "kinds, for instance missing (a block of blank pixels)"
        )
        raise SettingsError(message)


def damaged(
    image: np.ndarray, what: Corruption, *, seed: int, source: str, preparation: Preparation
) -> np.ndarray:
    """A prepared image as it looks when something is wrong with it.

    A pure function of its arguments: float32 (height, width, channels) to the same, drawn by
    (seed, kind, strength, source). Values stay in 0 to 1 where the preparation puts them there.
    """
    limits = None if preparation.normalise == "none" else UNIT_RANGE
    drawn = derive_seed(seed, "corruption", what.kind, what.strength, source)
    damage = Damage(what.amount(image.shape[2]), limits, drawn)
    return np.ascontiguousarray(KINDS[what.kind].apply(image, damage), dtype=np.float32)

"""One whole exposure: stars, real sources and artefacts drawn, then found again by the finder."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from benchmarker.core.seeds import generator
from benchmarker.simulate.difference import bogus as bogus_kinds
from benchmarker.simulate.difference import reals
from benchmarker.simulate.difference.finder import Detections, find
from benchmarker.simulate.difference.night_plan import NightSettings, Visit
from benchmarker.simulate.difference.reals import ASTEROID, SUPERNOVA, TRAILED, Injected
from benchmarker.simulate.difference.scene import Canvas, draw_conditions, magnitude_of
from benchmarker.simulate.difference.stars import (
    Mismatch,
    add_galaxy,
    add_static,
    draw_mismatch,
    flux_of_peak,
)

# per million pixels; 2,000 stars in 2048 x 2048 pixels as faint as three sigma in a pixel
STARS, GALAXIES, REALS, ARTEFACTS = 480.0, 20.0, 60.0, 90.0
FAINTEST_STAR, BRIGHTEST_STAR = 3.0, 2e5  # sigma in the brightest pixel
BORDER_PX = 6  # masked at the edge of the detector
MATCH_PX = 1.5
NEAR_PX = 2  # an artefact's trace within so many pixels of a detection explains it
DETECTIONS_OF_ONE = 3  # a long trail is found many times: the catalogue keeps the strongest
REGISTRATION_PX = 0.05
STAR, GALAXY = "star residual", "galaxy residual"


@dataclass(frozen=True)
class Found:
    """A detection and what it is.

    Arguments
    ---------
    y, x : position in pixels, pixel (0, 0) has its middle at (0, 0)
    snr, flux, magnitude : as the finder measures them
    label : 1 real, 0 bogus; kind : of reals or bogus
    source : what stays the same from exposure to exposure of a field, empty for what does not
    true_snr, true_magnitude : of a real source as put in; NaN for bogus
    """

    y: float
    x: float
    snr: float
    flux: float
    magnitude: float
    label: int
    kind: str
    source: str
    true_snr: float = math.nan
    true_magnitude: float = math.nan


@dataclass(frozen=True, eq=False)
class DrawnExposure:
    """An exposure with its catalogue.

    Arguments
    ---------
    image : int32 (size, size) ADU, masked pixels -31415
    found : detections of the finder with their truth, the strongest first
    injected : every real source that was put in, found or not
    sky, fwhm : ADU, pixels; limit : magnitude of five sigma
    """

    image: np.ndarray
    found: list[Found]
    injected: list[Injected]
    sky: float
    fwhm: float
    limit: float


@dataclass(frozen=True, eq=False)
class Field:
    """What is at the same place in all exposures of a field.

    Arguments
    ---------
    stars : (n, 3) y, x, height of the brightest pixel in sigma
    galaxies : (n, 2) y, x
    supernovae : (n, 3) y, x, signal to noise in every exposure
    """

    stars: np.ndarray
    galaxies: np.ndarray
    supernovae: np.ndarray


@lru_cache(maxsize=8)
def field_of(settings: NightSettings, number: int) -> Field:
    """The field of this number: the same for every exposure of it."""
    draw = generator(settings.seed, "difference field", number)
    area = settings.size**2 / 1e6
    stars = _places(draw, STARS * area, settings.size)
    # N(brighter than f) goes as 1/f, which is 10 ** (0.4 m)
    sigmas = np.minimum(FAINTEST_STAR / (1.0 - draw.random((len(stars), 1))), BRIGHTEST_STAR)
    hosted = _places(draw, REALS * reals.SHARES[SUPERNOVA] * area, settings.size)
    snr = np.array([[reals.draw_snr(draw)] for _ in hosted]).reshape(-1, 1)
    return Field(
        np.hstack([stars, sigmas]),
        _places(draw, GALAXIES * area, settings.size),
        np.hstack([hosted, snr]),
    )


def _places(draw: np.random.Generator, expected: float, size: int) -> np.ndarray:
    return draw.uniform(0, size - 1, (max(1, int(draw.poisson(expected))), 2))


def draw_exposure(visit: Visit, settings: NightSettings) -> DrawnExposure:
    """Draw one exposure: a function of the settings and the visit alone."""
    draw = generator(settings.seed, "difference exposure", visit.obs)
    conditions = draw_conditions(draw)
    canvas = Canvas((settings.size, settings.size), conditions)
    things: dict[int, tuple[str, str]] = {}
    shift = draw.normal(0.0, REGISTRATION_PX, 2)
    _add_static(canvas, visit, settings, shift, things)
    injected = _add_reals(canvas, visit, settings, draw)
    _add_artefacts(canvas, settings, draw, things)
    _add_border(canvas)
    image = canvas.finish(draw)
    detections = find(image, conditions, settings.threshold)
    return DrawnExposure(
        image=image,
        found=_explain(canvas, detections, injected, things),
        injected=[source for source, _ in injected],
        sky=conditions.sky,
        fwhm=conditions.psf.fwhm,
        limit=magnitude_of(5.0 / conditions.snr_per_flux(conditions.matched)),
    )


def _add_static(
    canvas: Canvas,
    visit: Visit,
    settings: NightSettings,
    shift: np.ndarray,
    things: dict[int, tuple[str, str]],
) -> None:
    """Stars and galaxies of the field, each with a residual of its own in every exposure."""
    field = field_of(settings, visit.field)
    draw = generator(settings.seed, "difference residuals", visit.obs)
    for index, (y, x, sigmas) in enumerate(field.stars.tolist()):
        drawn = draw_mismatch(draw)
        moved = (drawn.shift[0] + shift[0], drawn.shift[1] + shift[1])
        things[canvas.begin()] = (_star_kind(sigmas), f"star {index}")
        mismatch = Mismatch(drawn.flux, drawn.width, moved)
        add_static(canvas, (y, x), flux_of_peak(canvas, sigmas), canvas.conditions.psf, mismatch)
    for index, (y, x) in enumerate(field.galaxies.tolist()):
        things[canvas.begin()] = (GALAXY, f"galaxy {index}")
        # the galaxy itself is the same each time; what remains of it is not drawn again either
        add_galaxy(canvas, (y, x), generator(settings.seed, "galaxy", visit.field, index))


def _star_kind(sigmas: float) -> str:
    return bogus_kinds.BRIGHT_STAR if sigmas >= bogus_kinds.BRIGHT_SIGMAS[0] else STAR


def _add_reals(
    canvas: Canvas, visit: Visit, settings: NightSettings, draw: np.random.Generator
) -> list[tuple[Injected, str]]:
    """Supernovae of the field, where they were; asteroids anywhere. With the name of each."""
    found = []
    field = field_of(settings, visit.field)
    for index, (y, x, snr) in enumerate(field.supernovae.tolist()):
        canvas.begin()
        host = generator(settings.seed, "difference host", visit.field, index)
        found.append((reals.add_real(canvas, (y, x), SUPERNOVA, snr, host), f"supernova {index}"))
    moving = {kind: reals.SHARES[kind] for kind in (ASTEROID, TRAILED)}
    whole = sum(moving.values())
    shares = {kind: share / whole for kind, share in moving.items()}
    area = settings.size**2 / 1e6
    for y, x in _places(draw, REALS * whole * area, settings.size).tolist():
        canvas.begin()
        kind = reals.draw_kind(draw, shares)
        found.append((reals.add_real(canvas, (y, x), kind, reals.draw_snr(draw), draw), ""))
    return found


def _add_artefacts(
    canvas: Canvas,
    settings: NightSettings,
    draw: np.random.Generator,
    things: dict[int, tuple[str, str]],
) -> None:
    area = settings.size**2 / 1e6
    for y, x in _places(draw, ARTEFACTS * area, settings.size).tolist():
        kind = reals.draw_kind(draw, bogus_kinds.SHARES)
        things[canvas.begin()] = (kind, "")
        bogus_kinds.add_bogus(canvas, (y, x), kind, draw)


def _add_border(canvas: Canvas) -> None:
    edge = np.ones(canvas.shape, bool)
    inner = slice(BORDER_PX, -BORDER_PX)
    edge[inner, inner] = False
    canvas.masked |= edge


def _explain(
    canvas: Canvas,
    detections: Detections,
    injected: list[tuple[Injected, str]],
    things: dict[int, tuple[str, str]],
) -> list[Found]:
    """What each detection is: the real source beside it, else the artefact below it, else noise."""
    taken: set[int] = set()
    times: dict[int, int] = {}
    found = []
    rows = zip(detections.y, detections.x, detections.snr, detections.flux, strict=True)
    for y, x, snr, flux in ([float(value) for value in row] for row in rows):
        seen = (y, x, snr, flux, magnitude_of(flux))
        nearest = _nearest(injected, taken, y, x)
        if nearest is not None:
            taken.add(nearest)
            source, name = injected[nearest]
            truth = (source.snr, source.magnitude)
            found.append(Found(*seen, 1, source.kind, name, *truth))
            continue
        thing = _thing_at(canvas, y, x)
        if thing and thing not in things:
            continue  # a wing or the host of a real source is neither real nor a fair bogus
        times[thing] = times.get(thing, 0) + 1
        if thing and times[thing] > DETECTIONS_OF_ONE:
            continue
        kind, name = things.get(thing, (bogus_kinds.NOISE_PEAK, ""))
        found.append(Found(*seen, 0, kind, name))
    return found


def _nearest(
    injected: list[tuple[Injected, str]], taken: set[int], y: float, x: float
) -> int | None:
    """The nearest real source that is still free, within `MATCH_PX`."""
    near = [
        (math.hypot(source.y - y, source.x - x), index)
        for index, (source, _) in enumerate(injected)
        if index not in taken and abs(source.y - y) <= MATCH_PX and abs(source.x - x) <= MATCH_PX
    ]
    distance, index = min(near, default=(math.inf, None))
    return index if distance <= MATCH_PX else None


def _thing_at(canvas: Canvas, y: float, x: float) -> int:
    """The thing with most pixels within `NEAR_PX`; 0 where there is none."""
    owners = canvas.owner[canvas.box(y, x, NEAR_PX)]
    numbers, counts = np.unique(owners[owners > 0], return_counts=True)
    return int(numbers[counts.argmax()]) if numbers.size else 0

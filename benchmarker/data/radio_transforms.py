"""Random transforms for radio images, in the form of albumentations.

Each takes float32 (height, width, channels), gives the same and draws only from the
generator that `benchmarker.data.augment.draw` seeds. Pairs are ranges, drawn uniformly.
Zeros are empty sky, so they work on images before `Preparation.standardise`. Values leave
the range of the image unless `limits` says otherwise.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

# without this the import asks the network for a newer version
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
from albumentations import ImageOnlyTransform

from benchmarker.data.radio_effects import Beam, brightest, noise, ripples, to_beam

KEEPS = ("jy/beam", "integrated", "peak")
UNITS = ("peak", "absolute")
FULL_TURN = (0.0, 180.0)  # an ellipse and a symmetric pattern repeat after half a turn


class _RadioTransform(ImageOnlyTransform):
    """Shared: ranges, draws, and the limits of the result."""

    def __init__(self, limits: Sequence[float] | None, p: float) -> None:
        super().__init__(p=p)
        self.limits = None if limits is None else _pair("limits", limits)

    def _uniform(self, limits: tuple[float, float]) -> float:
        return float(self.random_generator.uniform(*limits))

    def apply(self, img: np.ndarray, **drawn: Any) -> np.ndarray:
        """The image after the effect, plane by plane, within `limits` where declared."""
        planes = img.reshape(*img.shape[:2], -1).astype(np.float32)
        made = np.stack(
            [self.effect(planes[:, :, k], **drawn) for k in range(planes.shape[2])], axis=2
        )
        if self.limits is not None:
            made = np.clip(made, *self.limits)
        return made.reshape(img.shape).astype(np.float32)

    def effect(self, plane: np.ndarray, **drawn: Any) -> np.ndarray:
        """What happens to one plane, float32 (height, width)."""
        raise NotImplementedError


def _pair(what: str, value: Any, lowest: float = -math.inf) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in value)
    except (TypeError, ValueError):
        low, high = math.nan, math.nan
    if not (math.isfinite(low) and math.isfinite(high) and lowest <= low <= high):
        least = "" if lowest == -math.inf else f" from {lowest:g}"
        message = f"{what} must be two numbers{least}, the smaller one first, got {value!r}"
        raise ValueError(message)
    return low, high


def _number(what: str, value: Any, lowest: float) -> float:
    if not (isinstance(value, int | float) and math.isfinite(value) and value >= lowest):
        message = f"{what} must be a number from {lowest:g}, got {value!r}"
        raise ValueError(message)
    return float(value)


def _word(what: str, value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        message = f"{what} must be one of {', '.join(known)}, got {value!r}"
        raise ValueError(message)
    return value


def _beam(what: str, value: Any) -> Beam:
    try:
        major, minor, angle = (float(part) for part in value)
    except (TypeError, ValueError):
        major = minor = angle = math.nan
    if not (math.isfinite(major) and math.isfinite(angle) and 0 < minor <= major):
        message = (
            f"{what} must be three numbers (full widths at half maximum along the long and the "
            f"short axis in pixels, position angle in degrees), got {value!r}"
        )
        raise ValueError(message)
    return Beam(major, minor, angle)


class SkyAffine(_RadioTransform):
    """Rotation, shift and scale about the centre of the image, by one interpolation.

    Arguments
    ---------
    rotate_deg : counter-clockwise as the array is printed
    shift : pixels, rounded to whole ones, drawn for columns and rows apart; -2 to 2 gives
        -2 ... 2 with probabilities 1/8, 1/4, 1/4, 1/4, 1/8
    scale : the same along both axes, above 1 enlarges
    levels : rounds the result to steps of 1/levels: 255 as if the uint8 picture had been
        transformed (Bowles et al. 2021); None keeps what bilinear sampling gives
    limits : lowest and highest value of the result, None: those of the image and 0

    Bilinear, about ((columns - 1) / 2, (rows - 1) / 2), filled with 0. Angle 0, shift 0 and
    scale 1 give the image itself.
    """

    def __init__(  # noqa: PLR0913 - the serialised form of albumentations
        self,
        *,
        rotate_deg: Sequence[float] = (-180.0, 180.0),
        shift: Sequence[float] = (-2.0, 2.0),
        scale: Sequence[float] = (0.9, 1.1),
        levels: int | None = None,
        limits: Sequence[float] | None = None,
        p: float = 1.0,
    ) -> None:
        super().__init__(limits, p)
        self.rotate_deg = _pair("rotate_deg", rotate_deg)
        self.shift = _pair("shift", shift)
        self.scale = _pair("scale", scale, lowest=0.01)
        self.levels = None if levels is None else _number("levels", levels, 1)

    def get_params(self) -> dict[str, Any]:
        """The angle in degrees, the shift in whole pixels (columns, rows) and the scale."""
        return {
            "angle_deg": self._uniform(self.rotate_deg),
            "moved": (round(self._uniform(self.shift)), round(self._uniform(self.shift))),
            "factor": self._uniform(self.scale),
        }

    def effect(
        self,
        plane: np.ndarray,
        *,
        angle_deg: float,
        moved: tuple[int, int],
        factor: float,
        **_: Any,
    ) -> np.ndarray:
        """The plane turned, enlarged and moved."""
        import cv2

        rows, columns = plane.shape
        matrix = cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), angle_deg, factor)
        matrix[:, 2] += moved
        made = cv2.warpAffine(plane, matrix, (columns, rows), flags=cv2.INTER_LINEAR)
        if self.levels is not None:
            made = np.rint(made * np.float32(self.levels)) / np.float32(self.levels)
        # the sum of bilinear weights may exceed 1 by a rounding error
        return np.clip(made, min(float(plane.min()), 0.0), max(float(plane.max()), 0.0))


class BeamConvolution(_RadioTransform):
    """The image as a telescope with a wider, elliptical beam sees it.

    Arguments
    ---------
    major, minor : full widths at half maximum of the new beam in pixels, each drawn from its
        range (the larger one is the long axis)
    angle_deg : position angle of the long axis, from the top counter-clockwise
    beam : of the image as it is: (major, minor, position angle); FIRST: 5.4 arcsec in
        pixels of 1.8 arcsec
    keep : what stays the same. ``jy/beam``: the peak of a point source, as in a map in
        Jy/beam; ``integrated``: the sum, as in Jy/pixel; ``peak``: the largest value of the
        image, as where each image is scaled by itself
    limits : lowest and highest value of the result, None for whatever comes out
    """

    def __init__(  # noqa: PLR0913 - the serialised form of albumentations
        self,
        *,
        major: Sequence[float] = (3.0, 5.0),
        minor: Sequence[float] = (3.0, 4.0),
        angle_deg: Sequence[float] = FULL_TURN,
        beam: Sequence[float] = (3.0, 3.0, 0.0),
        keep: str = "peak",
        limits: Sequence[float] | None = None,
        p: float = 0.5,
    ) -> None:
        super().__init__(limits, p)
        self.old = _beam("beam", beam)
        self.major = _pair("major", major, lowest=self.old.major)
        self.minor = _pair("minor", minor, lowest=self.old.major)
        self.angle_deg = _pair("angle_deg", angle_deg)
        self.keep = _word("keep", keep, KEEPS)

    def get_params(self) -> dict[str, Any]:
        """The new beam."""
        widths = sorted((self._uniform(self.major), self._uniform(self.minor)))
        return {"new": Beam(widths[1], widths[0], self._uniform(self.angle_deg))}

    def effect(self, plane: np.ndarray, *, new: Beam, **_: Any) -> np.ndarray:
        """The plane under the new beam."""
        made = to_beam(plane, self.old, new)
        if self.keep == "jy/beam":
            return made * np.float32(new.area / self.old.area)
        if self.keep == "peak" and made.max() > 0:
            return made * (plane.max() / made.max())
        return made


class CorrelatedNoise(_RadioTransform):
    """Gaussian noise that is correlated like the beam, as in an interferometer's map.

    Arguments
    ---------
    rms : root mean square of the noise, exact in every image
    unit : ``peak``: in units of the largest value of the image; ``absolute``: in its own
    beam : (major, minor, position angle) in pixels; the autocorrelation of the noise
    clip_sigma : pixels not above this many rms become 0 afterwards, as in images whose sky
        was clipped; None keeps the noise of the sky
    limits : lowest and highest value of the result, None for whatever comes out
    """

    def __init__(  # noqa: PLR0913 - the serialised form of albumentations
        self,
        *,
        rms: Sequence[float] = (0.002, 0.02),
        unit: str = "peak",
        beam: Sequence[float] = (3.0, 3.0, 0.0),
        clip_sigma: float | None = None,
        limits: Sequence[float] | None = None,
        p: float = 0.5,
    ) -> None:
        super().__init__(limits, p)
        self.rms = _pair("rms", rms, lowest=0)
        self.unit = _word("unit", unit, UNITS)
        self.beam = _beam("beam", beam)
        self.clip_sigma = None if clip_sigma is None else _number("clip_sigma", clip_sigma, 0)

    def get_params_dependent_on_data(
        self,
        params: dict[str, Any],
        data: dict[str, Any],  # noqa: ARG002 - its interface
    ) -> dict[str, Any]:
        """The level and the noise of rms 1."""
        rows, columns = params["shape"][:2]
        return {
            "level": self._uniform(self.rms),
            "field": noise((rows, columns), self.beam, self.random_generator),
        }

    def effect(self, plane: np.ndarray, *, level: float, field: np.ndarray, **_: Any) -> np.ndarray:
        """The plane with noise, clipped again where asked."""
        rms = level * (max(float(plane.max()), 0.0) if self.unit == "peak" else 1.0)
        made = plane + np.float32(rms) * field
        if self.clip_sigma is None:
            return made
        return np.where(made > self.clip_sigma * rms, made, np.float32(0))


class SidelobeRipples(_RadioTransform):
    """What deconvolution leaves around bright sources: sidelobes of a snapshot's dirty beam.

    Arguments
    ---------
    amplitude : largest absolute value of the ripples over the peak of their source
    period : of the finest fringes, pixels
    angle_deg : turns the pattern, which has three pairs of spokes
    sources : how many of the brightest pixels, at least two periods apart, have ripples
    floor : pixels not above this share of the peak of the image become 0 afterwards, as in
        images whose sky was clipped; None keeps the ripples of the sky
    limits : lowest and highest value of the result, None for whatever comes out

    The sign is drawn too: a source of which too little or too much was subtracted.
    """

    def __init__(  # noqa: PLR0913 - the serialised form of albumentations
        self,
        *,
        amplitude: Sequence[float] = (0.005, 0.03),
        period: Sequence[float] = (4.0, 8.0),
        angle_deg: Sequence[float] = FULL_TURN,
        sources: int = 1,
        floor: float | None = None,
        limits: Sequence[float] | None = None,
        p: float = 0.5,
    ) -> None:
        super().__init__(limits, p)
        self.amplitude = _pair("amplitude", amplitude, lowest=0)
        self.period = _pair("period", period, lowest=1)
        self.angle_deg = _pair("angle_deg", angle_deg)
        self.sources = int(_number("sources", sources, 1))
        self.floor = None if floor is None else _number("floor", floor, 0)

    def get_params(self) -> dict[str, Any]:
        """Signed share of the peak, period and angle."""
        sign = 1.0 if self.random_generator.random() < 0.5 else -1.0
        return {
            "share": sign * self._uniform(self.amplitude),
            "fringe": self._uniform(self.period),
            "turned_deg": self._uniform(self.angle_deg),
        }

    def effect(
        self, plane: np.ndarray, *, share: float, fringe: float, turned_deg: float, **_: Any
    ) -> np.ndarray:
        """The plane with the ripples of its brightest sources."""
        made = plane.copy()
        for centre in brightest(plane, self.sources, 2 * fringe):
            peak = np.float32(share) * plane[centre]
            made += peak * ripples(plane.shape, centre, fringe, turned_deg)
        if self.floor is None:
            return made
        return np.where(made > self.floor * plane.max(), made, np.float32(0))


RADIO_TRANSFORMS = {
    transform.__name__: transform
    for transform in (SkyAffine, BeamConvolution, CorrelatedNoise, SidelobeRipples)
}

"""What the simulated survey is like: beam, pixels, noise and background after VLA FIRST."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from benchmarker.core.errors import Problems, SettingsError

FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))


@dataclass(frozen=True)
class Survey:
    """Settings of the simulated survey; the defaults are those of VLA FIRST.

    Arguments
    ---------
    pixel_arcsec : side of a pixel
    beam_arcsec : full width at half maximum of the round Gaussian beam
    rms_jy : median noise in Jy/beam; each field draws its own, 7 % scatter
    background_per_degree2 : unrelated sources per square degree above `background_jy`
    background_jy : flux density limit of the background, in Jy
    sidelobe_level : median height of the leftover sidelobes, as a share of the peak; 0: none
    largest_arcsec : no source is larger than this on the sky

    Raises `SettingsError` listing every value that is not allowed.
    """

    pixel_arcsec: float = 1.8
    beam_arcsec: float = 5.4
    rms_jy: float = 1.5e-4
    background_per_degree2: float = 90.0
    background_jy: float = 1e-3
    sidelobe_level: float = 0.003
    largest_arcsec: float = 100.0

    def __post_init__(self) -> None:
        problems = Problems("survey settings", SettingsError)
        for name, value in asdict(self).items():
            lowest = LOWEST.get(name, 0.0)
            if not (math.isfinite(value) and value >= lowest):
                problems.add(f"{name} is {value}, expected a number of at least {lowest:g}")
        problems.raise_if_any()

    @property
    def beam_sigma_arcsec(self) -> float:
        """Standard deviation of the beam."""
        return self.beam_arcsec / FWHM_PER_SIGMA

    @property
    def beam_pixels(self) -> float:
        """Beam area in pixels: the sum of an image in Jy/beam divided by it is in Jy."""
        return 2.0 * math.pi * (self.beam_sigma_arcsec / self.pixel_arcsec) ** 2

    def as_dict(self) -> dict[str, Any]:
        """The settings for a record."""
        return asdict(self)


LOWEST = {"pixel_arcsec": 0.1, "beam_arcsec": 0.1, "background_jy": 1e-6, "largest_arcsec": 30.0}
FIRST = Survey()

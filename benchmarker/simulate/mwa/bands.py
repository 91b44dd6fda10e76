"""The observing bands: settings, sub-bands, pixel scale and noise of one visibility.

A setting is 24 coarse channels of 1.28 MHz around its centre channel c, imaged as four
sub-bands of 7.68 MHz that share one pixel scale, 1.1/c degrees. System temperature and
effective area follow Tingay et al. 2013 (PASA 30, e007).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmarker.simulate.mwa.tiles import SPEED_OF_LIGHT

COARSE_MHZ = 1.28
WIDTH_MHZ = 7.68
SUB_BANDS = 4
SETTINGS = (69, 93, 121, 145, 169)
# the tile's sidelobes matter from the setting of 139 to 170 MHz up
SIDELOBE_SETTINGS = (121, 145, 169)
SECONDS = 112.0
UNFLAGGED = 0.85
BOLTZMANN_JY = 1380.649  # k in Jy m^2 / K


@dataclass(frozen=True)
class Band:
    """One sub-band: its setting's centre channel and its middle frequency in MHz."""

    setting: int
    middle_mhz: float
    width_mhz: float = WIDTH_MHZ

    @property
    def low_mhz(self) -> float:
        """Lower edge."""
        return self.middle_mhz - self.width_mhz / 2.0

    @property
    def high_mhz(self) -> float:
        """Upper edge."""
        return self.middle_mhz + self.width_mhz / 2.0

    @property
    def name(self) -> str:
        """As in file names: ``072-080``."""
        return f"{round(self.low_mhz):03d}-{round(self.high_mhz):03d}"

    @property
    def pixel_deg(self) -> float:
        """Side of a pixel: the setting decides, so all sub-bands of a setting share a grid."""
        return 1.1 / self.setting

    @property
    def wavelength_m(self) -> float:
        """At the middle of the sub-band."""
        return SPEED_OF_LIGHT / (self.middle_mhz * 1e6)

    def channels_mhz(self, count: int) -> np.ndarray:
        """Middles of `count` equal channels, float64 (count,)."""
        return self.low_mhz + (np.arange(count) + 0.5) * self.width_mhz / count

    @property
    def system_temperature_k(self) -> float:
        """Receiver and Galaxy."""
        return 50.0 + 180.0 * (self.middle_mhz / 180.0) ** -2.6

    @property
    def effective_area_m2(self) -> float:
        """Of one tile: flat below 150 MHz, where its dipoles begin to stand too far apart."""
        return 21.5 * min(1.0, 150.0 / self.middle_mhz)

    @property
    def sefd_jy(self) -> float:
        """System equivalent flux density of a tile, one polarisation."""
        return 2.0 * BOLTZMANN_JY * self.system_temperature_k / self.effective_area_m2

    def noise_jy(self, channels: int) -> float:
        """Standard deviation of one complex visibility (both parts together)."""
        samples = self.width_mhz * 1e6 * SECONDS * UNFLAGGED / channels
        return self.sefd_jy / math.sqrt(samples)


def sub_band(setting: int, number: int) -> Band:
    """Sub-band `number` (0 to 3, rising in frequency) of a setting."""
    lowest = COARSE_MHZ * (setting - 12.5)
    return Band(setting, lowest + (number + 0.5) * WIDTH_MHZ)


def middle_band(setting: int) -> Band:
    """A sub-band in the middle of a setting, for tables by setting; none is observed there."""
    return Band(setting, COARSE_MHZ * setting)


BANDS = tuple(sub_band(setting, number) for setting in SETTINGS for number in range(SUB_BANDS))

"""Baselines in wavelengths, Briggs weights, and what a point in space puts on each baseline.

Sign: a source of flux S at direction cosines (l, m, n) gives the visibility
S exp(-2 pi i (u l + v m + w (n - 1))) (Thompson, Moran & Swenson, eq. 3.7).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarker.simulate.mwa.bands import SECONDS, Band
from benchmarker.simulate.mwa.tiles import SPEED_OF_LIGHT, TILE_COUNT, Pointing, tile_places

EARTH_TURN = 7.2921159e-5  # rad/s
CHANNELS = 8
ROBUST = -1.0
# Weights are those of the survey's full image, so a small image is the middle of the large one.
WEIGHTING_PX = 4000
FINE_CHANNELS, FINE_TIMES = 4, 8
# CLEAN's restoring beam, as the survey quotes it, is narrower than the dirty beam at its peak
RESTORING = 0.84


@dataclass(frozen=True, eq=False)
class Coverage:
    """All baselines of one sub-band and pointing, `channels` channels each.

    Arrays over visibilities have shape (baselines, channels); `flagged` are rows of the tile
    table whose baselines are left out.
    """

    band: Band
    pointing: Pointing
    flagged: tuple[int, ...] = ()
    channels: int = CHANNELS
    robust: float = ROBUST

    @cached_property
    def tiles(self) -> np.ndarray:
        """u, v, w of every tile in metres, float64 (128, 3)."""
        return self.pointing.from_local(tile_places())

    @cached_property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """First and second tile of each baseline, int64 (baselines,) each."""
        first, second = np.triu_indices(TILE_COUNT, 1)
        kept = ~(np.isin(first, self.flagged) | np.isin(second, self.flagged))
        return first[kept], second[kept]

    @cached_property
    def inverse_wavelengths(self) -> np.ndarray:
        """Channel frequencies over the speed of light, 1/m, float64 (channels,)."""
        return self.band.channels_mhz(self.channels) * 1e6 / SPEED_OF_LIGHT

    @cached_property
    def uvw(self) -> np.ndarray:
        """In wavelengths, float64 (3, baselines, channels)."""
        first, second = self.pairs
        metres = (self.tiles[second] - self.tiles[first]).T
        return metres[:, :, np.newaxis] * self.inverse_wavelengths

    @cached_property
    def weights(self) -> np.ndarray:
        """Briggs weights that sum to 1 (Briggs 1995, eq. 3.9), float64 (baselines, channels).

        Each visibility stands for FINE_CHANNELS x FINE_TIMES finer ones; these are counted in
        the cells of the survey's full image, and their weights added up.
        """
        columns, rows = self._fine_cells()
        half = int(np.abs(rows).max())
        cells = columns * np.int32(2 * half + 1) + rows
        # a baseline and its mirror image are one cell of the half plane
        np.abs(cells, out=cells)
        density = np.bincount(cells.ravel()).astype(np.float64)
        average = float(np.sum(density**2)) / cells.size
        per_cell = 1.0 / (1.0 + density * ((5.0 * 10.0**-self.robust) ** 2 / average))
        weights = per_cell[cells].sum(axis=(-2, -1))
        return weights / weights.sum()

    def _fine_cells(self) -> tuple[np.ndarray, np.ndarray]:
        """Cells of the finer visibilities, int32 (baselines, channels, fine, times) each."""
        first, second = self.pairs
        u, v, w = (self.tiles[second] - self.tiles[first]).T[:, :, np.newaxis]
        turned = EARTH_TURN * SECONDS * ((np.arange(FINE_TIMES) + 0.5) / FINE_TIMES - 0.5)
        sine, cosine = math.sin(self.pointing.dec), math.cos(self.pointing.dec)
        fine_mhz = self.band.channels_mhz(self.channels * FINE_CHANNELS)
        cells_per_m = fine_mhz * 1e6 / SPEED_OF_LIGHT * WEIGHTING_PX
        cells_per_m *= math.radians(self.band.pixel_deg)
        scale = cells_per_m.reshape(self.channels, FINE_CHANNELS, 1)
        along = (u + (w * cosine - v * sine) * turned)[:, np.newaxis, np.newaxis] * scale
        up = (v + u * sine * turned)[:, np.newaxis, np.newaxis] * scale
        return np.rint(along).astype(np.int32), np.rint(up).astype(np.int32)

    @property
    def noise_jy(self) -> float:
        """Standard deviation of one complex visibility."""
        return self.band.noise_jy(self.channels)

    @cached_property
    def thermal_jy(self) -> float:
        """Thermal noise of an image made with the weights, Jy/beam."""
        return self.noise_jy / math.sqrt(2.0) * math.sqrt(float(np.sum(self.weights**2)))

    @cached_property
    def beam(self) -> np.ndarray:
        """Covariance (2, 2) in (l, m), rad^2, of the Gaussian that curves as the dirty beam does.

        The second moments of the weighted baselines are the curvature of the beam at its peak.
        """
        u, v, _ = self.uvw
        uu, uv, vv = (float(np.sum(self.weights * a * b)) for a, b in ((u, u), (u, v), (v, v)))
        return np.linalg.inv(np.array([[uu, uv], [uv, vv]])) / (2.0 * math.pi) ** 2

    @cached_property
    def restoring_beam(self) -> np.ndarray:
        """Covariance (2, 2) in (l, m), rad^2, of the Gaussian that sources are restored with."""
        return self.beam * RESTORING**2

    def thermal_noise(self, random: np.random.Generator) -> np.ndarray:
        """One draw of the noise, complex128 (baselines, channels)."""
        parts = random.standard_normal((*self.weights.shape, 2))
        return (parts * (self.noise_jy / math.sqrt(2.0))).view(np.complex128)[..., 0]

    def emitted(self, emitters: Emitters) -> np.ndarray:
        """Visibilities of all emitters together, complex128 (baselines, channels).

        The sum over emitters is one matrix product of the tiles' signals per channel.
        """
        first, second = self.pairs
        found = np.empty((first.size, self.channels), dtype=np.complex128)
        for channel, inverse in enumerate(self.inverse_wavelengths):
            turns = (emitters.paths_m * inverse) % 1.0
            # whole turns are off, so single precision is ample, and twice as fast
            signal = np.exp(turns.astype(np.float32) * np.complex64(-2j * math.pi))
            if emitters.gains is not None:
                signal *= emitters.gains if emitters.gains.ndim == 2 else emitters.gains[channel]
            power = (signal * emitters.flux_jy[:, np.newaxis].astype(np.float32)).T @ signal.conj()
            found[:, channel] = power[first, second]
        return found

    def celestial_paths(self, lmn: np.ndarray, *, flat: bool = False) -> np.ndarray:
        """Path lengths in metres, (n, 128), of plane waves from direction cosines (n, 3).

        `flat` leaves the third axis out, as an imager does that corrects for it.
        """
        turned = np.asarray(lmn) - np.array([0.0, 0.0, 1.0])
        axes = slice(0, 2) if flat else slice(0, 3)
        return -(turned[:, axes] @ self.tiles[:, axes].T)

    def terrestrial_paths(self, places_m: np.ndarray) -> np.ndarray:
        """Path lengths in metres, (n, 128), from places (n, 3) east, north, up in metres.

        Spherical waves, with the delay that follows the phase centre taken off.
        """
        apart = places_m[:, np.newaxis] - tile_places()
        distance = np.linalg.norm(apart, axis=-1)
        return distance - np.linalg.norm(places_m, axis=-1)[:, np.newaxis] + self.tiles[:, 2]

    def blur(self, turns_per_radian: np.ndarray, seconds: float = SECONDS) -> np.ndarray:
        """What is left of a signal whose phase runs with the Earth's turn for so long."""
        return np.sinc(turns_per_radian * (EARTH_TURN * seconds))

    def celestial_rate(self, lmn: np.ndarray) -> np.ndarray:
        """Turns of phase per radian of hour angle of a source, (baselines, channels)."""
        u, v, w = self.uvw
        along, up, away = lmn[0], lmn[1], lmn[2] - 1.0
        sine, cosine = math.sin(self.pointing.dec), math.cos(self.pointing.dec)
        return (w * cosine - v * sine) * along + u * sine * up - u * cosine * away

    def terrestrial_rate(self) -> np.ndarray:
        """The same for what stands still on the ground while the phase centre moves."""
        return self.uvw[0] * math.cos(self.pointing.dec)

    def band_blur(self, paths_m: np.ndarray, width_mhz: float | None = None) -> np.ndarray:
        """Loss (baselines,) of one emitter with these tile paths over a channel or a line in it."""
        first, second = self.pairs
        delay_s = (paths_m[first] - paths_m[second]) / SPEED_OF_LIGHT
        channel = self.band.width_mhz / self.channels
        width = channel if width_mhz is None else min(width_mhz, channel)
        return np.sinc(delay_s * width * 1e6)


@dataclass(frozen=True, eq=False)
class Emitters:
    """Points that send: path to every tile in metres (n, 128), flux in Jy (n,), tile gains.

    `gains`, complex (n, 128), (channels, n, 128) or None, multiply the signal at each tile.
    """

    paths_m: np.ndarray
    flux_jy: np.ndarray
    gains: np.ndarray | None = None

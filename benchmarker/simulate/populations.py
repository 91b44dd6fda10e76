"""The four populations: from what distributions a source of each class is drawn."""

from __future__ import annotations

from dataclasses import dataclass

CLASSES = ("COMP", "FRI", "FRII", "BENT")


@dataclass(frozen=True)
class Spread:
    """A log-normal distribution: `median` in its unit, `dex` its scatter in powers of ten."""

    median: float
    dex: float


@dataclass(frozen=True)
class Population:
    """What a class is made of; ranges are selections, as a cataloguer's eye makes them.

    Arguments
    ---------
    redshift : redshift of the sources in a flux-limited sample
    size_kpc : length from end to end along the arms, before projection
    seen_arcsec : largest angular extents on the sky that are still put into this class
    seen_bend_deg : bending angles on the sky (0: straight) that are still put into this class
    turn_deg : standard deviation of the turn of an arm, common to both (C shape)
    wiggle_deg : standard deviation of the turn, opposite in both (S shape)
    faintest_jy : total flux density limit for a small source
    core_share : core's share of the total flux density before beaming
    edge_bright : chance that arms end in hot spots instead of fading outwards
    """

    redshift: Spread
    size_kpc: Spread
    seen_arcsec: tuple[float, float]
    seen_bend_deg: tuple[float, float]
    turn_deg: float
    wiggle_deg: float
    faintest_jy: float
    core_share: Spread
    edge_bright: float


POPULATIONS = {
    "COMP": Population(
        redshift=Spread(0.35, 0.35),
        size_kpc=Spread(9.0, 0.45),
        seen_arcsec=(0.0, 11.0),
        seen_bend_deg=(0.0, 180.0),
        turn_deg=20.0,
        wiggle_deg=10.0,
        faintest_jy=0.008,
        core_share=Spread(0.75, 0.25),
        edge_bright=0.4,
    ),
    "FRI": Population(
        redshift=Spread(0.14, 0.22),
        size_kpc=Spread(200.0, 0.28),
        seen_arcsec=(13.0, 400.0),
        seen_bend_deg=(0.0, 34.0),
        turn_deg=13.0,
        wiggle_deg=14.0,
        faintest_jy=0.020,
        core_share=Spread(0.11, 0.30),
        edge_bright=0.0,
    ),
    "FRII": Population(
        redshift=Spread(0.45, 0.25),
        size_kpc=Spread(230.0, 0.32),
        seen_arcsec=(9.0, 400.0),
        seen_bend_deg=(0.0, 27.0),
        turn_deg=8.0,
        wiggle_deg=6.0,
        faintest_jy=0.020,
        core_share=Spread(0.02, 0.50),
        edge_bright=1.0,
    ),
    "BENT": Population(
        redshift=Spread(0.20, 0.22),
        size_kpc=Spread(290.0, 0.24),
        seen_arcsec=(30.0, 400.0),
        seen_bend_deg=(28.0, 175.0),
        turn_deg=60.0,
        wiggle_deg=10.0,
        faintest_jy=0.030,
        core_share=Spread(0.06, 0.40),
        edge_bright=0.35,
    ),
}

"""Draw simulated stamps of difference images kind by kind, and measure how fast they are made.

    python benchmarks/simulate_difference.py --output docs/images
    python benchmarks/simulate_difference.py --speed

The sheet has one row per kind, the real ones first, weak to strong; grey runs from -4 to 10 times
the noise, masked pixels are red. Speed is processor time of one core.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from benchmarker.simulate.difference import bogus, reals
from benchmarker.simulate.difference.exposure import draw_exposure
from benchmarker.simulate.difference.night_files import packed
from benchmarker.simulate.difference.night_plan import NightSettings, plan
from benchmarker.simulate.difference.scene import MASK
from benchmarker.simulate.difference.stamps import Stamps, simulate_stamps

COLUMNS = 8
NOISE_PERCENTILES = (15.9, 50.0, 84.1)


def main() -> None:
    """Draw what the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("docs/images"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", action="store_true", help="measure, draw nothing")
    options = parser.parse_args()
    if options.speed:
        measure(options.seed)
        return
    options.output.mkdir(parents=True, exist_ok=True)
    stamps = simulate_stamps(600, 400, seed=options.seed)
    draw(stamps, options.output / "simulated-difference-images.png")


def measure(seed: int) -> None:
    """Print processor time of stamps and exposures."""
    simulate_stamps(2, 2, seed=seed)
    started = time.process_time()
    simulate_stamps(250, 750, seed=seed)
    print(f"{time.process_time() - started:.2f} ms of one core per stamp, over 1000")
    for size in (1024, 2048):
        settings = NightSettings(exposures=4, size=size, seed=seed)
        started = time.process_time()
        for visit in plan(settings):
            packed(draw_exposure(visit, settings), visit)
        each = (time.process_time() - started) / settings.exposures
        print(f"{size} px: {each:.2f} s of one core per exposure, drawn, searched and packed")


def draw(stamps: Stamps, path: Path) -> None:
    """One row per kind, signal to noise rising to the right."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    grey = plt.get_cmap("gray").with_extremes(bad="firebrick")
    kinds = [*reals.SHARES, *bogus.SHARES]
    figure, axes = plt.subplots(len(kinds), COLUMNS, figsize=(COLUMNS, 1.12 * len(kinds)))
    for row, kind in zip(axes, kinds, strict=True):
        chosen = np.flatnonzero(stamps.kinds == kind)
        chosen = chosen[np.argsort(stamps.snr[chosen])]
        chosen = chosen[np.linspace(0, len(chosen) - 1, COLUMNS).astype(int)]
        for panel, index in zip(row, chosen, strict=True):
            stamp = np.ma.masked_equal(stamps.pixels[index], MASK)
            noise = noise_of(stamp)
            panel.imshow(stamp, cmap=grey, vmin=-4 * noise, vmax=10 * noise, origin="lower")
            panel.set_xticks([])
            panel.set_yticks([])
            panel.set_title(f"{stamps.snr[index]:.0f}", fontsize=7, pad=2)
        row[0].set_ylabel(kind, fontsize=8)
    figure.tight_layout(pad=0.3)
    figure.savefig(path, dpi=70)
    print(path)


def noise_of(stamp: np.ma.MaskedArray) -> float:
    """Robust standard deviation of the pixels that are neither masked nor zeroed."""
    values = stamp.compressed()
    low, _, high = np.percentile(values[values != 0], NOISE_PERCENTILES)
    return min(float(high - low) / 2.0, 40.0)


if __name__ == "__main__":
    main()

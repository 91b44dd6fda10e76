"""``benchmarker data simulate``: radio galaxies out of nothing, as a folder of FITS images."""

from __future__ import annotations

import argparse
import json
import sys
import time

from benchmarker.core.errors import EXIT_FINE
from benchmarker.core.seeds import PAPER_SEEDS

NAME = "simulate"
HELP = "write simulated FIRST-like radio galaxies as FITS, with manifest, split and truth"
REPORT_SECONDS = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many, how large, from which seed, where to."""
    parser.add_argument("--output", metavar="DIR", required=True, help="new folder to fill")
    parser.add_argument(
        "--count",
        type=int,
        default=100,
        metavar="N",
        help="sources of each of COMP, FRI, FRII and BENT (default: %(default)s)",
    )
    parser.add_argument(
        "--size",
        type=int,
        default=150,
        metavar="PX",
        help="height and width in pixels of 1.8 arcsec, 64 to 300 (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=PAPER_SEEDS[0], help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print JSON alone")


def run(arguments: argparse.Namespace) -> int:
    """Simulate and write; prints where the images lie and how many there are."""
    from benchmarker.simulate.fits_files import write_fits
    from benchmarker.simulate.radio_galaxies import lazy_images

    images = lazy_images(arguments.count, size=arguments.size, seed=arguments.seed)
    started = time.monotonic()
    folder = write_fits(images, arguments.output, progress=_Progress())
    value = {
        "folder": str(folder),
        "images": len(images),
        "classes": images.provenance["counts"],
        "size": arguments.size,
        "seed": arguments.seed,
        "seconds": round(time.monotonic() - started, 2),
    }
    if arguments.json:
        print(json.dumps(value, indent=2))
    else:
        counts = ", ".join(f"{count} {name}" for name, count in value["classes"].items())
        print(f"{len(images)} images of {arguments.size} px ({counts}) in {folder}")
    return EXIT_FINE


class _Progress:
    """A line that grows on a terminal, a line now and then in a file."""

    def __init__(self) -> None:
        self.started = self.reported = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        terminal = sys.stderr.isatty()
        if done < total and now - self.reported < (0.2 if terminal else REPORT_SECONDS):
            return
        self.reported = now
        rate = done / max(now - self.started, 1e-9)
        text = f"simulated {done} of {total} images, {rate:.0f} per second"
        end = "\r" if terminal and done < total else "\n"
        print(text, end=end, file=sys.stderr, flush=True)

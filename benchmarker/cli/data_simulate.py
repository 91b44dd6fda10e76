"""``benchmarker data simulate``: images out of nothing, as a folder of FITS files."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarker.cli.simulate_difference import DEFAULT_SIZE as EXPOSURE_SIZE
from benchmarker.cli.simulate_difference import (
    DIFFERENCE,
    OPTIONS,
    add_difference_arguments,
    write_difference_images,
)
from benchmarker.core.errors import EXIT_FINE, SettingsError
from benchmarker.core.seeds import PAPER_SEEDS

NAME = "simulate"
HELP = "write simulated radio galaxies, MWA snapshots or difference images as FITS"
GALAXIES, SNAPSHOTS = "radio-galaxies", "mwa-snapshots"
KINDS = ("horizon", "baselines", "both", "reflector")
DEFAULT_COUNT = {GALAXIES: 100, SNAPSHOTS: 200}
DEFAULT_SIZE = {GALAXIES: 150, SNAPSHOTS: 256, DIFFERENCE: EXPOSURE_SIZE}
SNAPSHOT_OPTIONS = ("strength", "ratio", "kind", "per_observation")
OWN_OPTIONS = {
    GALAXIES: ("count",),
    SNAPSHOTS: ("count", *SNAPSHOT_OPTIONS, "workers"),
    DIFFERENCE: (*OPTIONS, "workers"),
}
REPORT_SECONDS = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What, how many, how large, from which seed, where to."""
    parser.add_argument(
        "what",
        nargs="?",
        choices=(GALAXIES, SNAPSHOTS, DIFFERENCE),
        default=GALAXIES,
        help="FIRST-like radio galaxies (default), MWA snapshot images with artefacts, or "
        "ATLAS-like difference images with their catalogue and database",
    )
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="new folder to fill")
    parser.add_argument(
        "-n",
        "--count",
        type=int,
        metavar="N",
        help="radio galaxies: sources of each of COMP, FRI, FRII and BENT (default: 100); "
        "MWA snapshots: images in all (default: 200)",
    )
    parser.add_argument(
        "--size",
        type=int,
        metavar="PX",
        help="height and width in pixels: radio galaxies 64 to 300 (default: 150), "
        "MWA snapshots 64 to 4000 (default: 256), difference images 128 to 10560 (default: 1024)",
    )
    parser.add_argument("--seed", type=int, default=PAPER_SEEDS[0], help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes that draw MWA snapshots or difference images; the images do not depend "
        "on it (default: 1)",
    )
    _add_snapshot_arguments(parser.add_argument_group("MWA snapshots only"))
    add_difference_arguments(parser.add_argument_group("difference images only"))


def _add_snapshot_arguments(group: Any) -> None:
    group.add_argument(
        "--strength",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="rms of the artefacts over the noise, between these (default: 0.5 30)",
    )
    group.add_argument(
        "--ratio",
        type=float,
        metavar="R",
        help="rfi over sis in an rfisis image lies between 1/R and R (default: 3)",
    )
    group.add_argument("--kind", choices=KINDS, help="this kind of interference alone")
    group.add_argument(
        "--per-observation",
        type=int,
        metavar="N",
        help="images of each observation, 1 to 8 (default: 4)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Simulate and write; prints where the images lie and how many there are."""
    _refuse_foreign(arguments)
    if arguments.what == DIFFERENCE:
        return _run_difference(arguments)
    arguments.count = _or_default(arguments.count, DEFAULT_COUNT[arguments.what])
    arguments.size = _or_default(arguments.size, DEFAULT_SIZE[arguments.what])
    started = time.monotonic()
    write = _galaxies if arguments.what == GALAXIES else _snapshots
    folder, classes = write(arguments)
    value = {
        "folder": str(folder),
        "images": sum(classes.values()),
        "classes": classes,
        "size": arguments.size,
        "seed": arguments.seed,
        "seconds": round(time.monotonic() - started, 2),
    }
    if arguments.json:
        print(json.dumps(value, indent=2))
    else:
        counts = ", ".join(f"{count} {name}" for name, count in classes.items())
        print(f"{value['images']} images of {arguments.size} px ({counts}) in {folder}")
    return EXIT_FINE


def _refuse_foreign(arguments: argparse.Namespace) -> None:
    """An option of something else would be ignored: refused instead."""
    every = dict.fromkeys(name for names in OWN_OPTIONS.values() for name in names)
    own = OWN_OPTIONS[arguments.what]
    foreign = [name for name in every if name not in own and getattr(arguments, name) is not None]
    if foreign:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in foreign)
        takers = [what for what, names in OWN_OPTIONS.items() if set(foreign) & set(names)]
        message = f"{options} given for {arguments.what}: expected only with {', '.join(takers)}"
        raise SettingsError(message)
    if arguments.workers is not None and arguments.workers < 1:
        message = f"--workers is {arguments.workers}, expected at least 1"
        raise SettingsError(message)


def _run_difference(arguments: argparse.Namespace) -> int:
    arguments.size = _or_default(arguments.size, EXPOSURE_SIZE)
    started = time.monotonic()
    written = write_difference_images(arguments, _Progress("exposures"))
    if arguments.json:
        seconds = round(time.monotonic() - started, 2)
        print(json.dumps({**written, "seed": arguments.seed, "seconds": seconds}, indent=2))
        return EXIT_FINE
    counts = ", ".join(f"{count} {name}" for name, count in written["kinds"].items())
    print(
        f"{written['exposures']} exposures of {arguments.size} px with {written['detections']} "
        f"detections ({counts}) in {written['folder']}"
    )
    print(f"{written['database']}; configuration: {written['config']}")
    return EXIT_FINE


def _or_default(given: int | None, default: int) -> int:
    return default if given is None else given


def _galaxies(arguments: argparse.Namespace) -> tuple[Path, dict[str, int]]:
    from benchmarker.simulate.fits_files import write_fits
    from benchmarker.simulate.radio_galaxies import lazy_images

    images = lazy_images(arguments.count, size=arguments.size, seed=arguments.seed)
    folder = write_fits(images, arguments.output, progress=_Progress())
    return folder, images.provenance["counts"]


def _snapshots(arguments: argparse.Namespace) -> tuple[Path, dict[str, int]]:
    from benchmarker.simulate.mwa.fits_files import write_snapshots
    from benchmarker.simulate.mwa.plan import CLASSES, SnapshotSettings, plan

    workers = _or_default(arguments.workers, 1)
    given = {
        "strength": arguments.strength and tuple(arguments.strength),
        "ratio": arguments.ratio,
        "kind": arguments.kind,
        "images_per_observation": arguments.per_observation,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    settings = SnapshotSettings(size=arguments.size, seed=arguments.seed, **chosen)
    labels = [shot.label for shot in plan(arguments.count, settings)]
    folder = write_snapshots(
        arguments.count, settings, arguments.output, workers=workers, progress=_Progress()
    )
    return folder, {name: labels.count(code) for code, name in enumerate(CLASSES)}


class _Progress:
    """A line that grows on a terminal, a line now and then in a file."""

    def __init__(self, things: str = "images") -> None:
        self.things = things
        self.started = self.reported = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        terminal = sys.stderr.isatty()
        if done < total and now - self.reported < (0.2 if terminal else REPORT_SECONDS):
            return
        self.reported = now
        rate = done / max(now - self.started, 1e-9)
        digits = 0 if rate >= 10 else 1
        text = f"simulated {done} of {total} {self.things}, {rate:.{digits}f} per second"
        end = "\r" if terminal and done < total else "\n"
        print(text, end=end, file=sys.stderr, flush=True)

"""What a safe header update costs: time beside a plain copy of the same file, and memory.

    python benchmarks/fits_header.py [--megabytes 64] [--repeats 9] [--folder DIR]

Wall clock medians in one folder. ``cp`` leaves the copy to be written to disk later; an
update does not return before it lies there, so ``cp`` followed by ``sync`` of the copy is the
fair comparison. Memory is the peak of a process that does nothing else, Python included.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np

from benchmarker.hosts.radiance.header_cards import Card
from benchmarker.hosts.radiance.headers import update_header

LIMITS = {"ratio": 1.5, "memory": 50.0}
ONE_UPDATE = """
import re, sys
from benchmarker.hosts.radiance.header_cards import Card
from benchmarker.hosts.radiance.headers import update_header
update_header(sys.argv[1], [Card("RFI", 0.123)])
# not the resource usage, into which the parent's peak goes
print(int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) / 1024)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--folder", type=Path, help="on the disk in question")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path, copy = Path(folder) / "image.fits", Path(folder) / "copy.fits"
        write_image(path, arguments.megabytes)
        numbers = count()
        ways: dict[str, Callable[[], object]] = {
            "cp": lambda: call("cp", path, copy),
            "cp, then sync": lambda: (call("cp", path, copy), call("sync", copy)),
            "header update": lambda: update_header(path, [Card("RFI", next(numbers) / 1000)]),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(arguments.repeats):  # in turns: a disk has its moods
            for name, way in ways.items():
                seconds[name].append(timed(way))
        report({name: statistics.median(found) for name, found in seconds.items()})
        done = subprocess.run(
            [sys.executable, "-c", ONE_UPDATE, path], check=True, capture_output=True, text=True
        )
        print(f"peak memory {float(done.stdout):.0f} MB (limit {LIMITS['memory']:.0f})")


def write_image(path: Path, megabytes: int) -> None:
    """A float32 image with checksums, that large."""
    from astropy.io import fits

    rows = megabytes * 2**20 // 4 // 4096
    pixels = np.random.default_rng(1).normal(size=(rows, 4096)).astype(np.float32)
    fits.PrimaryHDU(pixels).writeto(path, checksum=True)


def call(*words: object) -> None:
    """Run a command."""
    subprocess.run(list(map(str, words)), check=True)


def timed(way: Callable[[], object]) -> float:
    """Seconds of one call."""
    begun = time.perf_counter()
    way()
    return time.perf_counter() - begun


def report(seconds: dict[str, float]) -> None:
    """Print times and ratios."""
    for name, value in seconds.items():
        print(f"{name:16}{1000 * value:8.1f} ms")
    update = seconds["header update"]
    for name in ("cp", "cp, then sync"):
        print(f"ratio to {name}: {update / seconds[name]:.2f} (limit {LIMITS['ratio']})")


if __name__ == "__main__":
    main()

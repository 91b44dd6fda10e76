"""Data sets of many stamps: seconds, stamps per second and peak memory of writing one.

    python benchmarks/realbogus_dataset.py [--stamps 1000000] [--folder DIR]

Makes a thousand different FITS stamps of 40 x 40 pixels and gives each many names (hard links,
so that a million stamps need no ten gigabytes), then measures the whole command, from two lists to
an HDF5 file, in a process of its own. Beside it: the same stamps opened by astropy and kept in one
array, as a program that holds its set in memory does, for the first `--beside` of them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from astropy.io import fits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarker.data.reading_psat import open_psat

AIM_MEGABYTES = 1000
DIFFERENT = 1000
REAL_SHARE = 4  # one in so many is real: the skew of 3
OF_AN_OBJECT = 5
IN_MEMORY = """
import sys, numpy as np
from pathlib import Path
from astropy.io import fits
rows = []
for path in Path(sys.argv[1]).read_text().split()[: int(sys.argv[2])]:
    with fits.open(path) as hdus:
        v = hdus[0].data[10:30, 10:30].ravel(order="F")
    rows.append(np.sign(v) * np.log1p(np.abs(v) / v.std()))
np.asarray(rows, np.float64)
"""


def main() -> None:
    """Make the stamps, measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stamps", type=int, default=1_000_000)
    parser.add_argument("--beside", type=int, default=20_000, help="stamps kept in memory")
    parser.add_argument("--folder", type=Path, help="where the stamps go (default: temporary)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as place:
        measure(Path(place), asked.stamps, min(asked.beside, asked.stamps))


def measure(folder: Path, stamps: int, beside: int) -> None:
    """Write the stamps and print what both ways take."""
    begun = time.perf_counter()
    # in a process of its own: what this one holds would count as memory of its children
    maker = get_context("spawn").Process(target=write_stamps, args=(folder, stamps))
    maker.start()
    maker.join()
    print(f"{stamps} names of {DIFFERENT} stamps made in {time.perf_counter() - begun:.0f} s")
    target = folder / "set.h5"
    words = ["-m", "benchmarker", "realbogus", "dataset", "-o", str(target), "--skew", "all"]
    lists = ["--good", str(folder / "good.txt"), "--bad", str(folder / "bad.txt")]
    ours = timed([*words, *lists])
    check(target, stamps)
    memory = timed(["-c", IN_MEMORY, str(folder / "paths.txt"), str(beside)])
    print(f"{'':<26}{'stamps':>10}{'seconds':>10}{'stamps/s':>10}{'peak MB':>10}")
    for name, count, (seconds, megabytes) in (
        ("benchmarker, streamed", stamps, ours),
        ("astropy, kept in memory", beside, memory),
    ):
        rate = count / seconds
        print(f"{name:<26}{count:>10}{seconds:>10.1f}{rate:>10.0f}{megabytes:>10.0f}")
    verdict = "reached" if ours[1] < AIM_MEGABYTES else "missed"
    print(f"file: {target.stat().st_size / 1e6:.0f} MB; aim of {AIM_MEGABYTES} MB {verdict}")


def write_stamps(folder: Path, count: int) -> None:
    """Stamps with the header that cutouts have, under `count` names, and their lists."""
    draw = np.random.default_rng(1)
    (folder / "different").mkdir()
    for number in range(DIFFERENT):
        hdu = fits.PrimaryHDU(draw.normal(size=(40, 40)).astype(np.float32))
        facts = {"OBS": "02a58362o0123c", "MJD-OBS": 58362.4, "FILTER": "o", "MAG": 18.1}
        hdu.header.update({**facts, "DMAG": 0.1, "X": 1234.5, "Y": 4321.5, "KIND": "noise"})
        hdu.writeto(folder / "different" / f"{number}.fits")
    lists = {"good": [], "bad": []}
    for word in lists:
        (folder / word).mkdir()
    for number in range(count):
        word = "bad" if number % REAL_SHARE else "good"
        name = f"{10**10 + number // OF_AN_OBJECT}_02a58362o0123c_{number}.fits"
        os.link(folder / "different" / f"{number % DIFFERENT}.fits", folder / word / name)
        lists[word].append(name)
    for word, names in lists.items():
        (folder / f"{word}.txt").write_text("\n".join(names) + "\n")
    paths = [str(folder / word / name) for word, names in lists.items() for name in names]
    (folder / "paths.txt").write_text("\n".join(paths) + "\n")


def timed(arguments: list[str]) -> tuple[float, float]:
    """Wall seconds and peak resident megabytes of a Python process."""
    begun = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(process.returncode)
    return time.perf_counter() - begun, usage.ru_maxrss / 1000


def check(path: Path, stamps: int) -> None:
    """Every stamp is in the file."""
    with open_psat(path) as halves:
        found = sum(half.rows for half in halves.values())
    assert found == stamps, f"{found} stamps written, expected {stamps}"


if __name__ == "__main__":
    main()

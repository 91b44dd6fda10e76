"""Stamps cut from one exposure, on one core: per second, and where the time goes.

    python benchmarks/realbogus_cutouts.py [--stamps 20000] [--repeats 5] [--folder DIR]

A noise exposure of ATLAS' size (10,560 x 10,560 int32, one tile for each row as fpack makes them)
and one that is not packed; detections at random places. Told are, as medians of the repeats:

- cutting alone, from rows that are decoded already (every repeat cuts the same window again),
- decoding of all tiles through astropy, which does not depend on the number of stamps,
- decoding and cutting together, as a run does it,
- writing of the stamps as FITS files, beside what the file system does with empty work:
  the same bytes written to the same number of files, each renamed, by nothing else,
- both ways of the whole job (FITS files, a part of the HDF5 store) with the share of writing.

Seconds are of the wall clock; those of the processor stand beside them, since other programs may
be running.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from astropy.io import fits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarker.hosts.realbogus.cutouts import DEFAULT_FORM, corners, cut
from benchmarker.hosts.realbogus.cutting import Job, run_job
from benchmarker.hosts.realbogus.exposures import Exposure, open_exposure
from benchmarker.hosts.realbogus.queries import ASTEROIDS, DETECTION, ExposureRow
from benchmarker.hosts.realbogus.stamp_store import gather

SIDE = 10560
AIM = 5000  # stamps per second
ROW = ExposureRow(1, "02a58362o0001c", 58362.25, "c")
BYTES_OF_A_STAMP = 11520


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stamps", type=int, default=20000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary one)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        packed, plain = exposures(folder)
        rows = detections(given.stamps)
        print(f"{given.stamps} stamps, {given.repeats} repeats, medians")
        measures: dict[str, Callable[[], None]] = {
            "cut from decoded rows": cut_only(rows),
            "decode all tiles": lambda: decode(packed),
            "decode and cut, packed": lambda: cut_all(packed, rows),
            "read and cut, plain": lambda: cut_all(plain, rows),
            "file system alone": lambda: empty_files(folder, given.stamps),
            "whole, FITS files": lambda: whole(folder, packed, rows, store=False),
            "whole, HDF5 store": lambda: whole(folder, packed, rows, store=True),
        }
        for words, work in measures.items():
            tell(words, work, given, folder)
        shares(folder, packed, rows)


def exposures(folder: Path) -> tuple[Path, Path]:
    """A packed and a plain exposure with the same pixels."""
    draw = np.random.default_rng(1)
    pixels = draw.normal(0, 20, (SIDE, SIDE)).astype(np.int32)
    image = fits.CompImageHDU(pixels, compression_type="RICE_1", tile_shape=(1, SIDE))
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(folder / "packed.fz")
    fits.PrimaryHDU(pixels).writeto(folder / "plain.fits")
    return folder / "packed.fz", folder / "plain.fits"


def detections(count: int) -> np.ndarray:
    """Detections at random places, sorted by their numbers."""
    draw = np.random.default_rng(2)
    rows = np.zeros(count, DETECTION)
    rows["detection"] = np.arange(count) + 1
    for name in ("x", "y"):
        rows[name] = draw.uniform(1, SIDE, count)
    rows["mag"], rows["dmag"], rows["ra"], rows["dec"] = 18.5, 0.1, 10.0, -5.0
    return rows


class _Decoded:
    """An exposure in memory: reading costs nothing."""

    def __init__(self) -> None:
        self.pixels = np.random.default_rng(1).integers(-99, 99, (2048, SIDE), np.int32)

    def section(self, rows: slice, columns: slice) -> np.ndarray:
        return self.pixels[rows, columns]


class _Sections:
    def __init__(self, decoded: _Decoded) -> None:
        self.decoded = decoded

    def __getitem__(self, place: tuple[slice, slice]) -> np.ndarray:
        return self.decoded.section(*place)


class _Hdu:
    def __init__(self, decoded: _Decoded) -> None:
        self.section = _Sections(decoded)


def cut_only(rows: np.ndarray) -> Callable[[], None]:
    """Cut from an exposure whose rows are in memory."""
    decoded = _Decoded()
    shape = decoded.pixels.shape
    exposure = Exposure(Path("memory"), shape, (1, SIDE), np.dtype("i4"), {}, -31415, None)
    object.__setattr__(exposure, "_hdu", _Hdu(decoded))
    first = corners(rows["x"], rows["y"] % shape[0])

    def work() -> None:
        for _ in cut(exposure, first):
            pass

    return work


def decode(path: Path) -> None:
    """Every tile once, in the strips in which a run reads them."""
    with open_exposure(path, DEFAULT_FORM.mask) as exposure:
        for top in range(0, SIDE, 256):
            exposure.read(slice(top, min(top + 256, SIDE)), slice(0, SIDE))


def cut_all(path: Path, rows: np.ndarray) -> None:
    """Open an exposure and cut its stamps."""
    with open_exposure(path, DEFAULT_FORM.mask) as exposure:
        for _ in cut(exposure, corners(rows["x"], rows["y"])):
            pass


def empty_files(folder: Path, count: int) -> None:
    """As many bytes in as many files, each under a temporary name first."""
    place = folder / "empty"
    place.mkdir()
    data, temporary = b"\0" * BYTES_OF_A_STAMP, f"{place}/.part"
    for number in range(count):
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.write(handle, data)
        os.close(handle)
        Path(temporary).rename(f"{place}/{number}.fits")


def whole(folder: Path, path: Path, rows: np.ndarray, *, store: bool) -> dict[str, float]:
    """A whole job of one exposure; returns its seconds of cutting and of writing."""
    out = folder / "out"
    file = out / "stamps.h5" if store else None
    outcome = run_job(Job(ROW, path, ASTEROIDS, rows, out, store=file))
    assert outcome.stamps == len(rows), outcome.fault
    if file is not None:
        started = time.perf_counter()
        gather(file, DEFAULT_FORM)
        outcome.seconds["write"] += time.perf_counter() - started
    return outcome.seconds


def clean(folder: Path) -> None:
    """Remove what a measure wrote; not part of it."""
    for name in ("out", "empty"):
        shutil.rmtree(folder / name, ignore_errors=True)


def tell(words: str, work: Callable[[], object], given: argparse.Namespace, folder: Path) -> None:
    """One line: median seconds, of the wall clock and of the processor, and stamps per second."""
    walls, processor = [], []
    for _ in range(given.repeats):
        started, used = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - started)
        processor.append(time.process_time() - used)
        clean(folder)
    wall, used = statistics.median(walls), statistics.median(processor)
    rate, of_processor = given.stamps / wall, given.stamps / used
    mark = "" if words.startswith("decode all") else f" ({rate / AIM:.1f} x the aim of {AIM})"
    print(
        f"{words:<24} {wall:7.2f} s  processor {used:6.2f} s  {rate:8.0f} stamps/s"
        f"  {of_processor:8.0f} of processor time{mark}",
        flush=True,
    )


def shares(folder: Path, path: Path, rows: np.ndarray) -> None:
    """Share of writing in the whole job, both ways."""
    for words, store in (("FITS files", False), ("HDF5 store", True)):
        seconds = whole(folder, path, rows, store=store)
        share = seconds["write"] / sum(seconds.values())
        print(f"share of writing, {words}: {100 * share:.0f} %")
        clean(folder)


if __name__ == "__main__":
    main()

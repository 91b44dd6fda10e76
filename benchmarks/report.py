"""The HTML report of a thousand runs: seconds and memory, cold and with its cache.

    python benchmarks/report.py [--runs 1000] [--images 2000] [--seeds 5]

Takes the run folders of `benchmarks/leaderboard.py` and gives each what a real one has
besides: sixteen epochs, a log and sixteen mistakes with images. Measures whole processes on
one core: start, reading, statistics, charts, writing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarker.core.files import write_csv, write_text, write_with
from benchmarker.runs.folder import HISTORY
from benchmarks.leaderboard import EPOCHS, ONE_CORE, make_runs, megabytes_of

AIMS = {"seconds": 60.0, "megabytes": 1000.0}
MISTAKES, SIDE = 16, 75


def main() -> None:
    """Make the folders, measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="use (and keep) this folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        results = asked.keep or Path(place) / "results"
        if not (results / "runs").is_dir():
            make_runs(results, asked)
            for number, folder in enumerate(sorted((results / "runs").iterdir())):
                complete(folder, number)
        print(f"{asked.runs} runs of {asked.images} predictions, networks of {asked.seeds} seeds")
        print(
            f"{'command':24}{'seconds':>9}{'aim':>6}{'CPU s':>7}{'MB':>7}{'aim':>6}{'site MB':>9}"
        )
        for number in range(2):
            measure(results, Path(place) / f"site{number}")


def complete(folder: Path, number: int) -> None:
    """Give a run its epochs, its log and its mistakes."""
    draw = np.random.default_rng(number)
    epochs = np.arange(1, EPOCHS + 1)
    losses = 1.4 / epochs[:, np.newaxis] + 0.05 * draw.random((EPOCHS, 2))
    rows = [
        [int(e), float(a), 0.1, 0.9 - a / 2, float(b), 0.9 - b / 2, 1e-4, 9.5, 95.5]
        for e, (a, b) in zip(epochs, losses, strict=True)
    ]
    write_csv(folder / "history.csv", HISTORY, rows)
    write_text(folder / "log.txt", "".join(f"epoch {e}: loss {a:.6f}\n" for e, a, *_ in rows))
    arrays = {
        "sources": np.array([f"J{row:06d}" for row in range(number, number + MISTAKES)]),
        "images": draw.integers(0, 255, (MISTAKES, SIDE, SIDE), dtype=np.uint8),
        "labels": np.zeros(MISTAKES, dtype=np.int64),
        "predicted": np.ones(MISTAKES, dtype=np.int64),
        "probability": np.sort(draw.random(MISTAKES))[::-1],
        "ra_deg": 360.0 * draw.random(MISTAKES),
        "dec_deg": 90.0 * draw.random(MISTAKES),
    }
    write_with(folder / "mistakes.npz", lambda stream: np.savez(stream, **arrays))


def measure(results: Path, site: Path) -> None:
    """Print seconds, peak memory and size of one report."""
    cold = not (results / ".cache").is_dir()
    words = ["report", "--results", str(results), "-o", str(site)]
    begun = time.perf_counter()
    process = subprocess.Popen(
        ["taskset", "-c", "0", sys.executable, "-m", "benchmarker", *words],
        stdout=subprocess.DEVNULL,
        env={**os.environ, **ONE_CORE},
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"report left with {process.returncode}")
    seconds, megabytes = time.perf_counter() - begun, megabytes_of(used)
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) / 1e6
    name = f"report{' (no cache yet)' if cold else ''}"
    busy = used.ru_utime + used.ru_stime
    print(
        f"{name:24}{seconds:9.1f}{AIMS['seconds']:6g}{busy:7.1f}{megabytes:7.0f}{AIMS['megabytes']:6g}"
        f"{size:9.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()

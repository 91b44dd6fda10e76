"""How long a user waits: ``--help``, ``list``, ``show``, and the first training step.

    python benchmarks/startup.py [--repeats 5]

Whole processes, wall clock, medians. The first training step is taken on cached data:
from the start of the command to the end of its first batch, as the progress reports it.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time

COMMANDS = {
    "--help": (["--help"], 0.5),
    "list networks --json": (["list", "networks", "--json"], None),
    "show convXpress --json": (["show", "convXpress", "--json"], None),
    "leaderboard --help": (["leaderboard", "--help"], 0.5),
}
FIRST_STEP_LIMIT = 20.0


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    print(f"{'command':28}{'median s':>10}{'aim s':>8}")
    for name, (words, aim) in COMMANDS.items():
        seconds = statistics.median(timed(words) for _ in range(repeats))
        print(f"{name:28}{seconds:10.2f}{aim or '':>8}")
    seconds = first_step()
    print(f"{'first training step':28}{seconds:10.2f}{FIRST_STEP_LIMIT:>8}")


def timed(words: list[str]) -> float:
    """Seconds of one command."""
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "benchmarker", *words], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - begun


def first_step() -> float:
    """Seconds from the command to the first batch, on a second start with cached images."""
    with tempfile.TemporaryDirectory() as place:
        words = ["run", "-a", "convxpress.txt", "-p", place, "--cache", f"{place}/cache", "--again"]
        run_to_first_batch(words)
        return run_to_first_batch(words)


def run_to_first_batch(words: list[str]) -> float:
    """Start a run, wait for the log line of its first batch, stop it."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarker", *words],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    seconds = float("nan")
    for line in process.stderr or ():
        if re.search(r"epoch 1/\d+: batch \d+ of", line):
            seconds = time.perf_counter() - begun
            break
    process.terminate()
    process.communicate()
    return seconds


if __name__ == "__main__":
    main()

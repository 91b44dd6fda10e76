"""The leaderboard of a thousand runs: seconds and memory, cold and with its cache.

    python benchmarks/leaderboard.py [--runs 1000] [--images 2000] [--seeds 5]

Makes run folders in a temporary folder (networks of five seeds, two models each, so that
every run holds twice `--images` predictions) and measures whole processes on one core:
start, reading, intervals over seeds and images, ranks, printing. On a busy machine the seconds
of CPU say more than those of the clock.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarker.core.files import write_csv, write_json
from benchmarker.core.hashing import digest_file, digest_text
from benchmarker.core.records import DIGESTED
from benchmarker.metrics.classification import evaluate
from tests.report.factory import CLASSES, identity

AIMS = {"seconds": 5.0, "megabytes": 1000.0}
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
EPOCHS = 16
SPREAD = 0.25  # of the networks' skill: some can be told apart, neighbours cannot
FORMS = (
    ["leaderboard", "--format", "table"],
    ["leaderboard", "--format", "json", "--against", "published"],
)


def main() -> None:
    """Make the folders, measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="use (and keep) this folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        results = asked.keep or Path(place)
        if not (results / "runs").is_dir():
            make_runs(results, asked)
        print(f"{asked.runs} runs of {asked.images} predictions, networks of {asked.seeds} seeds")
        print(f"{'command':60}{'seconds':>9}{'of CPU':>8}{'aim':>6}{'MB':>7}{'aim':>6}")
        for words in (FORMS[0], *FORMS):
            cold = not (results / ".cache").is_dir()
            measure([*words, "--results", str(results)], words, cold=cold)


def measure(words: list[str], shown: list[str], *, cold: bool) -> None:
    """Print seconds and peak memory of one command; without its cache the aims do not hold."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        ["taskset", "-c", "0", sys.executable, "-m", "benchmarker", *words],
        stdout=subprocess.DEVNULL,
        env={**os.environ, **ONE_CORE},
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} left with {process.returncode}")
    seconds, megabytes = time.perf_counter() - begun, megabytes_of(used)
    name = f"{' '.join(shown)}{' (no cache yet)' if cold else ''}"
    aim = "" if cold else f"{AIMS['seconds']:g}"
    computed = used.ru_utime + used.ru_stime
    times = f"{seconds:9.1f}{computed:8.1f}{aim:>6}"
    print(f"{name:60}{times}{megabytes:7.0f}{AIMS['megabytes']:6g}", flush=True)


def megabytes_of(used: resource.struct_rusage) -> float:
    """Peak memory of a finished process."""
    return used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def make_runs(results: Path, asked: argparse.Namespace) -> None:
    """Complete run folders of made-up networks on one test set."""
    draw = np.random.default_rng(1)
    labels = np.arange(asked.images) % len(CLASSES)
    sources = [f"J{row:06d}" for row in range(asked.images)]
    difficulty = draw.normal(size=(asked.images, 1))
    for number in range(asked.runs):
        network, place = divmod(number, asked.seeds)
        skill = 2.5 + SPREAD * np.random.default_rng(network).normal()
        noise = draw.normal(size=(2, asked.images, len(CLASSES)))
        scores = noise + (skill + difficulty) * np.eye(len(CLASSES))[labels]
        shares = np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)
        split = {"rule": "published", "digest": digest_text("p"), "train": 9, "validation": 9}
        parts = identity(
            f"network{network:03d}", 8901 + place, split={**split, "test": asked.images}
        )
        write_run(results, parts, (sources, labels, shares))


def write_run(results: Path, parts: dict, said: tuple[list[str], np.ndarray, np.ndarray]) -> None:
    """One run folder; `said` holds sources (n), labels (n,) and probabilities (2, n, classes)."""
    sources, labels, shares = said
    name = f"{parts['network']}-{parts['data']['name']}-s{parts['seed']}-{parts['digest'][:8]}"
    folder = results / "runs" / name
    folder.mkdir(parents=True)
    names = [CLASSES[label] for label in labels]
    rows, metrics = [], {}
    for model, values in zip(("best", "final"), shares, strict=True):
        metrics[model] = evaluate(labels, values, CLASSES, resamples=0)
        numbers = zip(sources, names, values.tolist(), strict=True)
        rows += [[model, source, word, *row] for source, word, row in numbers]
    write_csv(
        folder / "predictions.csv", ["model", "source", "label", *(f"p_{c}" for c in CLASSES)], rows
    )
    for model in ("train_best", "validation_best", "train_final", "validation_final"):
        metrics[model] = {"accuracy": 0.9, "cross_entropy": 0.3}
    write_json(folder / "metrics.json", metrics)
    write_csv(folder / "history.csv", ["epoch", "loss"], [[e + 1, 1.0] for e in range(EPOCHS)])
    for model in ("best", "final"):
        (folder / f"{model}.safetensors").write_bytes(model.encode())
    write_json(folder / "run.json", run_of(folder, parts))


def run_of(folder: Path, parts: dict) -> dict:
    """Content of run.json."""
    digests = ("initial_weights", "best_weights", "final_weights", "history", "predictions")
    files = {name: digest_file(folder / name) for name in DIGESTED}
    state = {"state": "complete", "reason": None, "epochs_done": EPOCHS, "marks": []}
    counts = {"parameters": 4_567_944, "trainable_parameters": 4_567_944}
    speed = {"test_seconds": 0.4, "images_per_second": 100.0 + parts["seed"] % 7}
    return {
        "format": 1,
        "identity": parts,
        "fingerprint": {"backend": "tensorflow", "devices": ["CPU"], "threads": 2},
        "digests": dict.fromkeys(digests, "0") | {"files": files},
        "status": state,
        "network": counts | {"multiply_adds": 779_033_680},
        "timings": {
            "training_seconds": 754.2,
            "training_images_per_second": 95.5,
            "inference": {"best": speed, "final": speed},
        },
        "created": "2026-01-01T10:00:00Z",
        "finished": "2026-01-01T10:20:00Z",
    }


if __name__ == "__main__":
    main()

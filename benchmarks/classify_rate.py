"""How close ``artifacts classify`` comes to the pace of its network alone.

    python benchmarks/classify_rate.py [--side 512] [--count 48] [--network cnn_gleam_small]

Images per second of the network with prepared images in memory, and of the whole: reading FITS
files, preparing, computing, writing header cards with renewed checksums to disk. Each is
measured several times in turn after a warm-up; medians. Weights are untrained. On a machine
that does other work, too, the ratio of the processor times tells more than that of the rates.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from astropy.io import fits

from benchmarker.data.preparation import named_preparation
from benchmarker.hosts.radiance.classify import Choices, batch_size, classify
from benchmarker.hosts.radiance.result_cards import Provenance
from benchmarker.hosts.radiance.weights import CLASSES
from benchmarker.networks import registry
from benchmarker.runs.scores import scorer
from benchmarker.runs.trained import Trained, open_trained, write_trained

WANTED = 0.9


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--count", type=int, default=48)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--network", default="cnn_gleam_small")
    parser.add_argument("--folder", type=Path, help="on the disk in question")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        trained = network(Path(folder), arguments.network, arguments.side)
        paths = images(Path(folder), arguments.count, arguments.side)
        pixels = np.random.default_rng(1).normal(size=(len(paths), *trained.shape))
        prepared = pixels.astype(np.float32)
        ways = {
            "network alone": lambda: alone(trained, prepared),
            "artifacts classify": lambda: whole(trained, paths),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        processor: dict[str, list[float]] = {name: [] for name in ways}
        for repeat in range(arguments.repeats + 1):
            for name, way in ways.items():
                begun, used = time.perf_counter(), time.process_time()
                way()
                if repeat:  # the first builds the graph
                    seconds[name].append(time.perf_counter() - begun)
                    processor[name].append(time.process_time() - used)
        rates = {name: len(paths) / statistics.median(found) for name, found in seconds.items()}
    for name, rate in rates.items():
        print(f"{name:20}{rate:8.1f} images/s of {arguments.side} px")
    first, second = rates.values()
    print(f"ratio {second / first:.2f} (wanted: {WANTED})")
    first, second = (statistics.median(found) for found in processor.values())
    print(f"ratio of processor times {first / second:.2f}")


def network(folder: Path, name: str, side: int) -> Trained:
    """Weights as they start, with the notes that a run writes."""
    shape = (side, side, 1)
    facts = {
        "network": name,
        "network_settings": {},
        "shape": shape,
        "classes": CLASSES,
        "preparation": named_preparation("field"),
    }
    path = folder / "weights.safetensors"
    return open_trained(write_trained(path, registry.build(name, shape, 4, seed=1), **facts))


def images(folder: Path, count: int, side: int) -> list[Path]:
    """FITS files of noise with checksums."""
    rng = np.random.default_rng(1)
    paths = [folder / f"{number}.fits" for number in range(count)]
    for path in paths:
        pixels = rng.normal(size=(1, 1, side, side)).astype(np.float32)
        fits.PrimaryHDU(pixels).writeto(path, checksum=True)
    return paths


def alone(trained: Trained, prepared: np.ndarray) -> None:
    """The network over prepared images, in the same batches."""
    head, batch = scorer(trained.model), batch_size(trained)
    for first in range(0, len(prepared), batch):
        head.predict_on_batch(prepared[first : first + batch])


def whole(trained: Trained, paths: list[Path]) -> None:
    """From file to header; the cards differ each time, so that they are written each time."""
    provenance = Provenance(trained.network, "00000000", f"{time.time_ns()}")
    results = classify(trained, paths, Choices(), provenance)
    assert not any(result.error for result in results)


if __name__ == "__main__":
    main()

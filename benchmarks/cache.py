"""The image cache beside one FITS file per rotation: size on disk and speed of random batches.

    python benchmarks/cache.py first_griese2022.npz [--train]

Prepares the 1,758 training sources of FIRST with 24 rotations (42,192 images of 300 x 300)
and reads random batches of 32; writes real rotations as FITS files, as the original does,
and reads those the same way. All files are warm in memory in both cases, which favours
FITS. ``--train`` also measures how fast ConvXpress trains on one batch kept in memory.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarker.data.cache import PreparedImages, prepared
from benchmarker.data.images import ArrayPixels, ImageSet
from benchmarker.data.preparation import named_preparation
from benchmarker.data.recipes import load_recipe

BATCH = 32
REPEATS = 5
FITS_FILES = 512
SPARED_SHARE = 0.05  # target: at most this part of the size of the FITS files
TARGET_FACTOR = 5  # target: batches at least so many times faster than training
USUAL_TRAINING_RATE = 55.0  # ConvXpress, float32, 300 px, images per second on 2 cores


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", type=Path, help="first_griese2022.npz")
    parser.add_argument("--train", action="store_true", help="measure ConvXpress here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = compare(arguments.images, Path(folder), train=arguments.train)
    for row in rows:
        print(f"{row[0]:<44}{row[1]:>16}{row[2]:>16}{row[3]:>12}")


def compare(archive: Path, folder: Path, *, train: bool) -> list[tuple[str, str, str, str]]:
    """Measure both ways; returns the lines of the table."""
    images, names = training_sources(archive)
    started = time.perf_counter()
    made = prepared(images, names, named_preparation("scaled"), load_recipe("rotations24"), folder)
    built = time.perf_counter() - started
    started = time.perf_counter()
    prepared(images, names, named_preparation("scaled"), load_recipe("rotations24"), folder)
    opened = time.perf_counter() - started
    paths = write_fits(made, folder / "fits")
    size = sum(path.stat().st_size for path in (folder / made.digest).iterdir())
    fits_size = len(made) * paths[0].stat().st_size
    rate, fits_rate = rates(made), rates_of_fits(paths)
    training = training_rate(made) if train else USUAL_TRAINING_RATE
    origin = "measured" if train else "usual"
    return [
        (f"{len(made)} images of {made.shape[0]} px", "one FITS each", "cache", "ratio"),
        ("size, GB", f"{fits_size / 1e9:.2f}", f"{size / 1e9:.3f}", f"{size / fits_size:.2%}"),
        (f"  target: at most {SPARED_SHARE:.0%}", "", "", word(size <= SPARED_SHARE * fits_size)),
        ("random batches, images/s", f"{fits_rate:.0f}", f"{rate:.0f}", f"{rate / fits_rate:.1f}x"),
        (f"over ConvXpress training, {training:.0f}/s ({origin})",
         f"{fits_rate / training:.1f}x", f"{rate / training:.1f}x", ""),
        (f"  target: at least {TARGET_FACTOR}x", "", "", word(rate >= TARGET_FACTOR * training)),
        ("time to build / to open and verify, s", "", f"{built:.1f} / {opened:.2f}", ""),
    ]  # fmt: skip


def word(reached: bool) -> str:  # noqa: FBT001 - one flag to one word
    """How a target was met."""
    return "reached" if reached else "MISSED"


def training_sources(path: Path) -> tuple[ImageSet, tuple[str, ...]]:
    """The training part of the Griese et al. release and its source names."""
    with np.load(path, allow_pickle=False) as archive:
        train = archive["split"] == 0
        names = tuple(str(name) for name in archive["source_key"][train])
        images = ImageSet(
            name="first",
            pixels=ArrayPixels(archive["images"][train][..., np.newaxis], path.name),
            labels=archive["labels"][train],
            classes=tuple(str(name) for name in archive["label_names"]),
            sources=names,
        )
    return images, names


def write_fits(made: PreparedImages, folder: Path) -> list[Path]:
    """Some of the rotations, one float32 FITS file each, as the original keeps them."""
    from astropy.io import fits

    folder.mkdir()
    rows = np.random.default_rng(1).choice(len(made), FITS_FILES, replace=False)
    paths = [folder / f"rotation{row}.fits" for row in rows]
    for row, path in zip(rows, paths, strict=True):
        fits.PrimaryHDU(made.read([row])[0, :, :, 0]).writeto(path)
    return paths


def rates(made: PreparedImages) -> float:
    """Images per second of random batches from the cache."""
    generator = np.random.default_rng(2)

    def read() -> None:
        made.read(generator.integers(len(made), size=BATCH))

    return median_rate(read, 100)


def rates_of_fits(paths: list[Path]) -> float:
    """Images per second of random batches, each image from its own FITS file."""
    from astropy.io import fits

    generator = np.random.default_rng(3)
    batch = np.empty((BATCH, 300, 300, 1), np.float32)

    def read() -> None:
        for place, file in enumerate(generator.integers(len(paths), size=BATCH)):
            batch[place, :, :, 0] = fits.getdata(paths[file])

    return median_rate(read, 8)


def training_rate(made: PreparedImages) -> float:
    """Images per second of ConvXpress on one batch in memory."""
    from benchmarker.networks.registry import build

    network = build("convXpress", made.shape, num_classes=4, seed=8901)
    network.compile("adam", "categorical_crossentropy")
    values = made.read(np.arange(BATCH) * made.variants)
    labels = np.eye(4, dtype=np.float32)[made.labels[np.arange(BATCH) * made.variants]]
    return median_rate(lambda: network.train_on_batch(values, labels), 4)


def median_rate(read: Callable[[], object], batches: int) -> float:
    """Median over the repeats, after one warm-up batch."""
    read()
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        for _ in range(batches):
            read()
        seconds.append((time.perf_counter() - started) / batches)
    return BATCH / statistics.median(seconds)


if __name__ == "__main__":
    main()

"""A small learnable data set for tests: stripes in one of four places, with noise."""

from pathlib import Path

import numpy as np

CLASSES = ("TOP", "BOTTOM", "LEFT", "RIGHT")


def toy_arrays(count: int = 96, size: int = 32, seed: int = 1) -> dict[str, np.ndarray]:
    """Arrays of an .npz data set with a published split of 60, 20 and 20 percent."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 40, (count, size, size), dtype=np.uint8)
    labels = np.arange(count) % len(CLASSES)
    half = size // 2
    for image, label in zip(images, labels, strict=True):
        bright = rng.integers(300, 500)
        region = {0: np.s_[:half], 1: np.s_[half:], 2: np.s_[:, :half], 3: np.s_[:, half:]}[label]
        image[region] = np.maximum(image[region], bright // 2)
    parts = np.array(([0] * 12 + [1] * 4 + [2] * 4) * count, dtype=np.int64)[:count]
    return {
        "images": images,
        "labels": labels.astype(np.int64),
        "label_names": np.array(CLASSES),
        "split": parts,
        "split_names": np.array(["train", "valid", "test"]),
        "sources": np.array([f"toy{number:04d}" for number in range(count)]),
    }


def write_toy(path: Path, count: int = 96, size: int = 32, seed: int = 1) -> Path:
    """Write the toy set as an .npz file."""
    np.savez_compressed(path, **toy_arrays(count, size, seed))
    return path

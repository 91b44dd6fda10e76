"""The mistakes of which a run was surest, with their images: ``mistakes.npz``.

A table of scores hides what goes wrong. The images are those that the network saw, made
small, so that a report shows them without the data set.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarker.core.files import write_with
from benchmarker.data.cache import PreparedImages
from benchmarker.data.images import ImageSet
from benchmarker.runs.scores import softmax

MOST = 16
LARGEST_PX = 96
COLOURS = 3  # channels that make a colour image; of any other number the first is shown
FILE = "mistakes.npz"


def write_mistakes(
    folder: Path, images: ImageSet, prepared: PreparedImages, scores: np.ndarray
) -> Path:
    """Write the most confident mistakes on the test set; also where there is none.

    Arguments
    ---------
    folder : of the run
    images : the data set, for the positions of its sources
    prepared : the test images as the network saw them, one row per source
    scores : float (n, classes) of the best weights on them, before the softmax

    The arrays of the file: ``sources`` (k names), ``images`` uint8 (k, height, width) or
    (k, height, width, 3), ``labels`` and ``predicted`` int64 (k,), ``probability`` float64
    (k,) of the predicted class, ``ra_deg`` and ``dec_deg`` float64 (k,), NaN where unknown.
    The surest mistake comes first; equal ones stand by name. Returns the path.
    """
    predicted, probability = scores.argmax(axis=1), softmax(scores).max(axis=1)
    wrong = np.flatnonzero(predicted != prepared.labels)
    rows = sorted(wrong, key=lambda row: (-probability[row], prepared.sources[row]))[:MOST]
    sources = [prepared.sources[row] for row in rows]
    ra_deg, dec_deg = _positions(images, sources)
    arrays = {
        "sources": np.array(sources, dtype=np.str_),
        "images": small_images(prepared.raw(rows)),
        "labels": prepared.labels[rows].astype(np.int64),
        "predicted": predicted[rows].astype(np.int64),
        "probability": probability[rows].astype(np.float64),
        "ra_deg": ra_deg,
        "dec_deg": dec_deg,
    }
    return write_with(folder / FILE, lambda stream: np.savez_compressed(stream, **arrays))


def small_images(images: np.ndarray) -> np.ndarray:
    """Images of at most 96 pixels a side, each from its lowest (0) to its highest value (255).

    Arguments
    ---------
    images : float (k, height, width, channels), finite

    Returns uint8 (k, height, width), or (k, height, width, 3) of three channels. Larger
    images are averaged over blocks of whole pixels; a remainder at the far edges is left
    out. An image of one value is black.
    """
    shown = images if images.shape[-1] == COLOURS else images[..., :1]
    small = _averaged(shown.astype(np.float64))
    low = small.min(axis=(1, 2, 3), keepdims=True)
    span = small.max(axis=(1, 2, 3), keepdims=True) - low
    scaled = np.divide(small - low, span, out=np.zeros_like(small), where=span > 0)
    grey = np.rint(255 * scaled).astype(np.uint8)
    return grey if grey.shape[-1] == COLOURS else grey[..., 0]


def _averaged(images: np.ndarray) -> np.ndarray:
    count, height, width, channels = images.shape
    block = -(-max(height, width) // LARGEST_PX)
    rows, columns = max(height // block, 1), max(width // block, 1)
    kept = images[:, : rows * block, : columns * block]
    tall, wide = kept.shape[1] // rows, kept.shape[2] // columns
    return kept.reshape(count, rows, tall, columns, wide, channels).mean(axis=(2, 4))


def _positions(images: ImageSet, sources: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Right ascension and declination, degrees; NaN for sources that no telescope has seen."""
    unknown = images.ra_deg is None or images.dec_deg is None
    if unknown or images.provenance.get("reader") == "simulated":
        return np.full(len(sources), np.nan), np.full(len(sources), np.nan)
    row_of = {name: row for row, name in enumerate(images.sources)}
    rows = [row_of[name] for name in sources]
    ra_deg, dec_deg = (np.asarray(one, dtype=float) for one in (images.ra_deg, images.dec_deg))
    return ra_deg[rows], dec_deg[rows]

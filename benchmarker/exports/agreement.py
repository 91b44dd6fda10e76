"""Whether another program gets the probabilities that Keras gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarker.core.errors import CheckFailedError

TOLERANCE = 1e-5
Batches = Iterable[tuple[tuple[str, ...], np.ndarray]]


@dataclass(frozen=True)
class Agreement:
    """How far two programs differ.

    Arguments
    ---------
    data : name of the data set
    images : number of images shown to both
    furthest : largest difference of a probability
    source : the image where it is
    """

    data: str
    images: int
    furthest: float
    source: str

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "data": self.data,
            "images": self.images,
            "largest_difference": self.furthest,
            "at": self.source,
            "tolerance": TOLERANCE,
        }


def agreement(
    data: str,
    batches: Batches,
    ours: Callable[[np.ndarray], np.ndarray],
    theirs: Callable[[np.ndarray], np.ndarray],
) -> Agreement:
    """Show the same images to both; each maps (n, height, width, channels) to (n, classes).

    An answer that is not finite or has another shape differs by infinity.
    """
    images, furthest, source = 0, 0.0, ""
    for names, batch in batches:
        apart = _apart(np.asarray(ours(batch), np.float64), np.asarray(theirs(batch), np.float64))
        row = int(np.argmax(apart))
        if apart[row] >= furthest:
            furthest, source = float(apart[row]), names[row]
        images += len(names)
    return Agreement(data, images, furthest, source)


def _apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Largest difference of each row (n,)."""
    if one.shape != other.shape:
        return np.full(len(one), np.inf)
    apart = np.abs(one - other).max(axis=1)
    return np.where(np.isfinite(apart), apart, np.inf)


def require_agreement(found: Agreement, what: str) -> None:
    """Raise `CheckFailedError` where the two differ by more than `TOLERANCE`."""
    if found.images and found.furthest <= TOLERANCE:
        return
    message = (
        f"{what} was not written: its probabilities differ from those of Keras by up to "
        f"{found.furthest:.2g} ({found.source}), expected at most {TOLERANCE:g}, on "
        f"{found.images} images of {found.data}"
    )
    raise CheckFailedError(message)

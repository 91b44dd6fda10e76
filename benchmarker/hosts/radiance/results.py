"""What a network says of one field, and which artefacts that speaks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarker.hosts.radiance.weights import CLASSES
from benchmarker.runs.scores import softmax

# which classes speak for what a caller may ask for
EVIDENCE = {
    "rfi": ("rfi", "rfisis"),
    "sis": ("sis", "rfisis"),
    "any": ("rfi", "sis", "rfisis"),
}


@dataclass
class Classified:
    """What came of one image.

    Arguments
    ---------
    path : the file
    scores : float64 (4,), before the softmax, in the order of `CLASSES`; None where it failed
    seconds : its share of the time that the network took
    written : where its cards are: ``header``, ``sidecar``, or empty
    error : why it could not be read, or its cards not be written; empty where all went well
    """

    path: Path
    scores: np.ndarray | None = None
    seconds: float | None = None
    written: str = ""
    error: str = ""

    @property
    def probabilities(self) -> dict[str, float] | None:
        """Class -> probability, good first."""
        if self.scores is None:
            return None
        return dict(zip(CLASSES, softmax(self.scores).tolist(), strict=True))

    @property
    def predicted(self) -> str | None:
        """The most probable class."""
        return None if self.scores is None else CLASSES[int(self.scores.argmax())]

    def evidence(self, what: str) -> float | None:
        """Probability of ``rfi``, ``sis`` or ``any`` artefact, over the classes with it."""
        found = self.probabilities
        return None if found is None else sum(found[name] for name in EVIDENCE[what])

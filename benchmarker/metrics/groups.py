"""The same numbers apart by groups of sources: certain and uncertain ones.

MiraBest (Porter & Scaife 2023, RASTI 2, 293) says for each source whether its classifier
was certain. The class code at the start of an image's name holds it: three digits, the
first the class (1 FRI, 2 FRII, 3 hybrid), the second the certainty (0 certain, 1 uncertain),
the third the shape (0 standard, 1 double-double, 2 wide-angle tail, 4 head-tail).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarker.core.errors import RunFailedError
from benchmarker.metrics.classification import evaluate

CERTAINTIES = ("certain", "uncertain")
# 100_162.947+055.386_0.0739_0250.34: code, right ascension and declination, redshift, size;
# the longer form has a folder before it and the ending of an image after it
_MIRABEST_NAME = re.compile(r"(?:.*/)?[123]([01])[0124]_\d{3}\.\d+[+-]\d+\.\d+_.*")


def certainty_of(source: str) -> str | None:
    """``certain`` or ``uncertain`` from the name of a MiraBest source, None for other names."""
    found = _MIRABEST_NAME.fullmatch(source)
    return None if found is None else CERTAINTIES[int(found[1])]


def evaluate_groups(  # noqa: PLR0913 - the predictions, their groups, and how to resample
    labels: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    groups: Sequence[str | None],
    *,
    seed: int = 0,
    resamples: int = 1000,
    scores: np.ndarray | None = None,
) -> dict[str, dict[str, Any]]:
    """What `evaluate` gives, for the sources of each group apart.

    Arguments
    ---------
    labels : int (n,), the truth
    probabilities : float (n, classes)
    classes : class names in label order
    groups : n words, one per source; None belongs to no group
    seed : of the bootstrap over the sources of each group
    resamples : number of bootstrap resamples
    scores : float (n, classes) before the softmax, for the AUC, as for `evaluate`

    Returns group name to result, by name; empty where no source has a group. The intervals
    are those of the sources in the group. A class that is absent from a group has no recall
    there, as the result's ``flags`` say.

    Raises `RunFailedError` where there are not as many groups as labels, and as `evaluate`
    does.
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    if len(groups) != len(labels):
        message = f"groups of {len(groups)} sources, expected one for each of {len(labels)}"
        raise RunFailedError(message)
    found = {}
    for name in sorted({group for group in groups if group is not None}):
        rows = np.flatnonzero([group == name for group in groups])
        found[name] = evaluate(
            labels[rows],
            probabilities[rows],
            classes,
            seed=seed,
            resamples=resamples,
            scores=None if scores is None else np.asarray(scores)[rows],
        )
    return found

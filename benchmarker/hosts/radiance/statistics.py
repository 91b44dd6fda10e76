"""The text files of RADIAnCE's statistics: one value per line, one line per image.

Names and form are the original's; its faults are not: losses stand there once, paths are
plain, accuracy and times are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarker.core.files import write_text
from benchmarker.data.fields import UNLABELLED
from benchmarker.hosts.radiance.results import Classified
from benchmarker.hosts.radiance.weights import CLASSES

UNDEFINED = "nan"  # a loss without a label, as numpy.loadtxt reads it
NAMES = ("losses", "true", "pred", "cert", "loc", "acc", "time")


def file_name(what: str, part: str = "test") -> str:
    """``test_losses.txt`` and so on."""
    return f"{part}_{what}.txt"


def accuracy_percent(codes: Sequence[int | None], results: Sequence[Classified]) -> float | None:
    """Per cent of the labelled images that are right; None without labels."""
    pairs = [
        (code, result.predicted)
        for code, result in zip(codes, results, strict=True)
        if code is not None and result.predicted is not None
    ]
    if not pairs:
        return None
    return 100 * sum(CLASSES[code] == said for code, said in pairs) / len(pairs)


def loss_of(code: int, scores: np.ndarray) -> float:
    """Cross-entropy of one image, from its scores."""
    return float(np.logaddexp.reduce(scores) - scores[code])


def write_statistics(
    folder: Path, codes: Sequence[int | None], results: Sequence[Classified]
) -> list[Path]:
    """Write the files of the images that were classified, in the order of the list.

    Arguments
    ---------
    folder : for the files; what an earlier call left there is replaced or removed
    codes : true class of each image, 0 to 3 in the order of `CLASSES`, None where unknown
    results : of the same images

    ``test_losses.txt`` (cross-entropy), ``test_true.txt``, ``test_pred.txt`` (codes),
    ``test_cert.txt`` (largest probability), ``test_loc.txt`` (path), ``test_acc.txt``
    (per cent, one number), ``test_time.txt`` (seconds). Without any label those that need
    one are left out; where some have none, their lines are ``nan`` and ``9999``.
    """
    pairs = [(c, r) for c, r in zip(codes, results, strict=True) if r.scores is not None]
    values = {
        "pred": [str(CLASSES.index(str(r.predicted))) for _, r in pairs],
        "cert": [f"{max((r.probabilities or {}).values()):.8f}" for _, r in pairs],
        "loc": [str(r.path) for _, r in pairs],
        "time": [f"{r.seconds:.6f}" for _, r in pairs],
    }
    accuracy = accuracy_percent(codes, results)
    if accuracy is not None:
        values |= {
            "losses": [UNDEFINED if c is None else f"{loss_of(c, r.scores):.8f}" for c, r in pairs],
            "true": [UNLABELLED if c is None else str(c) for c, _ in pairs],
            "acc": [f"{accuracy:.6f}"],
        }
    written = []
    for name in NAMES:
        path = folder / file_name(name)
        if name in values:
            written.append(write_text(path, "".join(f"{line}\n" for line in values[name])))
        else:
            path.unlink(missing_ok=True)
    return written

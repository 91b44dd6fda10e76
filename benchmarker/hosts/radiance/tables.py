"""Results of a classification as a table and as JSON, for people and for jobs that follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarker.core.errors import EXIT_CHECK, EXIT_FINE, EXIT_RUN_FAILED
from benchmarker.core.files import lock, make_folder, write_csv, write_json
from benchmarker.hosts.radiance.result_cards import Provenance
from benchmarker.hosts.radiance.results import Classified
from benchmarker.hosts.radiance.statistics import accuracy_percent, write_statistics
from benchmarker.hosts.radiance.weights import CLASSES

FORMAT = 1
TABLE, SUMMARY, LOCK = "probabilities.csv", "probabilities.json", ".lock"


@dataclass(frozen=True)
class Verdict:
    """What a caller wants to know beside the probabilities.

    Arguments
    ---------
    fail_on : ``rfi``, ``sis``, ``any`` or None
    threshold : probability above which that counts as found
    """

    fail_on: str | None = None
    threshold: float = 0.5

    def found(self, results: Sequence[Classified]) -> list[Path]:
        """Images with the artefact asked for; none where nothing is asked for."""
        if self.fail_on is None:
            return []
        return [r.path for r in results if (r.evidence(self.fail_on) or 0.0) > self.threshold]

    def exit_code(self, results: Sequence[Classified]) -> int:
        """2 for a file that could not be read or written, 3 for what was asked for, else 0.

        A fault goes first: with it the answer is not complete.
        """
        if any(result.error for result in results):
            return EXIT_RUN_FAILED
        return EXIT_CHECK if self.found(results) else EXIT_FINE


def write_results(
    folder: Path,
    codes: Sequence[int | None],
    results: Sequence[Classified],
    summary: dict[str, Any],
    *,
    statistics: bool = False,
) -> list[Path]:
    """Write the table, the JSON and, if asked for, the statistics; returns their paths."""
    make_folder(folder)
    with lock(folder / LOCK):  # two commands on one folder: the files of one of them
        written = [write_csv(folder / TABLE, _header(), map(_row, codes, results))]
        written.append(write_json(folder / SUMMARY, summary))
        if statistics:
            written += write_statistics(folder, codes, results)
    return written


def summary_of(
    codes: Sequence[int | None],
    results: Sequence[Classified],
    verdict: Verdict,
    provenance: Provenance,
) -> dict[str, Any]:
    """Everything that was found, ready for JSON; what is not known is null."""
    counts = Counter(result.predicted for result in results if result.predicted)
    return {
        "format": FORMAT,
        "network": provenance.network,
        "weights": provenance.weights,
        "date": provenance.date,
        "counts": {name: counts[name] for name in CLASSES},
        "failed": sum(bool(result.error) for result in results),
        "accuracy_percent": accuracy_percent(codes, results),
        "fail_on": verdict.fail_on,
        "threshold": verdict.threshold,
        "found": [str(path) for path in verdict.found(results)],
        "exit_code": verdict.exit_code(results),
        "images": [_image(code, one) for code, one in zip(codes, results, strict=True)],
    }


def _image(code: int | None, result: Classified) -> dict[str, Any]:
    return {
        "path": str(result.path),
        "label": None if code is None else CLASSES[code],
        "predicted": result.predicted,
        "probabilities": result.probabilities,
        "rfisum": result.evidence("rfi"),
        "seconds": result.seconds,
        "written": result.written or None,
        "error": result.error or None,
    }


def _header() -> list[str]:
    return ["path", "label", "predicted", *CLASSES, "rfisum", "written", "error"]


def _row(code: int | None, result: Classified) -> list[str]:
    found = result.probabilities
    numbers = [""] * (len(CLASSES) + 1)
    if found is not None:
        numbers = [f"{value:.8f}" for value in (*found.values(), result.evidence("rfi"))]
    label = "" if code is None else CLASSES[code]
    error = " ".join(result.error.split())
    return [str(result.path), label, result.predicted or "", *numbers, result.written, error]

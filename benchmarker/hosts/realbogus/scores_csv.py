"""Scores of stamps: the table ``file,label,score`` of psat-ml, and the same from a run."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

import numpy as np

from benchmarker.core.errors import InputFileError, Problems, SettingsError
from benchmarker.core.files import write_with
from benchmarker.core.records import MODELS, Record, read_record

REAL_CLASS = "real"
HEADER = ["file", "label", "score"]
MOST_FAULTS = 20
ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class StampScores:
    """Scores of n stamps.

    name : what a plot calls them; files : n file names
    labels : int64 (n,), 1 for real and 0 for bogus; scores : float64 (n,), chance of being real
    facts : what else is known of each stamp, by name: n words, empty where unknown
    """

    name: str
    files: tuple[str, ...]
    labels: np.ndarray
    scores: np.ndarray
    facts: dict[str, Sequence[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.files)


def write_scores(path: str | Path, found: StampScores, *, compat: bool = False) -> Path:
    """Write ``file,label,score`` without a header, in the order given, whole or not at all.

    Scores have six decimals, or the three of psat-ml with `compat`.
    """
    decimals = 3 if compat else 6
    rows = zip(found.files, found.labels.tolist(), found.scores.tolist(), strict=True)
    lines = ([name, label, f"{score:.{decimals}f}"] for name, label, score in rows)

    def fill(stream) -> None:  # noqa: ANN001 (a binary stream)
        while some := list(islice(lines, ROWS_AT_ONCE)):
            stream.write(_csv_text(some).encode())

    return write_with(path, fill)


def _csv_text(rows: list[list]) -> str:
    from io import StringIO

    stream = StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()


def read_scores(path: str | Path) -> StampScores:
    """Read what `write_scores` or psat-ml wrote; a header line is passed over.

    Raises `InputFileError` listing bad lines: another number of columns, a label that is not 0 or
    1, a score that is no number between 0 and 1.
    """
    path = Path(path)
    problems = Problems(path)
    files, labels, scores = [], [], []
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            for line, row in enumerate(csv.reader(stream), start=1):
                if not row or (line == 1 and row == HEADER):
                    continue
                fault, label, score = _parsed(row)
                if fault:
                    problems.add(fault, line=line)
                    if len(problems.texts) >= MOST_FAULTS:
                        break
                    continue
                files.append(row[0])
                labels.append(label)
                scores.append(score)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        message = f"{path}: cannot be read as a table of scores: {error}"
        raise InputFileError(message) from error
    if not files and not problems:
        problems.add("no line, expected file,label,score in each")
    problems.raise_if_any()
    return StampScores(path.stem, tuple(files), np.array(labels, np.int64), np.array(scores))


def _parsed(row: list[str]) -> tuple[str, int, float]:
    """(fault or nothing, label, score) of one line."""
    if len(row) != len(HEADER):
        return f"{len(row)} columns {row[:4]}, expected file,label,score", 0, 0.0
    try:
        label, score = float(row[1]), float(row[2])
    except ValueError:
        return f"{row[1:]}, expected a label 0 or 1 and a score", 0, 0.0
    if label not in (0.0, 1.0):
        return f"label {row[1]}, expected 0 (bogus) or 1 (real)", 0, 0.0
    if not (math.isfinite(score) and 0 <= score <= 1):
        return f"score {row[2]}, expected a number from 0 to 1", 0, 0.0
    return "", int(label), score


def scores_of_run(
    record: Record, *, model: str = MODELS[0], part: str = "test", real: str = REAL_CLASS
) -> StampScores:
    """The chance of being real that a run's network gave to the sources of a part.

    Arguments
    ---------
    record : of a complete run with two classes
    model : ``best`` or ``final``
    part : ``test``, or ``validation`` where the run wrote it
    real : name of the class that is real; the other is bogus

    Facts are known of test sources. Raises `SettingsError` for other classes, `InputFileError`
    where the part is not there.
    """
    if len(record.classes) != 2 or real not in record.classes:
        message = (
            f"{record.folder}: classes {', '.join(record.classes)}; expected two, "
            f"one of them called {real!r}"
        )
        raise SettingsError(message)
    found = record.predictions(model) if part == "test" else record.validation(model)
    if found is None:
        message = f"{record.folder}: the run wrote no predictions of its {part} sources"
        raise InputFileError(message)
    index = record.classes.index(real)
    labels = (found.labels == index).astype(np.int64)
    name = f"{record.network}, seed {record.seed}"
    facts = dict(record.source_facts()) if part == "test" else {}
    return StampScores(name, found.sources, labels, found.probabilities[:, index], facts)


def open_scores(what: str | Path) -> StampScores:
    """Scores of a table or of a run's folder."""
    path = Path(what)
    return scores_of_run(read_record(path)) if path.is_dir() else read_scores(path)


def with_facts(found: StampScores, table: dict[str, dict[str, float | str]]) -> StampScores:
    """The same scores with more facts, by file name as `read_fact_table` gives them.

    Raises `SettingsError` where the table knows none of the stamps.
    """
    from benchmarker.data.reading_psat import base_name

    rows = [table.get(base_name(name)) for name in found.files]
    if not any(row is not None for row in rows):
        message = f"the table of facts knows none of the {len(found)} stamps of {found.name}"
        raise SettingsError(message)
    names = dict.fromkeys(chain.from_iterable(row or {} for row in rows))
    added = {name: [str((row or {}).get(name, "")) for row in rows] for name in names}
    return StampScores(
        found.name, found.files, found.labels, found.scores, {**found.facts, **added}
    )

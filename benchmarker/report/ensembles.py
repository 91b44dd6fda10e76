"""Runs taken together as one classifier, from their records alone.

Only runs that were tested on the same images, and trained without them, make an ensemble:
classes, data and split must agree by digest. Networks, settings and seeds may differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import (
    CheckFailedError,
    MissingDataError,
    Problems,
    SettingsError,
    suggest,
)
from benchmarker.core.files import write_csv
from benchmarker.core.hashing import SHORT
from benchmarker.core.prediction_cache import predictions_of
from benchmarker.core.record_tables import MODELS, Predictions, prediction_table
from benchmarker.core.records import Record, find_records, read_record
from benchmarker.metrics.classification import evaluate
from benchmarker.metrics.ensembles import MEAN, combined, diversity, gains
from benchmarker.metrics.temperature import Temperature, calibrated, temperature
from benchmarker.report.rows import DRAWN_BY_SEED, group_key

THE_ENSEMBLE = "the ensemble"
FEWEST = 2


@dataclass(frozen=True)
class Ensemble:
    """Runs that may be taken together, in the order given, and how.

    how : ``mean`` of the probabilities or majority ``vote``
    """

    runs: tuple[Record, ...]
    how: str = MEAN

    @property
    def classes(self) -> tuple[str, ...]:
        """Names in label order, the same in all runs."""
        return self.runs[0].classes

    def members(self, model: str) -> list[Predictions]:
        """Test predictions of each run; raises as `aligned` does."""
        return aligned([predictions_of(run, model) for run in self.runs], self.runs)

    def predictions(self, model: str) -> Predictions:
        """Test predictions of the runs together."""
        return together(self.members(model), self.how)

    def validation(self, model: str) -> Predictions | None:
        """Validation predictions of the runs together, None where a run has none."""
        found = [run.validation(model) for run in self.runs]
        tables = [table for table in found if table is not None]
        complete = len(tables) == len(found)
        return together(aligned(tables, self.runs), self.how) if complete else None


def find_runs(words: Iterable[str], results: Path, *, data: str | None = None) -> list[Record]:
    """The runs that words on the command line mean, in their order.

    A word is a run folder, the name of one in `results`, or the name of a network there: then
    all its complete runs (on `data`, where that is given), by seed.

    Raises `MissingDataError` for a word that means nothing, and `SettingsError` for a network
    whose runs differ in more than the seed.
    """
    found: list[Record] = []
    stored: list[Record] | None = None
    for word in words:
        places = [place for place in (Path(word), results / "runs" / word) if _is_run(place)]
        if places:
            found.append(read_record(places[0]))
            continue
        stored = find_records(results) if stored is None else stored
        found += _of_network(word, [run for run in stored if run.is_complete], results, data)
    return found


def _is_run(place: Path) -> bool:
    return (place / "run.json").is_file()


def _of_network(name: str, runs: Sequence[Record], results: Path, data: str | None) -> list[Record]:
    mine = [run for run in runs if run.network == name]
    chosen = [run for run in mine if data in (None, run.data["name"])]
    if not chosen:
        known = {run.network for run in runs} | {run.folder.name for run in runs}
        sets = ", ".join(sorted({run.data["name"] for run in mine}))
        where = f", its runs are on: {sets}" if sets else suggest(name, known)
        message = (
            f"no complete run {name!r}{'' if data is None else f' on {data}'}{where}; expected a "
            f"run folder, the name of one in {results / 'runs'}, or a network with runs there"
        )
        raise MissingDataError(message)
    kinds: dict[str, list[Record]] = {}
    for run in chosen:
        kinds.setdefault(group_key(run), []).append(run)
    if len(kinds) > 1:
        lines = [_described(group) for group in kinds.values()]
        message = (
            f"{name} has runs of {len(kinds)} kinds that differ in more than the seed; name the "
            "folders of those that are meant, or one data set with --data:\n  " + "\n  ".join(lines)
        )
        raise SettingsError(message)
    return sorted(chosen, key=lambda run: run.seed)


def _described(runs: Sequence[Record]) -> str:
    run = runs[0]
    settings = run.settings
    size = "x".join(map(str, settings["size"]))
    names = ", ".join(one.folder.name for one in sorted(runs, key=lambda one: one.seed))
    what = f"rate {settings['learning_rate']:g}, {settings['epochs']} epochs, {size} px"
    return f"{run.data['name']}, {what}, split {run.split['digest'][:SHORT]}: {names}"


def ensemble_of(runs: Sequence[Record], how: str = MEAN) -> Ensemble:
    """The runs as an ensemble; raises `CheckFailedError` naming everything that forbids it.

    At least two complete runs, none twice, with the same classes, data and split.
    """
    problems = Problems(THE_ENSEMBLE, CheckFailedError)
    if len(runs) < FEWEST:
        names = ", ".join(run.folder.name for run in runs) or "none"
        problems.add(f"{len(runs)} run given ({names}), expected at least {FEWEST}")
    for run in runs:
        if not run.is_complete:
            problems.add(f"{run.folder.name} is {run.state}, expected a complete run")
    same: dict[str, list[str]] = {}
    for run in runs:
        same.setdefault(run.identity["digest"], []).append(run.folder.name)
    for names in same.values():
        if len(names) > 1:
            problems.add(f"{names[0]} is there {len(names)} times, expected each run once")
    for what, of_run in _ALIKE.items():
        _note_unlike(what, [(of_run(run), run.folder.name) for run in runs], problems)
    drawn = [run.split["rule"] for run in runs if DRAWN_BY_SEED.search(run.split["rule"])]
    if drawn and len({run.split["digest"] for run in runs}) > 1:
        problems.add(f"splits may be drawn by the run seed ({drawn[0]}): store one, name it")
    problems.raise_if_any()
    return Ensemble(tuple(runs), how)


_ALIKE = {
    "classes": lambda run: ", ".join(run.classes),
    "data digest": lambda run: f"{run.data['digest'][:SHORT]} ({run.data['name']})",
    "split digest": lambda run: f"{run.split['digest'][:SHORT]} ({run.split['rule']})",
}


def _note_unlike(what: str, values: Sequence[tuple[str, str]], problems: Problems) -> None:
    holders: dict[str, list[str]] = {}
    for value, name in values:
        holders.setdefault(value, []).append(name)
    if len(holders) > 1:
        said = "; ".join(f"{value}: {', '.join(names)}" for value, names in holders.items())
        problems.add(f"{what} differs, expected one for all runs - {said}")


def aligned(tables: Sequence[Predictions], runs: Sequence[Record]) -> list[Predictions]:
    """Tables with their rows in the order of the first.

    Raises `CheckFailedError` where runs of one split did not predict the same sources, or
    not with the same labels.
    """
    problems = Problems(THE_ENSEMBLE, CheckFailedError)
    first, found = tables[0], []
    for table, run in zip(tables, runs, strict=True):
        name, other = run.folder.name, runs[0].folder.name
        row_of = {source: row for row, source in enumerate(table.sources)}
        missing = [source for source in first.sources if source not in row_of]
        if missing or len(row_of) != len(first.sources):
            lacking = f", e.g. {missing[0]}" if missing else ""
            problems.add(f"{name} predicted other sources than {other}{lacking}")
            continue
        rows = np.array([row_of[source] for source in first.sources], dtype=np.int64)
        if (table.labels[rows] != first.labels).any():
            problems.add(f"{name} has other labels than {other}")
        scores = None if table.scores is None else table.scores[rows]
        shares = table.probabilities[rows]
        found.append(Predictions(first.sources, table.labels[rows], shares, scores))
    problems.raise_if_any()
    return found


def together(tables: Sequence[Predictions], how: str) -> Predictions:
    """Aligned predictions as one; with scores where all have some and the mean is taken."""
    scored = [table.scores for table in tables if table.scores is not None]
    scores = np.stack(scored) if len(scored) == len(tables) else None
    shares = np.stack([table.probabilities for table in tables])
    made, logs = combined(shares, scores, how=how)
    return Predictions(tables[0].sources, tables[0].labels, made, logs)


def report(ensemble: Ensemble, model: str, *, seed: int = 0, resamples: int = 1000) -> dict:
    """Everything about an ensemble of ``best`` or ``final`` weights, for JSON.

    ``metrics`` as `evaluate` gives them with the ``temperature`` from the members' validation
    predictions, ``members``, ``gains``, ``diversity``, and what all runs share. Raises
    `CheckFailedError` and `InputFileError` where predictions do not agree or cannot be read.
    """
    members = ensemble.members(model)
    found = together(members, ensemble.how)
    shares = np.stack([member.probabilities for member in members])
    drawn = {"seed": seed, "resamples": resamples}
    metrics = evaluate(
        found.labels, found.probabilities, ensemble.classes, scores=found.scores, **drawn
    )
    first = ensemble.runs[0]
    return {
        "how": ensemble.how,
        "model": model,
        "n": len(found.labels),
        "data": {"name": first.data["name"], "digest": first.data["digest"]},
        "split": {"rule": first.split["rule"], "digest": first.split["digest"]},
        "members": [_member(run, model) for run in ensemble.runs],
        "metrics": metrics | {"temperature": _tempered(ensemble, model, found, drawn)},
        "gains": gains(found.labels, found.probabilities, shares, **drawn),
        "diversity": diversity(found.labels, shares, **drawn),
    }


def _member(run: Record, model: str) -> dict[str, Any]:
    metrics = run.metrics[model]
    names = ("accuracy", "mpca", "macro_f1", "auc", "cross_entropy", "calibration_error")
    return {
        "run": run.folder.name,
        "network": run.network,
        "seed": run.seed,
        "metrics": {name: metrics[name] for name in names},
    }


def _tempered(
    ensemble: Ensemble, model: str, found: Predictions, drawn: dict[str, int]
) -> dict[str, Any]:
    """Temperature of the ensemble, undefined where it or a member lacks what that needs."""
    if found.scores is None:
        return _no_temperature(found, "the ensemble has no scores")
    seen = ensemble.validation(model)
    if seen is None or seen.scores is None:
        return _no_temperature(found, "a member has no validation predictions")
    fitted = temperature(seen.labels, seen.scores)
    return calibrated(fitted, found.labels, found.scores, **drawn)


def _no_temperature(found: Predictions, reason: str) -> dict[str, Any]:
    nothing = Temperature(value=None, low=None, high=None, n=0, reason=reason)
    return calibrated(nothing, found.labels, found.probabilities)


def write_predictions(ensemble: Ensemble, path: Path) -> Path:
    """Write a predictions.csv of the ensembles of best and of final weights, whole.

    Raises `SettingsError` where `path` lies in a run's folder: records stay as they are.
    """
    if _is_run(path.resolve().parent):
        message = f"{path} lies in the folder of a run, expected a place outside records"
        raise SettingsError(message)
    if path.is_dir():
        message = f"{path} is a folder, expected the name of a file"
        raise SettingsError(message)
    tables = {model: ensemble.predictions(model) for model in MODELS}
    return write_csv(path, *prediction_table(tables, ensemble.classes))

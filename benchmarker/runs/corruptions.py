"""Trained networks tested on damaged test images; the result joins the record of the run.

Hendrycks & Dietterich 2019 (arXiv:1903.12261): kinds of damage at five strengths, none of
them shown in training unless its recipe did. The images are those of the run's own test, so
strength 0 is the accuracy that its record has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.corruption_table import (
    COLUMNS,
    FILE,
    NONE,
    SCORES,
    table_rows,
)
from benchmarker.core.errors import (
    BenchmarkerError,
    CheckFailedError,
    MissingDataError,
    Problems,
    suggest,
)
from benchmarker.core.files import write_csv
from benchmarker.core.hashing import digest_file
from benchmarker.core.records import MODELS, Record, find_records, read_record
from benchmarker.data.corruptions import (
    KINDS,
    STRENGTHS,
    Corruption,
    check_kinds,
    damaged,
    refuse_channels,
    usual_kinds,
)
from benchmarker.data.preparation import Preparation
from benchmarker.metrics.classification import evaluate
from benchmarker.runs.folder import RunFolder
from benchmarker.runs.resolve import reopen
from benchmarker.runs.trained import channels_of, open_trained

AGREE = 1e-3  # of a probability: more between two machines is no rounding

Step = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Wanted:
    """What a command asks for.

    Arguments
    ---------
    kinds : keys of `KINDS`; None are all that the images allow
    strengths : from 1 to 5
    model : ``best`` or ``final``
    place : where the images lie, if not where they were
    again : test anew what the record has already
    """

    kinds: tuple[str, ...] | None = None
    strengths: tuple[int, ...] = STRENGTHS
    model: str = MODELS[0]
    place: str | None = None
    again: bool = False


@dataclass(frozen=True)
class DamagedImages:
    """Prepared images that are damaged when they are read; reads like the cache's.

    Arguments
    ---------
    prepared : the images as they are, with ``raw`` before their last scaling
    what : the damage
    seed : of the run
    preparation : tells the range of the values
    """

    prepared: Any
    what: Corruption
    seed: int
    preparation: Preparation

    def __len__(self) -> int:
        return len(self.prepared)

    def read(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Images of the rows as the network wants them, float32 (k, height, width, channels)."""
        names = [self.prepared.sources[row] for row in rows]
        made = [
            damaged(image, self.what, seed=self.seed, source=name, preparation=self.preparation)
            for image, name in zip(self.prepared.raw(rows), names, strict=True)
        ]
        return self.prepared.finish(np.stack(made))


def find_runs(words: Sequence[str], results: str | Path) -> list[Record]:
    """Complete runs: of a run folder, a folder of results, or a network's in `results`.

    Raises `MissingDataError` listing every word that means none.
    """
    problems = Problems("the list of networks", MissingDataError)
    known = [record for record in find_records(results) if record.is_complete]
    found: dict[Path, Record] = {}
    for word in words:
        records = _of_place(word) or [record for record in known if record.network == word]
        if not records:
            names = sorted({record.network for record in known})
            text = f"{word!r} is no complete run, no folder of them and no network with one in "
            problems.add(f"{text}{results}{suggest(word, names)}")
        found |= {record.folder.resolve(): record for record in records}
    problems.raise_if_any()
    return list(found.values())


def _of_place(word: str) -> list[Record]:
    path = Path(word)
    if (path / "run.json").is_file():
        record = read_record(path)
        if not record.is_complete:
            message = f"{path} is not complete (it is {record.state}): run the same command again"
            raise MissingDataError(message)
        return [record]
    return [record for record in find_records(path) if record.is_complete]


def settle_kinds(record: Record, wanted: Wanted) -> tuple[str, ...]:
    """The kinds to test a run with; raises `SettingsError` for those that have no meaning."""
    channels = channels_of(record)
    kinds = usual_kinds(channels) if wanted.kinds is None else wanted.kinds
    check_kinds(kinds, wanted.strengths)
    refuse_channels(kinds, channels, record.network)
    return kinds


def check_all(records: Sequence[Record], wanted: Wanted) -> bool:
    """Whether anything is left to compute; raises one error for all runs that cannot be tested."""
    left = False
    problems = Problems("the test on damaged images", MissingDataError)
    for record in records:
        kinds = settle_kinds(record, wanted)
        if not _missing(record, kinds, wanted):
            continue
        left = True
        try:
            reopen(record, wanted.place)
        except BenchmarkerError as error:
            problems.add(str(error))
    problems.raise_if_any()
    return left


def corrupt(record: Record, wanted: Wanted, step: Step = lambda *_: None) -> list[dict[str, Any]]:
    """Test one run, write ``corruptions.csv`` into its folder and return its rows of `model`.

    What the record has already is not tested again. Raises `MissingDataError` where the
    images cannot be opened again, and `CheckFailedError` where the weights give other scores
    for the undamaged images than the record has.
    """
    kinds = settle_kinds(record, wanted)
    missing = _missing(record, kinds, wanted)
    if missing:
        rows = list(_tested(record, wanted, missing, step))
        record = read_record(_write(record, rows))
    asked = {(kind, strength) for kind in kinds for strength in wanted.strengths} | {(NONE, 0)}
    return [
        row
        for row in record.corruptions() or []
        if row["model"] == wanted.model and (row["corruption"], row["strength"]) in asked
    ]


def _missing(record: Record, kinds: Sequence[str], wanted: Wanted) -> list[Corruption]:
    asked = [Corruption(kind, strength) for kind in kinds for strength in wanted.strengths]
    if wanted.again:
        return asked
    there = {
        (row["corruption"], row["strength"], row["amount"])
        for row in trusted_rows(record.folder)
        if row["model"] == wanted.model
    }
    channels = channels_of(record)
    return [one for one in asked if (one.kind, one.strength, one.amount(channels)) not in there]


def trusted_rows(folder: Path) -> list[dict[str, Any]]:
    """What the folder holds already, if it still is what was written; else nothing."""
    path = folder / FILE
    stated = (RunFolder(folder).read() or {}).get("digests", {}).get("files", {}).get(FILE)
    if not path.is_file() or digest_file(path) != stated:
        return []
    return read_record(folder).corruptions() or []


def _tested(
    record: Record, wanted: Wanted, missing: Sequence[Corruption], step: Step
) -> Iterator[dict[str, Any]]:
    from benchmarker.runs.scores import scores, softmax

    trained = open_trained(record.folder, model=wanted.model)
    _, images = reopen(record, wanted.place)
    prepared = trained.prepare(images, record.predictions(wanted.model).sources)
    _refuse_other_scores(record, wanted.model, scores(trained.model, prepared))
    yield _row(wanted.model, record.metrics[wanted.model])
    for number, what in enumerate(missing, start=1):
        shown = DamagedImages(prepared, what, record.seed, trained.preparation)
        values = scores(trained.model, shown)
        measured = evaluate(
            prepared.labels, softmax(values), record.classes, resamples=0, scores=values
        )
        amount = what.amount(trained.shape[2])
        yield {**_row(wanted.model, measured), **_damage(what, amount)}
        step(f"{record.network} seed {record.seed}: damaged images", number, len(missing))


def _row(model: str, metrics: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {"model": model, "corruption": NONE, "strength": 0, "amount": 0.0, "unit": ""}
    return {**row, "n": metrics["n"], **{name: metrics[name]["value"] for name in SCORES}}


def _damage(what: Corruption, amount: float) -> dict[str, Any]:
    unit = KINDS[what.kind].unit
    return {"corruption": what.kind, "strength": what.strength, "amount": amount, "unit": unit}


def _refuse_other_scores(record: Record, model: str, scores: np.ndarray) -> None:
    from benchmarker.runs.scores import softmax

    here, there = softmax(scores), record.predictions(model).probabilities
    if np.abs(here - there).max() <= AGREE:
        return
    number = int((here.argmax(axis=1) != there.argmax(axis=1)).sum())
    message = (
        f"{record.folder}: its {model} weights give other probabilities for its test images than "
        f"the record has (by up to {np.abs(here - there).max():.3g}, {number} of {len(here)} "
        f"classes differ); 'benchmarker check {record.folder}' looks for files that were changed"
    )
    raise CheckFailedError(message)


def _write(record: Record, rows: Sequence[dict[str, Any]]) -> Path:
    """Join `rows` with those that are there; the file and then its digest, under the run's lock."""
    folder = RunFolder(record.folder)
    with folder.locked():
        kept = {_key(row): row for row in (*trusted_rows(folder.path), *rows)}
        order = sorted(kept, key=_place)
        path = write_csv(folder.path / FILE, COLUMNS, table_rows([kept[key] for key in order]))
        files = (folder.read() or {}).get("digests", {}).get("files", {})
        folder.change(digests={"files": {**files, FILE: digest_file(path)}})
    return folder.path


def _key(row: dict[str, Any]) -> tuple[str, str, int]:
    return row["model"], row["corruption"], row["strength"]


def _place(key: tuple[str, str, int]) -> tuple[int, int, int]:
    kinds = (NONE, *KINDS)
    return MODELS.index(key[0]), kinds.index(key[1]) if key[1] in kinds else len(kinds), key[2]

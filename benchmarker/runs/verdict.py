"""Whether two runs of one identity agree: in every bit, in their scores, or not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarker.core.records import Record, find_records
from benchmarker.metrics.paired import differences as paired_differences
from benchmarker.metrics.seeds import average
from benchmarker.metrics.two_level import Answers, Sampled
from benchmarker.report.rows import group_key
from benchmarker.runs.determinism import differences
from benchmarker.runs.folder import TIMING_COLUMNS

IDENTICAL, EQUAL, DIFFERENT = "bit-identical", "statistically equal", "different"
DIGESTS = ("initial_weights", "best_weights", "final_weights", "history", "predictions")
SCORES = ("mpca", "accuracy")
FEWEST_SEEDS = 3  # two say too little about how much seeds differ
REACH = 2 * math.sqrt(2)  # two standard deviations of the difference of two runs
# beginnings of marks in a record that let its bits differ
INEXACT = ("resumed elsewhere", "operations without a deterministic form")


@dataclass(frozen=True)
class Compared:
    """One score of the recorded run and of its repetition.

    Arguments
    ---------
    recorded, again, difference : shares; None where undefined
    low, high : 95 % interval of the difference on the same test images
    own_low, own_high : 95 % interval of the recorded score over images
    seeds, sd : runs of other seeds beside the record, this one counted, and their spread
    """

    recorded: float | None
    again: float | None
    difference: float | None
    low: float | None
    high: float | None
    own_low: float | None
    own_high: float | None
    seeds: int
    sd: float | None

    @property
    def equal(self) -> bool:
        """Whether the difference may be chance: of the images, or of what seeds do anyway."""
        if self.difference is None:
            return self.recorded is None and self.again is None
        if self.difference == 0 or (self.low is not None and self.low <= 0 <= self.high):
            return True
        known = self.sd is not None and self.seeds >= FEWEST_SEEDS
        return known and abs(self.difference) <= REACH * self.sd


@dataclass(frozen=True)
class Verdict:
    """How a repetition agrees with its record.

    Arguments
    ---------
    record, again : the two runs
    same : for each of `DIGESTS`, whether it came out again
    scores : of the best weights, by name
    changed : test sources whose class is another one
    furthest : largest difference of a probability
    unlike : in what the fingerprints differ
    marks : reasons in the record itself why its bits may not come out again
    faults : what `benchmarker check` finds in the record
    first_epoch : the first whose history differs; None where all agree
    """

    record: Record
    again: Record
    same: dict[str, bool]
    scores: dict[str, Compared]
    changed: tuple[str, ...]
    furthest: float
    unlike: tuple[str, ...]
    marks: tuple[str, ...]
    faults: tuple[str, ...]
    first_epoch: int | None

    @property
    def outcome(self) -> str:
        """`IDENTICAL`, `EQUAL` or `DIFFERENT`."""
        if all(self.same.values()) and not self.changed and self.furthest == 0:
            return IDENTICAL
        return EQUAL if all(one.equal for one in self.scores.values()) else DIFFERENT

    @property
    def explained(self) -> bool:
        """Whether something known lets the bits differ."""
        return bool(self.unlike or self.marks)

    @property
    def fine(self) -> bool:
        """Whether the record holds: its bits came out, or its scores and we know why."""
        if self.faults:
            return False
        return self.outcome == IDENTICAL or (self.outcome == EQUAL and self.explained)

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "run": str(self.record.folder),
            "outcome": self.outcome,
            "fine": self.fine,
            "same": dict(self.same),
            "first_differing_epoch": self.first_epoch,
            "scores": {
                name: {**vars(one), "equal": one.equal} for name, one in self.scores.items()
            },
            "test_sources": len(self.record.predictions("best").sources),
            "changed_sources": list(self.changed),
            "largest_difference_of_a_probability": self.furthest,
            "fingerprint_differences": list(self.unlike),
            "marks": list(self.marks),
            "faults_of_the_record": list(self.faults),
        }


def compare(record: Record, again: Record, faults: Sequence[str] = ()) -> Verdict:
    """Compare two complete runs of one identity; `faults` are those of the record's files."""
    before, after = record.run["digests"], again.run["digests"]
    one, other = record.predictions("best"), again.predictions("best")
    if one.sources != other.sources:
        faults = [*faults, "predictions.csv: other test sources than those of the repetition"]
        one = other
    predicted = [np.argmax(table.probabilities, axis=1) for table in (one, other)]
    rows = np.flatnonzero(predicted[0] != predicted[1])
    return Verdict(
        record=record,
        again=again,
        same={name: before.get(name) == after.get(name) for name in DIGESTS},
        scores=_scores(record, again, one.labels, predicted),
        changed=tuple(one.sources[row] for row in rows),
        furthest=float(np.abs(one.probabilities - other.probabilities).max()),
        unlike=tuple(differences(record.run["fingerprint"], again.run["fingerprint"])),
        marks=tuple(m for m in record.run["status"]["marks"] if m.startswith(INEXACT)),
        faults=tuple(faults),
        first_epoch=_first_other_epoch(record, again),
    )


def _scores(
    record: Record, again: Record, labels: np.ndarray, predicted: Sequence[np.ndarray]
) -> dict[str, Compared]:
    answers = [
        Answers(row[np.newaxis], draw)
        for row, draw in zip(predicted, ("recorded", "again"), strict=True)
    ]
    sampled = Sampled(labels, answers, len(record.classes))
    siblings = _siblings(record)
    found = {}
    for name in SCORES:
        apart = paired_differences(sampled.field(name), 1, np.array([0]))
        entry = record.metrics["best"][name]
        spread = average(run.metrics["best"][name]["value"] for run in siblings)
        found[name] = Compared(
            recorded=entry["value"],
            again=again.metrics["best"][name]["value"],
            difference=_plain(apart.value[0]),
            low=_plain(apart.low[0]),
            high=_plain(apart.high[0]),
            own_low=entry["low"],
            own_high=entry["high"],
            seeds=spread.n,
            sd=spread.sd,
        )
    return found


def _plain(number: float) -> float | None:
    return None if math.isnan(number) else float(number)


def _siblings(record: Record) -> list[Record]:
    """Complete runs beside the record that differ from it in nothing but the seed, one a seed."""
    key = group_key(record)
    beside = find_records(record.folder.resolve().parent.parent)
    by_seed = {run.seed: run for run in beside if run.is_complete and group_key(run) == key}
    return [*({**by_seed, record.seed: record}).values()]


def _first_other_epoch(record: Record, again: Record) -> int | None:
    for number, (one, other) in enumerate(zip(record.history, again.history, strict=False), 1):
        kept = [
            {key: value for key, value in row.items() if key not in TIMING_COLUMNS}
            for row in (one, other)
        ]
        if kept[0] != kept[1]:
            return number
    lengths = (len(record.history), len(again.history))
    return None if lengths[0] == lengths[1] else min(lengths) + 1

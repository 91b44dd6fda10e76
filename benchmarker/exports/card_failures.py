"""What a network is known to get wrong, from the records of its test."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarker.core.records import Record
from benchmarker.exports.card_parts import listed
from benchmarker.metrics.seeds import average
from benchmarker.report.contender import Contender

PAIRS = 3  # pairs of classes that are told
SOURCES = 10  # names of sources that are told


def failures(contender: Contender) -> Iterator[str]:
    """Sentences: weakest class, confusions, sources all seeds miss, turned and damaged images."""
    yield from _weakest(contender)
    yield from _confused(contender)
    yield from _always_wrong(contender)
    yield from _turned(contender)
    yield from _varied(contender)
    yield from _damaged(contender)
    yield from _groups(contender)
    flags = [run.metrics[contender.model].get("flags", []) for run in contender.runs]
    yield from dict.fromkeys(f"{flag}." for some in flags for flag in some)


def _weakest(contender: Contender) -> Iterator[str]:
    recalls = {
        name: average(
            run.metrics[contender.model]["per_class"][name]["recall"]["value"]
            for run in contender.runs
        ).mean
        for name in contender.classes
    }
    known = {name: value for name, value in recalls.items() if value is not None}
    if known:
        name = min(known, key=lambda one: round(known[one], 9))  # the first of equal ones
        yield f"Weakest class: {name}, of which {100 * known[name]:.1f} % are found."


def _confused(contender: Contender) -> Iterator[str]:
    counts = sum(
        np.array(run.metrics[contender.model]["confusion_matrix"]) for run in contender.runs
    )
    totals = counts.sum(axis=1)
    wrong = [
        (int(counts[true, said]), true, said)
        for true in range(len(counts))
        for said in range(len(counts))
        if true != said and counts[true, said]
    ]
    seeds = "" if len(contender.runs) == 1 else f" over {len(contender.runs)} seeds"
    for number, true, said in sorted(wrong, reverse=True)[:PAIRS]:
        names = contender.classes
        yield (
            f"{names[true]} taken for {names[said]}: {number} of {totals[true]} "
            f"({100 * number / totals[true]:.1f} %){seeds}."
        )
    if not wrong:
        yield f"No test image was classified wrongly{seeds}."


def _always_wrong(contender: Contender) -> Iterator[str]:
    """Sources that every run which tested them got wrong."""
    tested = contender.predicted >= 0
    wrong = ((contender.predicted != contender.labels) | ~tested).all(axis=0) & tested.any(axis=0)
    names = [contender.sources[row] for row in np.flatnonzero(wrong)]
    if names:
        whom = "this run" if len(contender.runs) == 1 else f"all {len(contender.runs)} seeds"
        share = f"{len(names)} of {len(contender.sources)}"
        yield f"Wrong with {whom}: {share} test sources: {listed(names, SOURCES)}."


def _turned(contender: Contender) -> Iterator[str]:
    found = [run.metrics[contender.model].get("rotation") for run in contender.runs]
    entries = [entry for entry in found if entry]
    if not entries:
        yield "Whether the class changes when an image is turned was not tested."
        return
    agreement = average(entry["agreement"]["value"] for entry in entries).mean
    steady = average(entry["steady_share"]["value"] for entry in entries).mean
    yield (
        f"Turned to {entries[0]['angles']} angles, an image keeps its most frequent class at "
        f"{100 * agreement:.1f} % of them; {100 * (1 - steady):.1f} % of the sources change class "
        "at some angle."
    )


def _varied(contender: Contender) -> Iterator[str]:
    found = [run.metrics[contender.model].get("augmented") for run in contender.runs]
    entries = [entry for entry in found if entry]
    if entries:
        number = average(float(entry["always_wrong"]["sources"]) for entry in entries).mean
        share = 100 * entries[0]["always_wrong"]["at_least"]
        yield (
            f"Varied at random {entries[0]['passes']} times, {number:g} sources a run are wrong in "
            f"{share:g} % or more of the passes."
        )


def _damaged(contender: Contender) -> Iterator[str]:
    """The damage that costs most, at its greatest strength, over the runs that were tested."""
    drops: dict[str, list[float]] = {}
    strongest: dict[str, str] = {}
    for run in contender.runs:
        for name, drop, amount in _drops(run, contender.model):
            drops.setdefault(name, []).append(drop)
            strongest[name] = amount
    if not drops:
        yield "How it does on noisier, blurred or shifted images was not tested."
        return
    name = max(drops, key=lambda one: float(np.mean(drops[one])))
    yield (
        f"Of the damages tried, {name} ({strongest[name]}) costs most: "
        f"{100 * float(np.mean(drops[name])):.1f} points of accuracy."
    )


def _drops(record: Record, model: str) -> Iterator[tuple[str, float, str]]:
    rows = [row for row in record.corruptions() or [] if row["model"] == model]
    plain = next((row["accuracy"] for row in rows if row["strength"] == 0), None)
    if plain is None:
        return
    worst = {row["corruption"]: row for row in sorted(rows, key=lambda row: row["strength"])}
    for name, row in worst.items():
        if row["strength"] and row["accuracy"] is not None:
            yield name, plain - row["accuracy"], f"{row['amount']:g} {row['unit']}".strip()


def _groups(contender: Contender) -> Iterator[str]:
    found = [run.metrics[contender.model].get("groups") or {} for run in contender.runs]
    names = dict.fromkeys(name for groups in found for name in groups)
    for name in names:
        value = average(
            groups[name]["accuracy"]["value"] for groups in found if name in groups
        ).mean
        count = next(groups[name]["n"] for groups in found if name in groups)
        if value is not None:
            yield f"Sources that are {name}: accuracy {100 * value:.1f} % ({count} images)."

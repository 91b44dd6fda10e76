"""Training sets by test sets: one row per network and pair of sets, averaged over runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarker.core.hashing import canonical_json
from benchmarker.hosts.evaluation.tested import Tested
from benchmarker.metrics.intervals import bootstrap_weights, percentile_interval
from benchmarker.metrics.seeds import Average, average
from benchmarker.report.published import (
    Published,
    all_beside,
    published_names,
    shipped_numbers,
)
from benchmarker.report.text import percent, percent_with_sd

RESAMPLES = 1000
SHOWN = ("accuracy", "auc")


@dataclass(frozen=True)
class GridRow:
    """One network trained on one set, tested on one set, in one or several runs.

    Arguments
    ---------
    trained_on, tested_on, network : names
    runs : how many, usually one per seed
    sources, left_out : numbers, as ``153`` or ``150-153`` where runs differ; a question mark
        where nobody could tell what to leave out
    accuracy, auc, augmented_accuracy, augmented_auc : means over the runs
    interval : (low, high) of the accuracy over sources, None where runs were tested on
        different sources
    published : accuracy / AUC of a paper for the same pair, with its network
    notes : sentences
    """

    trained_on: str
    tested_on: str
    network: str
    runs: int
    sources: str
    left_out: str
    accuracy: Average
    auc: Average
    augmented_accuracy: Average
    augmented_auc: Average
    interval: tuple[float, float] | None
    published: str
    notes: tuple[str, ...]

    @property
    def heading(self) -> str:
        """What the rows of one network and training set have in common."""
        runs = f"{self.runs} runs" if self.runs > 1 else "1 run"
        return f"{self.network} trained on {self.trained_on}, {runs}"

    @property
    def left_out_text(self) -> str:
        """``3 left out``, ``unchecked``, or nothing for a network's own split."""
        known = {"-": "", "?": "unchecked"}
        return known.get(self.left_out, f"{self.left_out} left out")

    @property
    def accuracy_text(self) -> str:
        """``84.3 ± 1.1``, and in a second line ``78.4-89.2``."""
        text = percent_with_sd(self.accuracy.mean, self.accuracy.sd)
        return text if self.interval is None else f"{text}\n{self._bounds}"

    @property
    def _bounds(self) -> str:
        return "-".join(map(percent, self.interval or ()))

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        values = dict(vars(self))
        for name, value in values.items():
            if isinstance(value, Average):
                values[name] = vars(value)
        return values | {"notes": list(self.notes)}


def grid(tested: Sequence[Tested]) -> list[GridRow]:
    """Rows in the order of the evaluations; runs that differ in the seed alone share one."""
    groups: dict[tuple[Any, ...], list[Tested]] = {}
    for one in tested:
        groups.setdefault(_key(one), []).append(one)
    numbers = shipped_numbers()
    names = _told_apart([members[0] for members in groups.values()])
    return [
        _row(members, name, numbers) for members, name in zip(groups.values(), names, strict=True)
    ]


def _told_apart(tested: Sequence[Tested]) -> list[str]:
    """Names of the networks, with the settings in which networks of one name differ."""
    settings = [_settings(one) for one in tested]
    names = []
    for one, own in zip(tested, settings, strict=True):
        rivals = [
            other for rival, other in zip(tested, settings, strict=True)
            if rival.trained.network == one.trained.network
        ]  # fmt: skip
        differing = [key for key in own if any(other.get(key) != own[key] for other in rivals)]
        text = ", ".join(f"{key}={own[key]}" for key in differing)
        names.append(f"{one.trained.network} ({text})" if text else one.trained.network)
    return names


def _settings(tested: Tested) -> dict[str, Any]:
    trained = tested.trained
    found = dict(trained.network_settings)
    if trained.record is None:
        return {**found, "weights": trained.where.name}
    run = dict(trained.record.settings)
    run.pop("network_settings", None)
    recipe = trained.record.identity["recipe"]["name"]
    return {**found, **run, "recipe": recipe, "model": trained.where.stem}


def _key(tested: Tested) -> tuple[Any, ...]:
    trained = tested.trained
    return (
        trained.network,
        tuple(sorted(trained.network_settings.items())),
        _run_settings(trained),
        _trained_on(tested),
        tested.tested_on,
        trained.where.stem if trained.record else str(trained.where),
    )


def _run_settings(trained: Any) -> str:
    """How a run was trained, its seed apart; runs that differ in it are not averaged."""
    if trained.record is None:
        return ""
    identity = trained.record.identity
    kept = ("settings", "preparation", "recipe", "protocol", "data")
    return canonical_json({name: identity[name] for name in kept})


def _trained_on(tested: Tested) -> str:
    return tested.training.name or "unknown"


def _row(members: Sequence[Tested], network: str, numbers: Sequence[Published]) -> GridRow:
    first = members[0]
    trained = {name: _averaged(members, "plain", name) for name in SHOWN}
    passes = {name: _averaged(members, "augmented", name) for name in SHOWN}
    notes = {note: None for one in members for note in _notes(one)}
    return GridRow(
        trained_on=_trained_on(first),
        tested_on=first.tested_on,
        network=network,
        runs=len(members),
        sources=_range([len(one.sources) for one in members]),
        left_out=_left_out(members),
        accuracy=trained["accuracy"],
        auc=trained["auc"],
        augmented_accuracy=passes["accuracy"],
        augmented_auc=passes["auc"],
        interval=accuracy_interval(members),
        published=_published(first, numbers),
        notes=tuple(notes),
    )


def _averaged(members: Sequence[Tested], part: str, name: str) -> Average:
    entries = [one.metrics[part] for one in members if one.metrics.get(part)]
    found = [entry["pooled"] if part == "augmented" else entry for entry in entries]
    return average(entry[name]["value"] for entry in found)


def accuracy_interval(members: Sequence[Tested]) -> tuple[float, float] | None:
    """95 % interval of the mean plain accuracy, resampling sources within their classes.

    None where the runs were not all tested on the same sources.
    """
    first = members[0]
    if any(one.sources != first.sources for one in members):
        return None
    right = np.mean([one.scores.argmax(axis=1) == one.labels for one in members], axis=0)
    seed = first.metrics["seed"]
    draws = np.concatenate(
        [
            weights @ right / len(right)
            for weights in bootstrap_weights(first.labels, seed=seed, resamples=RESAMPLES)
        ]
    )
    low, high = percentile_interval(draws[:, np.newaxis])
    return float(low[0]), float(high[0])


def _left_out(members: Sequence[Tested]) -> str:
    if any(one.chosen.unchecked for one in members):
        return "?"
    chosen = [one.chosen for one in members]
    if chosen[0].own:
        return "-"
    return _range([len(one.shared.names) + len(one.inherited) for one in chosen if one.shared])


def _range(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low}-{high}"


def _notes(tested: Tested) -> list[str]:
    chosen = tested.chosen
    where = f"{_trained_on(tested)} to {tested.tested_on}"
    texts = [f"{where}: {text}." for text in tested.notes]
    if chosen.shared is not None and chosen.shared.unplaced:
        texts.append(f"{where}: {chosen.shared.unplaced}, more sources may be shared unseen.")
    if chosen.unchecked:
        texts.append(f"{where}: unchecked, {chosen.unchecked}.")
    return texts


def _published(tested: Tested, numbers: Sequence[Published]) -> str:
    """``84.4 / 92.0``, with the network where that is another one."""
    trained, name = tested.trained, tested.training.name
    if not name or tested.part != "test":
        return ""
    data = name if tested.chosen.own else f"{name}, tested on {tested.tested_on}"
    own = published_names(trained.network, trained.network_settings)
    for network in (*own, *dict.fromkeys(n.network for n in numbers if n.data == data)):
        found = all_beside(numbers, network, data)
        if "accuracy" in found:
            values = " / ".join(percent(found[key].value) for key in SHOWN if key in found)
            return values if network in own else f"{values} ({network})"
    return ""

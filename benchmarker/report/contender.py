"""A contender: the runs of one network with one set of settings, and what they answered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from benchmarker.core.prediction_cache import Answers, predictions_of, sources_of
from benchmarker.core.records import Record
from benchmarker.metrics.two_level import UNTESTED
from benchmarker.report.rows import DRAWN_BY_SEED


@dataclass(frozen=True, eq=False)
class Contender:
    """The runs of one configuration, ascending by seed.

    label : short text that no other contender of the same call has
    row : its row of the leaderboard
    runs : one record per seed
    answers : what the runs answered, in the order of `runs`
    model : ``best`` or ``final``
    """

    label: str
    row: dict[str, Any]
    runs: tuple[Record, ...]
    answers: tuple[Answers, ...]
    model: str

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in label order."""
        return self.runs[0].classes

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the runs, ascending."""
        return tuple(run.seed for run in self.runs)

    @property
    def splits_by_seed(self) -> bool:
        """Whether the seed drew the split, so that each run may have a test set of its own."""
        return bool(DRAWN_BY_SEED.search(self.row["split_rule"]))

    @property
    def has_one_test_set(self) -> bool:
        """Whether all runs were tested on the same sources in the same order."""
        return len({found.test_digest for found in self.answers}) == 1

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Names of the n test sources; of all seeds together where each has its own."""
        if self.has_one_test_set:
            return sources_of(self.runs[0], self.model)
        names = (sources_of(run, self.model) for run in self.runs)
        return tuple(dict.fromkeys(name for some in names for name in some))

    @cached_property
    def labels(self) -> np.ndarray:
        """The truth: int64 (n,)."""
        if self.has_one_test_set:
            return self.answers[0].labels
        found = np.empty(len(self.sources), dtype=np.int64)
        for places, answers in zip(self._places, self.answers, strict=True):
            found[places] = answers.labels
        return found

    @cached_property
    def predicted(self) -> np.ndarray:
        """The class given to each source: int64 (seeds, n); -1 where a seed did not test it."""
        if self.has_one_test_set:
            return np.stack([answers.predicted for answers in self.answers])
        found = np.full((len(self.runs), len(self.sources)), UNTESTED, dtype=np.int64)
        for row, places, answers in zip(found, self._places, self.answers, strict=True):
            row[places] = answers.predicted
        return found

    @property
    def probabilities(self) -> np.ndarray:
        """float64 (seeds, n, classes), NaN where a seed did not test a source; read anew."""
        shape = (len(self.runs), len(self.sources), len(self.classes))
        found = np.full(shape, np.nan)
        for table, places, run in zip(found, self._places, self.runs, strict=True):
            table[places] = predictions_of(run, self.model).probabilities
        return found

    @cached_property
    def _places(self) -> list[np.ndarray]:
        """Where the sources of each run stand among all."""
        if self.has_one_test_set:
            return [np.arange(len(self.answers[0].labels))] * len(self.runs)
        place_of = {name: place for place, name in enumerate(self.sources)}
        return [
            np.array([place_of[name] for name in sources_of(run, self.model)]) for run in self.runs
        ]

"""Networks as contenders: the runs of one configuration, what they answered, and their rank.

A contender stands for one network with its settings on one data set, under one split rule,
preparation, recipe, precision and protocol; its runs differ in nothing but the seed. Its row
of the leaderboard has means over the seeds, intervals over seeds and images
(`benchmarker.metrics.two_level`) and a rank (`benchmarker.report.ranking`).

A run whose predictions are missing, were changed after the run or contradict metrics.json is
named among the problems and left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarker.core.errors import InputFileError, Problems
from benchmarker.core.prediction_cache import Answers, answers_of
from benchmarker.core.records import MODELS, Record
from benchmarker.metrics.classification import confusion
from benchmarker.report import ranking
from benchmarker.report.contender import Contender
from benchmarker.report.names import labels as row_labels
from benchmarker.report.published import Published, shipped_numbers
from benchmarker.report.rows import complete_row, group_key, one_per_seed

__all__ = ["Contender", "contenders", "gathered", "readings"]

Readings = Sequence[tuple[Record, Mapping[str, Answers]]]


def contenders(  # noqa: PLR0913 - the runs, and which of them are wanted
    records: Iterable[Record],
    *,
    model: str = "best",
    network: str | None = None,
    data: str | None = None,
    protocol: str | None = None,
    published: Sequence[Published] | None = None,
    rules: ranking.Rules = ranking.STRICT,
    problems: Problems | None = None,
) -> list[Contender]:
    """The contenders among these records, by data, then by MPCA, best first.

    Arguments
    ---------
    records : in any state; only complete ones count
    model : ``best`` (lowest monitored validation loss) or ``final``
    network : only contenders of this name; ranks are among all networks
    data : only contenders on the data set of this name
    protocol : only contenders of this protocol
    published : numbers to show beside ours; the shipped ones if None
    rules : which seeds are expected, and whether unlike rows are ranked together
    problems : gets a text for each run that is left out
    """
    wanted = (
        record
        for record in records
        if data in (None, record.data["name"]) and protocol in (None, record.identity["protocol"])
    )
    numbers = shipped_numbers() if published is None else published
    found = gathered(readings(wanted, problems), model, numbers, rules)
    return [one for one in found if network in (None, one.row["network"])]


def readings(records: Iterable[Record], problems: Problems | None = None) -> Readings:
    """The complete records whose predictions are sound, with what both models answered."""
    found = []
    for record in records:
        if not record.is_complete:
            continue
        try:
            answers = answers_of(record)
            for model in MODELS:
                _refuse_contradiction(record, model, answers[model])
        except InputFileError as error:
            if problems is not None:
                problems.add(str(error))
            continue
        found.append((record, answers))
    return found


def _refuse_contradiction(record: Record, model: str, answers: Answers) -> None:
    counts = confusion(answers.labels, answers.predicted, len(record.classes)).tolist()
    stated = record.metrics[model]["confusion_matrix"]
    if counts != stated:
        path = record.folder / "metrics.json"
        text = f"it counts {stated} for the {model} model, predictions.csv gives {counts}"
        message = f"{path} contradicts the predictions: {text}"
        raise InputFileError(message)


def gathered(
    found: Readings, model: str, numbers: Sequence[Published], rules: ranking.Rules
) -> list[Contender]:
    """Contenders of these runs with ranks and intervals, sorted."""
    groups: dict[str, list[tuple[Record, Answers]]] = {}
    for record, answers in found:
        groups.setdefault(group_key(record), []).append((record, answers[model]))
    made = [_contender(group, model, numbers) for group in groups.values()]
    made.sort(key=lambda one: ranking.order(one.row))
    names = row_labels([one.row for one in made])
    made = [
        Contender(name, one.row, one.runs, one.answers, one.model)
        for name, one in zip(names, made, strict=True)
    ]
    ranking.rank(made, rules)
    return made


def _contender(
    group: list[tuple[Record, Answers]], model: str, numbers: Sequence[Published]
) -> Contender:
    said = {record.folder: answers for record, answers in group}
    runs, notes = one_per_seed([record for record, _ in group])
    row = complete_row(runs, model, numbers, notes)
    return Contender("", row, tuple(runs), tuple(said[run.folder] for run in runs), model)

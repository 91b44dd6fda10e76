"""Ranks: networks that cannot be told apart share one.

Rows are ranked by their mean MPCA within one data digest, split rule, protocol, model and
metric version. The best row leads. Going down the table, each row is compared with the leader
by the paired bootstrap over images and seeds (`benchmarker.metrics.paired`), the p-values of
all rows below the leader are corrected by Holm's rule, and rows share the leader's rank
until the first that differs from it at 5 %. That row is the next leader; its rank is its
place in the table (1, 1, 3). The draws are fixed, so the same records give the same ranks.

Only like is ranked with like. Rows must have the seeds that are expected (those that were
asked for, else those that most rows have; of as many, the larger set), each once, and the
test sources that most rows have. Any other row is listed without a rank, and says why in its
note; `Rules.allow_unlike` ranks it nevertheless, and the note then says so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarker.core.errors import CheckFailedError
from benchmarker.core.records import MODELS
from benchmarker.metrics import two_level
from benchmarker.metrics.multiplicity import LEVEL, holm
from benchmarker.metrics.paired import differences
from benchmarker.metrics.seeds import check_seeds
from benchmarker.report.contender import Contender
from benchmarker.report.rows import RANKED_WITHIN, REPEATED

UNLIKE = "not ranked"
ALLOWED = "ranked in spite of"


@dataclass(frozen=True)
class Rules:
    """What is ranked with what.

    seeds : those expected of every row; None takes those of most rows
    allow_unlike : rank rows of other seeds or other test sources together all the same
    """

    seeds: tuple[int, ...] | None = None
    allow_unlike: bool = False


STRICT = Rules()


def place(row: dict[str, Any]) -> tuple:
    """Sorting key of what is ranked together: data, model, split, protocol."""
    model = MODELS.index(row["model"]) if row["model"] else len(MODELS)
    split = (row["split_rule"] or "", row["split_family"] or "")
    return (row["data"], row["data_digest"] or "", model, *split, row["protocol"] or "")


def order(row: dict[str, Any]) -> tuple:
    """Sorting key of rows: by `place`, then by MPCA, best first."""
    mpca = row["mpca_mean"]
    last = (row["network"], row["settings_digest"])
    return (*place(row), mpca is None, -(mpca or 0.0), *last)


def fields(rows: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rows that are ranked within each other, in the order given."""
    found: dict[tuple, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["state"] == "complete" and row["mpca_mean"] is not None:
            found[_field_of(row)].append(row)
    return list(found.values())


def _field_of(row: dict[str, Any]) -> tuple:
    return tuple(row[name] for name in RANKED_WITHIN)


def rank(contenders: Sequence[Contender], rules: Rules = STRICT) -> None:
    """Fill ranks, intervals and notes of the rows; `contenders` are sorted by `order`."""
    found: dict[tuple, list[Contender]] = defaultdict(list)
    for contender in contenders:
        if contender.row["mpca_mean"] is not None:
            found[(*_field_of(contender.row), contender.classes)].append(contender)
    for field in found.values():
        _rank_field(field, rules)


def _rank_field(field: list[Contender], rules: Rules) -> None:
    seeds, sources = expected_seeds(field, rules), _expected_sources(field)
    of_seeds = [seed_faults(one, seeds) for one in field]
    of_sources = [_source_faults(one, sources) for one in field]
    for contender, some, other in zip(field, of_seeds, of_sources, strict=True):
        _note(contender.row, [*some, *other], rules)
    # a row with a test set of its own must not change the draws of the others
    is_strange = [
        not rules.allow_unlike and bool(other or (some and one.splits_by_seed))
        for one, some, other in zip(field, of_seeds, of_sources, strict=True)
    ]
    for contender, strange in zip(field, is_strange, strict=True):
        if strange:
            _fill_intervals([contender], resampled([contender]))
    places = [place for place, strange in enumerate(is_strange) if not strange]
    group = [field[place] for place in places]
    if not group:
        return
    sampled = resampled(group)
    _fill_intervals(group, sampled)
    like = [rules.allow_unlike or not of_seeds[place] for place in places]
    _fill_ranks(group, sampled.field("mpca"), np.flatnonzero(like))


def expected_seeds(field: Sequence[Contender], rules: Rules = STRICT) -> tuple[int, ...]:
    """The seeds that every row should have; see the rule above."""
    if rules.seeds is not None:
        return rules.seeds
    counts = Counter(one.seeds for one in field)
    return min(counts, key=lambda seeds: (-counts[seeds], -len(seeds), seeds))


def seed_faults(contender: Contender, expected: Sequence[int]) -> list[str]:
    """Seeds that are missing, foreign or repeated, one sentence part per kind of fault."""
    faults = check_seeds(contender.seeds, expected).texts()
    repeated = [text for text in contender.row["note"].split("; ") if REPEATED in text]
    return faults + [text.split(",")[0] for text in repeated]


def _test_sets(contender: Contender) -> list[tuple[int | None, str]]:
    """(seed, digest of the test set) of each run; no seed where all seeds share the split."""
    return [
        (seed if contender.splits_by_seed else None, found.test_digest)
        for seed, found in zip(contender.seeds, contender.answers, strict=True)
    ]


def _expected_sources(field: Sequence[Contender]) -> dict[int | None, str]:
    counts: dict[int | None, Counter[str]] = defaultdict(Counter)
    for contender in field:
        for seed, digest in _test_sets(contender):
            counts[seed][digest] += 1
    return {
        seed: min(found, key=lambda digest: (-found[digest], digest))
        for seed, found in counts.items()
    }


def _source_faults(contender: Contender, expected: dict[int | None, str]) -> list[str]:
    strange = [
        seed
        for seed, (place, digest) in zip(contender.seeds, _test_sets(contender), strict=True)
        if digest != expected[place]
    ]
    if not strange:
        return []
    seeds = f"seed{'s' if len(strange) > 1 else ''} {', '.join(map(str, strange))}"
    return [f"{seeds} tested on other sources than most"]


def _note(row: dict[str, Any], faults: list[str], rules: Rules) -> None:
    if faults:
        text = f"{ALLOWED if rules.allow_unlike else UNLIKE}: {', '.join(faults)}"
        row["note"] = "; ".join(filter(None, [row["note"], text]))


def resampled(
    contenders: Sequence[Contender], resamples: int = two_level.RESAMPLES
) -> two_level.Sampled:
    """The contenders resampled alike, on the test sources of all of them together."""
    labels, predicted = aligned(contenders)
    said = [
        two_level.Answers(rows, _draw(contender))
        for contender, rows in zip(contenders, predicted, strict=True)
    ]
    return two_level.Sampled(labels, said, len(contenders[0].classes), resamples)


def _draw(contender: Contender) -> str:
    """Name of the draws of seeds: networks are in step where the seed draws the test set."""
    row = contender.row
    if contender.splits_by_seed and not contender.has_one_test_set:
        return f"split {' '.join(map(str, contender.seeds))}"
    return f"{row['network']} {row['settings_digest']} {row['model']}"


def aligned(contenders: Sequence[Contender]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Labels (n,) and answers (seeds, n) of each contender, on the sources that all tested.

    Raises `CheckFailedError` where there is no such source, or where two of them do not agree
    on the truth of one.
    """
    digests = {found.test_digest for one in contenders for found in one.answers}
    if len(digests) == 1:
        return contenders[0].labels, [one.predicted for one in contenders]
    common = set(contenders[0].sources).intersection(*(one.sources for one in contenders[1:]))
    names = [name for name in contenders[0].sources if name in common]
    if not names:
        message = f"no test source in common: {', '.join(one.label for one in contenders)}"
        raise CheckFailedError(message)
    predicted, truth = [], []
    for contender in contenders:
        place_of = {name: place for place, name in enumerate(contender.sources)}
        places = np.array([place_of[name] for name in names])
        predicted.append(contender.predicted[:, places])
        truth.append(contender.labels[places])
        if (truth[-1] != truth[0]).any():
            who = f"{contenders[0].label} and {contender.label}"
            message = f"{who} were tested with different labels of the same sources"
            raise CheckFailedError(message)
    return truth[0], predicted


def _fill_intervals(group: Sequence[Contender], sampled: two_level.Sampled) -> None:
    for name, column in (("mpca", "mpca"), ("accuracy", "accuracy")):
        field = sampled.field(name)
        for place, contender in enumerate(group):
            low, high = field.interval(place)
            contender.row.update({f"{column}_low": low, f"{column}_high": high})
    middle = sampled.field("mpca", middle=True)
    for place, contender in enumerate(group):
        low, high = middle.interval(place)
        value = float(middle.values[place])
        contender.row.update({"mpca_iqm": value, "mpca_iqm_low": low, "mpca_iqm_high": high})


def _fill_ranks(group: Sequence[Contender], field: two_level.Field, places: np.ndarray) -> None:
    """Rank the rows at these places of the group, best first."""
    leader = 0
    while leader < len(places):
        below = places[leader + 1 :]
        apart = holm(differences(field, places[leader], below).p) < LEVEL
        end = leader + 1 + (int(np.argmax(apart)) if apart.any() else len(below))
        for place in places[leader:end]:
            group[place].row["rank"] = leader + 1
        leader = end

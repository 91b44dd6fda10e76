"""Networks compared pair by pair on the same test images, and what can be said of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from benchmarker.core.errors import CheckFailedError
from benchmarker.metrics import power
from benchmarker.metrics.multiplicity import LEVEL, holm
from benchmarker.metrics.paired import BAR, chance_better, differences, mcnemar
from benchmarker.metrics.seeds import average, interquartile_mean
from benchmarker.metrics.two_level import RESAMPLES, Field, Sampled
from benchmarker.report.contender import Contender
from benchmarker.report.ranking import STRICT, Rules, expected_seeds, resampled, seed_faults

SCORES = ("mpca", "accuracy")
# what must agree before a difference means anything, and its name
ALIKE = {
    "data_digest": "data",
    "split_family": "split",
    "protocol": "protocol",
    "metrics_version": "version of the metrics",
}


def compare(
    contenders: Sequence[Contender], *, rules: Rules = STRICT, resamples: int = RESAMPLES
) -> dict[str, Any]:
    """Every pair of these contenders compared, ready for JSON.

    ``networks`` has each with its scores; ``pairs`` has for each pair (A first) the
    difference A - B in ``mpca``, ``accuracy`` and in the recall of each class (``per_class``),
    with 95 % interval, p and p corrected by Holm's rule over all pairs (over the classes of one
    pair for those); ``chance_a_better`` as Bouthillier et al. 2021 ask for it; ``mcnemar`` for
    two single runs; ``power``; and a ``verdict``, which is that of the corrected p of the MPCA.

    Raises `CheckFailedError` listing all that is not alike: data, split, protocol, test
    sources, seeds. `Rules.allow_unlike` compares nevertheless, on the sources that all were
    tested on, and lists it under ``unlike``; other classes, or no source in common, are always
    refused.
    """
    unlike = faults(contenders, rules)
    if unlike and not rules.allow_unlike:
        raise CheckFailedError(_refusal(unlike))
    sampled = resampled(contenders, resamples)
    pairs = [_pair(contenders, sampled, a, b) for a, b in combinations(range(len(contenders)), 2)]
    _correct(pairs)
    for pair in pairs:
        pair["verdict"] = _verdict(pair)
    row = contenders[0].row
    return {
        "data": row["data"],
        "model": contenders[0].model,
        "protocol": row["protocol"],
        "split_rule": row["split_rule"],
        "images": len(sampled.labels),
        "classes": list(contenders[0].classes),
        "allow_unlike": rules.allow_unlike,
        "unlike": unlike,
        "correction": f"Holm over {len(pairs)} comparison{'s' if len(pairs) > 1 else ''}",
        "networks": [_network(one, sampled, place) for place, one in enumerate(contenders)],
        "pairs": pairs,
    }


def _refusal(unlike: Sequence[str]) -> str:
    count = f"{len(unlike)} reason{'s' if len(unlike) > 1 else ''}"
    head = f"these cannot be compared, for {count} (--allow-unlike compares and says so):"
    return "\n  ".join([head, *unlike])


def faults(contenders: Sequence[Contender], rules: Rules = STRICT) -> list[str]:
    """What is not alike among contenders that are to be compared, one text each.

    Raises `CheckFailedError` where classes differ: then no score means the same.
    """
    if len({one.classes for one in contenders}) > 1:
        told = "; ".join(f"{one.label}: {', '.join(one.classes)}" for one in contenders)
        message = f"the classes differ, expected the same in the same order: {told}"
        raise CheckFailedError(message)
    texts = []
    for column, what in ALIKE.items():
        values = [str(one.row[column]) for one in contenders]
        if len(set(values)) > 1:
            told = "; ".join(f"{one.label}: {_said(one, column)}" for one in contenders)
            texts.append(f"mixed {what}: {told}")
    digests = {_test_sets(one) for one in contenders}
    if not texts and len(digests) > 1 and not any(one.splits_by_seed for one in contenders):
        texts.append("the test sources differ, though the split is the same")
    expected = expected_seeds(contenders, rules)
    for one in contenders:
        wrong = seed_faults(one, expected)
        if wrong:
            seeds = ", ".join(map(str, expected))
            texts.append(f"{one.label}: {', '.join(wrong)} (expected {seeds})")
        elif one.splits_by_seed and _test_sets(one) != _test_sets(contenders[0]):
            texts.append(
                f"{one.label}: other test sources than {contenders[0].label}, seed by seed"
            )
    return texts


def _said(contender: Contender, column: str) -> str:
    row = contender.row
    if column == "data_digest":
        return f"{row['data']} {row[column][:8]}"
    if column == "split_family":
        return f"{row['split_rule']} {row[column]}"
    return str(row[column])


def _test_sets(contender: Contender) -> tuple[str, ...]:
    found = tuple(answers.test_digest for answers in contender.answers)
    return found if contender.splits_by_seed else tuple(sorted(set(found)))


def _network(contender: Contender, sampled: Sampled, place: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "label": contender.label,
        "network": contender.row["network"],
        "seeds": list(contender.seeds),
        "folders": [str(run.folder) for run in contender.runs],
        "note": contender.row["note"],
    }
    for name in SCORES:
        runs = sampled.runs.named(name)[sampled.slices[place]].tolist()
        field = sampled.field(name)
        low, high = field.interval(place)
        spread = average(runs)
        found[name] = {"mean": spread.mean, "sd": spread.sd, "iqm": interquartile_mean(runs)}
        found[name] |= {"low": low, "high": high, "runs": runs}
    return found


def _pair(contenders: Sequence[Contender], sampled: Sampled, a: int, b: int) -> dict[str, Any]:
    found: dict[str, Any] = {"a": contenders[a].label, "b": contenders[b].label}
    for name in SCORES:
        found[name] = _difference(sampled.field(name), a, b)
    classes = contenders[a].classes
    fields = [sampled.field(str(number)) for number in range(len(classes))]
    found["per_class"] = {
        name: _difference(field, a, b) for name, field in zip(classes, fields, strict=True)
    }
    _put_corrected(list(found["per_class"].values()))
    chance = chance_better(sampled, "mpca", a, b)
    found["chance_a_better"] = {
        "value": chance.value,
        "low": chance.low,
        "high": chance.high,
        "bar": BAR,
        "outcome": chance.outcome,
    }
    said = [sampled.answers[place].predicted for place in (a, b)]
    found["mcnemar"] = None
    if all(len(rows) == 1 for rows in said):
        test = mcnemar(sampled.labels, said[0][0], said[1][0])
        found["mcnemar"] = {"only_a_right": test.only_a, "only_b_right": test.only_b, "p": test.p}
    found["power"] = _power(sampled, said, found["mpca"]["difference"])
    return found


def _difference(field: Field, a: int, b: int) -> dict[str, float | None]:
    found = differences(field, a, np.array([b]))
    names = {"value": "difference", "low": "low", "high": "high", "p": "p"}
    return {name: _plain(getattr(found, key)[0]) for key, name in names.items()}


def _plain(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def _put_corrected(tests: Sequence[dict[str, Any]]) -> None:
    given = np.array([np.nan if test["p"] is None else test["p"] for test in tests])
    for test, value in zip(tests, holm(given), strict=True):
        test["p_corrected"] = _plain(value)


def _correct(pairs: Sequence[dict[str, Any]]) -> None:
    for name in SCORES:
        _put_corrected([pair[name] for pair in pairs])
    _put_corrected([pair["mcnemar"] for pair in pairs if pair["mcnemar"] is not None])


def _power(sampled: Sampled, said: Sequence[np.ndarray], difference: float) -> dict[str, Any]:
    parts = power.components(sampled.labels, *said)
    found: dict[str, Any] = {"power": power.POWER, "level": LEVEL, "difference": difference}
    if parts is None or difference is None:
        return found | {"images_needed": None, "seeds_needed": None, "images": None, "seeds": None}
    return found | {
        "images": parts.n_images,
        "seeds": parts.n_seeds,
        "images_needed": power.images_needed(parts, difference),
        "seeds_needed": power.seeds_needed(parts, difference),
    }


def _verdict(pair: dict[str, Any]) -> str:
    """What the corrected p of the MPCA and the chance of A to be better say together."""
    test = pair["mpca"]
    if test["p_corrected"] is None:
        return "undefined"
    if test["p_corrected"] >= LEVEL:
        return "cannot be told apart"
    ahead = "a" if test["difference"] > 0 else "b"
    chance = pair["chance_a_better"]["value"]
    often = chance if ahead == "a" else 1 - chance
    small = (
        "" if often >= BAR else f", by less than matters: a run of it wins {often:.0%} of the time"
    )
    return f"{pair[ahead]} is better{small}"

"""How the runs of a model card came to be, and the command that makes them again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import PurePath
from typing import Any

from benchmarker.core.errors import BenchmarkerError
from benchmarker.core.hashing import SHORT, digest_json
from benchmarker.core.records import Record
from benchmarker.data.preparation_names import preparation_name
from benchmarker.data.recipes import load_recipe
from benchmarker.exports.card_parts import Lines, bullets, code, facts, table
from benchmarker.runs.settings import RUN_LIST_KEYS, RunSettings
from benchmarker.runs.trained import preparation_from

LIST = "card.txt"
FILES = ("data", "manifest", "labels", "split")  # of these only the name is told, not the folder
OPTIONS = {
    "data": "-d", "subset": "--subset", "manifest": "-f", "labels": "--labels", "fr0": "--fr0",
    "skip": "--skip", "split": "--split", "train": "-t", "validation": "-v",
}  # fmt: skip


def commands(runs: Sequence[Record]) -> Lines:
    """A run list and the commands that train these runs and compare them with their records."""
    record = runs[0]
    seeds = ",".join(str(run.seed) for run in runs)
    words = ["benchmarker", "run", "-a", LIST, "-s", seeds, *_options(record)]
    threads = {run.run["fingerprint"].get("threads") for run in runs}
    if len(threads) == 1 and None not in threads:
        words += ["--threads", str(threads.pop())]
    checks = [f"benchmarker verify results/runs/{run.folder.resolve().name}" for run in runs]
    return [
        f"As `{LIST}`:",
        "",
        *code([list_line(record)]),
        "",
        "Then:",
        "",
        *code([shlex.join(words), *checks]),
        *_remarks(record),
    ]


def list_line(record: Record) -> str:
    """The line of a run list for a record, with what is not as usual."""
    settings = record.settings
    usual = RunSettings(record.network, 1.0, 1).as_dict()
    words = [record.network, f"{settings['learning_rate']:g}", str(settings["epochs"])]
    values = {key: settings[key] for key in RUN_LIST_KEYS if key in settings and key != "init"}
    values.pop("size", None)
    preparation = _preparation(record)
    if preparation.get("size"):
        values["size"] = "x".join(str(side) for side in preparation["size"])
    values["recipe"] = _recipe_word(record)
    with suppress(BenchmarkerError):  # a preparation of another version has no name here
        values["preparation"] = preparation_name(preparation_from(preparation, record.folder))
    values |= settings.get("network_settings") or {}
    words += [
        f"{key}={value}"
        for key, value in values.items()
        if value is not None and value != usual.get(key, ...)
    ]
    return ",".join(words)


def _preparation(record: Record) -> dict[str, Any]:
    stated = record.identity["preparation"]
    return {key: value for key, value in stated.items() if key != "digest"}


def _recipe_word(record: Record) -> str:
    """The recipe's name where that is the same one here, else the step of its rotations."""
    stated = record.identity["recipe"]
    with suppress(BenchmarkerError):
        if load_recipe(stated["name"]).digest == stated["digest"]:
            return stated["name"]
    expansion = stated.get("expansion") or []
    if len(expansion) > 1 and not stated.get("transforms"):
        return f"rotations:{expansion[1][0]:g}"
    return stated["name"]


def _options(record: Record) -> list[str]:
    place = dict(record.run.get("place") or {})
    if record.data.get("card"):
        place |= {"data": record.data["card"], "subset": None}
    place.setdefault("data", record.data["name"])
    words: list[str] = []
    for key, option in OPTIONS.items():
        value = place.get(key)
        if value is not None and value != 0:
            words += [option, PurePath(value).name if key in FILES else str(value)]
    if record.identity["protocol"] == "legacy":
        # the option alone would also decide which loss is monitored
        words += ["--legacy", "--monitor", record.settings["monitor"]]
    words += ["--bin_thresh"] if _preparation(record).get("bin_threshold") else []
    init = place.get("init")
    return [*words, *(["--init", PurePath(init).name] if init else [])]


def _remarks(record: Record) -> Lines:
    place = record.run.get("place") or {}
    texts = []
    if not record.data.get("card") or any(place.get(key) for key in FILES[1:]):
        texts.append("Files and folders are named without the place where they lay.")
    if place.get("init"):
        texts.append(f"The weights to start from have the digest {_init(record)}.")
    return ["", *bullets(texts)] if texts else []


def _init(record: Record) -> str:
    return str((record.settings.get("init") or {}).get("digest", "that run.json states"))


def training(record: Record) -> Lines:
    """Settings, recipe, preparation, and what the weights began from."""
    identity, settings = record.identity, record.settings
    known = [
        ("recipe", identity["recipe"]["name"]),
        ("protocol", identity["protocol"]),
        ("precision", identity["precision"]),
        *((key, _plain(value)) for key, value in settings.items() if key not in ("init", "size")),
    ]
    found = record.run.get("init")
    if found:
        names = ", ".join(one["name"] for one in found.get("trained_on", [])) or "sets unknown"
        known.append(("started from", f"weights of {found['network']}, trained on {names}"))
    else:
        known.append(("started from", "random weights, a function of the seed"))
    return facts(known)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={one}" for key, one in value.items()) or "none"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def fingerprint(runs: Sequence[Record]) -> Lines:
    """Versions and machine, and the digests by which each run is known."""
    prints = [run.run["fingerprint"] for run in runs]
    keys = sorted({key for one in prints for key in one})
    known = [(key, _common([one.get(key) for one in prints])) for key in keys]
    names = ("seed", "identity", "best weights", "finished")
    return [*facts(known), "", *table(names, list(_digests(runs)), texts=4)]


def _common(values: Sequence[Any]) -> str | None:
    different = list({digest_json(value): value for value in values}.values())
    if different == [None]:
        return None
    return " / ".join(_plain(value) for value in different)


def _digests(runs: Sequence[Record]) -> Iterator[list[str]]:
    for run in runs:
        weights = run.run["digests"].get("best_weights", "")
        finished = str(run.run["finished"])
        yield [str(run.seed), run.identity["digest"][:SHORT], weights[:SHORT], finished]

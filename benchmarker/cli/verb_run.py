"""``benchmarker run``, which ``quickstart.py`` calls: train and test a run list."""

from __future__ import annotations

import argparse
from typing import Any

from benchmarker.cli.run_options import add_arguments as add_arguments  # noqa: PLC0414 (the verb's own)
from benchmarker.core.errors import SettingsError

NAME = "run"
HELP = "train and test the networks of a run list, one record for each seed"
PAPER_SIZE = (300, 300)
PAPER_CLASSES = 4
# Options of the command line that override a setting of every line of the list
OVERRIDES = (
    "data",
    "subset",
    "manifest",
    "labels",
    "fr0",
    "skip",
    "size",
    "split",
    "train",
    "validation",
    "recipe",
    "preparation",
    "batch",
    "optimizer",
    "schedule",
    "class_weights",
    "early_stopping",
    "monitor",
    "passes",
    "validation_passes",
    "test_passes",
    "loss",
    "weight_decay",
    "keep",
    "init",
    "freeze",
    "rate_factor",
    "protocol",
    "bin_threshold",
)


def overrides(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that the options decide for every run of the list."""
    values = {key: getattr(arguments, key, None) for key in OVERRIDES}
    if arguments.mnist:
        values["data"] = "mnist"
    if arguments.rotate is not None:
        values["recipe"] = f"rotations:{arguments.rotate}"
    if arguments.img_rows or arguments.img_cols:
        rows = arguments.img_rows or arguments.img_cols
        values["size"] = (rows, arguments.img_cols or rows)
    if arguments.early_stopping is not None:
        values["early_stopping"] = max(0, arguments.early_stopping)
    if arguments.legacy:
        values |= {"protocol": "legacy", "monitor": arguments.monitor or "total"}
    if values["split"] and (values["train"] or values["validation"]):
        message = "--split names every source; leave -t and -v out"
        raise SettingsError(message)
    if (values["train"] is None) != (values["validation"] is None):
        message = "-t and -v go together: both choose sources per class, or neither"
        raise SettingsError(message)
    return {key: value for key, value in values.items() if value is not None}


def run(arguments: argparse.Namespace) -> int:
    """Plan, execute, print the final tables last."""
    from benchmarker.runs import session
    from benchmarker.runs.run_list import find_run_list, read_run_list

    entries = read_run_list(find_run_list(arguments.architectures))
    if arguments.quick:
        entries = session.quick(entries)
    if arguments.test in ("parameters", "flops"):
        return _describe(entries, arguments)
    request = session.Request(
        entries,
        arguments.seeds,
        overrides(arguments),
        results=arguments.results,
        cache=arguments.cache,
        processes=arguments.processes,
        threads=arguments.threads,
        workers=arguments.workers,
        again=arguments.again,
        accept_differences=arguments.accept_differences,
        deterministic=not arguments.nondeterministic,
        test_only=arguments.only_test or arguments.test in ("True", "time"),
        copies=arguments.copies,
    )
    runs = session.plan(request)
    _check_classes(arguments.classes, runs)
    ended = session.perform(request, runs)
    _print(ended, arguments)
    return ended.code


def _check_classes(asked: int | None, runs: list[Any]) -> None:
    for run_ in runs:
        found = len(run_.images.classes)
        if asked is not None and asked != found:
            message = (
                f"{run_.images.name} has {found} classes ({', '.join(run_.images.classes)}), "
                f"-c asks for {asked}"
            )
            raise SettingsError(message)


def _describe(entries: list[Any], arguments: argparse.Namespace) -> int:
    """Classic modes ``parameters`` and ``flops``, at the size of the command or the list."""
    import json

    from benchmarker.cli.main import main
    from benchmarker.networks.describe import describe

    described = []
    for entry in entries:
        size = arguments.size or entry.settings.get("size") or PAPER_SIZE
        classes = arguments.classes or PAPER_CLASSES
        if arguments.json:
            described.append(describe(entry.network, size, classes).as_dict())
        else:
            shape = f"{size[0]}x{size[1]}"
            main(["show", entry.network, "--size", shape, "--classes", str(classes)])
    if arguments.json:
        print(json.dumps(described[0] if len(described) == 1 else described, indent=2))
    return 0


def _print(ended: Any, arguments: argparse.Namespace) -> None:
    import json

    from benchmarker.core.records import read_record
    from benchmarker.report import leaderboard

    records = [read_record(outcome.folder.path) for outcome in ended.outcomes if outcome.complete]
    rows = leaderboard.rows_of_runs(arguments.results, records)
    if arguments.json:
        print(json.dumps({"runs": [str(r.folder) for r in records], "leaderboard": rows}, indent=2))
        return
    leaderboard.print_runs(records, rows)

"""``benchmarker learning-curve``: accuracy against the number of training sources."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from benchmarker.cli import run_options
from benchmarker.cli.plot_option import add_plot, check_plot
from benchmarker.cli.run_options import checked
from benchmarker.networks.entries import whole
from benchmarker.runs.settings import read_learning_rate

NAME = "learning-curve"
HELP = "train networks on growing numbers of sources per class, and fit the curve"
ALL = "all"
# options of `run` that have no meaning here: the sizes decide, and everything is trained
LEFT_OUT = {
    "train": "-t", "validation": "-v", "only_test": "--only-test", "copies": "-m",
    "classes": "-c", "test": "--test",
}  # fmt: skip
EXAMPLES = """examples:
  benchmarker learning-curve -a mcrgnet --sizes 25,50,100,all -s 8901,1826,4915 -d mirabest \\
      --subset confident --plot curve.png
      one network, with its line in architectures.txt
  benchmarker learning-curve -a mylist.txt --sizes 10,20,40,80 -d first
      every line of a run list; what is complete is skipped
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``run``, and those of the curve."""
    run_options.add_arguments(parser)
    parser.epilog = EXAMPLES
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to its options
        if action.dest in LEFT_OUT:
            action.help = argparse.SUPPRESS
    group = parser.add_argument_group("the curve (-a may also name a network)")
    group.add_argument(
        "--sizes",
        required=True,
        type=checked(_sizes),
        metavar="N,N,...,all",
        help="training sources per class; all is every training source of the split",
    )
    group.add_argument(
        "--learning-rate",
        type=checked(read_learning_rate),
        metavar="R",
        help="instead of the list's",
    )
    group.add_argument("--epochs", type=checked(whole(1)), metavar="N", help="likewise")
    add_plot(group, "the curves")


def _sizes(text: str) -> list[int | None]:
    words = [word.strip() for word in text.split(",")]
    fine = all(word == ALL or (word.isdigit() and int(word) > 0) for word in words)
    if not fine or len(set(words)) < len(words) or len(words) < 2:
        message = (
            f"{text!r} is not a list of at least two different sizes; expected e.g. 25,50,100,all"
        )
        raise ValueError(message)
    return sorted(
        (None if word == ALL else int(word) for word in words),
        key=lambda size: size or float("inf"),
    )


def run(arguments: argparse.Namespace) -> int:
    """Plan every size before anything runs, execute, print the curves last."""
    from benchmarker.cli.verb_run import overrides
    from benchmarker.runs import session

    check_plot(arguments.plot)
    _refuse_left_out(arguments)
    entries = _entries(arguments)
    if arguments.quick:
        entries = session.quick(entries)
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
    )
    ended = session.perform(request, _plan(request, arguments.sizes))
    _show(ended, arguments)
    return ended.code


def _refuse_left_out(arguments: argparse.Namespace) -> None:
    from benchmarker.core.errors import Problems, SettingsError

    problems = Problems("learning-curve", SettingsError)
    for name, option in LEFT_OUT.items():
        if getattr(arguments, name) not in (None, False, "False"):
            problems.add(f"{option} has no meaning here: --sizes decides what is trained")
    problems.raise_if_any()


def _entries(arguments: argparse.Namespace) -> list[Any]:
    """Lines of the run list, or those of a network in architectures.txt, without quotas."""
    from benchmarker.core.errors import Problems, SettingsError
    from benchmarker.networks import registry
    from benchmarker.runs.run_list import Entry, find_run_list, read_run_list

    word = arguments.architectures
    told = (arguments.learning_rate, arguments.epochs)
    if word in registry.names():
        lines = read_run_list(find_run_list("architectures.txt"))
        entries = [entry for entry in lines if entry.network == word]
        if not entries and None not in told:
            entries = [Entry(word, *told)]
        if not entries:
            message = (
                f"network {word} has no line in architectures.txt; expected -a with a run list, or "
                "--learning-rate and --epochs"
            )
            raise SettingsError(message)
    else:
        entries = read_run_list(find_run_list(word))
    problems = Problems(word, SettingsError)
    for entry in entries:
        quotas = sorted(dict(entry.options).keys() & {"train", "validation"})
        if quotas:
            problems.add(f"{' and '.join(quotas)}: --sizes decides instead", line=entry.line)
    problems.raise_if_any()
    rate, epochs = told
    return [
        replace(e, learning_rate=rate or e.learning_rate, epochs=epochs or e.epochs)
        for e in entries
    ]


def _plan(request: Any, sizes: list[int | None]) -> list[Any]:
    """Every run of every size, smallest first; all faults at once, before anything runs."""
    from benchmarker.core.errors import Problems, SettingsError
    from benchmarker.runs import session

    problems = Problems("the sizes", SettingsError)
    runs: dict[str, Any] = {}
    for size in sizes:
        more = {} if size is None else {"train": size}
        sized = replace(request, overrides={**request.overrides, **more})
        try:
            # as many as there are of each class is the same run as all of them
            runs |= {run_.name: run_ for run_ in session.plan(sized) if run_.name not in runs}
        except SettingsError as error:
            # one list of faults, without the heading of each size's own plan
            for line in str(error).removeprefix("the plan").splitlines():
                if not line.endswith(":") and line.strip() not in problems.texts:
                    problems.add(line.strip())
    problems.raise_if_any()
    return list(runs.values())


def _show(ended: Any, arguments: argparse.Namespace) -> None:
    import json
    import sys

    from benchmarker.core.records import read_record
    from benchmarker.report.curves import learning_curves
    from benchmarker.runs.session import say

    records = [read_record(outcome.folder.path) for outcome in ended.outcomes if outcome.complete]
    curves = learning_curves(records)
    if not curves:
        say("no curve: fewer than two sizes are complete")
    if curves and arguments.plot is not None:
        from benchmarker.report.plots_curves import learning_curves_plot

        learning_curves_plot(curves, arguments.plot)
        say(f"drawn: {arguments.plot}")
    if arguments.json:
        runs = [str(record.folder) for record in records]
        print(json.dumps({"runs": runs, "curves": curves}, indent=2, allow_nan=False))
    elif curves:
        from benchmarker.report.curve_tables import learning_table
        from benchmarker.report.text import show

        show(learning_table(curves), sys.stdout)

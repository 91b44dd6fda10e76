"""``benchmarker corruptions``: trained networks tested on damaged test images."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from benchmarker.cli.plot_option import add_plot, check_plot

NAME = "corruptions"
HELP = "test trained networks on damaged test images: noise, beam, shift, missing pixels ..."
STDERR = 2
EXAMPLES = """examples:
  benchmarker corruptions results/runs/RUN
      all kinds at strengths 1 to 5; the result joins the record of the run
  benchmarker corruptions mcrgnet convXpress --results results --reference mcrgnet
      all complete runs of two networks, and the mean corruption error against one of them
  benchmarker corruptions mcrgnet --kinds noise,beam --strengths 1,3,5 --plot damage.png
      some kinds and strengths, drawn
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    add = parser.add_argument
    add(
        "networks",
        nargs="+",
        metavar="RUN|NETWORK",
        help="run folders, folders of results, or networks with complete runs in --results",
    )
    add("--results", type=Path, default=Path("results"), metavar="DIR", help="default: results")
    add(
        "--kinds",
        metavar="KIND,...",
        help="noise, beam, shift, sidelobes, missing (a blank block), contrast, and channels "
        "for images of several (default: all that the images allow)",
    )
    add("--strengths", default="1,2,3,4,5", metavar="N,...", help="of 1 to 5 (default: all)")
    add(
        "--reference",
        metavar="RUN|NETWORK",
        help="also give mean corruption errors relative to this network (Hendrycks & "
        "Dietterich 2019); it is tested too",
    )
    add("--model", choices=("best", "final"), default="best", help="weights of the runs")
    add("--data", metavar="DATA", help="the images, where they are no longer where they were")
    add("--again", action="store_true", help="test anew what the records have already")
    add_plot(parser, "the scores against strength")
    add("--json", action="store_true", help="print the curves as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Test what is not tested yet, run by run; print curves over all of them last."""
    from benchmarker.core.records import read_record
    from benchmarker.runs import corruptions
    from benchmarker.runs.progress import Console

    check_plot(arguments.plot)
    wanted = corruptions.Wanted(
        kinds=_kinds(arguments.kinds),
        strengths=_strengths(arguments.strengths),
        model=arguments.model,
        place=arguments.data,
        again=arguments.again,
    )
    words = [*arguments.networks, *([arguments.reference] if arguments.reference else [])]
    records = corruptions.find_runs(words, arguments.results)
    if corruptions.check_all(records, wanted):
        from benchmarker.runs.calm import start_backend

        start_backend()
    console = Console(STDERR)
    try:
        for number, record in enumerate(records, start=1):
            corruptions.corrupt(record, wanted, console.step)
            console.say(f"{number} of {len(records)}: {record.folder / corruptions.FILE}")
    finally:
        console.close()
    _show([read_record(record.folder) for record in records], wanted, arguments)
    return 0


def _kinds(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(word.strip() for word in text.split(","))


def _strengths(text: str) -> tuple[int, ...]:
    from benchmarker.core.errors import SettingsError

    words = [word.strip() for word in text.split(",")]
    if not all(word.isdigit() for word in words):
        message = f"--strengths {text}: expected whole numbers from 1 to 5 with commas"
        raise SettingsError(message)
    return tuple(int(word) for word in words)


def _show(records: list[Any], wanted: Any, arguments: argparse.Namespace) -> None:
    import json
    import sys

    from benchmarker.report.corruption_errors import corruption_errors
    from benchmarker.report.curves import asked_only, corruption_curves

    curves = asked_only(
        corruption_curves(records, model=wanted.model), wanted.kinds, wanted.strengths
    )
    reference = arguments.reference
    if reference is not None and Path(reference).is_dir():
        reference = Path(reference).resolve().name
    errors = corruption_errors(curves, reference=reference)
    if arguments.plot is not None:
        from benchmarker.report.plots_curves import corruption_plot

        corruption_plot(curves, arguments.plot)
        print(f"drawn: {arguments.plot}", file=sys.stderr)
    if arguments.json:
        runs = [str(record.folder) for record in records]
        print(json.dumps({"runs": runs, "curves": curves, "errors": errors}, indent=2))
        return
    from benchmarker.report.curve_tables import corruption_table
    from benchmarker.report.text import show

    show(corruption_table(curves, errors), sys.stdout)

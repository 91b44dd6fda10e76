"""``benchmarker realbogus plot``: error trade-off and other pictures of scores."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarker.core.errors import EXIT_FINE, SettingsError

if TYPE_CHECKING:
    from benchmarker.hosts.realbogus.plots import Look
    from benchmarker.hosts.realbogus.scores_csv import StampScores

NAME = "plot"
HELP = "draw error trade-off, ROC, completeness and purity, histogram, recall by magnitude or kind"
FIGURES = ("det", "roc", "completeness", "histogram")
EXAMPLES = """examples:
  benchmarker realbogus plot scores.csv -o output.png
  benchmarker realbogus plot new.csv old.csv -o output.png --xlim 0.2 --ylim 0.2 --mdr 0.04
  benchmarker realbogus plot scores.csv --figure histogram -o histogram.pdf --log
  benchmarker realbogus plot results/runs/psat_d-set-s8901-01234567 --by magnitude -o recall.png
  benchmarker realbogus plot scores.csv --facts facts.csv --by kind -o kinds.png
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which scores, which picture, how it looks."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    add = parser.add_argument
    add("scores", nargs="+", metavar="SCORES_OR_RUN", help="CSV file,label,score or a run folder")
    add("-o", "--output", metavar="FILE", type=Path, required=True, help=".png, .pdf or .svg")
    add("--figure", choices=FIGURES, default="det", help="default: %(default)s")
    add("--by", metavar="FACT", help="recall by a fact instead: magnitude, signal_to_noise, kind")
    add("--facts", metavar="TABLE", type=Path, help="CSV of facts by column 'file', for --by")
    add("--threshold", type=float, metavar="X", help="for --by (default: that of --mdr); marked")
    _look(parser)


def _look(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("look").add_argument
    add("--xlim", type=float, default=1.0, metavar="X", help="end of the axis (default: 1)")
    add("--ylim", type=float, default=1.0, metavar="Y", help="end of the axis (default: 1)")
    add("--mdr", type=float, default=0.04, metavar="RATE", help="marked (default: %(default)s)")
    add("--log", action="store_true", help="logarithmic numbers in a histogram")
    add("--telescope", default="", metavar="NAME", help="behind the title")
    add("--panel-label", default="", metavar="TEXT", help="in the upper left corner")
    add("--title", default="", metavar="TEXT")


def run(arguments: argparse.Namespace) -> int:
    """Draw; prints false positives and threshold at the marked rate, and the file."""
    from benchmarker.hosts.realbogus.plots import Look
    from benchmarker.hosts.realbogus.scores_csv import open_scores

    look = Look(
        arguments.xlim,
        arguments.ylim,
        arguments.mdr,
        arguments.threshold,
        arguments.log,
        arguments.telescope,
        arguments.title,
        arguments.panel_label,
    )
    sets = _apart([open_scores(what) for what in arguments.scores])
    _draw(arguments, sets, look)
    for found in sets:
        print(_point(found, look.mdr))
    print(arguments.output)
    return EXIT_FINE


def _apart(sets: list[StampScores]) -> list[StampScores]:
    """Sets of the same name get a number behind it."""
    names = [found.name for found in sets]
    return [
        replace(found, name=f"{found.name} ({number})") if names.count(found.name) > 1 else found
        for number, found in enumerate(sets, start=1)
    ]


def _draw(arguments: argparse.Namespace, sets: list[StampScores], look: Look) -> None:
    from benchmarker.hosts.realbogus import plots

    alone = arguments.by or arguments.figure == "histogram"
    if alone and len(sets) > 1:
        message = f"{arguments.by or 'a histogram'} is drawn of one set of scores, got {len(sets)}"
        raise SettingsError(message)
    if arguments.by:
        _by_fact(arguments, sets[0], look)
    elif arguments.figure == "histogram":
        plots.histogram(sets[0], arguments.output, look)
    else:
        draw = {
            "det": plots.trade_off,
            "roc": plots.roc,
            "completeness": plots.completeness_purity,
        }[arguments.figure]
        draw(sets, arguments.output, look)


def _by_fact(arguments: argparse.Namespace, found: StampScores, look: Look) -> None:
    from benchmarker.hosts.realbogus.plots_facts import taken_by_fact
    from benchmarker.hosts.realbogus.scores_csv import with_facts
    from benchmarker.hosts.realbogus.stamp_facts import read_fact_table
    from benchmarker.metrics.operating_points import false_at_missed, score_rates

    if arguments.facts is not None:
        found = with_facts(found, read_fact_table(arguments.facts))
    threshold = arguments.threshold
    if threshold is None:
        point = false_at_missed(score_rates(found.labels == 1, found.scores), look.mdr)
        threshold = point.threshold
    if threshold is None:
        message = f"{found.name}: no threshold at {look.mdr:g} missed ({point.reason}); give one"
        raise SettingsError(message)
    taken_by_fact(found, arguments.by, threshold, arguments.output, look)


def _point(found: StampScores, mdr: float) -> str:
    from benchmarker.metrics.operating_points import false_at_missed, score_rates

    point = false_at_missed(score_rates(found.labels == 1, found.scores), mdr)
    if point.rate is None:
        return f"{found.name}: {point.reason}"
    return (
        f"{found.name}: {100 * point.rate:.3f} % false positives at {100 * mdr:g} % missed "
        f"detections, threshold {point.threshold:.6f}"
    )

"""``benchmarker ensemble``: several runs taken together as one classifier."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

NAME = "ensemble"
HELP = "take several runs together: mean of probabilities or majority vote"
EXAMPLES = """examples:
  benchmarker ensemble results/runs/RUN results/runs/RUN results/runs/RUN
      three runs; only runs of one data set and one split make an ensemble
  benchmarker ensemble convXpress --data first
      all seeds of a network
  benchmarker ensemble convXpress mcrgnet --how vote -o predictions.csv
      two networks, all seeds, each run one vote; its predictions into a file
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    add = parser.add_argument
    add(
        "runs",
        nargs="+",
        metavar="RUN",
        help="a run folder, the name of one in the results, or a network: all its seeds",
    )
    add("--results", type=Path, default=Path("results"), metavar="DIR", help="default: results")
    add("--data", metavar="NAME", help="of networks, only the runs on this data set")
    add(
        "--how",
        choices=("mean", "vote"),
        default="mean",
        help="mean of the probabilities (default), or majority vote, where ties go to the "
        "higher mean probability",
    )
    add("--model", choices=("best", "final"), default="best", help="weights of the runs")
    add(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="also write a predictions.csv of the ensembles of best and of final weights",
    )
    add("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the scores of the ensemble beside those of its members."""
    from benchmarker.report.ensemble_tables import ensemble_tables
    from benchmarker.report.ensembles import ensemble_of, find_runs, report, write_predictions
    from benchmarker.report.text import show

    runs = find_runs(arguments.runs, arguments.results, data=arguments.data)
    ensemble = ensemble_of(runs, arguments.how)
    found = report(ensemble, arguments.model)
    if arguments.output is not None:
        path = write_predictions(ensemble, arguments.output)
        print(f"written: {path}", file=sys.stderr)
    if arguments.json:
        print(json.dumps(found, indent=2, allow_nan=False))
    else:
        show(ensemble_tables(found), sys.stdout)
    return 0

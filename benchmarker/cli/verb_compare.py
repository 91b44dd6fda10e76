"""``benchmarker compare``: whether one network is better than another."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarker.cli.seed_option import seeds_of

NAME = "compare"
HELP = "compare networks, or single runs, on the same test images"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "names",
        nargs="+",
        metavar="NETWORK_OR_RUN",
        help="two or more: names of networks (all their seeds) or run folders (single runs)",
    )
    parser.add_argument(
        "--results", type=Path, default=Path("results"), metavar="DIR", help="default: results"
    )
    parser.add_argument("--data", metavar="NAME", help="runs on this data set")
    parser.add_argument("--protocol", metavar="NAME", help="runs of this protocol")
    parser.add_argument(
        "--model",
        choices=("best", "final"),
        default="best",
        help="weights of the lowest validation loss (best, default) or of the last epoch",
    )
    parser.add_argument(
        "--seeds", metavar="N,N,...", help="refuse (exit 3) unless these are the seeds of each"
    )
    parser.add_argument(
        "--allow-unlike",
        action="store_true",
        help="compare in spite of unlike seeds, data, split or protocol; the output says so",
    )
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison; 3 where what is compared is not alike."""
    from benchmarker.core.errors import Problems, SettingsError
    from benchmarker.report.contestants import Search, named
    from benchmarker.report.pairs import compare
    from benchmarker.report.ranking import Rules

    if len(arguments.names) < 2:
        message = f"compare {arguments.names[0]}: expected two or more networks or run folders"
        raise SettingsError(message)
    search = Search(arguments.results, arguments.model, arguments.data, arguments.protocol)
    problems = Problems(arguments.results)
    contenders = named(arguments.names, search, problems)
    for text in problems.texts:
        print(f"left out: {text}", file=sys.stderr)
    found = compare(contenders, rules=Rules(seeds_of(arguments.seeds), arguments.allow_unlike))
    if arguments.json:
        print(json.dumps(found, indent=2, allow_nan=False))
    else:
        _print(found)
    return 0


def _print(found: dict) -> None:
    from benchmarker.report.pair_tables import comparison_text
    from benchmarker.report.text import show

    show(comparison_text(found), sys.stdout)

"""``benchmarker realbogus scores``: the scores of a run as the table that psat-ml writes."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarker.core.errors import EXIT_FINE

NAME = "scores"
HELP = "write file,label,score of a run's test stamps, as psat-ml does"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which run, which of its predictions, where to."""
    add = parser.add_argument
    add("run_folder", metavar="RUN", type=Path, help="folder of a complete run")
    add("-o", "--output", metavar="FILE", type=Path, required=True, help="CSV file to write")
    add("--part", choices=("test", "validation"), default="test", help="default: %(default)s")
    add("--model", choices=("best", "final"), default="best", help="default: %(default)s")
    add("--real", metavar="CLASS", default="real", help="name of the real class (default: real)")
    add("--compat", action="store_true", help="three decimals as in psat-ml, instead of six")


def run(arguments: argparse.Namespace) -> int:
    """Write the table; prints how many stamps are in it."""
    from benchmarker.core.records import read_record
    from benchmarker.hosts.realbogus.scores_csv import scores_of_run, write_scores

    record = read_record(arguments.run_folder)
    choice = {"model": arguments.model, "part": arguments.part, "real": arguments.real}
    found = scores_of_run(record, **choice)
    write_scores(arguments.output, found, compat=arguments.compat)
    print(f"{len(found)} scores ({int(found.labels.sum())} of real stamps) in {arguments.output}")
    return EXIT_FINE

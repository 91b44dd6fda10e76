"""``benchmarker realbogus rates``: false positives at missed detections and the converse."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from benchmarker.core.errors import EXIT_FINE

if TYPE_CHECKING:
    from benchmarker.hosts.realbogus.scores_csv import StampScores

NAME = "rates"
HELP = "false positive and missed detection rates with thresholds, exact and as psat-ml steps them"
EXAMPLES = """examples:
  benchmarker realbogus rates scores.csv
  benchmarker realbogus rates results/runs/psat_d-set-s8901-01234567 --json

A rate that cannot be defined (a class is absent) is shown as 'undefined', and why.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which scores."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument("scores", nargs="+", metavar="SCORES_OR_RUN", help="CSV or run folder")
    parser.add_argument("--json", action="store_true", help="print JSON alone")


def run(arguments: argparse.Namespace) -> int:
    """Print the rates of each set of scores."""
    from benchmarker.hosts.realbogus.scores_csv import open_scores

    values = [_rates(open_scores(what)) for what in arguments.scores]
    if arguments.json:
        print(json.dumps(values, indent=2, allow_nan=False))
    else:
        for value in values:
            _print(value)
    return EXIT_FINE


def _rates(found: StampScores) -> dict[str, Any]:
    from benchmarker.hosts.realbogus import rates
    from benchmarker.metrics.operating_points import working_points

    exact = working_points(found.labels == 1, found.scores, missed=rates.SHOWN, false=rates.SHOWN)
    stepped = rates.stepped_rates(found.labels, found.scores)
    missed = [rates.stepped_false_at_missed(stepped, most).as_dict() for most in rates.SHOWN]
    false = [rates.stepped_missed_at_false(stepped, most).as_dict() for most in rates.SHOWN]
    return {
        "name": found.name,
        **exact,
        "stepped": {
            "step": rates.PLOT_STEP,
            "false_at_missed": missed,
            "missed_at_false": false,
        },
    }


def _print(value: dict[str, Any]) -> None:
    area = "undefined" if value["auc"] is None else f"{value['auc']:.5f}"
    bogus = value["n"] - value["members"]
    print(f"{value['name']}: {value['members']} real, {bogus} bogus, area under the curve {area}")
    kinds = (("false_at_missed", "missed", "false"), ("missed_at_false", "false", "missed"))
    for key, bound, rate in kinds:
        print(f"  {bound + ' at most':>16}  {rate:>10}  threshold    stepped  threshold")
        for exact, stepped in zip(value[key], value["stepped"][key], strict=True):
            row = f"{_rate(exact)}  {_number(exact)}  {_rate(stepped)}  {_number(stepped)}"
            print(f"  {100 * exact['asked']:>14g} %  {row}  {exact['reason']}".rstrip())


def _rate(point: dict[str, Any]) -> str:
    rate = point["rate"]
    return f"{'undefined' if rate is None else f'{100 * rate:.3f} %':>10}"


def _number(point: dict[str, Any]) -> str:
    threshold = point["threshold"]
    return f"{'none' if threshold is None else f'{threshold:.6f}':>9}"

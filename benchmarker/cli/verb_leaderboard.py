"""``benchmarker leaderboard``: the averaged table of all runs."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

NAME = "leaderboard"
HELP = "average the runs over their seeds and print the table"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "--results", type=Path, default=Path("results"), metavar="DIR", help="default: results"
    )
    parser.add_argument("--data", metavar="NAME", help="only rows of this data set")
    parser.add_argument(
        "--model",
        choices=("best", "final"),
        default="best",
        help="weights of the lowest validation loss (best, default) or of the last epoch",
    )
    parser.add_argument(
        "--seeds",
        metavar="N,N,...",
        help="refuse (exit 3) unless every row is the mean of exactly these seeds",
    )
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw scores and cost of the rows (PNG, PDF)"
    )
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the leaderboard; also brings ``leaderboard.csv`` up to date where it may."""
    rows = _rows(arguments)
    _check_seeds(rows, arguments.seeds)
    _bring_up_to_date(arguments.results)
    if arguments.plot is not None:
        _draw(rows, arguments.plot)
    if arguments.json:
        print(json.dumps(rows, indent=2, allow_nan=False))
    else:
        _print(rows)
    return 0


def _rows(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    from benchmarker.core.errors import MissingDataError, suggest
    from benchmarker.report.leaderboard import read_rows

    rows = read_rows(arguments.results, model=arguments.model)
    if not rows:
        message = (
            f"no finished run below {arguments.results}/runs; run one first, for instance "
            "`python quickstart.py -a convxpress.txt`, or name another folder with --results"
        )
        raise MissingDataError(message)
    if arguments.data is None:
        return rows
    chosen = [row for row in rows if row["data"] == arguments.data]
    if not chosen:
        known = sorted({row["data"] for row in rows if row["data"]})
        message = (
            f"no run on data {arguments.data!r}{suggest(arguments.data, known)}; "
            f"there are runs on: {', '.join(known)}"
        )
        raise MissingDataError(message)
    return chosen


def _check_seeds(rows: list[dict[str, Any]], seeds: str | None) -> None:
    if seeds is None:
        return
    from benchmarker.core.errors import CheckFailedError, Problems, SettingsError
    from benchmarker.report.leaderboard import check_expected_seeds

    words = [word.strip() for word in seeds.split(",")]
    if not all(word.isdigit() for word in words):
        message = f"--seeds {seeds}: expected whole numbers separated by commas"
        raise SettingsError(message)
    problems = Problems("the leaderboard", CheckFailedError)
    for text in check_expected_seeds(rows, [int(word) for word in words]):
        problems.add(text)
    problems.raise_if_any()


def _bring_up_to_date(results: Path) -> None:
    from benchmarker.core.errors import SettingsError
    from benchmarker.report.leaderboard import write

    try:
        write(results)
    except SettingsError as error:
        # a shared, read-only folder of results can still be looked at
        print(f"leaderboard.csv was left as it is: {error}", file=sys.stderr)


def _draw(rows: list[dict[str, Any]], path: Path) -> None:
    from benchmarker.core.errors import SettingsError
    from benchmarker.report.plots import leaderboard_plot

    if path.suffix.lower() not in (".png", ".pdf", ".svg"):
        message = f"--plot {path}: expected a name ending in .png, .pdf or .svg"
        raise SettingsError(message)
    leaderboard_plot(rows, path)
    print(f"drawn: {path}", file=sys.stderr)


def _print(rows: list[dict[str, Any]]) -> None:
    from benchmarker.report.tables import table
    from benchmarker.report.text import show, width_of

    show(table(rows, width=width_of(sys.stdout)), sys.stdout)

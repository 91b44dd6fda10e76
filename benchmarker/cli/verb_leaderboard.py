"""``benchmarker leaderboard``: the averaged table of all runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarker.cli.seed_option import seeds_of

NAME = "leaderboard"
HELP = "average the runs over their seeds, rank the networks and print the table"
FORMATS = ("table", "csv", "markdown", "latex", "json")
RANKINGS = ("recognition", "cost", "both")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "--results", type=Path, default=Path("results"), metavar="DIR", help="default: results"
    )
    parser.add_argument(
        "--model",
        choices=("best", "final"),
        default="best",
        help="weights of the lowest validation loss (best, default) or of the last epoch",
    )
    _add_choice(parser.add_argument_group("which rows"))
    _add_ranking(parser.add_argument_group("how they are ranked"))
    shown = parser.add_argument_group("how they are shown")
    shown.add_argument(
        "--format",
        choices=FORMATS,
        default="table",
        help="default: table, as wide as there is room",
    )
    shown.add_argument("--json", action="store_true", help="the same as --format json")
    shown.add_argument(
        "--against",
        choices=("published",),
        help="beside each row every published number (results/published.csv) with its source",
    )
    shown.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw scores and cost of the rows (PNG, PDF)"
    )


def _add_choice(group: Any) -> None:
    for name, what in (
        ("data", "data set"),
        ("network", "network"),
        ("protocol", "protocol (standard, legacy)"),
    ):
        group.add_argument(
            f"--{name}",
            action="append",
            default=[],
            metavar="NAME",
            help=f"only rows of this {what}; may be repeated",
        )
    group.add_argument(
        "--sort", metavar="COLUMN", help="order by a column of leaderboard.csv, best first"
    )
    group.add_argument("--reverse", action="store_true", help="the other way round")


def _add_ranking(group: Any) -> None:
    group.add_argument(
        "--seeds",
        metavar="N,N,...",
        help="refuse (exit 3) unless every row is the mean of exactly these seeds",
    )
    group.add_argument(
        "--allow-unlike",
        action="store_true",
        help="rank rows of unlike seeds or test sources all the same; the output says so",
    )
    group.add_argument(
        "--rank-by",
        choices=RANKINGS,
        default=RANKINGS[0],
        help="recognition is the MPCA; cost is parameters, multiply-adds and inference time",
    )
    group.add_argument(
        "--weights",
        metavar="NAME=N,...",
        help="of the ranks in mpca (3), parameters (1), multiply_adds (1), inference_time (1)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the leaderboard; also brings ``leaderboard.csv`` up to date where it may."""
    board = _board(arguments)
    if arguments.plot is not None:
        _draw(board.rows, arguments.plot)
    _print(board, "json" if arguments.json else arguments.format)
    return 0


def _board(arguments: argparse.Namespace) -> Any:
    """The rows that are wanted, ranked and ordered as asked, with what must be said of them."""
    from benchmarker.report import against, choice, cost
    from benchmarker.report.formats import Board
    from benchmarker.report.published import shipped_numbers
    from benchmarker.report.ranking import fields

    weights = _weights(arguments)
    rows = [row for row in _rows(arguments) if row["model"] in (None, arguments.model)]
    statements = _statements(arguments)
    if weights is not None:
        cost.fill(fields(rows), weights)
        rows = choice.by_rank(rows, cost.RANKINGS[arguments.rank_by])
        statements.append(cost.explained(arguments.rank_by, weights))
    names = ("data", "network", "protocol")
    rows = choice.chosen(rows, {name: getattr(arguments, name) for name in names})
    _check_seeds(rows, arguments)
    if arguments.against:
        against.fill(rows, shipped_numbers())
        statements.append(against.explained(rows))
    if arguments.sort is not None:
        rows = choice.sorted_by(rows, arguments.sort, reverse=arguments.reverse)
    elif arguments.reverse:
        rows.reverse()
    return Board(rows, tuple(statements), arguments.allow_unlike)


def _weights(arguments: argparse.Namespace) -> dict[str, float] | None:
    from benchmarker.core.errors import SettingsError
    from benchmarker.report.cost import read_weights

    if arguments.rank_by != RANKINGS[0]:
        return read_weights(arguments.weights)
    if arguments.weights is not None:
        message = f"--weights {arguments.weights}: expected together with --rank-by cost or both"
        raise SettingsError(message)
    return None


def _statements(arguments: argparse.Namespace) -> list[str]:
    texts = []
    if arguments.allow_unlike:
        texts.append("Rows of unlike seeds or test sources are ranked together (--allow-unlike).")
    if arguments.network:
        texts.append("Ranks are among all networks, shown or not.")
    return texts


def _rows(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """All rows; where nothing is overridden leaderboard.csv is written from the same."""
    from benchmarker.core.errors import MissingDataError, SettingsError
    from benchmarker.core.records import run_folders
    from benchmarker.report.leaderboard import read_rows, refresh
    from benchmarker.report.ranking import Rules

    rows: list[dict[str, Any]] = []
    if run_folders(arguments.results):
        rules = Rules(seeds_of(arguments.seeds), arguments.allow_unlike)
        try:
            rows = refresh(arguments.results)
        except SettingsError as error:
            # a shared, read-only folder of results can still be looked at
            print(f"leaderboard.csv was left as it is: {error}", file=sys.stderr)
            rows = read_rows(arguments.results)
        if rules != Rules():
            rows = read_rows(arguments.results, rules=rules)
    if not rows:
        message = (
            f"no finished run below {arguments.results}/runs; run one first, for instance "
            "`python quickstart.py -a convxpress.txt`, or name another folder with --results"
        )
        raise MissingDataError(message)
    return rows


def _check_seeds(rows: list[dict[str, Any]], arguments: argparse.Namespace) -> None:
    from benchmarker.core.errors import CheckFailedError, Problems
    from benchmarker.report.leaderboard import check_expected_seeds

    expected = seeds_of(arguments.seeds)
    if expected is None or arguments.allow_unlike:
        return
    problems = Problems("the leaderboard", CheckFailedError)
    for text in check_expected_seeds(rows, expected):
        problems.add(text)
    problems.raise_if_any()


def _draw(rows: list[dict[str, Any]], path: Path) -> None:
    from benchmarker.core.errors import SettingsError
    from benchmarker.report.plots import leaderboard_plot

    if path.suffix.lower() not in (".png", ".pdf", ".svg"):
        message = f"--plot {path}: expected a name ending in .png, .pdf or .svg"
        raise SettingsError(message)
    leaderboard_plot(rows, path)
    print(f"drawn: {path}", file=sys.stderr)


def _print(board: Any, form: str) -> None:
    from benchmarker.report.formats import FORMATS as WRITERS
    from benchmarker.report.tables import table
    from benchmarker.report.text import show, width_of

    if form == "table":
        drawn = table(board.rows, width=width_of(sys.stdout), statements=board.statements)
        show(drawn, sys.stdout)
    else:
        print(WRITERS[form](board), end="")

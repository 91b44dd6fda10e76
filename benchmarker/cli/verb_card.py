"""``benchmarker card``: model cards and data cards, as Markdown, from records."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

NAME = "card"
HELP = "write the model card of a run or a network, or the card of a data set, as Markdown"
EXAMPLES = """examples:
  benchmarker card convXpress --results results -o convxpress.md
      all seeds and data sets of one network, a chapter each
  benchmarker card convXpress --data first
      on one data set
  benchmarker card results/runs/RUN
      one run
  benchmarker card --data first
      the data set: terms, composition, what networks made of it
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    add = parser.add_argument
    add("what", nargs="?", metavar="RUN|NETWORK", help="run folder, or name of a network")
    add("--data", metavar="NAME", help="data set: its card, or only this chapter of a network's")
    add("--results", type=Path, default=Path("results"), metavar="DIR", help="default: results")
    add("--model", choices=("best", "final"), default="best", help="weights of the runs")
    add("-o", "--output", type=Path, metavar="FILE", help="default: standard output")


def run(arguments: argparse.Namespace) -> int:
    """Write the card; runs that are left out are named on stderr."""
    from benchmarker.core.errors import SettingsError
    from benchmarker.core.files import write_text

    if arguments.what is None and arguments.data is None:
        message = "which card? expected a run folder, the name of a network, or --data NAME"
        raise SettingsError(message)
    text = _data_card(arguments) if arguments.what is None else _model_card(arguments)
    if arguments.output is None:
        print(text, end="")
    else:
        print(write_text(arguments.output, text))
    return 0


def _model_card(arguments: argparse.Namespace) -> str:
    from benchmarker.core.errors import MissingDataError
    from benchmarker.core.records import read_record
    from benchmarker.exports.model_card import model_card

    if (Path(arguments.what) / "run.json").is_file():
        record = read_record(arguments.what)
        if not record.is_complete:
            message = f"{record.folder} is not complete (it is {record.state})"
            raise MissingDataError(message)
        return model_card(record.network, _contenders([record], arguments))
    records = _records(arguments)
    found = _contenders(records, arguments, network=arguments.what, data=arguments.data)
    if not found:
        raise MissingDataError(_no_run(arguments, records))
    return model_card(arguments.what, found)


def _data_card(arguments: argparse.Namespace) -> str:
    from benchmarker.data.cards import load_card
    from benchmarker.exports.data_card import data_card

    card = load_card(arguments.data)
    records = [one for one in _records(arguments) if card.name in _names(one)]
    return data_card(card, _contenders(records, arguments))


def _names(record: Any) -> set[str]:
    return {record.data["name"], record.data.get("card")}


def _records(arguments: argparse.Namespace) -> list[Any]:
    from benchmarker.core.errors import Problems
    from benchmarker.core.records import find_records

    problems = Problems(arguments.results)
    found = find_records(arguments.results, problems=problems)
    _tell(problems)
    return found


def _contenders(records: list[Any], arguments: argparse.Namespace, **wanted: Any) -> list[Any]:
    from benchmarker.core.errors import Problems
    from benchmarker.report.contenders import contenders

    problems = Problems(arguments.results)
    found = contenders(records, model=arguments.model, problems=problems, **wanted)
    _tell(problems)
    problems.texts = [] if found or not records else problems.texts
    problems.raise_if_any()
    return found


def _tell(problems: Any) -> None:
    for text in problems.texts:
        print(f"left out: {text}", file=sys.stderr)


def _no_run(arguments: argparse.Namespace, records: list[Any]) -> str:
    from benchmarker.core.errors import suggest

    known = sorted({one.network for one in records if one.is_complete})
    on = f" on {arguments.data}" if arguments.data else ""
    return (
        f"no complete run of {arguments.what!r}{on} below {arguments.results}/runs"
        f"{suggest(arguments.what, known)}; there are runs of: {', '.join(known) or 'nothing'}"
    )

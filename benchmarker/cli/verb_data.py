"""``benchmarker data ...``: list, fetch, check, split, convert and simulate data sets."""

from __future__ import annotations

import argparse

from benchmarker.cli.main import add_verbs
from benchmarker.core.errors import SettingsError

NAME = "data"
HELP = "list, fetch, check, split, convert and simulate data sets"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One sub-verb for each ``data_*.py`` of this folder."""
    add_verbs(parser, "data_", "what to do with data")


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 (reached only without a sub-verb)
    """Without a sub-verb there is nothing to do."""
    message = "which of the data verbs? try 'benchmarker data --help'"
    raise SettingsError(message)

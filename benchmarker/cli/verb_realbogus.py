"""``benchmarker realbogus ...``: cutouts, data sets, scores and plots of real and bogus stamps."""

from __future__ import annotations

import argparse

from benchmarker.cli.main import add_verbs
from benchmarker.core.errors import SettingsError

NAME = "realbogus"
HELP = "real or bogus: from difference images to scored candidates (psat-ml)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One sub-verb for each ``realbogus_*.py`` of this folder."""
    add_verbs(parser, "realbogus_", "what to do with stamps of difference images")


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 (reached only without a sub-verb)
    """Without a sub-verb there is nothing to do."""
    message = "which of the realbogus verbs? try 'benchmarker realbogus --help'"
    raise SettingsError(message)

"""``benchmarker artifacts ...``: classify whole fields, and scripts for batch systems."""

from __future__ import annotations

import argparse

from benchmarker.cli.main import add_verbs
from benchmarker.core.errors import SettingsError

NAME = "artifacts"
HELP = "find artefacts in whole-field radio images and say so in their headers"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One sub-verb for each ``artifacts_*.py`` of this folder."""
    add_verbs(parser, "artifacts_", "what to do with images")


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 (reached only without a sub-verb)
    """Without a sub-verb there is nothing to do."""
    message = "which of the artifacts verbs? try 'benchmarker artifacts --help'"
    raise SettingsError(message)

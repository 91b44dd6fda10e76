"""The option ``--plot FILE`` of verbs that draw what they print."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarker.core.errors import SettingsError

ENDINGS = (".png", ".pdf", ".svg")


def add_plot(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare the option; `what` is drawn."""
    text = f"draw {what} ({', '.join(ending[1:].upper() for ending in ENDINGS)})"
    parser.add_argument("--plot", type=Path, metavar="FILE", help=text)


def check_plot(path: Path | None) -> None:
    """Raise `SettingsError` for a file that is no picture, before anything is computed."""
    if path is not None and path.suffix.lower() not in ENDINGS:
        message = (
            f"--plot {path}: expected a name ending in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"
        )
        raise SettingsError(message)

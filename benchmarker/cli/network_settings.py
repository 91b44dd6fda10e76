"""The option ``--set KEY=VALUE``: settings that a network declares."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarker.core.errors import SettingsError


def add_set_option(parser: argparse.ArgumentParser) -> None:
    """Declare ``--set``, which may be given several times."""
    parser.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting of the network, e.g. gates=2 of agcnn; may be given several times",
    )


def chosen_settings(texts: Sequence[str]) -> dict[str, str]:
    """Settings by name, as text; raises `SettingsError` for a text of another form.

    Whether the network knows them is checked where they are used.
    """
    chosen: dict[str, str] = {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not (key and equals and value):
            message = f"--set {text!r} is not of the form key=value; expected e.g. gates=2"
            raise SettingsError(message)
        if key in chosen:
            message = f"--set gives {key!r} twice: {chosen[key]!r} and {value!r}"
            raise SettingsError(message)
        chosen[key] = value
    return chosen

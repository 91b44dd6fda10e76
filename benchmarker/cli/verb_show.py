"""`benchmarker show NAME`: the layers and counts of one network."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

from benchmarker.cli.network_settings import add_set_option, chosen_settings
from benchmarker.core.errors import EXIT_FINE, SettingsError

if TYPE_CHECKING:
    from rich.console import Console

    from benchmarker.networks.describe import Description

NAME = "show"
HELP = "layers, output shapes, parameters, multiply-adds and paper of one network"
FILE_WIDTH = 160  # columns of a table that goes to a file, where no terminal says how many


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "network", metavar="NAME", help="a name that `benchmarker list networks` prints"
    )
    add_input_options(parser)
    add_set_option(parser)
    parser.add_argument(
        "--legacy", action="store_true", help="the published sigmoid output of the atlas networks"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the description; returns 0, raises `SettingsError` for a name or size at fault."""
    from benchmarker.networks.describe import describe

    description = describe(
        arguments.network,
        image_size(arguments.size),
        arguments.classes,
        arguments.channels,
        legacy=arguments.legacy,
        settings=chosen_settings(arguments.settings),
    )
    if arguments.json:
        print(json.dumps(description.as_dict(), indent=2))
    else:
        _print(description, chosen_settings(arguments.settings))
    return EXIT_FINE


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """The options that say what images a network gets."""
    parser.add_argument(
        "--size",
        default="300",
        metavar="PIXELS",
        help="image size: one number, or HEIGHTxWIDTH (default 300)",
    )
    parser.add_argument(
        "--classes", type=int, default=4, metavar="N", help="number of classes (default 4)"
    )
    parser.add_argument(
        "--channels", type=int, default=1, metavar="N", help="channels of an image (default 1)"
    )


def image_size(text: str) -> tuple[int, int]:
    """(height, width) from ``300`` or ``300x200``; raises `SettingsError` for anything else."""
    match = re.fullmatch(r"(\d{1,6})(?:x(\d{1,6}))?", text.strip())
    if match is None:
        message = f"--size is {text!r}, expected pixels such as 300, or height x width: 300x200"
        raise SettingsError(message)
    return int(match[1]), int(match[2] or match[1])


def console() -> Console:
    """Where tables go: standard output, wide enough to be read in a file too."""
    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else FILE_WIDTH
    return Console(width=width, markup=False, highlight=False)


def _print(description: Description, chosen: dict[str, str]) -> None:
    from rich.table import Table

    table = Table(title=f"{description.name}: {_input_text(description)}")
    for heading in ("#", "name", "layer", "setting", "activation", "output"):
        table.add_column(heading, justify="right" if heading == "#" else "left")
    for heading in ("parameters", "multiply-adds"):
        table.add_column(heading, justify="right")
    for number, row in enumerate(description.layers, start=1):
        shape = " x ".join(str(length) for length in row.output_shape)
        counts = (_number(row.parameters), _number(row.multiply_adds))
        words = (row.name, row.layer, row.setting, row.activation, shape)
        table.add_row(str(number), *words, *counts)
    place = console()
    place.print(table)
    for label, value in _facts(description):
        place.print(f"{label:<16} {value}", soft_wrap=True)
    for label, value in _own_settings(description.name, chosen):
        place.print(f"{label:<16} {value}", soft_wrap=True, markup=False)


def _own_settings(name: str, chosen: dict[str, str]) -> list[tuple[str, str]]:
    """One line per setting that the network declares: its value here and what it does."""
    from benchmarker.networks import registry

    python = registry.find(name).python
    values = registry.network_settings(name, chosen)
    declared = {} if python is None else python.settings
    return [
        ("settings" if number == 0 else "", f"{key}={values[key]}  {declared[key].about}")
        for number, key in enumerate(declared)
    ]


def _input_text(description: Description) -> str:
    height, width, channels = description.input_shape
    return f"{height} x {width} x {channels} image, {description.classes} classes"


def _facts(description: Description) -> list[tuple[str, Any]]:
    parts = (
        ("convolutions", description.conv_parameters),
        ("dense", description.dense_parameters),
        ("batch norm", description.bn_parameters),
    )
    text = ", ".join(f"{value:,} {word}" for word, value in parts if value)
    fixed = description.parameters - description.trainable_parameters
    facts = [
        ("parameters", f"{description.parameters:,} ({text})"),
        ("trainable", f"{description.trainable_parameters:,}" if fixed else "all"),
        ("multiply-adds", f"{description.multiply_adds:,}, FLOPs {description.flops:,}"),
        (
            "receptive field",
            f"{description.receptive_field} pixels, stride {description.stride}",
        ),
        ("output", description.final_activation),
        ("family, role", f"{description.family}, {description.role}"),
        ("note", description.note),
        ("paper", description.paper),
    ]
    if description.unseeded:
        facts.append(("seeds", "published with layers without a seed; all are seeded here"))
    return [(label, value) for label, value in facts if value]


def _number(value: int) -> str:
    return f"{value:,}" if value else ""

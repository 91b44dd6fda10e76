"""``benchmarker data audit``: what a labelled list gives away, before anything is trained on it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarker.core.errors import EXIT_CHECK, EXIT_FINE

if TYPE_CHECKING:
    from benchmarker.data.audit_tables import LabelledTable
    from benchmarker.data.findings import Report

NAME = "audit"
HELP = "find leaking groups, contradicting labels, classes that follow from metadata, and twins"
EXAMPLES = """examples:
  benchmarker data audit list.csv
  benchmarker data audit list.csv --class morphology --group night,camera --json
  benchmarker data audit mirabest

exit status: 0, or 3 where a group has images on both sides of the split
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which list, and what its columns are where their names do not tell."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument(
        "what", metavar="LIST_OR_DATA", help="CSV list with labels, a data set, or a card"
    )
    parser.add_argument("--class", dest="label", metavar="COLUMN", help="column of the classes")
    parser.add_argument(
        "--group",
        action="append",
        default=[],
        metavar="COLUMN[,COLUMN]",
        help="what must not be torn apart; may be repeated (default: obsid, night, object, "
        "position and the like, as far as they are there)",
    )
    parser.add_argument("--subset", metavar="NAME", help="of a data set")
    parser.add_argument("--json", action="store_true", help="print JSON alone")


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; 3 if one of them is an error, else 0."""
    from benchmarker.data.auditing import audit

    report = audit(_table(arguments))
    if arguments.json:
        print(json.dumps(report.as_dict(), indent=2, allow_nan=False))
    else:
        _print(report)
    return EXIT_CHECK if report.has_errors else EXIT_FINE


def _table(arguments: argparse.Namespace) -> LabelledTable:
    from benchmarker.data.audit_tables import labelled, read_table, table_of_images
    from benchmarker.data.opening import open_data
    from benchmarker.data.reading_options import ReadOptions

    path = Path(arguments.what)
    if path.suffix.lower() == ".csv" and path.is_file():
        frame, name = read_table(path, label=arguments.label), path.name
    else:
        images = open_data(arguments.what, options=ReadOptions(subset=arguments.subset))
        frame, name = table_of_images(images), images.name
    return labelled(frame, name, label=arguments.label, groups=arguments.group)


def _print(report: Report) -> None:
    classes = ", ".join(f"{name} {count}" for name, count in report.classes.items())
    print(f"{report.name}: {report.images} rows ({classes})")
    for part, counts in report.counts["parts"].items():
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        print(f"  {part}: {sum(counts.values())} ({told})")
    for finding in report.findings:
        print(f"  {finding.severity:<8} {finding.kind:<20} {finding.text}")
    print(f"  errors: {report.counts['errors']}, warnings: {report.counts['warnings']}")

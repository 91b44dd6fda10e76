"""``benchmarker data check``: repeats, leaks, empty images and close neighbours of a data set."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from benchmarker.core.errors import EXIT_CHECK, EXIT_FINE

if TYPE_CHECKING:
    from benchmarker.data.findings import Report
    from benchmarker.data.images import ImageSet

NAME = "check"
MOST_SHOWN = 20  # findings of one kind in the text; a survey's edges fill thousands of lines
HELP = "look for repeats, leaks between train and test, empty or broken images, sky neighbours"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which images, and how close is close."""
    parser.add_argument("what", metavar="PATH_OR_CARD", help="images, or the name of a card")
    parser.add_argument(
        "--subset", metavar="NAME", help="a subset that the card declares (data list shows them)"
    )
    parser.add_argument(
        "--against", metavar="OTHER", help="also look for what OTHER shares with it"
    )
    parser.add_argument("--manifest", metavar="FILE", help="table of names and labels of a folder")
    parser.add_argument("--labels", metavar="FILE", help="table of label codes and class names")
    parser.add_argument(
        "--split", metavar="FILE", help="look for leaks in this split (default: the published one)"
    )
    parser.add_argument(
        "--neighbour-arcsec",
        type=_arcsec,
        metavar="X",
        help="sources closer than X show in each other's image (default: half the image side)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON alone")


def _arcsec(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        message = f"{text!r} is not a number of arcsec from 0"
        raise argparse.ArgumentTypeError(message)
    return value


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; 3 if one of them is an error, else 0."""
    from benchmarker.data.checking import check_between, check_images
    from benchmarker.data.splits import read_split

    tables = {"manifest": arguments.manifest, "labels": arguments.labels}
    images = _open(arguments.what, arguments.subset, **tables)
    split = read_split(arguments.split, images.sources) if arguments.split else None
    with _progress(len(images)) as progress:
        report = check_images(
            images,
            split=split,
            neighbour_arcsec=arguments.neighbour_arcsec,
            progress=progress,
        )
    reports = [report]
    if arguments.against:
        reports.append(check_between(images, _open(arguments.against)))
    if arguments.json:
        _print_json(reports)
    else:
        for one in reports:
            _print_table(one)
    return EXIT_CHECK if any(one.has_errors for one in reports) else EXIT_FINE


def _open(what: str, subset: str | None = None, **tables: str | None) -> ImageSet:
    from benchmarker.data.opening import open_data
    from benchmarker.data.reading_options import ReadOptions

    # NaN stay as they are: the check is there to find them
    options = ReadOptions(non_finite="keep", subset=subset)
    return open_data(what, **tables, options=options)


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None] | None]:
    """A progress bar on stderr where somebody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading images", total=total)
        yield lambda done: bar.update(task, completed=done)


def _print_json(reports: list[Report]) -> None:
    value = reports[0].as_dict()
    if len(reports) > 1:
        value["against"] = reports[1].as_dict()
    print(json.dumps(value, indent=2))


def _print_table(report: Report) -> None:
    classes = ", ".join(f"{name} {count}" for name, count in report.classes.items())
    print(f"{report.name}: {report.images} images ({classes})")
    numbers = Counter((finding.severity, finding.kind) for finding in report.findings)
    shown: Counter[tuple[str, str]] = Counter()
    for finding in report.findings:
        kind = (finding.severity, finding.kind)
        shown[kind] += 1
        if shown[kind] <= MOST_SHOWN:
            print(f"  {finding.severity:<8} {finding.kind:<24} {finding.text}")
        elif shown[kind] == numbers[kind]:
            more = f"and {numbers[kind] - MOST_SHOWN} more of this kind (--json lists them)"
            print(f"  {finding.severity:<8} {finding.kind:<24} {more}")
    errors, warnings = report.counts["errors"], report.counts["warnings"]
    print(f"  errors: {errors}, warnings: {warnings}")

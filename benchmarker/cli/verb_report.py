"""``benchmarker report``: a static HTML site from the records of a results folder."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarker.core.records import Record

NAME = "report"
HELP = "write a static HTML report on all runs, to be opened from disk"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "--results", type=Path, default=Path("results"), metavar="DIR", help="default: results"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("site"),
        metavar="DIR",
        help="folder of the site; an earlier report there is replaced (default: site)",
    )
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Write the site; folders that are no readable run are named on stderr and left out."""
    from benchmarker import __version__
    from benchmarker.report.site.build import build
    from benchmarker.runs.folder import utc_now

    built = build(
        arguments.results,
        arguments.output,
        known=known_network,
        made=f"benchmarker {__version__}, {utc_now()}",
        progress=_progress if sys.stderr.isatty() else None,
    )
    for text in built.left_out:
        print(f"left out: {text}", file=sys.stderr)
    if arguments.json:
        found = {"index": str(built.index), "networks": built.networks, "runs": built.runs}
        print(json.dumps({**found, "left_out": list(built.left_out)}, indent=2))
    else:
        print(f"{built.networks} network pages and {built.runs} run pages; open")
        print(built.index)
    return 0


def _progress(done: int, total: int) -> None:
    end = "\n" if done == total else ""
    print(f"\rwriting page {done} of {total}", end=end, file=sys.stderr, flush=True)


def known_network(record: Record) -> Mapping[str, Any]:
    """What the registry knows of a record's network without building it.

    ``paper``; ``reference``: input shape, classes and parameters at the input of the 2021
    comparison; ``description``: as `show --json`, of layer lists at the size of the run.
    Empty where the name stands for no network here, or for another one than the run's.
    """
    from benchmarker.core.errors import BenchmarkerError
    from benchmarker.networks import describe, registry

    try:
        entry = registry.find(record.network)
        if entry.digest != record.identity["network_digest"]:
            return {}
        own = record.settings.get("network_settings")
        known: dict[str, Any] = {"paper": entry.paper}
        if not own:
            shape, classes = describe.REFERENCE_INPUT, describe.REFERENCE_CLASSES
            parameters, _ = describe.counts(entry, shape, classes)
            reference = {"input_shape": list(shape), "classes": classes}
            known["reference"] = {**reference, "parameters": parameters}
        if entry.layers is not None:
            size, classes = tuple(record.settings["size"]), len(record.classes)
            found = describe.describe(record.network, size, classes)
            # images of several channels, or a form that an option changed, are not known here
            if found.parameters == record.facts.get("parameters"):
                known["description"] = found.as_dict()
    except BenchmarkerError:
        # a record is shown also where its network is gone, or no longer takes its images
        return {}
    return known

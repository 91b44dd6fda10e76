"""``benchmarker artifacts classify``: probabilities of artefacts, into headers and tables."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarker.cli.artifact_options import add_choices, add_images
from benchmarker.cli.run_options import checked

NAME = "classify"
HELP = "class probabilities of FITS images: into their headers, a table and JSON"
STDERR = 2
MOST_LISTED = 50
FITS_ENDING = re.compile(r"\.(fits?|fts)(\.(gz|fz))?$", re.IGNORECASE)
EXAMPLES = """examples:
  benchmarker artifacts classify list.csv -m results/runs/RUN -o found --stats 1
      keywords GOOD, RFI, SIS, RFISIS and others into every image of the list
  benchmarker artifacts classify *.fits -m cnn.safetensors -o found --no-header --fail-on rfi
      the images stay untouched; exit code 3 where one has interference

exit codes: 0 fine, 1 wrong command or list, 2 an image could not be read or its header not be
written (all others are done), 3 an image has what --fail-on asks for, 130 interrupted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    add_images(parser)
    add = parser.add_argument
    add("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the results")
    add(
        "--part",
        type=checked(_part),
        default=(1, 1),
        metavar="I/N",
        help="only the I-th of N parts of the list, as jobs of an array do",
    )
    add("--json", action="store_true", help="print JSON alone")
    add_choices(parser)


def _part(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        message = f"{text!r} is no part; expected e.g. 2/10, the second of ten"
        raise ValueError(message)
    return int(found[1]), int(found[2])


def run(arguments: argparse.Namespace) -> int:
    """Classify all images that can be read; the code says what was found."""
    from benchmarker.core.files import make_folder
    from benchmarker.data.fields import label_codes
    from benchmarker.runs.calm import start_backend

    listed = _images(arguments.images)
    begin, end = share(len(listed), *arguments.part)
    listed = listed[begin:end]
    make_folder(arguments.output)  # a wrong place is told before hours of work
    start_backend()
    from benchmarker.hosts.radiance.classify import class_order, classify
    from benchmarker.hosts.radiance.result_cards import Provenance
    from benchmarker.hosts.radiance.tables import Verdict, summary_of, write_results
    from benchmarker.hosts.radiance.weights import CLASSES
    from benchmarker.runs.progress import Console
    from benchmarker.runs.trained import open_trained

    codes = label_codes(listed, CLASSES, ", ".join(arguments.images))
    trained = open_trained(arguments.network, model=arguments.model)
    class_order(trained)
    provenance = Provenance.of(trained)
    console = Console(STDERR)
    try:
        results = classify(
            trained,
            [one.path for one in listed],
            _choices(arguments),
            provenance,
            lambda done, total: console.step("classifying", done, total),
        )
    finally:
        console.close()
    summary = summary_of(
        codes, results, Verdict(arguments.fail_on, arguments.threshold), provenance
    )
    written = write_results(
        arguments.output, codes, results, summary, statistics=bool(arguments.stats)
    )
    _tell(summary, written, as_json=arguments.json)
    return summary["exit_code"]


def share(count: int, part: int, parts: int) -> tuple[int, int]:
    """Where the `part`-th (from 1) of `parts` equal parts of a list begins and ends."""
    return count * (part - 1) // parts, count * part // parts


def _images(words: Sequence[str]) -> list[Any]:
    from benchmarker.data.fields import Listed, read_list

    found: list[Any] = []
    for word in words:
        found += [Listed(Path(word))] if FITS_ENDING.search(word) else read_list(word)
    return found


def _choices(arguments: argparse.Namespace) -> Any:
    from benchmarker.hosts.radiance.classify import HEADER, NOWHERE, SIDECAR, Choices

    extension = arguments.extension
    return Choices(
        target=NOWHERE if arguments.no_header else SIDECAR if arguments.sidecar else HEADER,
        header_options={
            "also_primary": not arguments.no_primary,
            "follow_links": arguments.follow_links,
            "force_read_only": arguments.force_read_only,
            "keep_times": arguments.keep_times,
        },
        extension=int(extension) if extension and extension.isdigit() else extension,
        downsample=arguments.downsample,
        crop=arguments.crop,
        batch=arguments.batch,
    )


def _tell(summary: dict[str, Any], written: Sequence[Path], *, as_json: bool) -> None:
    broken = [image for image in summary["images"] if image["error"]]
    for image in broken[:MOST_LISTED]:
        print(f"failed: {image['error']}", file=sys.stderr)
    if len(broken) > MOST_LISTED:
        print(f"and {len(broken) - MOST_LISTED} more, see the table", file=sys.stderr)
    if as_json:
        print(json.dumps(summary, indent=2))
        return
    counts = ", ".join(f"{number} {name}" for name, number in summary["counts"].items())
    failed = f", {len(broken)} failed" if broken else ""
    print(f"{len(summary['images'])} images: {counts}{failed}")
    if summary["accuracy_percent"] is not None:
        print(f"{summary['accuracy_percent']:.1f} % as labelled")
    if summary["fail_on"]:
        limit = f"{summary['fail_on']} above {summary['threshold']:g}"
        print(f"{len(summary['found'])} images with {limit}")
        for path in summary["found"][:MOST_LISTED]:
            print(f"  {path}")
    print(f"written: {', '.join(map(str, written))}")

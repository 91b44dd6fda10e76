"""``benchmarker realbogus dataset``: lists of stamps to one HDF5 file in the layout of psat-ml."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarker.cli.run_options import checked
from benchmarker.core.errors import EXIT_FINE
from benchmarker.networks.entries import whole

if TYPE_CHECKING:
    from benchmarker.hosts.realbogus.dataset import SetForm, Summary
    from benchmarker.hosts.realbogus.parts import Parts

NAME = "dataset"
HELP = "make a data set (HDF5 of psat-ml) of lists of good and bad stamps"
EXAMPLES = """examples:
  benchmarker realbogus dataset --good STAMPS/good.txt --bad STAMPS/bad.txt -o set.h5
  benchmarker realbogus dataset --good good.txt --bad bad.txt -o set.h5 --extent 10 --skew 3
  benchmarker realbogus dataset --good candidates.txt -o to_label.h5 (without labels)
"""
ATLAS_MASK = -31415
REPORT_SECONDS = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which stamps, how they are read and normalised, where to."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    add = parser.add_argument
    add("--good", "-p", metavar="LIST", type=Path, required=True, help="real stamps, one per line")
    add(
        "--bad",
        "-n",
        metavar="LIST",
        type=Path,
        help="bogus stamps; without it nothing is labelled",
    )
    add("--output", "-o", metavar="FILE", type=Path, required=True, help="HDF5 file to write")
    add(
        "--skew",
        "-s",
        type=_skew,
        default=3,
        metavar="N",
        help="bogus stamps for each real one, or 'all' (default: %(default)s)",
    )
    add("--rotations", "-r", action="store_true", help="add training stamps turned by 90, 180, 270")
    add("--seed", type=checked(whole(0)), default=0, metavar="N", help="of the parts (default: 0)")
    add("--legacy", action="store_true", help="the order of psat-ml: two parts, with its leak")
    add("--facts", metavar="TABLE", type=Path, help="CSV of what else is known, by column 'file'")
    add("--float32", action="store_true", help="half the size; psat-ml has float64")
    add(
        "--skip",
        type=checked(whole(0)),
        default=0,
        metavar="N",
        help="unreadable stamps to leave out",
    )
    add("--json", action="store_true", help="print JSON alone")
    _of_stamps(parser)


def _of_stamps(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("stamps").add_argument
    add(
        "--extent",
        "-e",
        type=checked(whole(1)),
        default=10,
        metavar="PX",
        help="half the side of the crop (default: %(default)s)",
    )
    add("--extension", "-E", type=_extension, default=None, metavar="HDU", help="default: auto")
    add(
        "--normalisation",
        "-N",
        default="signPreserveNorm",
        metavar="NAME",
        help="default: %(default)s (spn); see docs/psat-ml.md",
    )
    add(
        "--magic",
        "-m",
        type=_magic,
        default=ATLAS_MASK,
        metavar="VALUE",
        help="value of masked pixels, or 'none' (default: %(default)s, ATLAS)",
    )


def _skew(text: str) -> int | None:
    return None if text == "all" else checked(whole(1))(text)


def _extension(text: str) -> int | str | None:
    if text == "auto":
        return None
    return int(text) if text.isdigit() else text


def _magic(text: str) -> float | None:
    if text.lower() == "none":
        return None
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        message = f"{text!r} is no pixel value; expected a number or 'none'"
        raise argparse.ArgumentTypeError(message) from None


def run(arguments: argparse.Namespace) -> int:
    """Write the set; prints how many stamps of each class are in each part."""
    started = time.monotonic()
    form = _form(arguments)
    summary = _unlabelled(arguments, form) if arguments.bad is None else _labelled(arguments, form)
    value = {
        "file": str(arguments.output),
        "rows": summary.rows,
        "flat": summary.flat,
        "left_out": summary.left_out,
        "seconds": round(time.monotonic() - started, 2),
    }
    if arguments.json:
        print(json.dumps(value, indent=2))
    else:
        _print(value)
    return EXIT_FINE


def _form(arguments: argparse.Namespace) -> SetForm:
    from benchmarker.hosts.realbogus.dataset import SetForm
    from benchmarker.hosts.realbogus.stamps import StampForm

    stamps = StampForm(
        arguments.extent, arguments.extension, arguments.magic, legacy=arguments.legacy
    )
    return SetForm(
        stamps,
        arguments.normalisation,
        rotations=arguments.rotations,
        seed=arguments.seed,
        dtype="float32" if arguments.float32 else "float64",
        skip=arguments.skip,
    )


def _labelled(arguments: argparse.Namespace, form: SetForm) -> Summary:
    from benchmarker.hosts.realbogus import lists
    from benchmarker.hosts.realbogus.dataset import Places, write_set
    from benchmarker.hosts.realbogus.parts import grouped_parts, legacy_parts

    good, bad = lists.read_list(arguments.good), lists.read_list(arguments.bad)
    lists.refuse_contradictions(good, bad)
    places = Places(arguments.good.parent, arguments.bad.parent, _facts(arguments))
    if arguments.legacy:
        parts = legacy_parts(good, bad, skew=arguments.skew)
    else:
        parts = grouped_parts(good, bad, skew=arguments.skew, seed=arguments.seed)
    if not arguments.skip:
        _refuse_missing(arguments, parts)
    if parts.torn:
        print(f"note: {len(parts.torn)} objects train and test (as in psat-ml)", file=sys.stderr)
    return write_set(arguments.output, parts, places, form, Progress())


def _refuse_missing(arguments: argparse.Namespace, parts: Parts) -> None:
    """Every stamp that is used is there; the others need not be."""
    from benchmarker.hosts.realbogus import lists
    from benchmarker.hosts.realbogus.parts import BOGUS, REAL

    for label, path in ((REAL, arguments.good), (BOGUS, arguments.bad)):
        lists.refuse_missing(parts.entries_of(label), path.parent, path)


def _unlabelled(arguments: argparse.Namespace, form: SetForm) -> Summary:
    from benchmarker.hosts.realbogus import lists
    from benchmarker.hosts.realbogus.dataset import Places, write_unlabelled

    entries, folder = lists.read_list(arguments.good), arguments.good.parent
    if not arguments.skip:
        lists.refuse_missing(entries, folder, arguments.good)
    places = Places(folder, folder, _facts(arguments))
    return write_unlabelled(arguments.output, entries, places, form, Progress())


def _facts(arguments: argparse.Namespace) -> dict:
    from benchmarker.hosts.realbogus.stamp_facts import read_fact_table

    return {} if arguments.facts is None else read_fact_table(arguments.facts)


def _print(value: dict) -> None:
    for part, counts in value["rows"].items():
        told = ", ".join(f"{count} {word}" for word, count in counts.items())
        print(f"{part:<10} {sum(counts.values()):>9} stamps ({told})")
    if value["flat"]:
        print(f"{value['flat']} stamps without contrast are all 0")
    for name, reason in value["left_out"].items():
        print(f"left out {name}: {reason}")
    print(f"{value['file']} written in {value['seconds']} s")


class Progress:
    """A line that grows on a terminal, a line now and then in a file."""

    def __init__(self) -> None:
        self.started = self.reported = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        terminal = sys.stderr.isatty()
        if now - self.reported < (0.2 if terminal else REPORT_SECONDS):
            return
        self.reported = now
        rate = done / max(now - self.started, 1e-9)
        end = "\r" if terminal and done < total else "\n"
        text = f"{done} of {total} stamps, {rate:.0f} per second"
        print(text, end=end, file=sys.stderr, flush=True)

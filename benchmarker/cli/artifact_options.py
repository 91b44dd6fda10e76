"""Options that ``artifacts classify`` and the job script that calls it have in common."""

from __future__ import annotations

import argparse

from benchmarker.cli.run_options import checked
from benchmarker.networks.entries import number, whole

FAIL_ON = ("rfi", "sis", "any")


def add_images(parser: argparse.ArgumentParser) -> None:
    """Which images, by which network."""
    add = parser.add_argument
    add(
        "images",
        nargs="+",
        metavar="LIST",
        help="CSV list of FITS images: a path a line, and a label (0 good, 1 rfi, 2 sis, 3 rfisis) "
        "where it is known; FITS images themselves may stand here, too",
    )
    add(
        "-m",
        "--network",
        required=True,
        metavar="RUN_OR_WEIGHTS",
        help="run folder or .safetensors file of a network for good, rfi, sis, rfisis",
    )
    add("--model", choices=("best", "final"), default="best", help="weights of a run")


def add_choices(parser: argparse.ArgumentParser) -> None:
    """What is done with them."""
    add = parser.add_argument_group("results").add_argument
    add("--stats", type=int, choices=(0, 1), default=0, help="1: also RADIAnCE's test_*.txt files")
    add("--fail-on", choices=FAIL_ON, help="end with code 3 where an image has this artefact")
    add(
        "--threshold",
        type=checked(number(0, 1)),
        default=0.5,
        metavar="P",
        help="probability above which it has (default: 0.5); rfi counts RFI + RFISIS",
    )
    add = parser.add_argument_group("images").add_argument
    add(
        "--downsample",
        type=checked(whole(1)),
        default=1,
        metavar="N",
        help="means over N x N pixels first, for images larger than the network takes",
    )
    add("--crop", action="store_true", help="take the centre of images that are too large")
    add("--extension", metavar="HDU", help="number or EXTNAME (default: the first with an image)")
    add("--batch", type=checked(whole(1)), metavar="N", help="images at a time (default: by size)")
    _add_header_choices(parser)


def _add_header_choices(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("header cards")
    where = group.add_mutually_exclusive_group()
    add = where.add_argument
    add("--no-header", action="store_true", help="leave the images alone; CSV and JSON only")
    add("--sidecar", action="store_true", help="cards into IMAGE.cards.txt, not into the image")
    add = group.add_argument
    add("--no-primary", action="store_true", help="of an image in an extension, only its header")
    add("--follow-links", action="store_true", help="also images behind symbolic or hard links")
    add("--force-read-only", action="store_true", help="also images without write permission")
    add("--keep-times", action="store_true", help="images keep their times of modification")


SWITCHES = (
    "crop", "no_header", "sidecar", "no_primary", "follow_links", "force_read_only", "keep_times",
)  # fmt: skip
VALUES = {
    "model": "best", "stats": 0, "fail_on": None, "threshold": 0.5, "downsample": 1,
    "extension": None, "batch": None,
}  # fmt: skip


def chosen_words(arguments: argparse.Namespace) -> list[str]:
    """The options that differ from their defaults, as they are typed."""
    words = []
    for name, usual in VALUES.items():
        value = getattr(arguments, name)
        if value != usual:
            words += [_option(name), str(value)]
    return words + [_option(name) for name in SWITCHES if getattr(arguments, name)]


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")

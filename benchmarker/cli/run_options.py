"""The options of ``benchmarker run``: the classic ones of rg-benchmarker, and ours."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarker.core.seeds import PAPER_SEEDS
from benchmarker.networks.entries import number, whole
from benchmarker.runs.settings import (
    CLASS_WEIGHTS,
    KEPT,
    LOSSES,
    MONITORS,
    OPTIMIZERS,
    PROTOCOLS,
    SCHEDULES,
    parse_size,
    read_rate_factor,
)

MODES = ("False", "True", "time", "parameters", "flops")
EXAMPLES = """examples:
  benchmarker run -a convxpress.txt -s 8901
      the embedded simulated radio galaxies, one seed
  benchmarker run -a convxpress.txt -s 8901,1826,4915 -d first -i 150
      real FIRST images (see 'benchmarker data fetch first'), the three seeds of the paper
  benchmarker run -a attention.txt -s 8901 -d mirabest --subset confident
      the attention-gated network on the certain sources of MiraBest
  benchmarker run -a fewlabels.txt -d first -t 25 -v 25 --init results/runs/RUN --freeze trunk
      the same network, from the weights of another run; see docs/transfer.md
  benchmarker run -a architectures.txt -d FITS/ -f unLRG_manifest.csv -t 250 -v 100 --legacy
      the published protocol on your own folder of FITS files
"""


def checked(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """A reader for argparse that keeps the text of its ValueError."""

    def convert(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert


def _seeds(text: str) -> list[int]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdigit() for word in words):
        message = f"{text!r} is not a list of whole numbers; expected e.g. 8901 or 8901,1826,4915"
        raise ValueError(message)
    return [int(word) for word in words]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The classic options of rg-benchmarker, with their meanings, and ours."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    _what(parser)
    _data(parser)
    _training(parser)
    _doing(parser)


def _what(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what to run")
    group.add_argument(
        "-a",
        "--architectures",
        "--architectures_file",
        default="architectures.txt",
        metavar="LIST",
        help="run list: a file, or a name in architectures/ (default: architectures.txt)",
    )
    group.add_argument(
        "-s",
        "--seed",
        "--seeds",
        dest="seeds",
        type=checked(_seeds),
        default=[PAPER_SEEDS[0]],
        metavar="SEEDS",
        help="one seed or several with commas (default: 8901)",
    )
    group.add_argument(
        "-p",
        "--results_path",
        "--results",
        dest="results",
        type=Path,
        default=Path("results"),
        metavar="FOLDER",
        help="records and leaderboard (default: results)",
    )
    group.add_argument(
        "-m",
        "--model_path",
        dest="copies",
        type=Path,
        metavar="FOLDER",
        help="also copy the weights there, under their classic names",
    )
    group.add_argument(
        "-o",
        "--only_test",
        "--only-test",
        action="store_true",
        help="test the stored weights of complete runs; train nothing",
    )
    group.add_argument(
        "--test",
        choices=MODES,
        default="False",
        help="classic modes: True and time test again, parameters and flops describe",
    )


def _data(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("images")
    add = group.add_argument
    add(
        "-d",
        "--data",
        "--data_path",
        dest="data",
        metavar="DATA",
        help="a card (benchmarker data list) or a path: folder of FITS or PNG, .npz, .h5, batches "
        "(default: the card that the run list names, else simulated)",
    )
    add(
        "--subset",
        metavar="NAME",
        help="part of the data set that its card names, e.g. nohybrid or confident of mirabest",
    )
    add(
        "-f",
        "--data_manifest",
        dest="manifest",
        metavar="CSV",
        help="manifest 'name,label' of a folder of FITS files",
    )
    add("--labels", metavar="CSV", help="label file 'Label,Class' (default: COMP FRI FRII BENT)")
    add(
        "--fr0",
        choices=("drop", "merge", "own"),
        help="sources with code 1F (default: own if the label file lists them, else drop)",
    )
    add(
        "--split",
        metavar="FILE",
        help="a split stored by 'benchmarker data split ... --output FILE', e.g. one of five folds",
    )
    add(
        "--skip",
        type=checked(whole(0)),
        metavar="N",
        help="leave out up to N missing or unreadable images, recorded (default: 0)",
    )
    add("-x", "-X", "--mnist", action="store_true", help="the same as -d mnist")
    add(
        "-t",
        "--train_size",
        dest="train",
        type=checked(whole(1)),
        metavar="N",
        help="training sources per class, chosen by the seed (default: the published split)",
    )
    add(
        "-v",
        "--val_size",
        dest="validation",
        type=checked(whole(1)),
        metavar="N",
        help="validation sources per class",
    )
    add(
        "-i",
        "--img_size",
        dest="size",
        type=checked(parse_size),
        metavar="PX",
        help="crop to the central PX x PX, or ROWS,COLUMNS; never enlarged",
    )
    add("--img_rows", type=checked(whole(1)), metavar="PX", help="rows alone")
    add("--img_cols", type=checked(whole(1)), metavar="PX", help="columns alone")
    add(
        "-c",
        "--number_classes",
        "--num_classes",
        dest="classes",
        type=checked(whole(2)),
        metavar="N",
        help="refuse data with another number of classes",
    )
    add(
        "-r",
        "--rotate",
        type=checked(whole(1)),
        metavar="DEGREES",
        help="rotation step: 15 gives 24 rotations, 90 gives 4 (default: the run list's recipe)",
    )
    add("--recipe", metavar="NAME", help="augmentation recipe, a name in augment/")
    add("--preparation", metavar="NAME", help="clip and normalisation (default: the card's)")
    add(
        "--bin_thresh",
        dest="bin_threshold",
        action="store_true",
        default=None,
        help="original option: pixels above 0.8 of the maximum become 1, nothing is clipped",
    )
    add(
        "--cache",
        type=Path,
        default=Path("data/cache"),
        metavar="FOLDER",
        help="prepared images, made once (default: data/cache)",
    )


def _training(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("training (the run list decides where nothing is said)")
    add = group.add_argument
    add("--batch", type=checked(whole(1)), metavar="N", help="images per step (default: 32)")
    add("--optimizer", choices=OPTIMIZERS)
    add("--schedule", choices=SCHEDULES, help="learning rate over epochs (default: plateau)")
    add("--class-weights", dest="class_weights", choices=CLASS_WEIGHTS)
    add(
        "--early_stopping",
        "--early-stopping",
        type=checked(whole(-1)),
        metavar="EPOCHS",
        help="stop after so many epochs without gain; -1 or 0 is off (default)",
    )
    add(
        "--passes",
        type=checked(whole(1)),
        metavar="N",
        help="times that an epoch shows the training images, each time varied anew (default: 1)",
    )
    add(
        "--validation-passes",
        type=checked(whole(0)),
        metavar="N",
        help="randomly varied passes over the validation images (default: 0, as they are)",
    )
    add(
        "--test-passes",
        type=checked(whole(0)),
        metavar="N",
        help="randomly varied passes over the test images, beside the plain test; 360 as "
        "Bowles et al. 2021 (default: 0)",
    )
    add(
        "--init",
        metavar="RUN",
        help="start from other weights: a complete run's folder (its best weights), or a file "
        "of weights; the last layer is new",
    )
    add(
        "--freeze",
        metavar="LAYERS",
        help="with --init: keep these layers as they are: trunk (all but the last), or names or "
        "patterns with +, e.g. conv*",
    )
    add(
        "--rate-factor",
        type=checked(read_rate_factor),
        metavar="F",
        help="with --init: learning rate of the layers taken, relative to the new ones",
    )
    add("--loss", choices=LOSSES, help="double_softmax: the loss of Bowles et al. 2021")
    add(
        "--weight-decay",
        type=checked(number(0.0)),
        metavar="W",
        help="decoupled, times the learning rate (default: 0.004 for adamw, else none)",
    )
    add("--keep", choices=KEPT, help="also keep the weights of epochs, for maps through training")
    add("--monitor", choices=MONITORS, help="loss that decides 'best' (default: cross_entropy)")
    add("--protocol", choices=PROTOCOLS, help=argparse.SUPPRESS)
    add(
        "--legacy",
        action="store_true",
        help="the original protocol where it differs: batches of adjacent rotations, rotated "
        "validation images, total loss monitored, sigmoid output of atlas, 3-sigma clip, and the "
        "original's draw of the sources where -t and -v or the card ask for so many of each class",
    )
    add("--quick", action="store_true", help="at most two epochs a run, for a first look")


def _doing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how to run")
    add = group.add_argument
    add("--again", action="store_true", help="repeat runs that are complete or failed")
    add(
        "--accept-differences",
        action="store_true",
        help="resume although versions, threads or machine differ; the record is marked",
    )
    add(
        "--nondeterministic",
        action="store_true",
        help="allow operations that have no deterministic form on this device; the record is "
        "marked, and does not repeat bit for bit",
    )
    add(
        "--threads",
        type=checked(whole(1)),
        metavar="N",
        help="threads of each run (default: all cores shared out); changes the last bits",
    )
    add(
        "--processes",
        type=checked(whole(1)),
        metavar="N",
        help="runs side by side (default: one for every two cores)",
    )
    add(
        "--workers",
        type=checked(whole(0)),
        default=1,
        metavar="N",
        help="loader threads of each run; changes nothing but speed (default: 1)",
    )
    add("--json", action="store_true", help="print the records' metrics as JSON")
    add("--final", default=None, help=argparse.SUPPRESS)

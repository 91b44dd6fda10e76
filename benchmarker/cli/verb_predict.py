"""``benchmarker predict``: the classes of images, by a trained network."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarker.cli.run_options import checked
from benchmarker.networks.entries import whole

NAME = "predict"
HELP = "classify images with a trained network: data sets, FITS and PNG files, folders of them"
STDERR = 2
MOST_LISTED = 50
MOST_NAMED = 3
GAP = "\x00"  # stands for the name in a reason
EXAMPLES = """examples:
  benchmarker predict results/runs/RUN cutouts/ -o predictions.csv
      every FITS and PNG file below a folder; labels are not needed
  benchmarker predict agcnn.safetensors mirabest --subset confident
      a data set, published weights; the table goes to the screen
  benchmarker predict RUN a.fits b.fits --crop
      single files, larger than the images of the training set
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    add = parser.add_argument
    add("network", metavar="RUN_OR_WEIGHTS", help="run folder or .safetensors file")
    add(
        "images",
        nargs="+",
        metavar="IMAGES",
        help="one data set (card, CARD=PATH, .npz, .h5, folder), or FITS and PNG files and "
        "folders of them",
    )
    add(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="table to write (default: standard output)",
    )
    add("--preparation", metavar="NAME", help="instead of the one the network was trained with")
    add("--subset", help="subset of the data set, e.g. confident")
    add("--crop", action="store_true", help="take the centre of images that are too large")
    add("--model", choices=("best", "final"), default="best", help="weights of a run")
    add(
        "--batch",
        type=checked(whole(1)),
        metavar="N",
        help="images at a time; decides the memory needed (default: 32, or 16 where maps are "
        "normalised over the batch: classes then depend on it)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Classify all images that can be read; returns 1 where some cannot, and names them."""
    from benchmarker.core.errors import EXIT_FINE, EXIT_INPUT
    from benchmarker.runs.calm import start_backend

    start_backend()
    from benchmarker.data.reading_options import ReadOptions
    from benchmarker.hosts.evaluation import images_to_predict, prediction
    from benchmarker.hosts.evaluation.preparing import Fitting
    from benchmarker.runs.progress import Console
    from benchmarker.runs.trained import open_trained

    trained = open_trained(arguments.network, model=arguments.model)
    fitting = Fitting.of(trained, crop=arguments.crop, named=arguments.preparation)
    options = ReadOptions(subset=arguments.subset)
    images = images_to_predict.open_images(arguments.images, trained.classes, options)
    outcome = prediction.Outcome()
    console = Console(STDERR)
    try:
        stream = prediction.predict(
            fitting,
            images,
            outcome,
            batch=arguments.batch,
            step=lambda done, total: console.step("predicting", done, total),
        )
        _write(stream, arguments.output, trained.classes, labelled=images.labels is not None)
    finally:
        console.close()
    _tell(outcome, arguments.output)
    return EXIT_INPUT if outcome.broken else EXIT_FINE


def _write(stream: Any, output: Path | None, classes: tuple[str, ...], *, labelled: bool) -> None:
    """Into a file, whole or not at all, or to standard output as it comes; no table of nothing."""
    from itertools import chain

    from benchmarker.core.files import write_with
    from benchmarker.hosts.evaluation.prediction import text_into, write_rows

    first = next(stream, None)
    if first is None:
        return
    stream = chain([first], stream)
    if output is None:
        write_rows(sys.stdout, classes, stream, labelled=labelled)
        return

    def write(binary: Any) -> None:
        text = text_into(binary)
        write_rows(text, classes, stream, labelled=labelled)
        text.detach()

    write_with(output, write)


def _tell(outcome: Any, output: Path | None) -> None:
    """On stderr: how many of each class, how they were prepared, and what could not be used."""
    counts = ", ".join(f"{number} {name}" for name, number in sorted(outcome.predicted.items()))
    where = "" if output is None or not outcome.count else f", in {output}"
    plural = "" if outcome.count == 1 else "s"
    _say(f"{outcome.count} image{plural}: {counts or 'none could be classified'}{where}")
    if outcome.labelled:
        share = 100 * outcome.right / outcome.labelled
        _say(f"{outcome.right} of {outcome.labelled} as labelled ({share:.1f} %)")
    for text, number in outcome.used.items():
        _say(f"note: {number} of them {text}")
    if outcome.broken:
        number = len(outcome.broken)
        _say(f"{number} image{'s' if number > 1 else ''} could not be used:")
    reasons = _by_reason(outcome.broken)
    for text in reasons[:MOST_LISTED]:
        _say(f"  {text}")
    if len(reasons) > MOST_LISTED:
        _say(f"  and {len(reasons) - MOST_LISTED} more reasons")


def _by_reason(broken: dict[str, str]) -> list[str]:
    """One text per image, or one for all images of the same reason."""
    names: dict[str, list[str]] = {}
    for name, reason in broken.items():
        names.setdefault(reason.replace(name, GAP), []).append(name)
    found = []
    for reason, same in names.items():
        if len(same) > MOST_NAMED:
            examples = ", ".join(same[:MOST_NAMED])
            found.append(f"{len(same)} images ({examples}, ...): {reason.replace(GAP, 'each')}")
        else:
            texts = (reason.replace(GAP, name) for name in same)
            found += [t if GAP in reason else f"{n}: {t}" for n, t in zip(same, texts, strict=True)]
    return found


def _say(text: str) -> None:
    print(text, file=sys.stderr)

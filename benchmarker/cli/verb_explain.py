"""``benchmarker explain``: where a trained network looks, as figures and arrays."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarker.cli.run_options import checked
from benchmarker.networks.entries import whole

NAME = "explain"
HELP = "draw where a trained network looks: attention maps, or Grad-CAM of any network"
FIGURES = (
    "sources", "epochs", "classes", "confusion", "class-epochs", "array", "gates", "class-array",
)  # fmt: skip
EXAMPLES = """examples:
  benchmarker explain results/runs/agcnn-mirabest-s8901-1f2e3d4c mirabest --rows 8,92 -o maps
  benchmarker explain agcnn.safetensors image.fits -o maps --fits
  benchmarker explain RUN mirabest --figure classes --figure confusion -o maps
  benchmarker explain RUN RUN RUN mirabest --figure array --format both -o maps
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    add = parser.add_argument
    add(
        "paths",
        nargs="+",
        metavar="RUN_OR_WEIGHTS ... IMAGES",
        help="run folders or .safetensors files, then a card, a data set (.npz, folder, "
        "CARD=PATH) or single FITS or PNG files",
    )
    add("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the files")
    _which_images(parser)
    _which_maps(parser)
    _which_figures(parser)


def _which_images(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("images").add_argument
    add("--subset", metavar="NAME", help="of the data set (default: that of the run)")
    add(
        "--part",
        choices=("train", "validation", "test", "all"),
        help="of the run's split or the published one (default: test where it is known)",
    )
    add("--sources", metavar="NAME,...", type=_names, default=(), help="only these, or parts of")
    add("--rows", metavar="N,...", type=_numbers, default=(), help="rows of the part, from 0")
    add(
        "--most",
        type=checked(whole(1)),
        default=12,
        metavar="N",
        help="images with maps and figures of their own (default: 12)",
    )
    add("--preparation", metavar="NAME", help="for images of another kind than the network's own")
    add("--crop", action="store_true", help="take the centre of images that are too large")
    add(
        "--first-row",
        choices=("bottom", "top"),
        default="bottom",
        help="where row 0 of an image is (default: bottom, north up, as FITS files have it)",
    )


def _which_maps(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("maps").add_argument
    add(
        "--method",
        choices=("attention", "grad-cam"),
        help="default: attention where the network has gates, else grad-cam",
    )
    add("--layer", metavar="NAME", help="of Grad-CAM (default: the last with features)")
    add(
        "--class",
        dest="of_class",
        metavar="NAME",
        help="what speaks for this class, by Grad-CAM (default: the predicted class)",
    )
    add("--model", choices=("best", "final"), default="best", help="weights of a run")


def _which_figures(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("figures").add_argument
    add(
        "--figure",
        action="append",
        choices=FIGURES,
        help="may be repeated. sources: each source with its maps (default); epochs: through "
        "training; classes, confusion: mean maps over random draws; array, gates: several "
        "networks side by side; class-epochs, class-array: the same of mean maps of classes",
    )
    add("--format", choices=("png", "pdf", "both"), default="png")
    add("--fits", action="store_true", help="also FITS files, with coordinates where known")
    add("--epochs", type=checked(whole(1)), default=5, metavar="N", help="columns of epochs (5)")
    add(
        "--passes",
        type=checked(whole(0)),
        default=100,
        metavar="N",
        help="random draws behind mean maps (default: 100; 0 shows each image once, as it is)",
    )
    add("--recipe", default="affine", metavar="NAME", help="of the draws (default: affine)")
    add("--seed", type=checked(whole(0)), default=8901, metavar="N", help="of the draws (8901)")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _numbers(text: str) -> tuple[int, ...]:
    words = _names(text)
    if not words or not all(word.isdigit() for word in words):
        message = f"{text!r} is not a list of row numbers; expected e.g. 8 or 8,92"
        raise argparse.ArgumentTypeError(message)
    return tuple(int(word) for word in words)


def run(arguments: argparse.Namespace) -> int:
    """Write the files, say on stderr what is done and on stdout what was written."""
    import logging

    from benchmarker.runs.calm import start_backend

    start_backend()
    # several networks, each compiled once: TensorFlow takes that for a mistake and says so
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    from benchmarker.hosts.attention.explain import explain

    request = _request(arguments)
    console = _console()
    try:
        written = explain(request, _say, console.step)
    finally:
        console.close()
    print(f"{len(written)} files in {request.output}:")
    for path in written:
        print(f"  {path.relative_to(request.output)}")
    return 0


def _console() -> Any:
    from benchmarker.runs.progress import Console

    return Console(sys.stderr.fileno())


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _request(arguments: argparse.Namespace) -> Any:
    from benchmarker.hosts.attention.panels import FORMATS, Look
    from benchmarker.hosts.attention.request import Request, sort_paths

    models, images = sort_paths(arguments.paths)
    formats = FORMATS if arguments.format == "both" else (arguments.format,)
    return Request(
        models=models,
        images=images,
        output=arguments.output,
        figures=tuple(dict.fromkeys(arguments.figure or ("sources",))),
        subset=arguments.subset,
        part=arguments.part,
        sources=arguments.sources,
        rows=arguments.rows,
        most=arguments.most,
        method=arguments.method,
        layer=arguments.layer,
        of_class=arguments.of_class,
        epochs=arguments.epochs,
        passes=arguments.passes,
        recipe=arguments.recipe,
        seed=arguments.seed,
        weights=arguments.model,
        preparation=arguments.preparation,
        crop=arguments.crop,
        look=Look("upper" if arguments.first_row == "top" else "lower", None, formats),
        fits=arguments.fits,
    )

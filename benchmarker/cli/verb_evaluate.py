"""``benchmarker evaluate``: trained networks tested again, in many passes and on other sets."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from benchmarker.cli.run_options import checked
from benchmarker.networks.entries import whole

NAME = "evaluate"
HELP = "test trained networks again: in augmented passes, on other data sets, with dropout"
PASSES = 36
STDERR = 2
PARTS = ("test", "validation", "train", "all")
EXAMPLES = """examples:
  benchmarker evaluate results/runs/RUN --passes 360
      its own test split over 360 random variations, as Bowles et al. 2021 test
  benchmarker evaluate results --on mirabest-confident --on frdeep-first
      every run on two sets, without the sources that trained it: a table of sets
  benchmarker evaluate agcnn.safetensors --on mirabest --subset nohybrid
      published weights on a subset of MiraBest
  benchmarker evaluate RUN --on mirabest-uncertain=PATH/mirabest.npz --part all
      a file described by a card, all of it
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    add = parser.add_argument
    add(
        "networks",
        nargs="+",
        metavar="RUN_OR_WEIGHTS",
        help="run folders, folders of results, or .safetensors files",
    )
    add(
        "--on",
        action="append",
        default=[],
        metavar="DATA",
        help="test on this data set: a card, a path, or CARD=PATH; may be repeated "
        "(default: the run's own test split)",
    )
    add("--subset", help="subset of the data, e.g. nohybrid")
    add(
        "--part",
        choices=PARTS,
        default="test",
        help="which sources (default: test; all of a set that has no published split)",
    )
    add(
        "--passes",
        type=checked(whole(0)),
        default=PASSES,
        metavar="N",
        help=f"random variations of each source, 360 in Bowles et al. 2021 (default: {PASSES}); "
        "0 leaves them out",
    )
    add("--recipe", help="how they vary (default: the run's random recipe, else affine)")
    add(
        "--dropout-passes",
        type=checked(whole(0)),
        default=0,
        metavar="N",
        help="passes with dropout switched on and batch normalisation as trained",
    )
    add("--model", choices=("best", "final"), default="best", help="weights of a run")
    add(
        "--trained-on",
        metavar="DATA",
        help="the images that trained the networks, where they are no longer where they were, "
        "or for a weights file; they are left out of other sets",
    )
    add("--crop", action="store_true", help="take the centre of images that are too large")
    add(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="where the files go (default: evaluations/ in the run's folder)",
    )
    add("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Test every network on every set, write each as it is done, print the tables last."""
    from benchmarker.runs.calm import start_backend

    start_backend()
    from benchmarker.hosts.evaluation import session
    from benchmarker.hosts.evaluation.tested import Wanted
    from benchmarker.hosts.evaluation.writing import refuse_foreign
    from benchmarker.runs.progress import Console

    asked = session.Asked(
        arguments.networks,
        arguments.on,
        arguments.subset,
        arguments.trained_on,
        arguments.model,
    )
    pairs = len(session.network_places(asked.networks)) * max(1, len(asked.on))
    if arguments.output is not None and pairs == 1:
        refuse_foreign(arguments.output)  # before hours of computing
    console = Console(STDERR)
    wanted = Wanted(
        part=arguments.part,
        passes=arguments.passes,
        recipe=arguments.recipe,
        dropout_passes=arguments.dropout_passes,
        crop=arguments.crop,
        step=console.step,
    )
    done, folders = [], []
    try:
        for tested in session.evaluate_all(asked, wanted):
            done.append(tested)
            folders.append(_write(tested, arguments.output, alone=pairs == 1))
            if pairs > 1:
                console.say(f"{len(done)} of {pairs}: {folders[-1]}")
    finally:
        console.close()
    _print(done, folders, as_json=arguments.json)
    return 0


def _write(tested: Any, output: Path | None, *, alone: bool) -> Path:
    from benchmarker.hosts.evaluation.writing import folder_of, name_of, write_evaluation

    if output is None:
        return write_evaluation(tested, folder_of(tested.trained) / name_of(tested))
    if alone:
        return write_evaluation(tested, output)
    trained = tested.trained
    run_name = trained.where.stem if trained.record is None else trained.record.folder.name
    return write_evaluation(tested, output / run_name / name_of(tested))


def _print(done: list[Any], folders: list[Path], *, as_json: bool) -> None:
    import json
    import sys

    from benchmarker.hosts.evaluation.grid import grid
    from benchmarker.hosts.evaluation.tables import grid_table, result_tables
    from benchmarker.hosts.evaluation.writing import summary
    from benchmarker.report.text import sentence, show

    if as_json:
        found = [
            {**summary(tested), "folder": str(folder)}
            for tested, folder in zip(done, folders, strict=True)
        ]
        table = [row.as_dict() for row in grid(done)]
        print(json.dumps({"evaluations": found, "table": table}, indent=2, allow_nan=False))
        return
    if len(done) == 1:
        show(result_tables(done[0]), sys.stdout)
        show(sentence(f"files: {folders[0]}"), sys.stdout)
    else:
        show(grid_table(grid(done)), sys.stdout)

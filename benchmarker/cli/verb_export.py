"""``benchmarker export``: a run for other programs, or as one file that works anywhere."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

NAME = "export"
HELP = "write a run as ONNX, LiteRT, plain tensors, a bundle, or into TensorBoard or MLflow"
KINDS = ("onnx", "litert", "safetensors", "tensorboard", "mlflow")
EXAMPLES = """examples:
  benchmarker export results/runs/RUN --bundle convxpress.safetensors
      one safe file; benchmarker predict convxpress.safetensors IMAGES works anywhere
  benchmarker export results/runs/RUN --to onnx -o convxpress.onnx
      written only if it agrees with Keras to 1e-5 on the run's test images
  benchmarker export results/runs/RUN --to tensorboard -o logs/
  benchmarker export results/runs/RUN --to mlflow --uri http://localhost:5000
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    add = parser.add_argument
    add("source", metavar="RUN", help="run folder; for a model file also a .safetensors file")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--to", choices=KINDS, help="form of the export")
    what.add_argument("--bundle", type=Path, metavar="FILE", help="one .safetensors file of it all")
    add("-o", "--output", type=Path, metavar="PATH", help="file to write; a folder for tensorboard")
    add("--uri", metavar="URI", help="MLflow server or folder")
    add("--experiment", metavar="NAME", help="of MLflow (default: benchmarker)")
    add("--model", choices=("best", "final"), default="best", help="weights of a run")
    add("--data", metavar="DATA", help="where the images lie that a model file is checked on")
    add("--json", action="store_true", help="print what was written as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Write the export; says where it is and how well it agrees."""
    _check(arguments)
    is_tracked = arguments.to in ("tensorboard", "mlflow")
    said = _tracked(arguments) if is_tracked else _weights(arguments)
    text = said.pop("text")
    print(json.dumps(said, indent=2, allow_nan=False) if arguments.json else text)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Options that do not go together, before anything heavy is loaded."""
    from benchmarker.core.errors import Problems, SettingsError

    problems = Problems("benchmarker export", SettingsError)
    if arguments.to == "mlflow":
        if arguments.uri is None:
            problems.add("--to mlflow needs --uri with a server or a folder")
    elif arguments.to is not None and arguments.output is None:
        problems.add(f"--to {arguments.to} needs -o with the path to write")
    if arguments.bundle is not None and arguments.output is not None:
        problems.add("--bundle names the file already: leave -o out")
    if arguments.to != "mlflow":
        for option, value in (("uri", arguments.uri), ("experiment", arguments.experiment)):
            if value is not None:
                problems.add(f"--{option} belongs to --to mlflow")
    problems.raise_if_any()


def _tracked(arguments: argparse.Namespace) -> dict[str, Any]:
    from benchmarker.core.records import read_record

    record = read_record(arguments.source)
    if arguments.to == "tensorboard":
        from benchmarker.runs.calm import start_backend

        start_backend()
        from benchmarker.exports.tensorboard import write_events

        path = write_events(record, arguments.output)
        return {"text": f"{path}: tensorboard --logdir {arguments.output}", "path": str(path)}
    from benchmarker.exports.mlflow import EXPERIMENT, write_run

    experiment = arguments.experiment or EXPERIMENT
    name, is_new = write_run(record, arguments.uri, experiment)
    word = "written as" if is_new else "there already as"
    text = f"{record.folder.name}: {word} run {name} of experiment {experiment}"
    return {"text": text, "run": name, "experiment": experiment, "new": is_new}


def _weights(arguments: argparse.Namespace) -> dict[str, Any]:
    from benchmarker.runs.calm import start_backend

    start_backend()
    from benchmarker.exports.source import open_source

    trained = open_source(arguments.source, arguments.model)
    if arguments.bundle is not None:
        from benchmarker.exports.bundle import write_bundle

        path = write_bundle(trained, arguments.bundle, arguments.model)
        size = path.stat().st_size / 1e6
        text = f"{path}: {trained.network}, {len(trained.classes)} classes, {size:.1f} MB"
        return {"text": text, "path": str(path)}
    from benchmarker.exports.model_files import write_model

    written = write_model(
        trained, arguments.to, arguments.output, model=arguments.model, data=arguments.data
    )
    found = written.agreement
    text = f"{written.path} (how to use it: {written.beside})"
    if found is not None:
        text += (
            f"\nprobabilities agree with Keras within {found.furthest:.1e} on {found.images} "
            f"images of {found.data}"
        )
    said = {"text": text, "path": str(written.path), "beside": str(written.beside)}
    return {**said, "agreement": None if found is None else found.as_dict()}

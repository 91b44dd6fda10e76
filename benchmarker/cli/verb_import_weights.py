"""``benchmarker import-weights``: weights that another program trained, for use here."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarker.cli.network_settings import add_set_option, chosen_settings

NAME = "import-weights"
HELP = "bring weights of another program (.pt, .h5, .npz, .safetensors) into a network of ours"
EXAMPLES = """examples:
  benchmarker import-weights agcnn 26.pt -o agcnn.safetensors --set maps_over=batch
      a published checkpoint; its maps take their extremes over the batch
  benchmarker import-weights agcnn arrays.npz -o agcnn.safetensors --set normalisation=softmax
      the same names in an .npz; the normalisation cannot be told from the arrays

then: benchmarker predict agcnn.safetensors IMAGES, and likewise explain and evaluate
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument("network", metavar="NETWORK", help="for instance agcnn")
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="PyTorch checkpoint, or arrays under its names"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE.safetensors", help="to write"
    )
    add_set_option(parser)
    parser.add_argument(
        "--size",
        type=int,
        metavar="N",
        help="side of the images, if the file does not tell (default: 150)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Read, check, write; says what the file did not tell."""
    from benchmarker.data.preparation import named_preparation
    from benchmarker.runs.calm import start_backend

    given = chosen_settings(arguments.settings)
    _require_suffix(arguments.output)
    start_backend()
    from benchmarker.hosts.foreign_weights import import_weights
    from benchmarker.runs.trained import write_trained

    found = import_weights(arguments.network, arguments.file, given, size=arguments.size)
    write_trained(
        arguments.output,
        found.model,
        network=found.network,
        network_settings=found.settings,
        shape=found.shape,
        classes=found.classes,
        preparation=named_preparation(found.preparation),
    )
    if found.assumed:
        advice = f" ({found.advice})" if found.advice else ""
        text = f"not told by {arguments.file}, taken as: {_text(found.assumed)}{advice}"
        print(text, file=sys.stderr)
    told = {key: value for key, value in found.settings.items() if key not in found.assumed}
    height, width, channels = found.shape
    print(f"{arguments.output}: {found.network}, {_text(told)}")
    print(
        f"{height} x {width} x {channels} images, preparation {found.preparation}, "
        f"classes {', '.join(found.classes)}"
    )
    return 0


def _require_suffix(path: Path) -> None:
    from benchmarker.core.errors import SettingsError

    if path.suffix != ".safetensors":
        message = f"--output {path}: expected a name that ends in .safetensors"
        raise SettingsError(message)


def _text(settings: dict[str, object]) -> str:
    return ", ".join(f"{key}={value}" for key, value in settings.items()) or "no settings"

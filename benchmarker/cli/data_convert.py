"""``benchmarker data convert``: the published catalogue tables become the two manifests."""

from __future__ import annotations

import argparse
import json

from benchmarker.core.errors import EXIT_FINE

NAME = "convert"
HELP = "make the LRG and unLRG manifests from the tables of Ma et al. 2019 (ApJS 240, 34)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the tables lie and where the manifests go."""
    parser.add_argument(
        "--tables", required=True, metavar="DIR", help="folder of the machine-readable tables 3, 4"
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="folder for the manifests")
    parser.add_argument(
        "--certainty", action="store_true", help="add the certainty of each unLRG label as a column"
    )
    parser.add_argument("--json", action="store_true", help="print JSON alone")


def run(arguments: argparse.Namespace) -> int:
    """Write both manifests and print their counts."""
    from benchmarker.data.ma2019 import convert
    from benchmarker.data.manifests import read_manifest

    paths = convert(arguments.tables, arguments.output, certainty=arguments.certainty)
    written = []
    for path in paths:
        manifest = read_manifest(path, fr0="own")
        written.append({"file": str(path), "rows": len(manifest), "classes": manifest.counts()})
    if arguments.json:
        print(json.dumps({"manifests": written}, indent=2))
        return EXIT_FINE
    for one in written:
        classes = ", ".join(f"{name} {count}" for name, count in one["classes"].items())
        print(f"{one['file']}: {one['rows']} sources ({classes})")
    return EXIT_FINE

"""``benchmarker check``: whether records can be trusted, as far as files can tell."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

NAME = "check"
HELP = "tell whether run folders can be trusted: form, digests, weights, metrics worked out again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="run folders or folders of results (default: results)",
    )
    parser.add_argument(
        "--intervals",
        action="store_true",
        help="repeat the bootstrap as well, which takes several times as long",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Check every run folder; returns 3 where there is a fault, 0 else."""
    from benchmarker.core.errors import EXIT_CHECK, EXIT_FINE
    from benchmarker.runs.trust import inspect

    folders = _folders(arguments.paths or [Path("results")])
    findings = [inspect(folder, intervals=arguments.intervals) for folder in folders]
    if arguments.json:
        print(json.dumps([one.as_dict() for one in findings], indent=2))
    else:
        _print(findings)
    return EXIT_CHECK if any(one.faults for one in findings) else EXIT_FINE


def _folders(paths: list[Path]) -> list[Path]:
    from benchmarker.core.errors import MissingDataError
    from benchmarker.core.records import run_folders

    folders: dict[Path, None] = {}
    for path in paths:
        found = run_folders(path)
        if not found:
            what = "holds no run folder" if path.is_dir() else "does not exist"
            message = f"{path} {what}; expected a run folder or a folder with runs/ in it"
            raise MissingDataError(message)
        folders.update(dict.fromkeys(found))
    return list(folders)


def _print(findings: list[Any]) -> None:
    for one in findings:
        if one.faults:
            count = len(one.faults)
            print(f"{one.folder}: {count} fault{'s' if count > 1 else ''}")
            for text in one.faults:
                print(f"  {text}")
    bad = sum(bool(one.faults) for one in findings)
    total = len(findings)
    print(f"{total} run folder{'s' if total > 1 else ''} checked, {bad or 'none'} with faults")

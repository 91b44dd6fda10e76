"""``benchmarker check``: whether the run folders still are what the runs wrote."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

NAME = "check"
HELP = "validate run folders: form, digests, nothing missing or edited"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="run folders or folders of results (default: results)",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Check every run folder; returns 3 where there is a fault, 0 else."""
    from benchmarker.core.errors import EXIT_CHECK, EXIT_FINE

    folders = _folders(arguments.paths or [Path("results")])
    findings = {folder: _faults(folder) for folder in folders}
    if arguments.json:
        report = [{"folder": str(path), "faults": faults} for path, faults in findings.items()]
        print(json.dumps(report, indent=2))
    else:
        _print(findings)
    return EXIT_CHECK if any(findings.values()) else EXIT_FINE


def _faults(folder: Path) -> list[str]:
    from benchmarker.core.errors import BenchmarkerError
    from benchmarker.core.record_check import check_record
    from benchmarker.core.records import read_record
    from benchmarker.report.temperature_check import temperature_faults

    faults = check_record(folder)
    try:
        return faults + temperature_faults(read_record(folder))
    except BenchmarkerError:
        return faults


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


def _print(findings: dict[Path, list[str]]) -> None:
    for folder, faults in findings.items():
        if faults:
            print(f"{folder}: {len(faults)} fault{'s' if len(faults) > 1 else ''}")
            for text in faults:
                print(f"  {text}")
    bad = sum(map(bool, findings.values()))
    total = len(findings)
    print(f"{total} run folder{'s' if total > 1 else ''} checked, {bad or 'none'} with faults")

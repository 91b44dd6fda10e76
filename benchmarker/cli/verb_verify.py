"""``benchmarker verify``: train a recorded run once more and compare."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

NAME = "verify"
HELP = "train a run once more as its record says, and tell how far the two agree"
EXAMPLES = """examples:
  benchmarker verify results/runs/RUN
      with the recorded threads and flags; refuses where versions or processor differ
  benchmarker verify results/runs/RUN --accept-differences --json
      on another machine: compares the scores on the same test images

exit code: 0 where the record holds, 3 where it does not (see docs/trust.md)
"""
METRICS = {"mpca": "MPCA", "accuracy": "accuracy"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    add = parser.add_argument
    add("run_folder", type=Path, metavar="RUN", help="folder of a complete run")
    add("--data", metavar="DATA", help="where the images lie now (default: as the run found them)")
    add(
        "--accept-differences",
        action="store_true",
        help="train although versions, processor or flags are not those of the record",
    )
    add("--keep", type=Path, metavar="DIR", help="results folder for the new run (default: none)")
    add(
        "--cache",
        type=Path,
        default=Path("data/cache"),
        metavar="DIR",
        help="prepared images, made once (default: data/cache)",
    )
    add("--json", action="store_true", help="print the verdict as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Verify; returns 3 where the record does not hold, 0 where it does."""
    from benchmarker.core.errors import EXIT_CHECK, EXIT_FINE
    from benchmarker.runs.verification import Request, verify

    place = (
        tempfile.TemporaryDirectory(prefix="benchmarker-verify-")
        if arguments.keep is None
        else nullcontext(arguments.keep)
    )
    with place as results:
        verdict = verify(
            Request(
                arguments.run_folder,
                Path(results),
                arguments.cache,
                arguments.data,
                accept_differences=arguments.accept_differences,
            )
        )
        if arguments.json:
            print(json.dumps(verdict.as_dict(), indent=2, allow_nan=False))
        else:
            print("\n".join(lines(verdict)))
        if arguments.keep is not None:
            print(f"the new run: {verdict.again.folder}", file=sys.stderr)
    return EXIT_FINE if verdict.fine else EXIT_CHECK


def lines(verdict: Any) -> list[str]:
    """The verdict in words."""
    from benchmarker.runs.verdict import IDENTICAL

    found = [f"{verdict.record.folder}: {verdict.outcome}", *_same(verdict)]
    if verdict.outcome != IDENTICAL:
        found += [_score(METRICS[name], one) for name, one in verdict.scores.items()]
        found += _why(verdict)
    found += [f"  the record itself has a fault: {text}" for text in verdict.faults]
    return found


def _same(verdict: Any) -> list[str]:
    from benchmarker.runs.verdict import IDENTICAL

    words = {True: [], False: []}
    for name, same in verdict.same.items():
        words[same].append(name.replace("_", " "))
    total = len(verdict.record.predictions("best").sources)
    if verdict.outcome == IDENTICAL:
        epochs = verdict.record.run["status"]["epochs_done"]
        return [f"  {', '.join(words[True])} came out again ({epochs} epochs, {total} sources)"]
    found = [f"  came out again: {', '.join(words[True]) or 'nothing'}"]
    found.append(f"  differ: {', '.join(words[False]) or 'only the tables'}")
    if verdict.first_epoch is not None:
        found.append(f"  the history differs from epoch {verdict.first_epoch} on")
    changed = len(verdict.changed)
    found.append(
        f"  {changed} of {total} test sources have another class; probabilities differ by up to "
        f"{verdict.furthest:.2g}"
    )
    return found


def _score(name: str, one: Any) -> str:
    from benchmarker.report.text import bounds, percent

    if one.difference is None:
        return f"  {name}: undefined"
    apart = f"{100 * one.difference:+.2f}"
    if one.low is not None:
        apart += f" ({100 * one.low:+.2f} to {100 * one.high:+.2f}, paired 95 %)"
    own = f"interval of the record {bounds(one.own_low, one.own_high)}"
    if one.sd is not None:
        own += f", sd over {one.seeds} seeds {percent(one.sd)}"
    verdict = "" if one.equal else ": more than chance"
    return (
        f"  {name} % {percent(one.recorded)} recorded, {percent(one.again)} again, difference "
        f"{apart}; {own}{verdict}"
    )


def _why(verdict: Any) -> list[str]:
    reasons = [*verdict.unlike, *verdict.marks]
    if not reasons:
        text = "the record was changed, or something plays a part that it does not know"
        return [f"  why: nothing in the fingerprint differs: {text}"]
    return [f"  why: {text}" for text in reasons]

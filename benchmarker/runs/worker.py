"""The process of one run: ``python -m benchmarker.runs.worker SPEC.json``.

One run, one process: memory is given back at its end, a crash ends one run only, and
the environment (threads, flags) is set before Keras is imported. Started by
`benchmarker.runs.executor`, which also reads the exit code.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from benchmarker.core.errors import (
    EXIT_FINE,
    EXIT_INTERRUPTED,
    EXIT_RUN_FAILED,
    BenchmarkerError,
    RunFailedError,
)
from benchmarker.core.files import LockedError
from benchmarker.runs.settings import RunSettings
from benchmarker.runs.spec import EXIT_LOCKED, REASON, Spec, StopRequest


def main() -> int:
    """Run what the spec file says; the exit code tells how it ended."""
    spec = Spec.read(sys.argv[1])
    stop = StopRequest()
    stop.install()
    try:
        with spec.folder.locked():
            return _guarded(spec, stop)
    except LockedError:
        return EXIT_LOCKED
    except BenchmarkerError as error:
        _tell(str(error))  # the folder itself cannot be written
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _guarded(spec: Spec, stop: StopRequest) -> int:
    """Run, and put the reason into the record where that fails."""
    from benchmarker.runs.progress import Console

    if spec.again:
        spec.folder.clear()
    console = Console(spec.console, spec.label)
    _log_to(spec.folder.log)
    try:
        if not spec.test_only and spec.folder.state == "complete":
            # another command made it while this one waited for the lock
            console.say(f"complete already in {spec.folder.path}")
            return EXIT_FINE
        return _run(spec, stop, console)
    except KeyboardInterrupt:
        is_whole = _end(spec, "interrupted", "stopped by the user")
        return EXIT_FINE if is_whole else EXIT_INTERRUPTED
    except RunFailedError as error:
        _end(spec, "failed", str(error), final=True)
        _tell(f"failed: {error}")
        return EXIT_RUN_FAILED
    except BenchmarkerError as error:
        _end(spec, "failed", str(error))
        _tell(str(error))
        return error.exit_code
    except Exception as error:  # noqa: BLE001 (whatever a network or a library raises ends this run only)
        traceback.print_exc()
        reason = _explain(error)
        _end(spec, "failed", reason)
        _tell(f"failed: {reason} (details: {spec.folder.log})")
        return EXIT_RUN_FAILED
    finally:
        console.close()


def _tell(reason: str) -> None:
    """Hand the reason to the executor, which reads what this process prints."""
    print(f"{REASON}{reason}", file=sys.stderr, flush=True)  # noqa: T201


def _explain(error: Exception) -> str:
    name, first = type(error).__name__, _first_line(str(error))
    if isinstance(error, MemoryError) or name == "ResourceExhaustedError":
        if "OOM" not in first:
            first = next((t.strip() for t in str(error).splitlines() if "OOM" in t), first)
        return f"out of memory: choose a smaller batch or size ({first or name})"
    if "determinis" in str(error).lower():
        return (
            f"an operation has no deterministic form here: {first}; use another layer, another "
            "device or --nondeterministic (the record is marked)"
        )
    return f"{name}: {first}"


def _first_line(text: str) -> str:
    """What went wrong in one line, with the node where TensorFlow says it in many."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or not lines[0].startswith("Graph execution error"):
        return lines[0] if lines else ""
    nodes = [number for number, line in enumerate(lines[:-1]) if line.startswith("Node: ")]
    return f"{lines[nodes[0] + 1]} ({lines[nodes[0]]})" if nodes else " ".join(lines[:2])


def _end(spec: Spec, state: str, reason: str, *, final: bool = False) -> bool:
    """Note the end in the record; returns whether this process left the run complete.

    A complete record stays complete, whatever ends a test or the last tidying up.
    """
    logging.getLogger("benchmarker").info("%s: %s", state, reason)
    try:
        record = spec.folder.read()
        if record is not None and record["status"]["state"] == "complete":
            return not spec.test_only
        if record is not None:
            spec.folder.change(status={"state": state, "reason": reason, "final": final})
    except (BenchmarkerError, OSError) as error:
        # a full disk or a damaged record: the reason above must reach the user all the same
        logging.getLogger("benchmarker").info("the record says nothing of it: %s", error)
    return False


def _log_to(path: Path) -> None:
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)sZ %(message)s", "%Y-%m-%dT%H:%M:%S"))
    handler.formatter.converter = time.gmtime  # type: ignore[union-attr]
    log = logging.getLogger("benchmarker")
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    log.propagate = False


def _run(spec: Spec, stop: StopRequest, console: Any) -> int:
    settings = RunSettings.from_dict(spec.settings)
    console.say(f"{settings.label}: reading data")
    from benchmarker.runs.determinism import set_determinism
    from benchmarker.runs.resolve import resolve

    # looking at a network with a loop in it wakes the library, which then takes no more threads
    set_determinism(settings.seed, spec.threads, ops=spec.deterministic)

    resolved = resolve(settings, spec.folder.path.parent)
    if resolved.identity["digest"] != spec.identity:
        message = f"the data of {settings.data} changed while the run was starting; start it again"
        raise BenchmarkerError(message)
    from benchmarker.runs import one_run

    job = one_run.Job(spec, resolved, stop, console)
    if spec.test_only:
        one_run.test_again(job)
    else:
        one_run.train_and_test(job)
    return EXIT_FINE


if __name__ == "__main__":
    # the executor gives a file for what libraries print, so that progress stays readable
    sys.stdout.flush()
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # TensorFlow's threads can stall an ordinary exit; everything is written by now
    os._exit(code)

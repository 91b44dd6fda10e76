"""Training a recorded run once more, and how far the two agree.

The run is repeated with the settings, threads and flags of its record in a process of its
own, into a folder of its own. On the recorded machine and versions every digest must come
out again. Elsewhere the bits differ, so the question is whether the scores do: their
difference is taken on the same test images, with its paired interval
(`benchmarker.metrics.paired`), and held against what other seeds of the same network do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarker.core.errors import (
    EXIT_INTERRUPTED,
    BenchmarkerError,
    MissingDataError,
    NotReproducibleError,
    RunFailedError,
    SettingsError,
)
from benchmarker.core.files import make_folder
from benchmarker.core.record_check import check_record
from benchmarker.core.records import Record, read_record
from benchmarker.runs import executor
from benchmarker.runs.determinism import differences, environment
from benchmarker.runs.repeating import repeated
from benchmarker.runs.resolve import Resolved
from benchmarker.runs.spec import Spec
from benchmarker.runs.verdict import Verdict, compare

FINGERPRINT = (
    "import json, sys; from benchmarker.runs.determinism import fingerprint; "
    "print(json.dumps(fingerprint(int(sys.argv[1]), ops=sys.argv[2] == 'True')))"
)
LONGEST_START = 300  # seconds; a cold network disk may need some for the library


@dataclass(frozen=True)
class Request:
    """What to verify.

    Arguments
    ---------
    folder : of the run
    results : folder that gets the new run; it must not be the one of the old run
    cache : folder of prepared images
    data : where the images lie now; None looks for them
    accept_differences : train although versions, processor or flags are not those recorded
    """

    folder: Path
    results: Path
    cache: Path
    data: str | None = None
    accept_differences: bool = False


def verify(request: Request) -> Verdict:
    """Repeat a complete run and compare.

    Raises `MissingDataError` where the run is not complete or its images are gone,
    `NotReproducibleError` where it cannot be made again here, `RunFailedError` where the
    repetition fails, `KeyboardInterrupt` where it was stopped.
    """
    record = read_record(request.folder)
    if not record.is_complete:
        message = f"{request.folder} is not complete (it is {record.state}): nothing to verify"
        raise MissingDataError(message)
    make_folder(request.results / "runs")
    resolved = repeated(record, request.results, request.data)
    spec = _spec(record, resolved, request)
    if spec.folder.path.resolve() == record.folder.resolve():
        message = f"--keep {request.results} holds the run itself: expected another folder"
        raise SettingsError(message)
    with _recorded_flags(record):
        unlike = differences(record.run["fingerprint"], _fingerprint(spec))
        if unlike and not request.accept_differences:
            raise NotReproducibleError(_refusal(record, unlike))
        again = _made(spec)
    return compare(record, again, check_record(record.folder))


def _refusal(record: Record, unlike: list[str]) -> str:
    listed = "\n  ".join(unlike)
    return (
        f"{record.folder} cannot come out bit for bit here:\n  {listed}\n"
        "use --accept-differences to train all the same and compare the scores"
    )


def _spec(record: Record, resolved: Resolved, request: Request) -> Spec:
    fingerprint = record.run["fingerprint"]
    return Spec(
        settings=resolved.settings.as_dict(),
        identity=resolved.identity["digest"],
        name=resolved.name,
        results=str(request.results.resolve()),
        cache=str(make_folder(request.cache).resolve()),
        threads=int(fingerprint.get("threads", 1)),
        deterministic=bool(fingerprint.get("op_determinism", True)),
        accept_differences=request.accept_differences,
    )


def _made(spec: Spec) -> Record:
    """The record of the repetition; one that is complete already is not made again."""
    if spec.folder.state != "complete":
        (outcome,) = executor.execute([spec], processes=1)
        if outcome.code == EXIT_INTERRUPTED:
            raise KeyboardInterrupt
        if not outcome.complete:
            message = f"the repetition failed: {outcome.text}"
            raise RunFailedError(message)
    return read_record(spec.folder.path)


@contextmanager
def _recorded_flags(record: Record) -> Iterator[None]:
    """The environment with the flags of the record, for the processes started meanwhile."""
    before = dict(os.environ)
    fingerprint = record.run["fingerprint"]
    onednn = fingerprint.get("onednn", "default")
    os.environ.pop("TF_ENABLE_ONEDNN_OPTS", None)
    if onednn != "default":
        os.environ["TF_ENABLE_ONEDNN_OPTS"] = str(onednn)
    os.environ["KERAS_BACKEND"] = str(fingerprint.get("backend", "tensorflow"))
    if fingerprint.get("devices") == ["CPU"]:
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _fingerprint(spec: Spec) -> dict[str, Any]:
    """What the fingerprint of the repetition will be, from a process like that of a run."""
    command = [sys.executable, "-c", FINGERPRINT, str(spec.threads), str(spec.deterministic)]
    done = subprocess.run(
        command,
        env=environment(spec.threads),
        capture_output=True,
        text=True,
        timeout=LONGEST_START,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        message = f"the library of the run does not start here: {reason}"
        raise BenchmarkerError(message)
    return json.loads(done.stdout.splitlines()[-1])

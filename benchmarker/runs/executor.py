"""Runs as processes on this machine: side by side where cores allow, each ending alone."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarker.core.errors import (
    EXIT_CHECK,
    EXIT_FINE,
    EXIT_INPUT,
    EXIT_INTERRUPTED,
    EXIT_RUN_FAILED,
    BenchmarkerError,
)
from benchmarker.runs.determinism import cores, environment
from benchmarker.runs.folder import RunFolder
from benchmarker.runs.spec import EXIT_LOCKED, REASON, Spec

CORES_PER_RUN = 2  # two small runs on two cores gain little and double the memory
POLL_SECONDS = 0.1
STDERR = 2


@dataclass(frozen=True)
class Outcome:
    """How one run ended."""

    folder: RunFolder
    code: int
    text: str

    @property
    def complete(self) -> bool:
        """Whether its record is whole."""
        return self.code == EXIT_FINE


@dataclass
class _Process:
    spec: Spec
    popen: subprocess.Popen[bytes]
    spec_file: Path
    noise: Path


@dataclass
class _Signals:
    """Signals that came while children run: passed on, remembered."""

    processes: list[_Process] = field(default_factory=list)
    came: bool = False

    def receive(self, number: int, frame: object) -> None:  # noqa: ARG002
        self.came = True
        for process in self.processes:
            process.popen.send_signal(signal.SIGTERM)


def side_by_side(runs: int, asked: int | None = None) -> int:
    """Number of processes at a time: as asked, else one for every two cores."""
    return max(1, min(runs, asked or cores() // CORES_PER_RUN))


def threads_each(processes: int, asked: int | None = None) -> int:
    """Threads of each process: as asked, else the cores shared out."""
    return asked or max(1, cores() // processes)


def execute(
    specs: Sequence[Spec], processes: int, done: Callable[[Outcome], None] = lambda _: None
) -> list[Outcome]:
    """Run all specs, `processes` at a time, and call `done` as each ends; outcomes in order.

    A run that fails or is killed ends alone. After Ctrl-C or SIGTERM the running ones save
    and stop, and no further one is started.
    """
    outcomes: dict[int, Outcome] = {}
    waiting = list(enumerate(specs))
    running: dict[int, _Process] = {}
    signals = _Signals()
    old = {n: signal.signal(n, signals.receive) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        while running or (waiting and not signals.came):
            while waiting and len(running) < processes and not signals.came:
                number, spec = waiting.pop(0)
                running[number] = _start(spec)
                signals.processes = list(running.values())
            for number in [n for n, process in running.items() if process.popen.poll() is not None]:
                outcomes[number] = _outcome(running.pop(number), stopped=signals.came)
                signals.processes = list(running.values())
                done(outcomes[number])
            time.sleep(POLL_SECONDS)
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
    for number, spec in waiting:
        outcomes[number] = Outcome(spec.folder, EXIT_INTERRUPTED, "not started")
    return [outcomes[number] for number in sorted(outcomes)]


def _start(spec: Spec) -> _Process:
    handle, name = tempfile.mkstemp(prefix="benchmarker-", suffix=".json")
    os.close(handle)
    spec_file = Path(name)
    noise = spec_file.with_suffix(".txt")
    # what libraries print goes to a file; progress goes to a second handle on our stderr
    console = os.dup(STDERR)
    replace(spec, console=console).write(spec_file)
    with noise.open("wb") as stream:
        popen = subprocess.Popen(
            [sys.executable, "-m", "benchmarker.runs.worker", str(spec_file)],
            env=environment(spec.threads),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            pass_fds=(console,),
            # Ctrl-C reaches the parent alone, which passes it on exactly once
            start_new_session=True,
        )
    os.close(console)
    return _Process(spec, popen, spec_file, noise)


def _outcome(process: _Process, *, stopped: bool = False) -> Outcome:
    """What became of a process that ended; `stopped`: it was asked to."""
    code, folder = process.popen.returncode, process.spec.folder
    if stopped and code in (-signal.SIGTERM, -signal.SIGINT):
        code = EXIT_INTERRUPTED  # it was not yet listening
    noise = process.noise.read_text(encoding="utf-8", errors="replace").strip()
    process.spec_file.unlink(missing_ok=True)
    process.noise.unlink(missing_ok=True)
    text = _text(code, noise)
    with contextlib.suppress(BenchmarkerError, OSError):  # a full disk must not end the others
        _note(process.spec, code, text, noise)
    return Outcome(folder, EXIT_RUN_FAILED if code < 0 else code, text)


def _note(spec: Spec, code: int, text: str, noise: str) -> None:
    """Keep what a failed process printed, and the end of one that could not tell it."""
    folder = spec.folder
    if code in (EXIT_FINE, EXIT_LOCKED, EXIT_INTERRUPTED) or not folder.path.is_dir():
        return
    if noise:
        with folder.log.open("a", encoding="utf-8") as stream:
            stream.write(noise.replace(REASON, "") + "\n")
    if code < 0 and folder.state in ("running", "interrupted", "failed") and not spec.test_only:
        folder.change(status={"state": "failed", "reason": text, "final": False})


def _text(code: int, noise: str) -> str:
    if code == EXIT_FINE:
        return "complete"
    if code == EXIT_LOCKED:
        return "skipped: another process is making this run"
    if code == EXIT_INTERRUPTED:
        return "stopped and saved: the same command goes on from here"
    if code < 0:
        name = signal.Signals(-code).name
        memory = ", often a sign of too little memory" if -code == signal.SIGKILL else ""
        return f"killed by {name}{memory}; the same command goes on from the last checkpoint"
    if REASON in noise:
        return noise.rsplit(REASON, 1)[1]
    return noise.splitlines()[-1] if noise else f"ended with code {code}"


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """Exit code of the whole command: the worst of its runs."""
    codes = {outcome.code for outcome in outcomes}
    if EXIT_INTERRUPTED in codes:
        return EXIT_INTERRUPTED
    if codes - {EXIT_FINE, EXIT_LOCKED, EXIT_INPUT, EXIT_CHECK}:
        return EXIT_RUN_FAILED
    return next((code for code in (EXIT_INPUT, EXIT_CHECK) if code in codes), EXIT_FINE)

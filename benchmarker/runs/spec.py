"""What the executor asks of a run's process, and how that process is asked to stop."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarker.runs.folder import RunFolder

EXIT_LOCKED = 75  # the run is being made by another process
PARENT_SECONDS = 0.5
REASON = "\x1e"  # what a process prints last, after this mark, is why it ended


@dataclass(frozen=True)
class Spec:
    """What the executor asks of one process."""

    settings: dict[str, Any]
    identity: str
    name: str
    results: str
    cache: str
    threads: int
    workers: int = 1
    console: int = 2  # file descriptor for progress
    label: str = ""
    accept_differences: bool = False
    deterministic: bool = True
    again: bool = False
    test_only: bool = False
    copies: str | None = None

    @property
    def folder(self) -> RunFolder:
        """The run's folder."""
        return RunFolder(Path(self.results) / "runs" / self.name)

    def write(self, path: Path) -> None:
        """Store for the child process."""
        path.write_text(json.dumps(self.__dict__), encoding="utf-8")

    @classmethod
    def read(cls, path: str) -> Spec:
        """What `write` stored."""
        return cls(**json.loads(Path(path).read_text(encoding="utf-8")))


@dataclass
class StopRequest:
    """Turns SIGINT and SIGTERM into an order to save and stop.

    While `gentle`, the training loop asks `asked` after each batch; elsewhere the signal
    interrupts at once (whatever is being written is written whole or not at all). A
    second signal always interrupts at once.
    """

    gentle: bool = False
    count: int = 0

    def install(self) -> None:
        """Listen from now on; the end of the parent process counts as a signal too."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._receive)
        threading.Thread(target=_stop_with_parent, args=(os.getppid(),), daemon=True).start()

    def _receive(self, number: int, frame: Any) -> None:  # noqa: ARG002
        self.count += 1
        if not self.gentle or self.count > 1:
            raise KeyboardInterrupt

    def asked(self) -> bool:
        """Whether a signal came."""
        return self.count > 0


def _stop_with_parent(parent: int) -> None:
    # without this a run would go on unseen after its command was killed
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)

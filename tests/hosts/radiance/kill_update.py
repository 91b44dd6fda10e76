"""Header updates that kill themselves (SIGKILL) at every step; for test_replacing.py.

``python kill_update.py FILE`` starts an update of FILE in a child process again and again. The
child dies before its first call to the operating system, then before its second, and so on,
until one comes through; then in the middle of every write. Prints what was found each time as
JSON, and puts FILE back in between. The last update shows that what was left is removed.
"""

import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from benchmarker.hosts.radiance import replacing
from benchmarker.hosts.radiance.headers import update_header
from tests.hosts.radiance.science_files import CARDS, data_bytes

OF_OS = ("write", "copy_file_range", "fsync", "fchmod", "replace", "scandir", "close")
HALF = "half a write"


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


class Counter:
    """Counts calls, dies at one; tells which it was through a pipe."""

    def __init__(self, deadly, pipe, *, halves):
        self.deadly, self.pipe, self.halves, self.count = deadly, pipe, halves, 0
        self.tell = os.write

    def wrap(self, owner, name):
        original = getattr(owner, name)

        def call(*arguments, **words):
            if self.halves and name != "write":
                return original(*arguments, **words)
            self.count += 1
            if self.count == self.deadly:
                self.tell(self.pipe, (HALF if self.halves else name).encode())
                if self.halves:
                    handle, data = arguments
                    original(handle, data[: len(data) // 2])
                kill()
            return original(*arguments, **words)

        setattr(owner, name, call)


def attempt(path, deadly, *, halves):
    """The step at which the child died; empty where it came through."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        counter = Counter(deadly, writer, halves=halves)
        for name in OF_OS:
            counter.wrap(os, name)
        counter.wrap(tempfile, "mkstemp")
        update_header(path, CARDS)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        step = stream.read()
    _, status = os.waitpid(child, 0)
    died = os.WIFSIGNALED(status)
    if died != bool(step):
        message = f"the child ended with {status}, step {step!r}"
        raise RuntimeError(message)
    return step


def state_of(path, step, before):
    raw = path.read_bytes()
    return {
        "step": step,
        "header": "old" if raw == before["raw"] else "new",
        "data_same": data_bytes(path) == before["data"],
        "left_over": len(list(path.parent.glob(".header-*"))),
    }


def main():
    replacing.COPY_PIECE = 2000  # many steps
    path = Path(sys.argv[1])
    before = {"raw": path.read_bytes(), "data": data_bytes(path)}
    states = []
    for halves in (False, True):
        deadly = 0
        while True:
            deadly += 1
            step = attempt(path, deadly, halves=halves)
            if not step:
                break
            states.append(state_of(path, step, before))
            if states[-1]["header"] == "new":
                path.write_bytes(before["raw"])
        path.write_bytes(before["raw"])
    update_header(path, CARDS)
    sys.stdout.write(json.dumps(states))


if __name__ == "__main__":
    main()

"""Running the real command in the tests, and reading what it left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
DIGESTS = ("initial_weights", "best_weights", "final_weights", "history", "predictions")


def command(*words, cwd, **options):
    """Run ``quickstart.py`` to its end."""
    return subprocess.run(
        [sys.executable, str(ROOT / "quickstart.py"), *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        **options,
    )


def start(*words, cwd, log):
    """Start ``quickstart.py`` with stderr in the file `log`."""
    with log.open("wb") as stream:
        return subprocess.Popen(
            [sys.executable, str(ROOT / "quickstart.py"), *map(str, words)],
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=stream,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )


def wait_for(text, log, process, seconds=120):
    """Wait until `text` is in the file `log`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if text in log.read_text():
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    message = f"{text!r} never came; got: {log.read_text()}"
    raise AssertionError(message)


def interrupt(process):
    """Ctrl-C, and the exit code."""
    process.send_signal(signal.SIGINT)
    return process.wait(timeout=60)


def records(results):
    """run.json of every run below a results folder, by folder name."""
    return {
        path.parent.name: json.loads(path.read_text())
        for path in sorted(Path(results).glob("runs/*/run.json"))
    }


def only_record(results):
    """The one run.json below a results folder."""
    (record,) = records(results).values()
    return record


def digests(record):
    """What must be bit-identical between two runs of one identity."""
    return {name: record["digests"][name] for name in DIGESTS}

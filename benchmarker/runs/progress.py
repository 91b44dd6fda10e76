"""What a run says while it works: a bar on a terminal, plain lines elsewhere. Never stdout."""

from __future__ import annotations

import contextlib
import os
import time
from typing import Any

PLAIN_SECONDS = 15.0


class Console:
    """Progress of one run on an inherited file descriptor.

    Where nobody reads any more (a closed pipe or terminal, a full disk) it falls silent: a
    run of hours must not end for that.

    Arguments
    ---------
    descriptor : where to write, normally the user's stderr
    label : put before each line when several runs share the screen; then no bar is drawn
    """

    def __init__(self, descriptor: int, label: str = "") -> None:
        self._stream = os.fdopen(os.dup(descriptor), "w", encoding="utf-8")
        self._console = _rich_console()(file=self._stream, highlight=False, soft_wrap=True)
        self._prefix = f"[{label}] " if label else ""
        self._bar: Any = None
        self._live = self._console.is_terminal and not label
        self._spoken = time.monotonic()

    def close(self) -> None:
        """Take the bar away and let the stream go."""
        with contextlib.suppress(OSError):
            self._clear()
        with contextlib.suppress(OSError):
            self._stream.close()

    def say(self, text: str) -> None:
        """One line."""
        with contextlib.suppress(OSError):
            self._clear()
            self._console.print(f"{self._prefix}{text}", markup=False)
            self._stream.flush()

    def step(self, what: str, done: int, total: int) -> None:
        """Progress of something counted."""
        if self._live:
            self._draw(what, done, total, "")
        elif self._due():
            self.say(f"{what}: {done} of {total}")

    def batch(self, label: str, state: Any, epochs: int, pace: Any) -> None:
        """Progress inside an epoch: batches, images per second, time left of the whole run."""
        first = state.epoch == 0 and state.batch == 1
        if not self._live and not first and not self._due():
            return
        left = duration(_seconds_left(state, epochs, pace))
        text = f"{pace.images_per_second:.0f} images/s, {left} left"
        if not pace.images_per_second:  # the first step builds the graph: no pace yet
            text = ""
        title = f"{label} epoch {state.epoch + 1}/{epochs}"
        if self._live:
            self._draw(title, state.batch, pace.batches, text)
        else:
            self.say(f"{title}: batch {state.batch} of {pace.batches}{text and ', '}{text}")

    def epoch(self, label: str, row: dict[str, float], epochs: int) -> None:
        """One line per finished epoch."""
        self.say(
            f"{label} epoch {row['epoch']}/{epochs}: cross-entropy {row['cross_entropy']:.4f}, "
            f"accuracy {row['accuracy']:.3f}, validation {row['val_cross_entropy']:.4f} / "
            f"{row['val_accuracy']:.3f}, rate {row['learning_rate']:.2g}, "
            f"{row['images_per_second']:.0f} images/s"
        )
        self._spoken = time.monotonic()

    def _due(self) -> bool:
        if time.monotonic() - self._spoken < PLAIN_SECONDS:
            return False
        self._spoken = time.monotonic()
        return True

    def _draw(self, title: str, done: int, total: int, text: str) -> None:
        with contextlib.suppress(OSError):
            self._draw_bar(title, done, total, text)

    def _draw_bar(self, title: str, done: int, total: int, text: str) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        if self._bar is None:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.completed:.0f}/{task.total:.0f} {task.fields[text]}"),
                console=self._console,
                transient=True,
                refresh_per_second=4,
            )
            self._bar.start()
            self._task = self._bar.add_task(title, total=total, text=text)
        self._bar.update(self._task, description=title, completed=done, total=total, text=text)

    def _clear(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _rich_console() -> Any:
    from rich.console import Console as RichConsole

    class Patient(RichConsole):
        """Rich would end the process where the reader of a pipe has gone."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Patient


def _seconds_left(state: Any, epochs: int, pace: Any) -> float:
    """Rest of this epoch plus the epochs to come, at the pace of finished epochs if any."""
    finished = [row["seconds"] for row in state.history]
    epoch = sum(finished) / len(finished) if finished else pace.seconds_per_batch * pace.batches
    return epoch * (epochs - state.epoch - state.batch / pace.batches)


def duration(seconds: float) -> str:
    """``75`` -> ``1:15``; ``4000`` -> ``1:06:40``."""
    minutes, rest = divmod(round(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

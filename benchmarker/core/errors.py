"""The errors a user can meet, one class per thing the user can do about it.

Texts follow one order: what is wrong, what was expected, what was received, where.
The command line prints the text alone and leaves with `exit_code`; a traceback is
shown only with ``--debug``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

EXIT_FINE = 0
EXIT_INPUT = 1
EXIT_RUN_FAILED = 2
EXIT_CHECK = 3
EXIT_INTERRUPTED = 130


class BenchmarkerError(Exception):
    """Base of all errors that are shown to the user as text."""

    exit_code = EXIT_INPUT


class BenchmarkerWarning(UserWarning):
    """Something that a user should know and that stops nothing; a note on the command line."""


class InputFileError(BenchmarkerError):
    """A file that the user gave cannot be used: mend or replace the file."""


class SettingsError(BenchmarkerError):
    """An option, a name or a value is wrong: change the command."""


class MissingDataError(BenchmarkerError):
    """Data or records are not there: fetch, make or point to them."""


class NotReproducibleError(BenchmarkerError):
    """The result cannot be repeated exactly here: accept that by option or change machine."""


class RunFailedError(BenchmarkerError):
    """A run stopped before its end; its record says why."""

    exit_code = EXIT_RUN_FAILED


class CheckFailedError(BenchmarkerError):
    """A check that the user asked for found faults."""

    exit_code = EXIT_CHECK


class Problems:
    """Collects every fault of a file so that the user mends them all at once.

    >>> problems = Problems("list.txt")
    >>> problems.add("epochs is 0, expected at least 1", line=3)
    >>> problems.raise_if_any()
    Traceback (most recent call last):
    ...
    benchmarker.core.errors.InputFileError: list.txt has 1 fault:
      line 3: epochs is 0, expected at least 1
    """

    def __init__(self, where: str | Path, kind: type[BenchmarkerError] = InputFileError) -> None:
        self.where = str(where)
        self.kind = kind
        self.texts: list[str] = []

    def add(self, text: str, *, line: int | None = None) -> None:
        """Note one fault; `line` counts from 1."""
        self.texts.append(text if line is None else f"line {line}: {text}")

    def __bool__(self) -> bool:
        return bool(self.texts)

    def raise_if_any(self) -> None:
        """Raise one error that lists every fault noted so far, if there is one."""
        if self.texts:
            count = len(self.texts)
            head = f"{self.where} has {count} fault{'s' if count > 1 else ''}:"
            message = "\n  ".join([head, *self.texts])
            raise self.kind(message)


def suggest(name: str, known: Iterable[str]) -> str:
    """Return ``" (did you mean a, b?)"`` for a mistyped name, or an empty string."""
    import difflib

    known = list(known)
    lower = {k.lower(): k for k in known}
    near = difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.6)
    return f" (did you mean {', '.join(lower[n] for n in near)}?)" if near else ""

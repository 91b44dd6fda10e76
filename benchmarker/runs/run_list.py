"""Run lists: ``name,learning_rate,epochs[,key=value...]``, one run a line.

Beside the keys of every run a line may hold the settings that its network declares.

``#`` begins a comment, blank lines are skipped. The whole file is read before anything
runs and every fault is reported with its line. Two lines of one network with different
settings are two runs; the same line twice is a fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarker.core.errors import InputFileError, MissingDataError, Problems, suggest
from benchmarker.core.folders import find_text
from benchmarker.runs.settings import RUN_LIST_KEYS, read_epochs, read_learning_rate

COLUMNS = 3


@dataclass(frozen=True)
class Entry:
    """One line of a run list."""

    network: str
    learning_rate: float
    epochs: int
    options: tuple[tuple[str, Any], ...] = ()
    line: int = 0

    @property
    def settings(self) -> dict[str, Any]:
        """The values that this line decides."""
        return {
            "network": self.network,
            "learning_rate": self.learning_rate,
            "epochs": self.epochs,
            **dict(self.options),
        }


def find_run_list(name: str) -> Path:
    """The file `name`: as a path, else ``architectures/`` of the user, then the shipped one."""
    from benchmarker.networks import registry

    try:
        return find_text("architectures", name, ".txt")
    except MissingDataError as error:
        if name not in registry.names():
            raise
        message = (
            f"{name} is a network, not a run list: write '{name},1e-4,16' into a file, for "
            f"instance architectures/{name}.txt, and name that"
        )
        raise MissingDataError(message) from error


def read_run_list(path: str | Path) -> list[Entry]:
    """Read and validate a whole run list; raises `InputFileError` with every fault.

    Network names are checked against the registry. A list whose lines are all comments
    is a fault: it would run nothing.
    """
    from benchmarker.networks import registry

    path = Path(path)
    problems = Problems(path)
    entries: list[Entry] = []
    seen: dict[tuple[Any, ...], int] = {}
    known = set(registry.names())
    for number, line in enumerate(_lines(path), start=1):
        text = line.split("#", 1)[0].strip()
        name = text.split(",", 1)[0].strip()
        if name and name not in known:
            problems.add(f"unknown network {name!r}{suggest(name, known)}", line=number)
        own = _network_readers(name) if name in known else {}
        entry = _read_line(text, number, problems, own) if text else None
        if entry is None:
            continue
        key = (entry.network, entry.learning_rate, entry.epochs, tuple(sorted(entry.options)))
        if key in seen:
            problems.add(f"the same run as line {seen[key]}", line=number)
        seen.setdefault(key, number)
        entries.append(entry)
    if not entries and not problems:
        problems.add("no active line; expected e.g. 'convXpress,1e-4,16'")
    problems.raise_if_any()
    return entries


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        message = f"cannot read run list {path}: {error.strerror}"
        raise InputFileError(message) from error
    except UnicodeDecodeError as error:
        message = f"run list {path} is not a text file (byte {error.start} is not UTF-8)"
        raise InputFileError(message) from error
    return text.splitlines()


def _network_readers(name: str) -> dict[str, Any]:
    """Readers of the settings that a network declares."""
    from benchmarker.networks import registry

    python = registry.find(name).python
    return {} if python is None else {key: one.read for key, one in python.settings.items()}


def _read_line(
    text: str, number: int, problems: Problems, own: dict[str, Any] | None = None
) -> Entry | None:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) < COLUMNS:
        problems.add(
            f"{text!r} has {len(parts)} column{'s' if len(parts) > 1 else ''}, expected "
            "name,learning_rate,epochs",
            line=number,
        )
        return None
    before = len(problems.texts)
    rate = _value(read_learning_rate, "learning rate", parts[1], number, problems)
    epochs = _value(read_epochs, "epochs", parts[2], number, problems)
    options = _options(parts[COLUMNS:], number, problems, own or {})
    if not parts[0]:
        problems.add("the network name is empty", line=number)
    if len(problems.texts) > before:
        return None
    return Entry(parts[0], rate, epochs, tuple(options.items()), number)


def _options(
    parts: list[str], number: int, problems: Problems, own: dict[str, Any]
) -> dict[str, Any]:
    """The options of a line; `own` are the readers of the network's settings."""
    options: dict[str, Any] = {}
    chosen: dict[str, Any] = {}
    readers = {**RUN_LIST_KEYS, **own}
    for part in parts:
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not part:
            problems.add("a comma with nothing behind it", line=number)
        elif not equals:
            problems.add(f"{part!r} is not of the form key=value", line=number)
        elif key not in readers:
            problems.add(
                f"unknown key {key!r}{suggest(key, readers)}; known: {', '.join(readers)}",
                line=number,
            )
        elif key in options or key in chosen:
            problems.add(f"key {key!r} is given twice", line=number)
        else:
            into = chosen if key in own else options
            into[key] = _value(readers[key], key, value, number, problems)
    if chosen:
        options["network_settings"] = tuple(sorted(chosen.items()))
    return options


def _value(read: Any, what: str, text: str, number: int, problems: Problems) -> Any:
    try:
        return read(text)
    except ValueError as error:
        problems.add(f"{what}: {error}", line=number)
        return None

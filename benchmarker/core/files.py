"""Files that are whole or absent, and locks between processes."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from benchmarker.core.errors import BenchmarkerError, InputFileError, SettingsError


def write_with(path: str | Path, write: Callable[[BinaryIO], object]) -> Path:
    """Let `write` fill a temporary file beside `path`, flush it to disk, move it into place.

    A reader sees the old file or the new one, never half of one, also after a kill or
    a power cut. Raises `SettingsError` with the reason where the place cannot be written.
    """
    with _replacing(Path(path)) as (handle, _), os.fdopen(handle, "wb") as stream:
        write(stream)
        stream.flush()
        os.fsync(stream.fileno())
    return Path(path)


def write_named(path: str | Path, write: Callable[[Path], object]) -> Path:
    """As `write_with`, for libraries that open files by name: `write` gets the temporary's path."""
    with _replacing(Path(path)) as (handle, temporary):
        os.close(handle)
        write(temporary)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
    return Path(path)


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[tuple[int, Path]]:
    """A temporary file beside `path`, open for writing, that takes its place at the end."""
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-", suffix=path.suffix)
        try:
            yield handle, Path(temporary)
            _give_usual_mode(temporary)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


def _give_usual_mode(temporary: str) -> None:
    # mkstemp makes files that only their owner reads; results are shared within a group
    mask = os.umask(0)
    os.umask(mask)
    os.chmod(temporary, 0o666 & ~mask)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals into a sentence that names the path."""
    try:
        yield
    except OSError as error:
        reasons = {
            errno.ENOSPC: "the disk is full: free some space and run again",
            errno.EDQUOT: "your disk quota is used up: free some space and run again",
            errno.EACCES: "no permission to write there: choose another folder",
            errno.EROFS: "the file system is read-only: choose another folder",
            errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
            errno.ENOTDIR: "a part of the path is a file, not a folder",
            errno.EEXIST: "a part of the path is a file, not a folder",
            errno.ENOENT: "no folder can be made there: choose another one",
        }
        reason = reasons.get(error.errno or 0)
        if reason is None:
            raise
        message = f"cannot write {path}: {reason}"
        raise SettingsError(message) from error


def make_folder(path: str | Path) -> Path:
    """Make a folder and those above it; `SettingsError` with the reason where that fails."""
    path = Path(path)
    with explained(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def write_bytes(path: str | Path, data: bytes) -> Path:
    """Write `data` whole or not at all."""
    return write_with(path, lambda stream: stream.write(data))


def write_text(path: str | Path, text: str) -> Path:
    """Write `text` as UTF-8, whole or not at all."""
    return write_bytes(path, text.encode("utf-8"))


def write_json(path: str | Path, value: Any) -> Path:
    """Write indented JSON with keys in the order given; NaN is refused (it is not JSON)."""
    return write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_csv(path: str | Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """Write a CSV table (RFC 4180 quoting, LF line ends), whole or not at all."""
    return write_text(path, csv_text(header, rows))


def write_if_changed(path: str | Path, text: str) -> Path:
    """As `write_text`, but a file that already holds this is left alone.

    Tables made from records are made again after every run, and mostly come out as before:
    hundreds of files need not be flushed to disk for that.
    """
    path = Path(path)
    try:
        if path.read_bytes() == text.encode("utf-8"):
            return path
    except OSError:
        return write_text(path, text)
    return write_text(path, text)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The text of a CSV table; floats are written so that they read back unchanged."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


def read_json(path: str | Path) -> Any:
    """Read JSON; raises `InputFileError` naming the file and the place of a fault."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        message = f"cannot read {path} as JSON: {error}"
        raise InputFileError(message) from error


class LockedError(BenchmarkerError):
    """Another process holds the lock."""


@contextlib.contextmanager
def lock(path: str | Path, *, wait: bool = True) -> Iterator[None]:
    """Hold an exclusive lock on `path` (made if absent) while the block runs.

    The lock ends with its process, also when that is killed. With ``wait=False`` raises
    `LockedError` at once if another process holds it. Where the file system knows no
    locks (some network shares), goes on unlocked: files are moved into place whole, so
    the worst that happens is work done twice.
    """
    import fcntl

    path = Path(path)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("a")
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            message = f"{path.parent} is in use by another process"
            raise LockedError(message) from error
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
        yield

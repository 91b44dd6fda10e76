"""A file replaced by an edited copy of itself: the old one or the new one, never a mixture.

The file is only read. Its copy is written beside it, flushed to disk and moved into its
place, which is one step for every file system. Whoever updates a file holds a lock on it.
Where a file system knows no locks, two updates at the same moment may lose one of the two.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from benchmarker.core.errors import InputFileError
from benchmarker.core.hashing import digest_text

COPY_PIECE = 2**24  # bytes that the kernel copies at a time
READ_PIECE = 2**20  # where it cannot, bytes that are in memory
MOST_TRIES = 1000
PAUSE_SECONDS = 0.01
ABANDONED_SECONDS = 3600.0  # age at which, without locks, nobody works on a copy any more
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.EBADF)
_NO_KERNEL_COPY = (*_NO_LOCKS, errno.EXDEV, errno.EPERM, errno.ETXTBSY, errno.EIO)

SUFFIX = ".part"

Span = tuple[int, int]  # start and length in the old file
Plan = Callable[[BinaryIO], Sequence[bytes | Span] | None]


@dataclass(frozen=True)
class Permissions:
    """What a caller allows to be replaced, and what is kept beside content, mode and owner.

    Arguments
    ---------
    follow_links : the file behind a symbolic link; of a file with several names (hard
        links) the one given, so that the others keep the old content
    force_read_only : a file without write permission; one of another user, which then is yours
    keep_times : the copy has the times of the old file
    """

    follow_links: bool = False
    force_read_only: bool = False
    keep_times: bool = False


def replace_file(path: Path, plan: Plan, allowed: Permissions, check: Plan) -> None:
    """Put in the place of `path` a copy made of new bytes and of spans of the old ones.

    Arguments
    ---------
    path : a regular file
    plan : tells from the open file what its copy consists of; None leaves it as it is
    allowed : see `Permissions`
    check : is shown the finished copy and raises where that is not as it should be

    Raises `InputFileError` with the reason; the file is then as it was.
    """
    with _told(path):
        path = _regular(path, allowed)
        for attempt in range(MOST_TRIES):
            if attempt:
                time.sleep(PAUSE_SECONDS)
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as source:
                locked = _lock(source)
                if not _is_at(source, path):
                    continue  # another process has replaced it in the meantime
                _refuse(os.fstat(handle), path, allowed)
                pieces = plan(source)
                if pieces is None or _replaced(source, path, (pieces, allowed, check), locked):
                    return
    message = (
        f"{path}: its header could not be changed: other programs replace the file all the time"
    )
    raise InputFileError(message)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOENT:
            message = f"{path}: no such file"
        else:
            reason = error.strerror or error
            message = f"{path}: its header could not be changed: {reason}; the file is as it was"
        raise InputFileError(message) from error


def _regular(path: Path, allowed: Permissions) -> Path:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        if not allowed.follow_links:
            message = (
                f"{path} is a symbolic link, which would be replaced by a file: give the file "
                "itself, or allow links to be followed"
            )
            raise InputFileError(message)
        path = path.resolve(strict=True)
        mode = path.lstat().st_mode
    if not stat.S_ISREG(mode):
        message = f"{path} is no regular file, expected a FITS file"
        raise InputFileError(message)
    return path


def _refuse(status: os.stat_result, path: Path, allowed: Permissions) -> None:
    if status.st_nlink > 1 and not allowed.follow_links:
        message = (
            f"{path} has {status.st_nlink} names (hard links), of which one would get the new "
            "header: allow links to be followed, or give a copy"
        )
        raise InputFileError(message)
    writable = status.st_mode & 0o222 and os.access(path, os.W_OK)
    if not writable and not allowed.force_read_only:
        message = f"{path} is read-only: allow read-only files, or make it writable"
        raise InputFileError(message)


def _lock(source: BinaryIO) -> bool:
    """Wait for the lock; False where the file system knows none."""
    import fcntl

    try:
        fcntl.flock(source, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True


def _is_at(source: BinaryIO, path: Path) -> bool:
    """Whether the open file is the one that has the name now."""
    try:
        return os.path.samestat(os.fstat(source.fileno()), path.lstat())
    except FileNotFoundError:
        return False


def _replaced(
    source: BinaryIO,
    path: Path,
    work: tuple[Sequence[bytes | Span], Permissions, Plan],
    locked: bool,  # noqa: FBT001 - passed on
) -> bool:
    """Write the copy and move it into place; False where another process was faster."""
    pieces, allowed, check = work
    before = os.fstat(source.fileno())
    prefix = copy_prefix(path)
    _remove_abandoned(path.parent, prefix, locked=locked)
    handle, copy = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=SUFFIX)
    moved = False
    try:
        with os.fdopen(handle, "w+b", buffering=0) as target:
            _fill(source, handle, pieces)
            _keep(before, source, handle, allowed)
            target.seek(0)
            check(target)
            if allowed.keep_times:
                os.utime(handle, ns=(before.st_atime_ns, before.st_mtime_ns))
            os.fsync(handle)
            if not _is_at(source, path):
                return False
            _refuse_changed(before, os.fstat(source.fileno()), path)
            os.replace(copy, path)
            moved = True
    finally:
        if not moved:
            with contextlib.suppress(OSError):
                os.unlink(copy)
    _flush_folder(path.parent)
    return True


def copy_prefix(path: Path) -> str:
    """How the names of copies of a file begin; its own name may be as long as names can be."""
    return f".header-{digest_text(path.name)[:16]}-"


def _remove_abandoned(folder: Path, prefix: str, *, locked: bool) -> None:
    """Remove copies of one file that were left by processes that were killed.

    Who holds the lock on the file is the only one at work on a copy.
    """
    with os.scandir(folder) as entries:
        found = [e for e in entries if e.name.startswith(prefix) and e.name.endswith(SUFFIX)]
    for entry in found:
        with contextlib.suppress(OSError):
            if locked or time.time() - entry.stat().st_mtime > ABANDONED_SECONDS:
                os.unlink(entry)


def _fill(source: BinaryIO, handle: int, pieces: Sequence[bytes | Span]) -> None:
    for piece in pieces:
        if isinstance(piece, bytes):
            _write(handle, piece)
        else:
            _copy(source.fileno(), handle, *piece)


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _copy(source: int, handle: int, start: int, length: int) -> None:
    """Append a span of the source; memory stays small, and the kernel copies where it can."""
    end = start + length
    while start < end and (copied := _kernel_copy(source, handle, start, end - start)):
        start += copied
    while start < end:
        data = os.pread(source, min(READ_PIECE, end - start), start)
        if not data:
            message = "the file became shorter while it was copied"
            raise OSError(errno.EIO, message)
        _write(handle, data)
        start += len(data)


def _kernel_copy(source: int, handle: int, start: int, length: int) -> int:
    if not hasattr(os, "copy_file_range"):
        return 0
    try:
        return os.copy_file_range(source, handle, min(length, COPY_PIECE), offset_src=start)
    except OSError as error:
        if error.errno not in _NO_KERNEL_COPY:
            raise
        return 0


def _keep(before: os.stat_result, source: BinaryIO, handle: int, allowed: Permissions) -> None:
    """Owner, extended attributes (with access lists) and mode of the old file."""
    now = os.fstat(handle)
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        try:
            os.fchown(handle, before.st_uid, before.st_gid)
        except PermissionError as error:
            if now.st_uid != before.st_uid and not allowed.force_read_only:
                message = "it belongs to another user, and a copy would be yours"
                raise PermissionError(errno.EPERM, message) from error
            with contextlib.suppress(PermissionError):
                os.fchown(handle, -1, before.st_gid)
    with contextlib.suppress(OSError, AttributeError):  # a file system may have none
        for name in os.listxattr(source.fileno()):
            with contextlib.suppress(OSError):  # some belong to the system
                os.setxattr(handle, name, os.getxattr(source.fileno(), name))
    os.fchmod(handle, stat.S_IMODE(before.st_mode))


def _refuse_changed(before: os.stat_result, now: os.stat_result, path: Path) -> None:
    if (before.st_size, before.st_mtime_ns) != (now.st_size, now.st_mtime_ns):
        message = f"{path} was changed by another program while it was copied; it is left alone"
        raise InputFileError(message)


def _flush_folder(folder: Path) -> None:
    """Make the new name outlast a power cut, where the file system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

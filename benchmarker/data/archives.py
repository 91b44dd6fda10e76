"""Unpacking zip and tar archives that nobody has to trust.

An archive is checked member by member and refused whole before anything is written;
then it is unpacked beside its place, and only a complete set of files is moved there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benchmarker.core.errors import InputFileError, Problems, SettingsError
from benchmarker.core.files import explained, lock, read_json, write_json
from benchmarker.core.hashing import digest_file
from benchmarker.data.archive_members import Entry, name_fault, read_entries

Progress = Callable[[int, int], None]

MOST_FAULTS_SHOWN = 20


@dataclass(frozen=True)
class Limits:
    """How much an archive may hold before it is taken for a bomb.

    Arguments
    ---------
    members : files and folders
    total_bytes : sum of all sizes, unpacked
    ratio : unpacked to packed bytes; counts only beyond `harmless_bytes`, as well
        compressed images of an empty sky reach more than 100
    """

    members: int = 500_000
    total_bytes: int = 50_000_000_000
    ratio: int = 500
    harmless_bytes: int = 100_000_000

    def most_bytes(self, packed: int) -> int:
        """Bytes that an archive of `packed` bytes may hold unpacked."""
        return min(self.total_bytes, max(self.harmless_bytes, self.ratio * packed))


@dataclass(frozen=True)
class _Member:
    path: PurePosixPath
    is_folder: bool
    size: int


def unpack(
    archive: str | Path,
    folder: str | Path,
    *,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Unpack `archive` into `folder`; returns what it put there, top level only, sorted.

    Takes zip and tar, the latter plain or compressed by gzip, bzip2 or xz, told apart by
    content. Unpacking the same archive again changes nothing; an unpacking that was
    killed is begun again or completed. `progress` is called with (bytes done, bytes in all).

    Raises `InputFileError` listing the faults of an archive that is damaged, holds
    anything but files and folders with plain names below its top, or more than `limits`
    allow; `SettingsError` where something else has one of the names already or the disk
    is full. Nothing is changed then.
    """
    archive, folder = Path(archive), Path(folder)
    journal = folder / f".{archive.name}.unpacked"
    with lock(folder / f".{archive.name}.lock"), explained(folder):
        digest = _digest(archive)
        entries = _finish_earlier(journal, folder, digest)
        if entries is None:
            members = _checked_members(archive, limits or Limits())
            staging = _staging(journal)
            try:
                _write(archive, members, staging, progress)
                entries = sorted({member.path.parts[0] for member in members})
                _require_free(entries, folder, archive)
            except BaseException:
                shutil.rmtree(staging, ignore_errors=True)
                raise
            # the journal must not be on the disk before what it speaks of
            os.sync()
            write_json(journal, {"archive": digest, "entries": entries})
            _move(entries, staging, folder)
    return [folder / entry for entry in entries]


def _digest(archive: Path) -> str:
    try:
        return digest_file(archive)
    except (FileNotFoundError, IsADirectoryError) as error:
        message = f"no archive file at {archive}"
        raise InputFileError(message) from error


def _staging(journal: Path) -> Path:
    return journal.with_suffix(".unpacking")


def _finish_earlier(journal: Path, folder: Path, digest: str) -> list[str] | None:
    """Complete what an earlier call began; None where the archive must be unpacked now."""
    staging = _staging(journal)
    record = read_json(journal) if journal.exists() else {"archive": None}
    entries = None
    if record["archive"] == digest:
        entries = [str(entry) for entry in record["entries"]]
        _move(entries, staging, folder)
        if not all((folder / entry).exists() for entry in entries):
            entries = None
    shutil.rmtree(staging, ignore_errors=True)
    return entries


def _move(entries: list[str], staging: Path, folder: Path) -> None:
    for entry in entries:
        if (staging / entry).exists():
            (staging / entry).rename(folder / entry)
    shutil.rmtree(staging, ignore_errors=True)


def _require_free(entries: list[str], folder: Path, archive: Path) -> None:
    taken = [entry for entry in entries if os.path.lexists(folder / entry)]
    # our own bookkeeping has such names; a member must not pose as it
    taken += [entry for entry in entries if entry.startswith(f".{archive.name}.")]
    if taken:
        message = (
            f"cannot unpack {archive}: {', '.join(sorted(set(taken))[:5])} is already in "
            f"{folder} and did not come from this archive; move or delete it and try again"
        )
        raise SettingsError(message)


def _checked_members(archive: Path, limits: Limits) -> list[_Member]:
    """All members; raises `InputFileError` listing the faults if there is any."""
    check = _Check(archive, limits)
    for entry in _entries(archive, limits):
        check.take(entry)
        if check.hopeless:
            break
    return check.result()


def _entries(archive: Path, limits: Limits) -> Iterator[Entry]:
    most = limits.most_bytes(archive.stat().st_size)
    return read_entries(archive, _with_headers(most, limits.members))


def _with_headers(contents: int, members: int) -> int:
    # a tar member has a header of 0.5 to 2 kB and padding; the end is padded to a record
    return contents + 4096 * members + (1 << 20)


class _Check:
    """Takes entries one by one and notes what is wrong with each and with their sum."""

    def __init__(self, archive: Path, limits: Limits) -> None:
        self._problems = Problems(f"archive {archive} (refused whole)")
        self._limits = limits
        self._most_bytes = limits.most_bytes(archive.stat().st_size)
        self._members: dict[PurePosixPath, _Member] = {}
        self._above: set[PurePosixPath] = set()
        self._bytes = 0
        self.hopeless = False

    def take(self, entry: Entry) -> None:
        """Note one member or its faults."""
        for text in self._faults(entry):
            self._problems.add(f"{entry.name!r}: {text}")
        path = PurePosixPath(entry.name)
        if path.parts:  # not "./", the top itself
            self._members[path] = _Member(path, entry.kind == "folder", entry.size)
            self._above.update(path.parents)
        self._bytes += max(entry.size, 0)
        self._count()

    def _faults(self, entry: Entry) -> Iterator[str]:
        if entry.kind not in ("file", "folder"):
            yield f"is a {entry.kind}, expected files and folders only"
        fault = name_fault(entry.name)
        if fault:
            yield fault
        path = PurePosixPath(entry.name)
        before = self._members.get(path)
        is_folder = entry.kind == "folder"
        if before is not None and not (before.is_folder and is_folder):
            yield "the name comes twice"
        if not path.parts and not is_folder:
            yield "a file without a name"
        if not is_folder and path in self._above:
            yield "is a file, but other members lie in a folder of that name"
        if any(not self._members[up].is_folder for up in path.parents if up in self._members):
            yield "lies in a folder that is a file in this archive"

    def _count(self) -> None:
        limits, before = self._limits, len(self._problems.texts)
        if len(self._members) > limits.members:
            self._problems.add(f"more than {limits.members} members")
        if self._bytes > self._most_bytes:
            self._problems.add(
                f"unpacks to more than {self._most_bytes} bytes (limits: {limits.total_bytes} "
                f"in all, {limits.ratio} times its own size)"
            )
        too_many = len(self._problems.texts) > MOST_FAULTS_SHOWN
        self.hopeless = len(self._problems.texts) > before or too_many

    def result(self) -> list[_Member]:
        """The members in order, or one error with all faults noted."""
        if not self._members:
            self._problems.add("holds no file")
        self._problems.raise_if_any()
        return list(self._members.values())


def _write(archive: Path, members: list[_Member], staging: Path, progress: Progress | None) -> None:
    total = sum(member.size for member in members)
    free = shutil.disk_usage(staging.parent).free
    if free < total:
        message = (
            f"cannot unpack {archive} in {staging.parent}: {total} bytes needed, {free} free; "
            "free some space or choose another folder"
        )
        raise SettingsError(message)
    expected = {member.path: member for member in members}
    done = 0
    staging.mkdir()
    for entry in read_entries(archive, _with_headers(total, len(members))):
        member = expected.get(PurePosixPath(entry.name))
        if member is not None:
            done += _write_member(entry, member, staging / member.path)
        if progress is not None:
            progress(done, total)
    if done != total:
        message = f"{archive} changed while it was read"
        raise InputFileError(message)


def _write_member(entry: Entry, member: _Member, place: Path) -> int:
    if member.is_folder:
        place.mkdir(parents=True, exist_ok=True)
        return 0
    place.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with place.open("xb") as stream:
        for piece in entry.pieces():
            written += len(piece)
            if written > member.size:
                break
            stream.write(piece)
    if written != member.size:
        message = f"{entry.name!r} in the archive has another length than the {member.size} stated"
        raise InputFileError(message)
    return written

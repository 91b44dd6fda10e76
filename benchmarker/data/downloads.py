"""Files from the network: continued after a break, checked before they get their name.

Nothing here runs unless the user asked for a download (``benchmarker data fetch``).
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pooch

from benchmarker.core.errors import InputFileError, MissingDataError, Problems, SettingsError
from benchmarker.core.files import LockedError, explained, lock
from benchmarker.core.hashing import digest_text
from benchmarker.data.transfer import (
    MOST_BYTES,
    Progress,
    ResumingDownloader,
    TransferError,
    human_size,
    silent,
)

DIGITS = {"sha256": 64, "md5": 32}


class DownloadError(MissingDataError):
    """A file could not be had from any of its addresses."""


@dataclass(frozen=True)
class RemoteFile:
    """What is known of a file before it is asked for.

    Arguments
    ---------
    name : plain file name that it gets here
    urls : addresses of the same bytes, tried in this order; http or https
    checksum : ``sha256:...`` or ``md5:...`` as published; None where nothing is published
    size : length in bytes, or None; nothing longer is ever kept
    """

    name: str
    urls: tuple[str, ...]
    checksum: str | None = None
    size: int | None = None


def say_nothing(text: str) -> None:
    """Drop a message."""


@dataclass(frozen=True)
class Listener:
    """Who is told how a download goes.

    Arguments
    ---------
    progress : called with (bytes present, bytes in all) after each piece
    note : called with one sentence when something unusual happens (waiting, a mirror tried)
    """

    progress: Progress = silent
    note: Callable[[str], None] = say_nothing


def fetch(file: RemoteFile, folder: str | Path, *, listener: Listener | None = None) -> Path:
    """Return ``folder / file.name``, downloaded unless it is there with the right checksum.

    A download that was broken off goes on where it stopped, if the server allows and a
    checksum is known. The file gets its name only after the checksum was found right. Of
    two processes that want the same file one downloads, the other waits and then finds it.

    Raises `SettingsError` for an address or name that is not allowed or a place that
    cannot be written, `InputFileError` if another file already has the name, and
    `DownloadError` that lists what went wrong at each address.
    """
    listener = listener or Listener()
    _require_allowed(file)
    place = Path(folder) / file.name
    _require_folder(place.parent)
    with _only_one(place, listener):
        if place.exists():
            return _require_right(place, file)
        with explained(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            _require_room(place, file)
            _from_first_good_address(file, place, listener)
    return place


def _require_allowed(file: RemoteFile) -> None:
    """Refuse file names with a path in them, addresses other than http(s), odd checksums."""
    problems = Problems(f"download of {file.name!r}", SettingsError)
    if file.name in ("", ".", "..") or re.search(r"[/\\\x00-\x1f\x7f]", file.name):
        problems.add(f"file name {file.name!r}, expected a plain name without folders")
    if not file.urls:
        problems.add("no address to download it from")
    for url in file.urls:
        if not _is_web_address(url):
            problems.add(f"address {url!r}, expected http://... or https://...")
    if file.checksum is not None and not _is_checksum(file.checksum):
        problems.add(f"checksum {file.checksum!r}, expected sha256: and 64 digits (0-9, a-f)")
    if file.size is not None and not 0 < file.size <= MOST_BYTES:
        problems.add(f"size {file.size}, expected 1 to {MOST_BYTES} bytes")
    problems.raise_if_any()


def _require_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        message = f"cannot download into {folder}: it is a file, expected a folder"
        raise SettingsError(message)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _is_checksum(text: str) -> bool:
    kind, _, digits = text.partition(":")
    return re.fullmatch(r"[0-9a-f]+", digits) is not None and len(digits) == DIGITS.get(kind)


@contextlib.contextmanager
def _only_one(place: Path, listener: Listener) -> Iterator[None]:
    path = place.parent / f".{place.name}.lock"
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(lock(path, wait=False))
        except LockedError:
            listener.note(f"another process downloads {place.name}: waiting for it")
            held.enter_context(lock(path))
        yield


def _require_right(place: Path, file: RemoteFile) -> Path:
    if file.checksum is None:
        return place
    kind, _, expected = file.checksum.partition(":")
    got = pooch.file_hash(str(place), alg=kind)
    if got == expected:
        return place
    message = (
        f"{place} is not the file that was published: expected {kind} {expected}, got {got}; "
        "it is left as it is: move or delete it and fetch again"
    )
    raise InputFileError(message)


def _part(place: Path, file: RemoteFile) -> Path:
    # named after the checksum, so that a changed card never continues another file's beginning
    return place.parent / f".{place.name}.{digest_text(str(file.checksum))[:8]}.part"


def _kept(place: Path, file: RemoteFile) -> int:
    part = _part(place, file)
    return part.stat().st_size if part.exists() else 0


def _require_room(place: Path, file: RemoteFile) -> None:
    missing = (file.size or 0) - _kept(place, file)
    free = shutil.disk_usage(place.parent).free
    if free < missing:
        message = (
            f"no room for {file.name} in {place.parent}: {human_size(missing)} needed, "
            f"{human_size(free)} free; free some space or choose another folder with --to"
        )
        raise SettingsError(message)


def _from_first_good_address(file: RemoteFile, place: Path, listener: Listener) -> None:
    reasons = []
    for url in file.urls:
        try:
            _download(url, file, place, listener)
        except TransferError as error:
            reasons.append(f"{url}: {error}")
            listener.note(reasons[-1])
        else:
            return
    raise DownloadError(_advice(file, place, reasons))


def _download(url: str, file: RemoteFile, place: Path, listener: Listener) -> None:
    """Get `file` from one address; a continued file with a wrong checksum is got again whole."""
    part = _part(place, file)
    if file.checksum is None:
        # nothing would show that the two halves belong to different files
        part.unlink(missing_ok=True)
    # pooch announces every download on stderr; our own progress says it once
    pooch.get_logger().setLevel("WARNING")
    for attempt in range(2):
        downloader = ResumingDownloader(part, file.size, progress=listener.progress)
        folder = place.parent.resolve()
        try:
            pooch.retrieve(url, file.checksum, place.name, folder, downloader=downloader)
        except ValueError as error:  # pooch found another checksum
            if attempt or not downloader.continued_old_part:
                raise TransferError(str(error)) from error
            listener.note(f"{url}: the continued file has a wrong checksum: starting again")
        else:
            return


def _advice(file: RemoteFile, place: Path, reasons: list[str]) -> str:
    size = f" ({human_size(file.size)})" if file.size else ""
    lines = [f"cannot download {file.name}{size}:", *reasons]
    kept = _kept(place, file)
    if kept and file.checksum:
        lines.append(f"{human_size(kept)} of it are kept: the same command goes on from there")
    lines.append(f"or get the file in another way and put it at {place}")
    return "\n  ".join(lines)

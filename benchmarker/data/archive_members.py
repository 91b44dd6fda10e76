"""What an archive holds, read without trust: kinds, names and sizes before contents."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from benchmarker.core.errors import InputFileError

PIECE_BYTES = 1 << 20
LARGEST_HEADER = 1 << 20
SPARSE = "sparse file"


@dataclass(frozen=True)
class Entry:
    """One member as the archive states it; `kind` is ``file``, ``folder`` or a refused kind.

    `pieces` gives the content; of a tar it must be read before the next entry is taken.
    """

    name: str
    kind: str
    size: int
    pieces: Callable[[], Iterator[bytes]]


def read_entries(archive: Path, most_bytes: int) -> Iterator[Entry]:
    """The members in order; a tar stream is read for at most `most_bytes` in all.

    Raises `InputFileError` for a damaged file and for one that is neither zip nor tar.
    """
    with archive.open("rb") as stream, reading(archive):
        head = stream.read(6)
        stream.seek(0)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            yield from _zip_entries(stream, archive)
        else:
            unpacked = _unpacked(stream, head)
            yield from _tar_entries(_CappedStream(unpacked, archive, most_bytes), archive)


@contextlib.contextmanager
def reading(archive: Path) -> Iterator[None]:
    """Turn whatever a library says of broken bytes into an error that names the archive."""
    broken = (
        *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, gzip.BadGzipFile),
        *(EOFError, struct.error, IndexError, ValueError, OverflowError),
        *(RuntimeError, NotImplementedError),
    )
    try:
        yield
    except broken as error:
        message = f"{archive} is damaged or no zip or tar archive: {error}"
        raise InputFileError(message) from error
    except OSError as error:
        if error.errno is not None:  # bz2 reports broken bytes as an OSError without a number
            raise
        message = f"{archive} is damaged: {error}"
        raise InputFileError(message) from error


def _unpacked(stream: BinaryIO, head: bytes) -> BinaryIO:
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=stream)  # type: ignore[return-value]
    if head.startswith(b"BZh"):
        return bz2.BZ2File(stream)  # type: ignore[return-value]
    if head.startswith(b"\xfd7zXZ"):
        return lzma.LZMAFile(stream)  # type: ignore[return-value]
    return stream


def _zip_entries(stream: BinaryIO, archive: Path) -> Iterator[Entry]:
    with zipfile.ZipFile(stream) as opened:
        for info in opened.infolist():
            # orig_filename: the library cuts the other one at a null character
            yield Entry(
                info.orig_filename,
                _zip_kind(info),
                info.file_size,
                lambda info=info: _zip_pieces(opened, info, archive),
            )


def _zip_kind(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & 1:
        return "encrypted file"
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "symbolic link" if stat.S_ISLNK(mode) else "device or other special file"
    return "folder" if info.is_dir() or stat.S_ISDIR(mode) else "file"


def _zip_pieces(opened: zipfile.ZipFile, info: zipfile.ZipInfo, archive: Path) -> Iterator[bytes]:
    with reading(archive), opened.open(info) as content:
        yield from iter(lambda: content.read(PIECE_BYTES), b"")


def _tar_entries(stream: _CappedStream, archive: Path) -> Iterator[Entry]:
    # stream mode never seeks backwards, so a forged size cannot make it read in circles
    with tarfile.open(
        fileobj=stream, mode="r|", bufsize=PIECE_BYTES, tarinfo=_CheckedHeader, errorlevel=2
    ) as opened:
        for info in opened:
            yield Entry(
                info.name,
                _tar_kind(info),
                info.size,
                lambda info=info: _tar_pieces(opened, info, archive),
            )


def _tar_kind(info: tarfile.TarInfo) -> str:
    if info.sparse is not None:
        return SPARSE
    kinds = {
        tarfile.REGTYPE: "file",
        tarfile.AREGTYPE: "file",
        tarfile.DIRTYPE: "folder",
        tarfile.SYMTYPE: "symbolic link",
        tarfile.LNKTYPE: "hard link",
        tarfile.CHRTYPE: "device",
        tarfile.BLKTYPE: "device",
        tarfile.FIFOTYPE: "named pipe",
    }
    return kinds.get(info.type, f"member of unknown type {info.type!r}")


def _tar_pieces(opened: tarfile.TarFile, info: tarfile.TarInfo, archive: Path) -> Iterator[bytes]:
    with reading(archive):
        content = opened.extractfile(info)
        while content is not None and (piece := content.read(PIECE_BYTES)):
            yield piece


class _CheckedHeader(tarfile.TarInfo):
    """A tar header that is refused before its claims make the library allocate memory."""

    def _proc_member(self, tarfile_: tarfile.TarFile) -> tarfile.TarInfo:
        long_kinds = (
            *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
            *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
        )
        if self.size < 0 or (self.type in long_kinds and self.size > LARGEST_HEADER):
            message = f"a header claims {self.size} bytes"
            raise tarfile.ReadError(message)
        if self.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError(SPARSE)
        return super()._proc_member(tarfile_)  # type: ignore[misc]

    def _proc_gnusparse_10(self, *_: object) -> None:
        # the library reads the map of a truncated one without end
        raise tarfile.ReadError(SPARSE)


class _CappedStream:
    """A byte stream that ends with an error after `most_bytes`."""

    def __init__(self, stream: BinaryIO, archive: Path, most_bytes: int) -> None:
        self._stream = stream
        self._archive = archive
        self._left = most_bytes

    def read(self, count: int) -> bytes:
        """At most `count` bytes; raises `InputFileError` beyond the limit."""
        data = self._stream.read(count)
        self._left -= len(data)
        if self._left < 0:
            message = f"{self._archive} unpacks to more than its limit: refused"
            raise InputFileError(message)
        return data


def name_fault(name: str) -> str | None:
    """Why a member of this name must not be written, or None."""
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        return "control or invalid characters in the name"
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or (len(name) > 1 and name[1] == ":"):
        return "an absolute path or one with backslashes or a drive"
    if ".." in parts:
        return "a path that leads out of the folder ('..')"
    if max(len(part.encode()) for part in parts) > 255 or len(name.encode()) > 1000:
        return "a name that is too long"
    return None

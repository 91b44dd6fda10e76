"""One file from one address over HTTP, continued where the last attempt stopped."""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import requests
import urllib3

Progress = Callable[[int, int], None]

PIECE_BYTES = 1 << 16
CONNECT_SECONDS = 10
SILENCE_SECONDS = 60
MOST_REDIRECTS = 5
MOST_BYTES = 20_000_000_000
BUSY = (408, 425, 429, 500, 502, 503, 504)


class TransferError(Exception):
    """An address did not deliver the file; the text says why. Another address may."""


class _BrokenOffError(Exception):
    """The connection failed or ended early: worth another attempt."""


def silent(done: int, total: int) -> None:
    """Show no progress."""


def human_size(count: int) -> str:
    """Bytes in words: ``999 bytes``, ``1.4 MB`` (powers of 1000)."""
    if count < 1000:
        return f"{count} bytes"
    size = float(count)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 1000:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:.1f} TB"


@dataclass
class ResumingDownloader:
    """A downloader for pooch that keeps what it received and goes on from there.

    Arguments
    ---------
    part : file that holds what was received so far; stays after a failure
    size : length of the whole file in bytes; None: as long as the server says
    most_bytes : where `size` is None, nothing longer is received
    progress : called with (bytes present, bytes in all) after each piece
    attempts : connections in a row that bring nothing new before it gives up
    pause_seconds : wait after the first of them, doubled each time
    silence_seconds : longest wait for the next piece

    `continued_old_part` is true after a call if the file was not received in one go.
    """

    part: Path
    size: int | None
    most_bytes: int = MOST_BYTES
    progress: Progress = silent
    attempts: int = 4
    pause_seconds: float = 0.5
    silence_seconds: float = SILENCE_SECONDS
    continued_old_part: bool = field(default=False, init=False)

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:  # noqa: ARG002 (pooch's form)
        """Fill `output_file` from `url`; raises `TransferError` with the reason."""
        if self.size is not None and self._have() > self.size:
            self.part.unlink()
        self.continued_old_part = self._have() > 0
        with requests.Session() as session:
            session.max_redirects = MOST_REDIRECTS
            self._receive_all(session, url)
        with self.part.open("rb") as stream:
            os.fsync(stream.fileno())
        os.replace(self.part, output_file)

    def _have(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _receive_all(self, session: requests.Session, url: str) -> None:
        most, fruitless = self._have(), 0
        while self.size is None or self._have() < self.size:
            try:
                self._receive(session, url)
            except _BrokenOffError as error:
                fruitless = 0 if self._have() > most else fruitless + 1
                most = max(most, self._have())
                if fruitless >= self.attempts:
                    message = f"{error} ({self.attempts} attempts)"
                    raise TransferError(message) from error
                time.sleep(self.pause_seconds * 2 ** (fruitless - 1) if fruitless else 0)
            else:
                return

    def _receive(self, session: requests.Session, url: str) -> None:
        wanted = self._have()
        with self._ask(session, url, wanted) as response:
            _require_success(response)
            start = _start_of(response, wanted)
            pieces = _pieces(response)
            first = next(pieces, b"")
            _require_data(response, first, start)
            self._learn_length(response, start)
            self.continued_old_part = start > 0
            self._keep(itertools.chain([first], pieces), start)

    def _ask(self, session: requests.Session, url: str, start: int) -> requests.Response:
        # identity: a byte range of a compressed transfer would mean other bytes
        headers = {"Accept-Encoding": "identity", "User-Agent": "benchmarker"}
        if start:
            headers["Range"] = f"bytes={start}-"
        timeout = (CONNECT_SECONDS, self.silence_seconds)
        try:
            return session.get(url, headers=headers, stream=True, timeout=timeout)
        except requests.TooManyRedirects as error:
            message = f"redirected more than {MOST_REDIRECTS} times"
            raise TransferError(message) from error
        except requests.exceptions.SSLError as error:
            message = "the server's certificate is not accepted: is this machine's clock right?"
            raise TransferError(message) from error
        except (requests.ConnectionError, requests.Timeout) as error:
            message = f"no connection to {urlsplit(url).hostname}: is there a network?"
            raise _BrokenOffError(message) from error
        except requests.RequestException as error:
            message = f"redirected to an address that is not allowed ({error})"
            raise TransferError(message) from error

    def _learn_length(self, response: requests.Response, start: int) -> None:
        announced = response.headers.get("Content-Length", "")
        if not announced.isdigit():
            return
        length = start + int(announced)
        if self.size is None and length <= self.most_bytes:
            self.size = length
        if length != self.size:
            expected = self.size if self.size is not None else self.most_bytes
            message = f"the file there has {human_size(length)}, expected {human_size(expected)}"
            raise TransferError(message)

    def _keep(self, pieces: Iterator[bytes], start: int) -> None:
        done = start
        with self.part.open("r+b" if start else "wb") as stream:
            stream.seek(start)
            for piece in pieces:
                self._append(stream, piece, done)
                done += len(piece)
                self.progress(done, self.size or done)
        if self.size is not None and done < self.size:
            message = f"the connection broke off after {human_size(done)}"
            raise _BrokenOffError(message)

    def _append(self, stream: BinaryIO, piece: bytes, done: int) -> None:
        most = self.most_bytes if self.size is None else self.size
        if done + len(piece) > most:
            stream.truncate(0)  # it is another file: nothing of it is worth keeping
            message = f"it sends more than the expected {human_size(most)}: stopped"
            raise TransferError(message)
        stream.write(piece)


def _require_success(response: requests.Response) -> None:
    status = response.status_code
    if status in (200, 206):
        return
    if status in BUSY:
        message = f"the server is busy or out of order (HTTP {status})"
        raise _BrokenOffError(message)
    reasons = {
        401: "the server wants a login",
        403: "the server refuses access",
        404: "there is no such file any more",
        410: "there is no such file any more",
        416: "the file there is shorter than expected: it was changed",
    }
    message = f"{reasons.get(status, 'the server gave no file')} (HTTP {status})"
    raise TransferError(message)


def _start_of(response: requests.Response, wanted: int) -> int:
    """The byte that the answer begins with; 0 where the server does not know ranges."""
    if response.status_code == 200:
        return 0
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if found is None or int(found[1]) != wanted:
        message = f"the server sent another piece than the one from byte {wanted}"
        raise TransferError(message)
    return wanted


def _pieces(response: requests.Response) -> Iterator[bytes]:
    try:
        # undecoded: some servers declare a .gz file as a compressed transfer
        yield from response.raw.stream(PIECE_BYTES, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        message = "the connection broke off"
        raise _BrokenOffError(message) from error


def _require_data(response: requests.Response, first: bytes, start: int) -> None:
    """Refuse a web page in the place of data: what servers show for a file that moved."""
    if start:
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
    else:
        is_page = first.lstrip().lower().startswith((b"<!doctype html", b"<html"))
    if is_page:
        message = f"a web page came instead of the file (from {response.url}): it has moved"
        raise TransferError(message)

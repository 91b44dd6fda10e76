"""Whole fields: one FITS image of any size, and lists that name such images.

Lists come from shell commands and from tables that people keep: one path a line, a label
beside it or not, a line of titles or not, commas at the end or not.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from benchmarker.core.errors import InputFileError, MissingDataError, Problems, suggest
from benchmarker.data.fits_headers import find_image
from benchmarker.data.fits_images import read_fits
from benchmarker.data.reading_options import DEFAULTS, GZIP_MAGIC, ReadOptions

UNLABELLED = "9999"  # what RADIAnCE takes for a missing label
PATH_TITLES = frozenset(
    ("path", "paths", "file", "files", "filename", "file_name", "image", "images", "fits", "name")
)
LABEL_TITLES = frozenset(("label", "labels", "class", "code", "true", "category", "type"))
_MOST_COLUMNS = 2  # of a list without titles


@dataclass(frozen=True)
class Field:
    """One image of the sky as its file holds it.

    Arguments
    ---------
    values : float32 (height, width), in the file's unit (Jy/beam); NaN where there is no number
    path : the file
    extension : number of the HDU with the image, 0 for the primary one
    """

    values: np.ndarray
    path: Path
    extension: int

    @cached_property
    def header(self) -> dict[str, Any]:
        """Keyword -> value of the image's header, as `read_field_header` gives it."""
        return read_field_header(self.path, extension=self.extension)


@dataclass(frozen=True)
class Listed:
    """One line of a list: a path that a program can open, and a label where there is one."""

    path: Path
    label: str | None = None


def read_field(
    path: str | Path, *, extension: int | str | None = None, limits: ReadOptions = DEFAULTS
) -> Field:
    """Read a field: axes (N, M), (1, N, M) or (1, 1, N, M), gzipped and tile-compressed too.

    Integers are scaled by BSCALE and BZERO; BLANK, NaN and infinity become NaN. Raises
    `InputFileError` naming the file: no FITS image, cut off, wrong checksum, no finite pixel.
    """
    image = read_fits(path, extension=extension, limits=replace(limits, non_finite="keep"))
    return Field(image.pixels, Path(path), image.extension)


def read_field_header(path: str | Path, *, extension: int | str | None = None) -> dict[str, Any]:
    """Keyword -> truth, number or text, of the header that goes with the image.

    The first of a repeated keyword counts; comments and keywords without a value are left
    out. Raises `InputFileError` where there is no such image.
    """
    from astropy.io.fits import Header
    from astropy.io.fits.verify import VerifyError

    with _opened(path) as stream:
        hdu = find_image(stream, path, extension, DEFAULTS)
        stream.seek(hdu.start)
        header = Header.fromstring(stream.read(hdu.data_start - hdu.start))
    found: dict[str, Any] = {}
    for card in header.cards:
        try:
            keyword, value = card.keyword, card.value
        except VerifyError:  # a card that says nothing to anybody
            continue
        if isinstance(value, bool | int | float | str) and keyword not in _COMMENTS:
            found.setdefault(keyword, value)
    return found


_COMMENTS = ("", "COMMENT", "HISTORY")


@contextlib.contextmanager
def _opened(path: str | Path) -> Iterator[BinaryIO]:
    """The file, or what is in it where it is gzipped."""
    try:
        with Path(path).open("rb") as plain:
            gzipped = plain.read(len(GZIP_MAGIC)) == GZIP_MAGIC
            plain.seek(0)
            if not gzipped:
                yield plain
                return
            with gzip.GzipFile(fileobj=plain) as inside:
                yield inside
    except (OSError, EOFError, zlib.error) as error:
        message = f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}"
        raise InputFileError(message) from error


def read_list(path: str | Path) -> list[Listed]:
    """The images that a CSV list names, in its order.

    The first column holds paths, the second labels (codes or names; empty or 9999: none).
    Columns with titles are found by them (``path``, ``file``, ``image``, ...; ``label``,
    ``class``, ...). Empty lines, and empty columns at the end, count for nothing. A path is
    relative to the list; where nothing lies there, to the working folder.

    Raises `MissingDataError` for no list, `InputFileError` listing every line that is not
    understood. Whether the images are there is not asked here.
    """
    path = Path(path)
    rows = _rows(path)
    if not rows:
        message = f"{path} names no image: expected a path on each line"
        raise InputFileError(message)
    columns = _titled(rows[0][1])
    problems = Problems(path)
    found = []
    for line, cells in rows if columns is None else rows[1:]:
        if columns is None and len(cells) > _MOST_COLUMNS:
            problems.add(
                f"{len(cells)} columns, expected a path and a label (more need titles)", line=line
            )
            continue
        place, label = columns or (0, 1)
        name = cells[place] if place < len(cells) else ""
        if not name:
            problems.add("no path", line=line)
            continue
        word = cells[label] if label is not None and label < len(cells) else ""
        found.append(Listed(_resolved(name, path), word if word not in ("", UNLABELLED) else None))
    problems.raise_if_any()
    if not found:
        message = f"{path} names no image below its titles"
        raise InputFileError(message)
    return found


def label_codes(listed: Sequence[Listed], classes: Sequence[str], where: str) -> list[int | None]:
    """Codes of the labels, which are names of `classes` (case does not matter) or codes.

    Raises `InputFileError` listing every other label, with `where` it stands.
    """
    codes = {name.lower(): code for code, name in enumerate(classes)}
    codes |= {str(code): code for code in range(len(classes))}
    problems = Problems(where)
    found: list[int | None] = []
    for one in listed:
        word = None if one.label is None else one.label.lower().removesuffix(".0")
        if word is not None and word not in codes:
            known = ", ".join(f"{code} {name}" for code, name in enumerate(classes))
            near = suggest(word, classes)
            problems.add(f"{one.path}: label {one.label!r}{near}, expected one of {known}")
        found.append(None if word is None else codes.get(word))
    problems.raise_if_any()
    return found


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Line numbers and cells without blanks; empty cells at the end and empty lines are gone."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        message = f"cannot read the list {path}: {error.strerror}"
        raise MissingDataError(message) from error
    if raw.startswith((b"SIMPLE  =", b"\x1f\x8b")):
        message = f"{path} is an image, expected a list of images"
        raise InputFileError(message)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{path} is no text in UTF-8: expected a list of paths ({error})"
        raise InputFileError(message) from error
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    found = []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                found.append((reader.line_num, cells))
    except csv.Error as error:
        message = f"{path} line {reader.line_num}: not a CSV list: {error}"
        raise InputFileError(message) from error
    return found


def _titled(cells: Sequence[str]) -> tuple[int, int | None] | None:
    """Columns of paths and labels, if the cells are titles."""
    words = [cell.lower().lstrip("# ") for cell in cells]
    place = next((n for n, word in enumerate(words) if word in PATH_TITLES), None)
    if place is None:
        return None
    return place, next((n for n, word in enumerate(words) if word in LABEL_TITLES), None)


def _resolved(name: str, where: Path) -> Path:
    path = Path(name).expanduser()
    if path.is_absolute():
        return path
    beside = where.parent / path
    return path if not beside.exists() and path.exists() else beside

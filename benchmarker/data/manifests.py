"""Manifests: the text tables that say which source belongs to which class.

A manifest is a CSV table ``name,code`` or ``name,code,certainty``; a label file is a CSV
table ``code,class``. The first line that is neither blank nor a comment is a header if
neither of its first two fields begins with a digit, as every label code does. (The original
program skipped the first line whatever it held, and lost a source where there is no header.)
Line ends of any kind, a byte order mark, blank lines and lines that begin with ``#`` are
accepted; every other irregularity is a fault, and all faults are listed at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarker.core.errors import InputFileError, MissingDataError, Problems, SettingsError
from benchmarker.core.files import write_text

FR0_CODE = "1F"
FR0_CHOICES = ("drop", "merge", "own")
CERTAINTIES = ("certain", "possible", "uncertain")
CERTAINTY_CHOICES = ("all", "certain", "possible")

_CERTAINTY_WORDS = {word: word for word in CERTAINTIES} | dict(zip("123", CERTAINTIES, strict=True))
_LARGEST_BYTES = 64 * 2**20  # a million sources; anything larger is not a manifest
_MOST_FAULTS = 200  # a wrong file altogether would otherwise print one fault per line
_TABLE_FIELDS = (2, 3)


@dataclass(frozen=True)
class LabelFile:
    """Label codes and the class each stands for, in label order.

    Codes are ``"1" .. "n"`` (class index = code - 1) and, last, ``"1F"`` if it is listed.
    """

    codes: tuple[str, ...]
    classes: tuple[str, ...]


DEFAULT_LABELS = LabelFile(("1", "2", "3", "4"), ("COMP", "FRI", "FRII", "BENT"))


@dataclass(frozen=True)
class Row:
    """One source of a manifest as written; `line` counts from 1."""

    line: int
    name: str
    code: str
    certainty: str | None = None


@dataclass(frozen=True)
class Manifest:
    """The sources of a data set in manifest order, before any image is opened.

    names : n distinct source names
    labels : int64 array of shape (n,), each in 0 .. len(classes) - 1
    classes : class names in label order
    codes : n label codes as written (``1``, ``1F``, ...)
    certainty : n words out of ``certain``, ``possible``, ``uncertain``; None if not given
    """

    names: tuple[str, ...]
    labels: np.ndarray
    classes: tuple[str, ...]
    codes: tuple[str, ...]
    certainty: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def counts(self) -> dict[str, int]:
        """Number of sources of each class, in label order."""
        numbers = np.bincount(self.labels, minlength=len(self.classes))
        return {name: int(n) for name, n in zip(self.classes, numbers, strict=True)}


def read_manifest(
    path: str | Path,
    labels_path: str | Path | None = None,
    *,
    fr0: str | None = None,
    certainty: str = "all",
) -> Manifest:
    """Read a manifest, and the label file that explains its codes.

    Arguments
    ---------
    path : CSV table ``name,code[,certainty]``
    labels_path : CSV table ``code,class``; without it 1-4 are COMP, FRI, FRII, BENT
    fr0 : what becomes of code ``1F`` (compact sources of Fanaroff-Riley class 0): ``drop``
        leaves them out, ``merge`` counts them as code 1, ``own`` makes a class of them. By
        default ``own`` if the label file lists ``1F``, else ``drop`` as the original did.
    certainty : which labels to keep: ``all``, ``certain``, or ``possible`` (certain and
        possible ones); the last two need the third column

    Raises `MissingDataError` if a file is absent, `SettingsError` for an unknown choice, and
    `InputFileError` with every fault and its line: wrong number of fields, unknown codes or
    certainties, repeated, empty or non-ASCII names, a class without a source.
    """
    labels = DEFAULT_LABELS if labels_path is None else read_labels(labels_path)
    problems = Problems(path)
    rows = [row for fields in _fields(path, problems) if (row := _row(*fields, problems))]
    _check_rows(rows, (*labels.codes, FR0_CODE), problems)
    raise_first(problems)
    return manifest_of_rows(rows, labels, fr0=fr0, certainty=certainty, where=path)


def manifest_of_rows(
    rows: Sequence[Row],
    labels: LabelFile = DEFAULT_LABELS,
    *,
    fr0: str | None = None,
    certainty: str = "all",
    where: str | Path = "manifest",
) -> Manifest:
    """Choose and number the sources of `rows`; arguments and errors as `read_manifest`."""
    index, classes = _numbering(labels, fr0)
    kept = [row for row in rows if row.code in index and _is_sure(row, certainty, where)]
    manifest = Manifest(
        names=tuple(row.name for row in kept),
        labels=np.array([index[row.code] for row in kept], dtype=np.int64),
        classes=classes,
        codes=tuple(row.code for row in kept),
        certainty=_certainty_column(kept),
    )
    problems = Problems(where)
    if not kept:
        problems.add("no source is left; expected at least one per class")
    for name, count in manifest.counts().items() if kept else ():
        if count == 0:
            problems.add(
                f"class {name} has no source (certainty: {certainty}); expected one, "
                "or a label file without that class"
            )
    problems.raise_if_any()
    return manifest


def write_manifest(
    path: str | Path,
    manifest: Manifest,
    *,
    header: tuple[str, str] = ("Name", "Label"),
    certainty: bool = False,
) -> Path:
    """Write the original's form: header, ``name,code`` rows, LF line ends, no quoting.

    With `certainty` a third column of that name is added; raises `SettingsError` if the
    manifest has none.
    """
    columns: list[Sequence[str]] = [manifest.names, manifest.codes]
    titles: tuple[str, ...] = header
    if certainty:
        if manifest.certainty is None:
            message = f"{path}: these sources have no certainty; write them without that column"
            raise SettingsError(message)
        columns.append(manifest.certainty)
        titles = (*header, "certainty")
    lines = [",".join(fields) for fields in [titles, *zip(*columns, strict=True)]]
    return write_text(path, "\n".join(lines) + "\n")


def read_labels(path: str | Path) -> LabelFile:
    """Read a label file: header ``Label,Class`` if any, then ``1,COMP`` and so on.

    Codes must be 1, 2, ... n, each once in any order; ``1F`` may be added, which makes FR0
    sources a class of their own. A class name is also the name of the folder of its images.
    Raises `InputFileError` with every fault and its line, `MissingDataError` if absent.
    """
    problems = Problems(path)
    classes: dict[str, str] = {}
    for line, fields in _fields(path, problems):
        if len(fields) != len(("code", "class")):
            problems.add(f"{len(fields)} fields, expected code,class", line=line)
            continue
        _add_class(classes, *fields, line, problems)
    numbers = sorted(int(code) for code in classes if code != FR0_CODE)
    if numbers != list(range(1, len(numbers) + 1)):
        problems.add(f"codes are {_listed(numbers)}, expected 1 to n without a gap")
    if len(numbers) < len(("one", "other")):
        problems.add(f"{len(numbers)} classes, expected at least 2")
    raise_first(problems)
    codes = tuple(str(n) for n in numbers) + ((FR0_CODE,) if FR0_CODE in classes else ())
    return LabelFile(codes, tuple(classes[code] for code in codes))


def _add_class(
    classes: dict[str, str], code: str, name: str, line: int, problems: Problems
) -> None:
    if not re.fullmatch(r"[1-9]\d{0,3}|1F", code):
        problems.add(f"code {code!r}, expected a whole number from 1 or 1F", line=line)
    elif code in classes:
        problems.add(f"code {code} is listed twice", line=line)
    elif fault := _name_fault(name):
        problems.add(f"class name {name!r} {fault}", line=line)
    elif name in classes.values():
        problems.add(f"class {name} is listed twice", line=line)
    else:
        classes[code] = name


def _fields(path: str | Path, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and stripped fields of all lines that hold data."""
    is_first = True
    lines = list(_lines(path, problems))
    for mark, word in ((";", "semicolons"), ("\t", "tabs")):
        if lines and all(mark in text and "," not in text for _, text in lines):
            problems.add(f"columns are divided by {word}, expected commas")
            return
    for line, text in lines:
        fields = [field.strip() for field in text.split(",")]
        is_header = is_first and len(fields) > 1 and not _holds_code(fields)
        is_first = False
        if not is_header:
            yield line, fields


def _holds_code(fields: list[str]) -> bool:
    # a manifest has its code second, a label file first
    return any(field[:1].isdigit() for field in fields[:2])


def _lines(path: str | Path, problems: Problems) -> Iterator[tuple[int, str]]:
    """Numbered lines that are neither blank nor comments."""
    data = _bytes(path)
    for line, raw in enumerate(re.split(rb"\r\n|\n|\r", data), start=1):
        try:
            text = raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            shown = raw[:40].decode("latin-1")
            problems.add(f"{shown!r} is not UTF-8 text", line=line)
            continue
        if text and not text.startswith("#"):
            yield line, text


def _bytes(path: str | Path) -> bytes:
    path = Path(path)
    if not path.exists():
        message = f"no file {path}; expected a table of source names and label codes"
        raise MissingDataError(message)
    if path.is_dir():
        message = f"{path} is a folder, expected a CSV table"
        raise InputFileError(message)
    with path.open("rb") as stream:
        data = stream.read(_LARGEST_BYTES + 1)
    if len(data) > _LARGEST_BYTES or b"\0" in data:
        message = f"{path} is not a text table (over 64 MiB, binary or UTF-16); expected UTF-8 CSV"
        raise InputFileError(message)
    return data.removeprefix(b"\xef\xbb\xbf")


def _row(line: int, fields: list[str], problems: Problems) -> Row | None:
    if len(fields) not in _TABLE_FIELDS:
        problems.add(f"{len(fields)} fields, expected name,code[,certainty]", line=line)
        return None
    name, code, *rest = fields
    if fault := _name_fault(name):
        problems.add(f"source name {name!r} {fault}", line=line)
    if rest and rest[0].lower() not in _CERTAINTY_WORDS:
        expected = f"{', '.join(CERTAINTIES)} or 1, 2, 3"
        problems.add(f"certainty {rest[0]!r}, expected {expected}", line=line)
        return None
    return Row(line, name, code, _CERTAINTY_WORDS[rest[0].lower()] if rest else None)


def _name_fault(name: str) -> str | None:
    """What is wrong with a name that becomes part of a path, if anything."""
    if not name:
        return "is empty"
    if not name.isascii():
        return "has characters outside ASCII"
    if not name.isprintable() or any(mark in name for mark in "/\\\"'"):
        return "has a slash, quote or control character"
    if name.startswith("."):
        return "begins with a dot"
    return None


def _check_rows(rows: list[Row], codes: Sequence[str], problems: Problems) -> None:
    seen: dict[str, Row] = {}
    with_certainty = sum(row.certainty is not None for row in rows)
    for row in rows:
        if row.code not in codes:
            known = ", ".join(dict.fromkeys(codes))
            problems.add(f"unknown label code {row.code!r}, expected {known}", line=row.line)
        if row.name in seen:
            other = seen[row.name]
            also = "" if other.code == row.code else f" with code {other.code}, here {row.code}"
            problems.add(f"source {row.name} repeats line {other.line}{also}", line=row.line)
        seen.setdefault(row.name, row)
        if with_certainty and row.certainty is None:
            problems.add("no certainty, though other lines have one", line=row.line)


def _numbering(labels: LabelFile, fr0: str | None) -> tuple[dict[str, int], tuple[str, ...]]:
    """Class index of each code that is kept, and the class names."""
    names = dict(zip(labels.codes, labels.classes, strict=True))
    own_name = names.pop(FR0_CODE, None)
    choice = fr0 or ("own" if own_name else "drop")
    if choice not in FR0_CHOICES:
        message = f"fr0 is {fr0!r}, expected {', '.join(FR0_CHOICES)}"
        raise SettingsError(message)
    index = {code: number for number, code in enumerate(names)}
    classes = tuple(names.values())
    if choice == "merge":
        index[FR0_CODE] = index["1"]
    elif choice == "own":
        index[FR0_CODE] = len(classes)
        classes = (*classes, own_name or "FR0")
    return index, classes


def _is_sure(row: Row, certainty: str, where: str | Path) -> bool:
    if certainty not in CERTAINTY_CHOICES:
        message = f"certainty is {certainty!r}, expected {', '.join(CERTAINTY_CHOICES)}"
        raise SettingsError(message)
    if certainty == "all":
        return True
    if row.certainty is None:
        message = f"certainty {certainty!r} asked for, but {where} gives none"
        raise SettingsError(message)
    return CERTAINTIES.index(row.certainty) <= CERTAINTIES.index(certainty)


def _certainty_column(rows: Sequence[Row]) -> tuple[str, ...] | None:
    words = tuple(row.certainty for row in rows if row.certainty is not None)
    return words if rows and len(words) == len(rows) else None


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(str(number) for number in numbers) or "missing"


def raise_first(problems: Problems) -> None:
    """Raise with the faults in line order; the first 200, and how many more there are."""
    texts = sorted(problems.texts, key=_line_of)
    if len(texts) > _MOST_FAULTS:
        texts[_MOST_FAULTS:] = [f"and {len(texts) - _MOST_FAULTS} more"]
    problems.texts = texts
    problems.raise_if_any()


def _line_of(text: str) -> float:
    found = re.match(r"line (\d+):", text)
    return int(found[1]) if found else float("inf")

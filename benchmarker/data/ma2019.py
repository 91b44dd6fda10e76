"""From the published catalogue tables of Ma et al. 2019 to the manifests of the comparison.

Z. Ma et al. 2019, ApJS 240, 34, tables 3 (labels from the literature, "LRG") and 4 (labels
by eye, "unLRG"), in the journal's machine-readable form: columns under a byte-by-byte
description. Becker et al. 2021 used their sources without the X-shaped and ring-like ones
and without 24 further names (`ma2019_excluded.txt`).

The bytes that table 4 states are not the ones it uses (its rows are shifted by one, some by
two), and it writes ``N/A`` into a column it calls a number, so `astropy.io.ascii` cannot
read it. Only numbers in the middle of a row may be blank; so columns are counted from the
right end of a row here, in the order of the description.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from benchmarker.core.errors import InputFileError, MissingDataError, Problems
from benchmarker.data.manifests import (
    CERTAINTIES,
    FR0_CODE,
    Manifest,
    Row,
    manifest_of_rows,
    raise_first,
    write_manifest,
)

LEFT_OUT_CODES = {"5": "X-shaped", "6": "ring-like"}
_CODES = ("1", FR0_CODE, "2", "3", "4", *LEFT_OUT_CODES)
_EXCLUDED = Path(__file__).with_name("ma2019_excluded.txt")
_COLUMN = re.compile(r"\s*(?:\d+\s*-\s*)?\d+\s+[AFI]\d\S*\s+\S+\s+(\S+)\s")
_NAME = re.compile(r"J\d{6}\.\d+[+-]\d{6}\.\d+")
_FLAGS = dict(zip("123", CERTAINTIES, strict=True))
_RULE = "-----"
_BYTES = "Byte-by-byte"


@dataclass(frozen=True)
class Sample:
    """One of the two samples: how its table is known and what the comparison made of it.

    `train`, `validation` are the quotas per class of the original scripts.
    """

    name: str
    label_column: str
    rows: int
    train: int
    validation: int

    @property
    def manifest_file(self) -> str:
        """File name of the original manifest."""
        return f"{self.name}_manifest.csv"


LRG = Sample("LRG", "Type-Lit", rows=1442, train=80, validation=60)
UNLRG = Sample("unLRG", "Type-MAN", rows=14245, train=250, validation=100)
SAMPLES = {sample.name.lower(): sample for sample in (LRG, UNLRG)}


def read_sample(
    tables: str | Path, name: str, *, fr0: str | None = None, certainty: str = "all"
) -> Manifest:
    """The manifest of sample `name` (``lrg`` or ``unlrg``) from the folder of its table.

    The table is known by its columns, so its file name does not matter. `fr0` and
    `certainty` are as in `read_manifest`; only unLRG carries a certainty. Raises
    `MissingDataError` if no file of the folder is the table, `InputFileError` listing the
    faults of the table, also if it has fewer or more rows than published.
    """
    sample = SAMPLES[name.lower()]
    path = _find_table(Path(tables), sample)
    rows = read_table(path, sample.label_column)
    if len(rows) != sample.rows:
        message = (
            f"{path} has {len(rows)} sources, expected the {sample.rows} published in "
            f"Ma et al. 2019: the file is cut or changed"
        )
        raise InputFileError(message)
    kept = without_left_out(rows, excluded_names() if sample is UNLRG else frozenset())
    return manifest_of_rows(kept, fr0=fr0, certainty=certainty, where=path)


def convert(tables: str | Path, output: str | Path, *, certainty: bool = False) -> list[Path]:
    """Write ``LRG_manifest.csv`` and ``unLRG_manifest.csv`` as the original has them.

    With `certainty` the unLRG manifest gets a third column; the literature labels of LRG
    have no such flag. FR0 sources are kept under their code ``1F``, as in the original.
    Returns the files written.
    """
    written = []
    for key, sample in SAMPLES.items():
        manifest = read_sample(tables, key, fr0="own")
        written.append(
            write_manifest(
                Path(output) / sample.manifest_file,
                manifest,
                header=("Name", sample.label_column),
                certainty=certainty and manifest.certainty is not None,
            )
        )
    return written


def read_table(path: str | Path, label_column: str) -> list[Row]:
    """Names, label codes and certainties (None without a ``Flag`` column), in table order.

    Raises `InputFileError` with every fault and its line: no description of the columns,
    short lines, unknown codes or flags, repeated names.
    """
    lines = _text(Path(path)).splitlines()
    columns = _columns(lines)
    missing = [name for name in ("Name", label_column) if name not in columns]
    if missing:
        message = f"{path} describes no column {' or '.join(missing)}: not the expected table"
        raise InputFileError(message)
    problems = Problems(path)
    start = max(n for n, line in enumerate(lines) if line.startswith(_RULE)) + 1
    numbered = [(n, line) for n, line in enumerate(lines[start:], start + 1) if line.strip()]
    rows = [row for n, line in numbered if (row := _cut(line, n, columns, label_column))]
    if len(rows) < len(numbered):
        whole = {row.line for row in rows}
        for number in (n for n, _ in numbered if n not in whole):
            problems.add(f"fewer columns than the {len(columns)} described", line=number)
    _check_rows(rows, "Flag" in columns, problems)
    if not rows:
        problems.add("holds no source below its description")
    raise_first(problems)
    return rows


def without_left_out(rows: list[Row], excluded: frozenset[str]) -> list[Row]:
    """The rows of the comparison: no X-shaped, no ring-like source, none of `excluded`."""
    return [row for row in rows if row.code not in LEFT_OUT_CODES and row.name not in excluded]


def excluded_names() -> frozenset[str]:
    """The 24 unLRG sources that the original left out without saying why."""
    lines = _EXCLUDED.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _find_table(folder: Path, sample: Sample) -> Path:
    files = sorted(folder.glob("*.txt")) if folder.is_dir() else []
    found = [path for path in files if sample.label_column in _columns(_head(path))]
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        message = f"several files of {folder} hold a column {sample.label_column}: {names}"
        raise InputFileError(message)
    if not found:
        message = (
            f"no table with a column {sample.label_column} among the .txt files of {folder}; "
            f"expected the machine-readable tables 3 and 4 of Ma et al. 2019, ApJS 240, 34"
        )
        raise MissingDataError(message)
    return found[0]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError as error:
        message = f"no file {path}; expected a machine-readable table of Ma et al. 2019"
        raise MissingDataError(message) from error
    except UnicodeDecodeError as error:
        message = f"{path} is not an ASCII table: {error}"
        raise InputFileError(message) from error


def _head(path: Path) -> list[str]:
    with path.open(encoding="ascii", errors="replace") as stream:
        return stream.read(1 << 14).splitlines()


def _columns(lines: list[str]) -> list[str]:
    """Column labels in order, read from the byte-by-byte description."""
    begin = next((n for n, line in enumerate(lines) if line.startswith(_BYTES)), len(lines))
    labels = []
    rules = 0
    for line in lines[begin:]:
        rules += line.startswith(_RULE)
        if rules > len(("above the titles", "below the titles")):
            break
        if found := _COLUMN.match(line):
            labels.append(found[1])
    return labels


def _cut(line: str, number: int, columns: list[str], label_column: str) -> Row | None:
    """Name, code and flag of a table row; None if it is too short to hold them."""
    fields = line.split()
    from_right = {column: place - len(columns) for place, column in enumerate(columns)}
    # the name is the first field; position and name are never blank
    if len(fields) < len(("name", "ra", "dec")) - from_right[label_column]:
        return None
    flag = fields[from_right["Flag"]] if "Flag" in columns else None
    certainty = flag if flag is None else _FLAGS.get(flag, flag)
    return Row(number, fields[0], fields[from_right[label_column]], certainty)


def _check_rows(rows: list[Row], is_flagged: bool, problems: Problems) -> None:  # noqa: FBT001
    seen: dict[str, int] = {}
    for row in rows:
        if row.code not in _CODES:
            expected = ", ".join(_CODES)
            problems.add(f"label code {row.code!r}, expected {expected}", line=row.line)
        if is_flagged and row.certainty not in CERTAINTIES:
            problems.add(f"certainty flag {row.certainty!r}, expected 1, 2 or 3", line=row.line)
        if not _NAME.fullmatch(row.name):
            problems.add(f"source name {row.name!r}, expected J and a position", line=row.line)
        if row.name in seen:
            problems.add(f"source {row.name} repeats line {seen[row.name]}", line=row.line)
        seen.setdefault(row.name, row.line)

"""`.npz` archives, without pickle and without trusting their sizes."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np

from benchmarker.core.errors import InputFileError, Problems
from benchmarker.data.images import ImageSet
from benchmarker.data.reading_arrays import images_from_arrays, is_used
from benchmarker.data.reading_options import DEFAULTS, ReadOptions

MOST_MEMBERS = 1000
# deflate cannot do better: a member that claims more is forged
DEFLATE_RATIO = 1032
SLACK = 4096
_STORED_AS_CLAIMED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_npz(path: str | Path, options: ReadOptions = DEFAULTS) -> ImageSet:
    """Images, labels and names from an `.npz` archive (names: see `reading_arrays`).

    Raises `InputFileError` listing every fault; nothing is unpickled, and nothing is
    allocated before the claimed sizes agree with each other and with the file.
    """
    arrays = read_arrays(path, limit=options.max_bytes, wanted=is_used)
    problems = Problems(path)
    for name in ("images", "labels"):
        if name not in arrays:
            found = ", ".join(sorted(array_names(path))) or "none"
            problems.add(f"no array {name!r}, found: {found}")
    problems.raise_if_any()
    return images_from_arrays(arrays, str(path), reader="npz", options=options)


def array_names(path: str | Path) -> list[str]:
    """Names of the arrays in an `.npz` archive; raises `InputFileError` if it is none."""
    with _opened(path) as archive:
        return [info.filename.removesuffix(".npy") for info in archive.infolist()]


def read_arrays(
    path: str | Path, *, limit: int, wanted: Callable[[str], bool] | None = None
) -> dict[str, np.ndarray]:
    """Arrays of an `.npz` archive by name: those `wanted`, or all.

    Raises `InputFileError` listing every fault: no zip archive, Python objects, sizes that
    do not agree, more than `limit` bytes in all, damaged members.
    """
    problems = Problems(path)
    with _opened(path) as archive:
        members = _members(archive, problems, wanted)
        claimed = sum(info.file_size for info in members.values())
        if claimed > limit:
            problems.add(f"claims {claimed} bytes once unpacked, expected at most {limit}")
        problems.raise_if_any()
        arrays = {
            name: array
            for name, info in members.items()
            if (array := _read_member(archive, info, problems)) is not None
        }
    problems.raise_if_any()
    return arrays


def _opened(path: str | Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"{path}: not an .npz archive: {reason}"
        raise InputFileError(message) from error


def _members(
    archive: zipfile.ZipFile, problems: Problems, wanted: Callable[[str], bool] | None
) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > MOST_MEMBERS:
        problems.add(f"{len(infos)} members, expected at most {MOST_MEMBERS} arrays")
        return {}
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.filename.removesuffix(".npy")
        if name == info.filename:
            problems.add(f"member {info.filename!r} is no array, expected NAME.npy")
        elif name in found:
            problems.add(f"array {name!r} is there twice")
        elif wanted is None or wanted(name):
            found[name] = info
            _check_claim(info, name, problems)
    return found


def _check_claim(info: zipfile.ZipInfo, name: str, problems: Problems) -> None:
    if info.flag_bits & 1:
        problems.add(f"array {name!r} is encrypted, expected a plain archive")
    if info.compress_type not in _STORED_AS_CLAIMED:
        problems.add(f"array {name!r} is compressed by method {info.compress_type}, not deflate")
    ratio = DEFLATE_RATIO if info.compress_type == zipfile.ZIP_DEFLATED else 1
    if info.file_size > info.compress_size * ratio + SLACK:
        problems.add(
            f"array {name!r} claims {info.file_size} bytes out of {info.compress_size} stored; "
            "no such compression exists"
        )


def _read_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, problems: Problems
) -> np.ndarray | None:
    name = info.filename.removesuffix(".npy")
    try:
        with archive.open(info) as stream:
            shape, fortran, dtype = _array_header(stream)
            fault = _size_fault(shape, dtype, info.file_size - stream.tell())
            if fault:
                problems.add(f"array {name!r} {fault}")
                return None
            data = stream.read()
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, SyntaxError) as error:
        problems.add(f"array {name!r} is damaged: {error}")
        return None
    if len(data) != math.prod(shape) * dtype.itemsize:
        problems.add(f"array {name!r} is cut off: {len(data)} bytes for {shape} {dtype}")
        return None
    array = np.frombuffer(data, dtype=dtype).reshape(shape, order="F" if fortran else "C")
    return np.asarray(array, dtype=dtype.newbyteorder("="), order="C")


def _array_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(stream)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        message = f"array format {version}, expected 1.0 or 2.0"
        raise ValueError(message)
    return readers[version](stream)


def _size_fault(shape: tuple[int, ...], dtype: np.dtype, stored: int) -> str | None:
    """What is wrong with an array header, before anything is allocated for it."""
    if dtype.hasobject:
        return "holds Python objects (a pickle), expected plain numbers or texts"
    if any(length < 0 for length in shape):
        return f"has shape {shape}, expected no negative length"
    if dtype.itemsize == 0 and math.prod(shape):
        return f"holds {dtype} without content"
    claimed = math.prod(shape) * dtype.itemsize
    if claimed != stored:
        return f"claims {claimed} bytes for {shape} {dtype}, but {stored} are stored"
    return None

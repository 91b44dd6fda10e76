"""Digests: the same content gives the same text on every machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

SHORT = 8


def digest_bytes(data: bytes) -> str:
    """SHA-256 of `data` in hexadecimal (64 characters)."""
    return hashlib.sha256(data).hexdigest()


def digest_text(text: str) -> str:
    """SHA-256 of `text` in UTF-8."""
    return digest_bytes(text.encode("utf-8"))


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no blanks: one text for one value. NaN is refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_json(value: Any) -> str:
    """SHA-256 of `value` written as canonical JSON."""
    return digest_text(canonical_json(value))


def digest_names(names: Iterable[str]) -> str:
    """SHA-256 of names joined by newlines, the form of the published split digests."""
    return digest_text("\n".join(names))


def digest_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_arrays(arrays: Mapping[str, np.ndarray] | Iterable[np.ndarray]) -> str:
    """SHA-256 over names, dtypes, shapes and little-endian bytes of arrays, in order given."""
    if isinstance(arrays, Mapping):
        items = arrays.items()
    else:
        items = ((str(number), array) for number, array in enumerate(arrays))
    state = hashlib.sha256()
    for name, given in items:
        array = np.asarray(given)
        plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        state.update(f"{name}|{plain.dtype.str}|{array.shape}|".encode())
        state.update(plain.reshape(-1).view(np.uint8).data if plain.size else b"")
    return state.hexdigest()

"""Pickled data without running what is in it: numbers, texts, lists, dicts and arrays only.

A pickle is a program. Two gates stand before it: its instructions are scanned first (known
ones only, no size beyond the file), then a restricted unpickler answers every request for a
function with one of a few harmless stand-ins. Not even numpy's own functions are called
by the pickle: arrays are put together from what it recorded, after all sizes are checked.
"""

from __future__ import annotations

import math
import pickle
import pickletools
import re
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from benchmarker.core.errors import InputFileError

MAX_BYTES = 2**30
MOST_DIMENSIONS = 8
_DTYPE = re.compile(r"(?:[biuf](?:1|2|4|8)|[SU]\d{1,6})$")
_REFUSED = {"PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4", "INST", "OBJ", "NEWOBJ_EX"} | {
    "NEXT_BUFFER",
    "READONLY_BUFFER",
}
_MARKERS = {("numpy", "ndarray"): "ndarray"}
_NUMPY = ("numpy.core", "numpy._core")


class RefusedError(pickle.UnpicklingError):
    """The pickle asked for something that data do not need."""


def load_pickle(path: str | Path) -> Any:
    """The object in a pickle of plain data (protocols 0 to 5, also of Python 2).

    Allowed are None, booleans, numbers, texts, bytes, tuples, lists, dicts, sets and numpy
    arrays of numbers or texts. Raises `InputFileError` naming the file for anything else;
    nothing in the file is executed.
    """
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise InputFileError(message) from error
    if len(data) > MAX_BYTES:
        message = f"{path}: more than {MAX_BYTES} bytes, expected a batch of images"
        raise InputFileError(message)
    return loads(data, str(path))


def loads(data: bytes, where: str) -> Any:
    """As `load_pickle`, from bytes; `where` names them in messages."""
    try:
        scan(data, len(data))
        value = _Restricted(BytesIO(data), encoding="latin1").load()
        return _finished(value, {})
    except RefusedError as error:
        message = f"{where}: refused: {error}; expected a pickle of plain data and arrays"
        raise InputFileError(message) from error
    except RecursionError as error:
        message = f"{where}: refused: lists nested too deeply"
        raise InputFileError(message) from error
    except Exception as error:  # a damaged pickle fails in any way a program can
        message = f"{where}: not a readable pickle: {error}"
        raise InputFileError(message) from error


def scan(data: bytes | BinaryIO, length: int, allowed: frozenset[str] = frozenset()) -> None:
    """Refuse instructions that plain data do not need, and sizes beyond the file.

    Arguments
    ---------
    data : a pickle, or a stream at the beginning of one
    length : bytes of the whole file
    allowed : instructions let through although plain data do without
    """
    for opcode, argument, place in pickletools.genops(data):
        if opcode.name in _REFUSED - allowed:
            message = f"instruction {opcode.name} at byte {place}"
            raise RefusedError(message)
        if opcode.name in {"PUT", "BINPUT", "LONG_BINPUT"} and argument > length:
            message = f"memo number {argument} at byte {place} in a file of {length} bytes"
            raise RefusedError(message)


class _Restricted(pickle.Unpickler):
    """Gives out stand-ins for the few functions that pickled arrays name."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _MARKERS:
            return _MARKERS[module, name]
        call = _stand_in(module, name)
        if call is None:
            message = f"it asks for {module}.{name}"
            raise RefusedError(message)
        return _Call(call)


def _stand_in(module: str, name: str) -> str | None:
    if (module, name) == ("numpy", "dtype"):
        return "dtype"
    if (module, name) == ("_codecs", "encode"):
        return "encode"
    if name == "bytes" and module in {"builtins", "__builtin__"}:
        return "bytes"
    # the same functions, by the place where old and new numpy keep them
    for root in _NUMPY:
        if module == f"{root}.multiarray" and name in {"_reconstruct", "scalar"}:
            return name
        if module == f"{root}.numeric" and name == "_frombuffer":
            return name
    return None


class _Call:
    """A function a pickle may call. Without a dictionary, so that BUILD cannot change it."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_name", name)

    def __setattr__(self, name: str, value: object) -> None:
        message = "it tries to change a function"
        raise RefusedError(message)

    def __call__(self, *arguments: Any) -> Any:
        return _FUNCTIONS[self._name](*arguments)


class _Dtype:
    """What a pickle says of a data type: ``f4`` and its byte order."""

    __slots__ = ("code", "order")

    def __init__(self, code: Any) -> None:
        if not isinstance(code, str) or not _DTYPE.match(code):
            message = f"array type {code!r}"
            raise RefusedError(message)
        self.code = code
        self.order = "|"

    def __setstate__(self, state: Any) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        if order not in {"<", ">", "|", "="}:
            message = f"byte order {order!r}"
            raise RefusedError(message)
        self.order = order

    def dtype(self) -> np.dtype:
        return np.dtype(self.code).newbyteorder(self.order)


class _Array:
    """What a pickle says of an array; made into one by `array` when all is known."""

    __slots__ = ("data", "dtype", "fortran", "shape")

    def __init__(self) -> None:
        self.data: bytes | None = None

    def __setstate__(self, state: Any) -> None:
        _, self.shape, self.dtype, self.fortran, data = state
        self.data = data.encode("latin1") if isinstance(data, str) else data

    def array(self) -> np.ndarray:
        _require(isinstance(self.data, bytes | bytearray), "an array without data")
        _require(isinstance(self.dtype, _Dtype), "an array without type")
        shape = self.shape if isinstance(self.shape, tuple) else (self.shape,)
        _require(
            len(shape) <= MOST_DIMENSIONS
            and all(type(length) is int and length >= 0 for length in shape),
            f"array shape {shape!r}",
        )
        dtype = self.dtype.dtype()
        claimed = math.prod(shape) * dtype.itemsize
        _require(
            claimed == len(self.data) and dtype.itemsize > 0,
            f"array of shape {shape} claims {claimed} bytes and holds {len(self.data)}",
        )
        order = "F" if self.fortran else "C"
        return np.frombuffer(bytes(self.data), dtype=dtype).reshape(shape, order=order)


def _require(holds: bool, what: str) -> None:  # noqa: FBT001
    if not holds:
        raise RefusedError(what)


def _reconstruct(kind: Any, shape: Any, code: Any) -> _Array:
    """Stand-in for numpy's: an empty array whose state follows."""
    _require(kind == "ndarray" and shape == (0,) and code in {"b", b"b"}, "an unusual array")
    return _Array()


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any, *_: Any) -> _Array:
    """Stand-in for numpy's: protocol 5 gives the bytes at once."""
    array = _Array()
    array.__setstate__((1, shape, dtype, order == "F", data))
    return array


def _scalar(dtype: Any, data: Any) -> _Array:
    array = _Array()
    array.__setstate__((1, (), dtype, False, data))
    return array


def _encode(text: Any, encoding: Any) -> bytes:
    """Bytes as protocols 0 to 2 write them: latin-1 text."""
    _require(isinstance(text, str) and encoding == "latin1", f"encoding {encoding!r}")
    return text.encode("latin1")


def _bytes(*arguments: Any) -> bytes:
    _require(not arguments, "bytes from an argument")
    return b""


def _dtype(code: Any, *_: Any) -> _Dtype:
    return _Dtype(code)


_FUNCTIONS = {
    "_reconstruct": _reconstruct,
    "_frombuffer": _from_buffer,
    "scalar": _scalar,
    "encode": _encode,
    "bytes": _bytes,
    "dtype": _dtype,
}


def _finished(value: Any, done: dict[int, Any]) -> Any:
    """`value` with arrays in place of their stand-ins; each object is visited once."""
    if id(value) in done:
        return done[id(value)]
    if isinstance(value, _Array):
        array = value.array()
        done[id(value)] = array[()] if array.ndim == 0 else array
    elif isinstance(value, dict):
        done[id(value)] = made = {}
        made.update({_finished(k, done): _finished(v, done) for k, v in value.items()})
    elif isinstance(value, list):
        done[id(value)] = items = []
        items.extend(_finished(item, done) for item in value)
    elif isinstance(value, tuple | set | frozenset):
        done[id(value)] = type(value)(_finished(item, done) for item in value)
    elif isinstance(value, str | bytes | bytearray | int | float | complex | type(None)):
        return value
    else:
        message = f"an object of kind {type(value).__name__}"
        raise RefusedError(message)
    return done[id(value)]

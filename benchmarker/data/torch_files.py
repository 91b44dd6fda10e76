"""PyTorch checkpoints as NumPy arrays, without PyTorch and without running what is in them.

Both forms are read: the zip archive of PyTorch 1.6 and later, and the row of pickles that
came before. The pickle is scanned first; then an unpickler that knows only ordered dicts,
storages and the function that makes a tensor answers every other request with a refusal.
The numbers themselves lie outside the pickle and are bounded by the file.
"""

from __future__ import annotations

import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import InputFileError
from benchmarker.data.unpickling import MAX_BYTES, MOST_DIMENSIONS, RefusedError, scan

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
MOST_PICKLE_BYTES = 2**26
MOST_MEMBERS = 100_000
# views may share numbers; beyond this many times the file they are an attack on memory
MOST_SHARING = 8
BFLOAT16 = "bfloat16"
STORAGES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": BFLOAT16,
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
STATE_KEYS = ("state_dict", "model_state_dict", "model", "net", "network", "weights")
WRAPPER = "module."  # what training on several devices puts before every name


def read_torch(path: str | Path) -> dict[str, np.ndarray]:
    """The state dictionary of a PyTorch checkpoint: name -> array.

    The checkpoint is a dict of tensors, or a dict that holds one under a usual key such as
    ``state_dict``; a leading ``module.`` of all names goes. bfloat16 becomes float32.
    Raises `InputFileError` naming the file for anything else; nothing in it is executed.
    """
    try:
        data = Path(path).read_bytes() if Path(path).stat().st_size <= MAX_BYTES else None
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise InputFileError(message) from error
    if data is None:
        message = f"{path}: more than {MAX_BYTES} bytes, expected a checkpoint of weights"
        raise InputFileError(message)
    try:
        read = _read_zip if data.startswith(b"PK") else _read_legacy
        return _arrays(*read(data), most=MOST_SHARING * len(data))
    except RefusedError as error:
        message = f"{path}: refused: {error}; expected a PyTorch checkpoint of tensors alone"
        raise InputFileError(message) from error
    except Exception as error:  # a damaged pickle fails in any way a program can
        message = f"{path}: not a readable PyTorch checkpoint: {error}"
        raise InputFileError(message) from error


class _Fixed:
    """What a pickle made and may not change: BUILD would pass by all checks of its parts."""

    def __setstate__(self, state: Any) -> None:
        """Refuse: PyTorch gives no state to tensors and storages."""
        message = "it tries to change a tensor"
        raise RefusedError(message)


@dataclass(frozen=True)
class _Kind(_Fixed):
    """Stand-in for a storage class."""

    dtype: str


@dataclass(frozen=True)
class _Storage(_Fixed):
    """What a pickle says of a storage: where its numbers lie and how many there are."""

    dtype: str
    key: str
    offset: int
    count: int


@dataclass(frozen=True)
class _Tensor(_Fixed):
    """What a pickle says of a tensor; strides and offset in numbers."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Dict(OrderedDict):
    """A dict whose further state (a table of versions) is passed over."""

    def __setstate__(self, state: Any) -> None:
        """Forget it."""


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Tensor:
    shape, strides = tuple(shape), tuple(strides)
    numbers = (offset, *shape, *strides)
    plain = all(type(number) is int and 0 <= number < 2**62 for number in numbers)
    if not (isinstance(storage, _Storage) and plain and len(shape) == len(strides)):
        message = f"a tensor of shape {shape!r}, strides {strides!r}, offset {offset!r}"
        raise RefusedError(message)
    if len(shape) > MOST_DIMENSIONS:
        message = f"a tensor of {len(shape)} dimensions"
        raise RefusedError(message)
    return _Tensor(storage, offset, shape, strides)


def _parameter(tensor: Any, *_: Any) -> Any:
    return tensor


class _Function:
    """A function a pickle may call; without a dictionary, so that BUILD cannot change it."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        object.__setattr__(self, "_call", call)

    def __setattr__(self, name: str, value: object) -> None:
        message = "it tries to change a function"
        raise RefusedError(message)

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)


_FUNCTIONS = {
    ("torch._utils", "_rebuild_tensor_v2"): _Function(_tensor),
    ("torch._utils", "_rebuild_tensor"): _Function(_tensor),
    ("torch._utils", "_rebuild_parameter"): _Function(_parameter),
    ("torch", "Size"): _Function(tuple),
}


class _Restricted(pickle.Unpickler):
    """Admits dicts, storages and tensors."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return _Dict
        if module in {"torch", "torch.cuda"} and name in STORAGES:
            return _Kind(STORAGES[name])
        if (module, name) not in _FUNCTIONS:
            message = f"it asks for {module}.{name}"
            raise RefusedError(message)
        return _FUNCTIONS[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        if not (isinstance(pid, tuple) and len(pid) in (5, 6) and pid[0] == "storage"):
            message = f"an unusual reference {str(pid)[:80]!r}"
            raise RefusedError(message)
        _, kind, key, _, count, *view = pid
        offset = 0
        if view and view[0] is not None:
            _, offset, count = view[0]
        whole = all(type(number) is int and 0 <= number < 2**62 for number in (offset, count))
        if not (isinstance(kind, _Kind) and isinstance(key, str | int) and whole):
            message = f"an unusual storage {str(pid)[:80]!r}"
            raise RefusedError(message)
        return _Storage(kind.dtype, str(key), offset, count)


def _load(stream: BytesIO, length: int) -> Any:
    """One pickle of a stream; the stream stands behind it afterwards."""
    begun = stream.tell()
    scan(stream, length, frozenset({"BINPERSID"}))
    stream.seek(begun)
    return _Restricted(stream, encoding="utf-8").load()


def _read_zip(data: bytes) -> tuple[Any, Mapping[str, bytes]]:
    """The pickled object and the bytes of each storage, of a zip archive."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        members = archive.infolist()
        _check_members(members, len(data))
        pickles = [info for info in members if info.filename.split("/")[-1] == "data.pkl"]
        if len(pickles) != 1 or pickles[0].file_size > MOST_PICKLE_BYTES:
            message = "an archive without a single data.pkl of usual size"
            raise RefusedError(message)
        root = pickles[0].filename.removesuffix("data.pkl")
        if f"{root}byteorder" in archive.namelist():
            _require_little(archive.read(f"{root}byteorder") == b"little")
        pickled = archive.read(pickles[0])
        value = _load(BytesIO(pickled), len(pickled))
        head = f"{root}data/"
        stored = {
            info.filename.removeprefix(head): archive.read(info)
            for info in members
            if info.filename.startswith(head)
        }
    return value, stored


def _check_members(members: list[zipfile.ZipInfo], length: int) -> None:
    # PyTorch compresses nothing, so what an archive unpacks to is not longer than itself
    if len(members) > MOST_MEMBERS or len({info.filename for info in members}) < len(members):
        message = "an archive of too many members, or of two with one name"
        raise RefusedError(message)
    packed = any(info.compress_type != zipfile.ZIP_STORED for info in members)
    if packed or sum(info.file_size for info in members) > length:
        message = "an archive that unpacks to more than it holds"
        raise RefusedError(message)


def _require_little(little: bool) -> None:  # noqa: FBT001
    if not little:
        message = "numbers in the byte order of another processor"
        raise RefusedError(message)


def _read_legacy(data: bytes) -> tuple[Any, Mapping[str, bytes]]:
    """The pickled object and the bytes of each storage, of the form before PyTorch 1.6."""
    stream = BytesIO(data)
    if _load(stream, len(data)) != LEGACY_MAGIC or _load(stream, len(data)) != LEGACY_PROTOCOL:
        message = "a file that does not begin like a PyTorch checkpoint"
        raise RefusedError(message)
    system = _load(stream, len(data))
    _require_little(isinstance(system, dict) and system.get("little_endian", True) is True)
    value = _load(stream, len(data))
    keys = _load(stream, len(data))
    kinds = {storage.key: storage.dtype for storage in _storages(value)}
    stored = {}
    for key in keys:
        head = stream.read(8)
        count = int.from_bytes(head, "little", signed=True)
        # a storage that no tensor uses cannot be passed over without its type
        size = count * _width(kinds[str(key)])
        if len(head) < 8 or not 0 <= size <= len(data) - stream.tell():
            message = f"storage {key} claims {size} bytes, the file ends before"
            raise RefusedError(message)
        stored[str(key)] = stream.read(size)
    return value, stored


def _width(dtype: str) -> int:
    return 2 if dtype == BFLOAT16 else np.dtype(dtype).itemsize


def _storages(value: Any) -> list[_Storage]:
    """Storages of all tensors in nested dicts and lists, without recursion, each place once."""
    waiting, seen, found = [value], set(), []
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, _Tensor):
            found.append(one.storage)
        elif isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)
    return found


def _arrays(value: Any, stored: Mapping[str, bytes], *, most: int) -> dict[str, np.ndarray]:
    """The state dictionary as arrays of at most `most` bytes together."""
    state = _state_of(value)
    total = sum(math.prod(t.shape) * max(4, _width(t.storage.dtype)) for t in state.values())
    if total > most:
        message = f"tensors of {total} bytes in all, far more than the file holds"
        raise RefusedError(message)
    arrays = {name: _array(name, tensor, stored) for name, tensor in state.items()}
    if arrays and all(name.startswith(WRAPPER) for name in arrays):
        return {name.removeprefix(WRAPPER): array for name, array in arrays.items()}
    return arrays


def _state_of(value: Any) -> dict[str, _Tensor]:
    for inner in [value, *(value.get(key) for key in STATE_KEYS if isinstance(value, dict))]:
        if isinstance(inner, dict):
            found = {k: v for k, v in inner.items() if isinstance(v, _Tensor)}
            if found and all(isinstance(name, str) for name in found):
                return found
    held = ", ".join(map(str, list(value)[:8])) if isinstance(value, dict) else type(value).__name__
    message = f"no dictionary of tensors in it; it holds {held or 'nothing'}"
    raise RefusedError(message)


def _array(name: str, tensor: _Tensor, stored: Mapping[str, bytes]) -> np.ndarray:
    """A tensor's numbers; offset and strides may not leave its storage."""
    storage = tensor.storage
    if storage.key not in stored:
        message = f"the numbers of {name} are missing"
        raise RefusedError(message)
    width = _width(storage.dtype)
    held = len(stored[storage.key]) // width - storage.offset
    last = tensor.offset + sum(
        (length - 1) * stride for length, stride in zip(tensor.shape, tensor.strides, strict=True)
    )
    if 0 not in tensor.shape and last >= min(storage.count, held):
        message = f"{name} of shape {tensor.shape} reaches beyond its {max(held, 0)} numbers"
        raise RefusedError(message)
    if 0 in tensor.shape:
        return np.zeros(tensor.shape, np.float32)
    raw = np.dtype("<u2") if storage.dtype == BFLOAT16 else np.dtype(storage.dtype)
    flat = np.frombuffer(stored[storage.key], raw, count=len(stored[storage.key]) // width)
    view = np.lib.stride_tricks.as_strided(
        flat[storage.offset + tensor.offset :],
        tensor.shape,
        [stride * width for stride in tensor.strides],
        writeable=False,
    )
    if storage.dtype == BFLOAT16:
        return (view.astype("<u4") << 16).view("<f4")
    return view.astype(raw.newbyteorder("="))

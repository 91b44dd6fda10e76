"""Writes PyTorch checkpoints, in both forms, without PyTorch."""

import io
import pickle
import sys
import zipfile
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

STORAGES = {
    np.dtype("f4"): "FloatStorage",
    np.dtype("f8"): "DoubleStorage",
    np.dtype("f2"): "HalfStorage",
    np.dtype("i8"): "LongStorage",
}


@dataclass(frozen=True)
class Global:
    """A name that the pickle asks for."""

    module: str
    name: str

    def __call__(self):
        raise AssertionError("never called while writing")


@dataclass(eq=False)
class Tensor:
    """A tensor to write; shape, strides and offset may say what they like.

    `state` follows the finished tensor, as no program writes it.
    """

    array: np.ndarray
    shape: tuple | None = None
    strides: tuple | None = None
    offset: int = 0
    count: int | None = None
    kind: str | None = None
    state: dict | None = None


class Pickler(pickle._Pickler):
    """Python's own pickler, with names of modules that are not there."""

    def __init__(self, stream, storages, legacy):
        super().__init__(stream, protocol=2)
        self.storages, self.legacy = storages, legacy

    def save(self, obj, save_persistent_id=True):  # noqa: FBT002 (as in Python)
        if isinstance(obj, Global):
            self.write(b"c" + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Tensor) and id(obj) not in self.memo:
            self.save_tensor(obj)
        else:
            super().save(obj, save_persistent_id)

    def persistent_id(self, obj):
        return obj.pid if isinstance(obj, Storage) else None

    def save_tensor(self, tensor):
        array = np.array(tensor.array, order="C")
        key = str(len(self.storages))
        self.storages[key] = array
        kind = Global("torch", tensor.kind or STORAGES[array.dtype])
        count = array.size if tensor.count is None else tensor.count
        pid = ("storage", kind, key, "cpu", count, *((None,) if self.legacy else ()))
        shape = array.shape if tensor.shape is None else tensor.shape
        strides = tensor.strides
        if strides is None:
            strides = tuple(step // array.itemsize for step in array.strides)
        arguments = (Storage(pid), tensor.offset, shape, strides, False, OrderedDict())
        rebuild = Global("torch._utils", "_rebuild_tensor_v2")
        self.save_reduce(rebuild, arguments, tensor.state, obj=tensor)


@dataclass(frozen=True)
class Storage:
    pid: tuple


def tensors(arrays):
    """A state dictionary of plain arrays, with the table of versions that PyTorch adds."""
    state = OrderedDict((name, Tensor(array)) for name, array in arrays.items())
    state._metadata = OrderedDict([("", {"version": 1})])
    return state


def pickled(value, storages, *, legacy=False):
    stream = io.BytesIO()
    Pickler(stream, storages, legacy).dump(value)
    return stream.getvalue()


def write_zip(path, value, *, compression=zipfile.ZIP_STORED, order=b"little"):
    """The archive of PyTorch 1.6 and later."""
    storages = {}
    data = pickled(value, storages)
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/byteorder", order)
        for key, array in storages.items():
            archive.writestr(f"archive/data/{key}", array.tobytes())
        archive.writestr("archive/version", b"3\n")
    return path


def write_legacy(path, value):
    """The row of pickles before PyTorch 1.6."""
    storages = {}
    system = {"protocol_version": 1001, "little_endian": sys.byteorder == "little"}
    head = [pickle.dumps(one, 2) for one in (0x1950A86A20F9469CFC6C, 1001, system)]
    body = pickled(value, storages, legacy=True)
    keys = sorted(storages)
    raw = [storages[k].size.to_bytes(8, "little") + storages[k].tobytes() for k in keys]
    path.write_bytes(b"".join([*head, body, pickle.dumps(keys, 2), *raw]))
    return path

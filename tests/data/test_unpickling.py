"""Pickles of every protocol are read; pickles that act are refused without acting."""

import contextlib
import os
import pickle
import pickletools
import struct
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarker.core.errors import InputFileError
from benchmarker.data.unpickling import load_pickle, loads

BATCH = {
    "data": np.arange(18, dtype=np.uint8).reshape(2, 9),
    b"labels": [0, 1],
    "filenames": ["a.png", b"b.png"],
    "more": (None, True, 2.5, {"nested": [1, -(2**70)]}),
    "cube": np.asfortranarray(np.arange(6, dtype=">f4").reshape(2, 3)),
    "names": np.array(["x", "yy"]),
    "bytes": np.array([b"x", b"yy"]),
    "one": np.float64(0.5),
    "flags": np.array([True, False]),
    "empty": np.zeros((0, 3), np.int64),
    "void": b"",
}


def refused(data, word):
    with pytest.raises(InputFileError) as caught:
        loads(data, "batch")
    assert "batch" in str(caught.value)
    assert word in str(caught.value)


class Call:
    """Pickles as a call of `function` with `arguments`."""

    def __init__(self, function, *arguments):
        self.recipe = (function, arguments)

    def __reduce__(self):
        return self.recipe


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_come_back_in_every_protocol(protocol):
    value = loads(pickle.dumps(BATCH, protocol=protocol), "batch")
    assert list(value) == list(BATCH)
    for key, expected in BATCH.items():
        if isinstance(expected, np.ndarray):
            assert value[key].dtype == expected.dtype
            assert np.array_equal(value[key], expected)
        else:
            assert value[key] == expected


@pytest.mark.parametrize("package", [b"numpy.core", b"numpy._core"])
def test_both_places_of_numpy_functions(package):
    for protocol in (2, 5):
        data = pickle.dumps(np.arange(3), protocol=protocol)
        name = b"numpy._core" if b"numpy._core" in data else b"numpy.core"
        replace = _replace_text if protocol == 5 else bytes.replace
        data = replace(data, name, package)
        assert loads(data, "batch").tolist() == [0, 1, 2]


def _replace_text(data, old, new):
    place = data.index(old)
    length = data[place - 1]
    body = data[place : place + length].replace(old, new)
    # lengths stand before texts and before the whole
    changed = data[: place - 1] + bytes([len(body)]) + body + data[place + length :]
    frame = struct.unpack("<Q", changed[3:11])[0] + len(body) - length
    return changed[:3] + struct.pack("<Q", frame) + changed[11:]


def test_a_pickle_of_python_2():
    # written by Python 2: byte strings, numpy data as a string
    data = (
        b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\n"
        b"ndarray\nq\x04K\x00\x85q\x05U\x01bq\x06\x87q\x07Rq\x08(K\x01K\x01K\x04\x86q\x09"
        b"cnumpy\ndtype\nq\x0aU\x02u1K\x00K\x01\x87q\x0bRq\x0c(K\x03U\x01|q\x0dNNNJ\xff\xff\xff"
        b"\xffJ\xff\xff\xff\xffK\x00tq\x0eb\x89U\x04\x00\x7f\xfe\xffq\x0ftq\x10bU\x06labelsq\x11"
        b"]q\x12K\x03au."
    )
    value = loads(data, "batch")
    assert value["data"].tolist() == [[0, 127, 254, 255]]
    assert value["labels"] == [3]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "function", [os.system, os.unlink, eval, exec, open, getattr, __import__, subprocess.Popen]
)
def test_calls_are_refused_without_running(tmp_path, protocol, function):
    mark = tmp_path / "mark"
    mark.write_text("still here")
    command = f"__import__('os').unlink({str(mark)!r})" if function in {eval, exec} else str(mark)
    if function is os.system:
        command = f"rm {mark}"
    refused(pickle.dumps({"data": Call(function, command)}, protocol=protocol), "asks for")
    assert mark.read_text() == "still here"


@pytest.mark.parametrize("name", ["load", "fromfile", "memmap", "f2py.run_main"])
def test_other_numpy_functions_are_refused(name):
    refused(f"cnumpy\n{name}\n(S'x'\ntR.".encode(), f"asks for numpy.{name}")


def test_forged_arrays_are_refused_before_anything_is_allocated():
    head = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
    kind = b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xff"
    kind += b"J\xff\xff\xff\xffK\x00tb"
    huge = b"(K\x01(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft" + kind + b"\x89U\x01atb."
    refused(b"\x80\x02" + head + huge, "claims 4611686014132420609 bytes and holds 1")
    refused(b"\x80\x02cnumpy\nndarray\n(J\xff\xff\xff\x7ftR.", "not a readable pickle")
    big = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(J\xff\xff\xff\x7ftU\x01btR."
    refused(b"\x80\x02" + big, "unusual array")
    refused(pickle.dumps(np.array([{}], dtype=object)), "array type 'O8'")
    refused(pickle.dumps(np.zeros(1, dtype=[("a", "i4")])), "array type")


def test_functions_cannot_be_changed_by_a_pickle():
    change = b"\x80\x02cnumpy\ndtype\n(N}U\x05_nameU\x06encodes\x86tb."
    refused(change.replace(b"\x86tb", b"\x86b"), "batch")
    assert loads(pickle.dumps(np.arange(2)), "again").tolist() == [0, 1]


def test_sizes_beyond_the_file_are_refused():
    refused(b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"abc.", "not a readable pickle")
    refused(b"\x80\x02Nr\xff\xff\xff\x7f.", "memo number")
    refused(b"\x80\x02P0\n.", "batch")


@pytest.mark.parametrize("opcode", ["PERSID", "EXT1", "OBJ", "INST", "NEWOBJ_EX", "NEXT_BUFFER"])
def test_instructions_that_data_do_not_need(opcode):
    code = next(o.code for o in pickletools.opcodes if o.name == opcode).encode("latin-1")
    refused(b"\x80\x05(N" + code + b"os\nsystem\n.", "instruction")


def test_own_classes_deep_nesting_and_damage():
    refused(pickle.dumps(Call(type, "x", (), {})), "asks for")
    body = b"\x80\x02" + b"]" * 5000 + b"a" * 4999 + b"."
    refused(body, "too deeply")
    for data in (b"", b"\xff no pickle", pickle.dumps(BATCH)[:-30]):
        refused(data, "not a readable pickle")


def test_cycles_end():
    value: list = [1]
    value.append(value)
    read = loads(pickle.dumps(value), "batch")
    assert read[1] is read


def test_files(tmp_path):
    path = tmp_path / "batch"
    path.write_bytes(pickle.dumps([1]))
    assert load_pickle(path) == [1]
    with pytest.raises(InputFileError, match="cannot be read"):
        load_pickle(tmp_path / "none")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_data_or_our_error(data):
    with contextlib.suppress(InputFileError):
        loads(data, "batch")

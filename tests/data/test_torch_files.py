"""PyTorch checkpoints are read without PyTorch, and nothing in them is run."""

import contextlib
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError
from benchmarker.data.torch_files import read_torch
from tests.data.torch_writer import Global, Tensor, pickled, tensors, write_legacy, write_zip

WRITERS = [write_zip, write_legacy]
ARRAYS = {
    "conv.weight": np.arange(24, dtype="f4").reshape(2, 3, 4),
    "conv.bias": np.array([0.5, -1.25], "f2"),
    "norm.running_var": np.linspace(0, 1, 5),
    "norm.num_batches_tracked": np.array(7, "i8"),
}


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert np.array_equal(found[name], array)
        assert found[name].dtype == array.dtype


@pytest.mark.parametrize("write", WRITERS)
def test_a_state_dictionary_comes_back(write, tmp_path):
    same(read_torch(write(tmp_path / "a.pt", tensors(ARRAYS))), ARRAYS)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
def test_a_state_dictionary_within_a_checkpoint_comes_back(write, key, tmp_path):
    wrapped = {f"module.{name}": array for name, array in ARRAYS.items()}
    value = {"epoch": 3, "loss": 0.25, key: tensors(wrapped), "optimizer": {"state": [1, None]}}
    same(read_torch(write(tmp_path / "a.pt", value)), ARRAYS)


@pytest.mark.parametrize("write", WRITERS)
def test_strides_and_offset_are_followed(write, tmp_path):
    base = np.arange(20, dtype="f4")
    value = {"turned": Tensor(base, (3, 4), (1, 4), 2), "empty": Tensor(base, (0, 4), (4, 1))}
    found = read_torch(write(tmp_path / "a.pt", value))
    assert np.array_equal(found["turned"], base[2:18].reshape(4, 4)[:, :3].T)
    assert found["empty"].shape == (0, 4)


def test_bfloat16_becomes_float32(tmp_path):
    exact = np.array([1.0, -2.5, 0.0, 3.0e38, 2**-120], "f4")
    half = (exact.view("<u4") >> 16).astype("<u2")
    value = {"a": Tensor(half, kind="BFloat16Storage")}
    found = read_torch(write_zip(tmp_path / "a.pt", value))["a"]
    assert found.dtype == np.float32
    assert np.allclose(found, exact, rtol=2**-7)
    assert found[1] == -2.5


class Evil:
    def __reduce__(self):
        return os.system, ("touch never",)


@pytest.mark.parametrize(
    "value",
    [Evil(), {"state_dict": Evil()}, {"a": Global("builtins", "eval")}, Global("os", "system")],
    ids=["call", "inside", "eval", "name"],
)
@pytest.mark.parametrize("write", WRITERS)
def test_code_is_refused_and_not_run(write, value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "evil.pt", value)
    with pytest.raises(
        InputFileError, match=r"evil\.pt: refused: it asks for (posix|nt|builtins|os)\."
    ):
        read_torch(path)
    assert sorted(tmp_path.iterdir()) == [path]


def test_code_before_the_weights_of_the_older_form_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil.pt"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(InputFileError, match="refused: it asks for"):
        read_torch(path)
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_whole_model_is_refused_by_the_name_of_its_class(tmp_path):
    value = {"model": Global("models_new.AGRadGalNet", "AGRadGalNet")}
    with pytest.raises(InputFileError, match=r"asks for models_new\.AGRadGalNet\.AGRadGalNet"):
        read_torch(write_zip(tmp_path / "a.pt", value))


BASE = np.arange(8, dtype="f4")


@pytest.mark.parametrize(
    "tensor",
    [
        Tensor(BASE, (9,), (1,)),
        Tensor(BASE, (2,), (8,)),
        Tensor(BASE, (8,), (1,), 1),
        Tensor(BASE, (2**40,), (1,), count=2**41),
        Tensor(BASE, (2**40,), (0,)),
        Tensor(BASE, (2, 2), (-1, 1), 4),
        Tensor(BASE, (-2,), (1,)),
        Tensor(BASE, (2,), (1, 1)),
        Tensor(BASE, (1,) * 40, (1,) * 40),
        Tensor(BASE, (4.0,), (1,)),
    ],
)
@pytest.mark.parametrize("write", WRITERS)
def test_tensors_beyond_their_numbers_are_refused(write, tensor, tmp_path):
    with pytest.raises(InputFileError, match=r"refused: .*tensor|reaches beyond"):
        read_torch(write(tmp_path / "a.pt", {"a": tensor}))


def test_many_views_of_one_storage_cannot_fill_the_memory(tmp_path):
    shared = Tensor(np.zeros(100_000, "f4"))
    value = {f"a{n}": shared for n in range(100)}
    with pytest.raises(InputFileError, match="40000000 bytes in all, far more than the file holds"):
        read_torch(write_zip(tmp_path / "a.pt", value))


def test_a_packed_archive_is_refused(tmp_path):
    value = {"a": Tensor(np.zeros(10_000_000, "f4"))}
    path = write_zip(tmp_path / "a.pt", value, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 100_000
    with pytest.raises(InputFileError, match="unpacks to more than it holds"):
        read_torch(path)


def test_another_byte_order_is_refused(tmp_path):
    with pytest.raises(InputFileError, match="byte order of another processor"):
        read_torch(write_zip(tmp_path / "a.pt", tensors(ARRAYS), order=b"big"))


def test_a_claimed_count_beyond_the_older_file_is_refused(tmp_path):
    path = write_legacy(tmp_path / "a.pt", tensors({"a": BASE}))
    data = bytearray(path.read_bytes())
    data[-40:-32] = struct.pack("<q", 2**40)
    path.write_bytes(data)
    with pytest.raises(InputFileError, match=r"storage 0 claims \d+ bytes, the file ends before"):
        read_torch(path)


@pytest.mark.parametrize("write", WRITERS)
def test_every_shortened_file_is_refused(write, tmp_path):
    whole = write(tmp_path / "a.pt", tensors(ARRAYS)).read_bytes()
    path = tmp_path / "short.pt"
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(InputFileError, match=r"short\.pt: (refused|not a readable)"):
            read_torch(path)


@pytest.mark.parametrize("write", WRITERS)
def test_no_flipped_byte_leads_to_another_error(write, tmp_path):
    whole = write(tmp_path / "a.pt", tensors({"a": BASE})).read_bytes()
    path = tmp_path / "flipped.pt"
    for place in range(0, len(whole), 3):
        data = bytearray(whole)
        data[place] ^= 0x5A
        path.write_bytes(data)
        with contextlib.suppress(InputFileError):
            assert sum(array.size for array in read_torch(path).values()) <= BASE.size


def test_no_dictionary_of_tensors_is_said(tmp_path):
    path = write_zip(tmp_path / "a.pt", {"epoch": 3, "names": ["a"]})
    with pytest.raises(
        InputFileError, match="no dictionary of tensors in it; it holds epoch, names"
    ):
        read_torch(path)
    (tmp_path / "b.pt").write_bytes(pickled([1, 2], {}))
    with pytest.raises(InputFileError, match="does not begin like a PyTorch checkpoint"):
        read_torch(tmp_path / "b.pt")
    with pytest.raises(InputFileError, match="cannot be read"):
        read_torch(tmp_path / "c.pt")


@pytest.mark.parametrize("zipped", [True, False])
def test_files_of_pytorch_itself(zipped, tmp_path):
    torch = pytest.importorskip("torch")
    state = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2)).state_dict()
    state["half"] = torch.arange(6).reshape(2, 3).T.to(torch.bfloat16)
    state["whole"] = torch.arange(4)[1:]
    torch.save(state, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    found = read_torch(tmp_path / "a.pt")
    assert found.keys() == state.keys()
    for name, tensor in state.items():
        assert np.array_equal(found[name], tensor.to(torch.float64).numpy())


@pytest.mark.parametrize("state", [{"strides": (-1000,)}, {"offset": -9}, {"shape": (10**9,)}])
@pytest.mark.parametrize("write", WRITERS)
def test_a_tensor_that_was_checked_cannot_be_changed_to_read_elsewhere(write, state, tmp_path):
    path = write(tmp_path / "evil.pt", {"a": Tensor(np.zeros(4, "f4"), state=state)})
    with pytest.raises(InputFileError, match="refused: it tries to change a tensor"):
        read_torch(path)

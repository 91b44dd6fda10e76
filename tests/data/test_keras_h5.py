"""Weights of old Keras models as plain arrays."""

import h5py
import numpy as np
import pytest

from benchmarker.core.errors import InputFileError
from benchmarker.data.keras_h5 import is_hdf5, read_keras_h5

ARRAYS = {
    "conv1": {"kernel": np.arange(18, dtype="f4").reshape(3, 3, 2, 1), "bias": np.ones(1, "f4")},
    "fc_out": {"kernel": np.ones((4, 1), "f4"), "bias": np.zeros(1, "f4")},
}


def write_old(path, arrays, *, whole=False, doubled=""):
    """As Keras 2 wrote weights: names of layers and weights in attributes, bytes."""
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if whole else file
        root.attrs["layer_names"] = [name.encode() for name in [*arrays, "dropout"]]
        for layer, weights in {**arrays, "dropout": {}}.items():
            group = root.create_group(layer)
            names = [f"{layer}{doubled}/{name}:0" for name in weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, values in zip(names, weights.values(), strict=True):
                group[name] = values
        if whole:
            file.create_group("optimizer_weights")["adam"] = np.ones(3)
    return path


@pytest.mark.parametrize("options", [{}, {"whole": True}, {"doubled": "_1"}])
def test_arrays_have_plain_names(tmp_path, options):
    path = write_old(tmp_path / "old.h5", ARRAYS, **options)
    assert is_hdf5(path)
    found = read_keras_h5(path, limit=10_000)
    assert found.keys() == {"conv1.kernel", "conv1.bias", "fc_out.kernel", "fc_out.bias"}
    assert np.array_equal(found["conv1.kernel"], ARRAYS["conv1"]["kernel"])


def test_files_that_are_no_weights_are_refused(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["X"] = np.ones(3)
    with pytest.raises(InputFileError, match=r"data.h5: no weights of Keras 1 or 2.*it holds X"):
        read_keras_h5(tmp_path / "data.h5", limit=1000)


def test_a_file_that_is_cut_off_is_refused(tmp_path):
    path = write_old(tmp_path / "old.h5", ARRAYS)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(InputFileError, match=r"old.h5: cut off or damaged HDF5 file"):
        read_keras_h5(path, limit=1000)


def test_an_array_that_is_missing_is_refused(tmp_path):
    path = write_old(tmp_path / "old.h5", ARRAYS)
    with h5py.File(path, "a") as file:
        del file["conv1/conv1/bias:0"]
    with pytest.raises(InputFileError, match=r"old.h5: cut off or damaged"):
        read_keras_h5(path, limit=1000)


def test_more_than_was_allowed_is_not_read(tmp_path):
    path = write_old(tmp_path / "old.h5", ARRAYS)
    with h5py.File(path, "a") as file:
        del file["fc_out/fc_out/kernel:0"]
        file.create_dataset("fc_out/fc_out/kernel:0", shape=(10**12,), dtype="f8")
    with pytest.raises(InputFileError, match="more than 1,000,000 bytes"):
        read_keras_h5(path, limit=1_000_000)

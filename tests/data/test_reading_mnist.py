import gzip
import struct

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError, MissingDataError
from benchmarker.data.reading_mnist import FILES, read_idx, read_mnist

RNG = np.random.default_rng(7)
ARRAYS = {
    "x_train": RNG.integers(0, 255, (100, 28, 28), dtype=np.uint8),
    "y_train": np.arange(100, dtype=np.uint8) % 10,
    "x_test": RNG.integers(0, 255, (20, 28, 28), dtype=np.uint8),
    "y_test": np.arange(20, dtype=np.uint8) % 10,
}


def idx(array):
    return (
        bytes([0, 0, 8, array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.tobytes()
    )


def write(folder, *, packed=True):
    folder.mkdir(exist_ok=True)
    for key, name in FILES.items():
        data = idx(ARRAYS[key])
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(data) if packed else data)
    return folder


@pytest.mark.parametrize("form", ["packed", "plain", "npz"])
def test_all_forms_give_one_set(tmp_path, form):
    path = tmp_path / "mnist.npz"
    if form == "npz":
        np.savez(path, **ARRAYS)
    else:
        path = write(tmp_path / "mnist", packed=form == "packed")
    images = read_mnist(path)
    assert images.classes == tuple("0123456789")
    assert (images.sources[0], images.sources[-1]) == ("train-00000", "test-00019")
    # a twentieth of the training images, the first ones
    assert images.published_split[:6] == ("validation",) * 5 + ("train",)
    assert images.published_split.count("test") == 20
    assert np.array_equal(images.pixels.read(100)[:, :, 0], ARRAYS["x_test"][0])


def test_of_60000_images_3000_validate(tmp_path):
    path = tmp_path / "mnist.npz"
    small = {"x_train": np.zeros((60000, 2, 2), np.uint8), "y_train": np.zeros(60000, np.uint8)}
    test = {"x_test": np.zeros((10, 2, 2), np.uint8), "y_test": np.zeros(10, np.uint8)}
    np.savez_compressed(path, **small, **test)
    split = read_mnist(path).published_split
    assert (split.count("validation"), split.count("train")) == (3000, 57000)
    assert set(split[:3000]) == {"validation"}


def test_missing_files_and_arrays_are_listed(tmp_path):
    folder = write(tmp_path / "mnist")
    for key in ("y_train", "x_test"):
        (folder / f"{FILES[key]}.gz").unlink()
    with pytest.raises(MissingDataError) as caught:
        read_mnist(folder)
    assert FILES["y_train"] in str(caught.value)
    assert FILES["x_test"] in str(caught.value)
    np.savez(tmp_path / "a.npz", x_train=ARRAYS["x_train"])
    with pytest.raises(InputFileError, match="no array 'y_test', found x_train"):
        read_mnist(tmp_path / "a.npz")


def test_numbers_that_do_not_agree(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, **{**ARRAYS, "y_test": np.zeros(3), "x_test": np.zeros((20, 5, 5))})
    with pytest.raises(InputFileError, match=r"\(28, 28\), test images are|test images \(5, 5\)"):
        read_mnist(path)
    np.savez(path, **{**ARRAYS, "y_test": np.zeros(3)})
    with pytest.raises(InputFileError, match="20 test images for 3 labels"):
        read_mnist(path)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "not an idx file"),
        (b"\0\0\x0d\x03" + bytes(12), "not an idx file"),
        (b"\0\0\x08\x03\0\0", "expected 0"),
        (idx(ARRAYS["x_test"])[:-1], "15679 bytes, expected 15680"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "expected 79228162458924105385300197375"),
        (gzip.compress(idx(ARRAYS["x_test"]))[:-100], "damaged gzip"),
        (gzip.compress(bytes(10**6)), "more than the limit"),
    ],
)
def test_damaged_idx_files(tmp_path, content, word):
    path = tmp_path / "a-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=word):
        read_idx(path, limit=100_000)

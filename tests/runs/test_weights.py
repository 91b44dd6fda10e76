import keras
import numpy as np
import pytest

from benchmarker.core.errors import InputFileError
from benchmarker.runs.weights import (
    load_weights,
    named_weights,
    read_tensors,
    weights_digest,
    write_tensors,
)


def model(units=3, seed=1):
    start = keras.initializers.GlorotUniform(seed)
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(units, kernel_initializer=start, name="hidden"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dense(2, kernel_initializer=start, name="classes"),
        ],
        name="toy",
    )


def test_round_trip_is_bit_identical(tmp_path):
    first, second = model(seed=1), model(seed=2)
    assert weights_digest(first) != weights_digest(second)
    write_tensors(tmp_path / "w.safetensors", named_weights(first))
    load_weights(second, tmp_path / "w.safetensors")
    assert weights_digest(first) == weights_digest(second)


def test_another_network_is_named(tmp_path):
    write_tensors(tmp_path / "w.safetensors", named_weights(model(units=3)))
    text = r"hidden/kernel has shape \(4, 3\), this network needs \(4, 5\)"
    with pytest.raises(InputFileError, match=text):
        load_weights(model(units=5), tmp_path / "w.safetensors")
    layers = [keras.Input((4,)), keras.layers.Dense(2, name="classes")]
    plain = keras.Sequential(layers, name="toy")
    with pytest.raises(InputFileError) as caught:
        load_weights(plain, tmp_path / "w.safetensors")
    assert "no tensor 000|toy/classes/kernel" in str(caught.value)
    assert "belongs to no layer" in str(caught.value)


def test_refusal_changes_no_weight(tmp_path):
    write_tensors(tmp_path / "w.safetensors", named_weights(model(units=3)))
    other = model(units=5)
    before = weights_digest(other)
    with pytest.raises(InputFileError):
        load_weights(other, tmp_path / "w.safetensors")
    assert weights_digest(other) == before


@pytest.mark.parametrize("damage", ["truncate", "html", "empty"])
def test_damaged_file(tmp_path, damage):
    path = write_tensors(tmp_path / "w.safetensors", named_weights(model()))
    data = path.read_bytes()
    path.write_bytes({"truncate": data[:-20], "html": b"<html>404</html>", "empty": b""}[damage])
    with pytest.raises(InputFileError, match="damaged or no safetensors file"):
        read_tensors(path)


def test_missing_file(tmp_path):
    with pytest.raises(InputFileError, match="no weights file"):
        read_tensors(tmp_path / "absent.safetensors")


def test_non_contiguous_arrays_are_stored_as_they_read(tmp_path):
    array = np.arange(6, dtype=np.float32).reshape(2, 3).T
    write_tensors(tmp_path / "t.safetensors", {"a": array}, {"note": "x"})
    tensors, notes = read_tensors(tmp_path / "t.safetensors")
    assert np.array_equal(tensors["a"], array)
    assert notes["note"] == "x"


def test_equal_weights_and_notes_make_equal_files(tmp_path):
    """The library lists texts in an order of chance; 8 texts are equal by chance once in 40320."""
    tensors = {"b": np.arange(3.0), "a": np.ones((2, 2), "float32")}
    notes = {f"note {number}": "ä" * number for number in range(7)}
    files = [write_tensors(tmp_path / name, tensors, notes) for name in ("one", "two")]
    assert files[0].read_bytes() == files[1].read_bytes()
    found, texts = read_tensors(files[0])
    assert all(np.array_equal(found[name], array) for name, array in tensors.items())
    assert notes.items() <= texts.items()

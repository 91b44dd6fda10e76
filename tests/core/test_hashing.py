"""Digests are pinned to values worked out elsewhere, so that records stay comparable."""

import hashlib

import numpy as np
import pytest

from benchmarker.core.hashing import (
    canonical_json,
    digest_arrays,
    digest_bytes,
    digest_file,
    digest_json,
    digest_names,
    digest_text,
)


def test_sha256_of_known_texts():
    # the test vector of the standard (FIPS 180-2)
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest_bytes(b"abc") == digest_text("abc") == abc
    assert digest_text("Ä") == digest_bytes(b"\xc3\x84")
    assert digest_names(["a", "b"]) == digest_bytes(b"a\nb")


def test_a_file_has_the_digest_of_its_bytes(tmp_path):
    data = bytes(range(256)) * 10_000
    (tmp_path / "file").write_bytes(data)
    assert digest_file(tmp_path / "file") == digest_bytes(data)


def test_json_is_written_in_one_way():
    assert canonical_json({"b": [1, 2.5, None], "a": "Ä"}) == '{"a":"\\u00c4","b":[1,2.5,null]}'
    assert digest_json({"b": 1, "a": 2}) == digest_json({"a": 2, "b": 1})
    assert digest_json([1, 2]) != digest_json([2, 1])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_does_not_know_are_refused(value):
    with pytest.raises(ValueError, match="JSON"):
        digest_json({"loss": value})


def test_arrays_are_hashed_by_name_type_shape_and_bytes():
    array = np.array([[1, 2]], dtype=np.int16)
    expected = hashlib.sha256(b"0|<i2|(1, 2)|" + b"\x01\x00\x02\x00").hexdigest()
    assert digest_arrays([array]) == expected
    named = hashlib.sha256(b"x|<i2|(1, 2)|" + b"\x01\x00\x02\x00").hexdigest()
    assert digest_arrays({"x": array}) == named


def test_storage_does_not_matter_but_content_does():
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    base = digest_arrays([array])
    assert digest_arrays([array.astype(">f4")]) == base
    assert digest_arrays([np.asfortranarray(array)]) == base
    assert digest_arrays([np.repeat(array, 2, axis=0)[::2]]) == base
    others = [
        array.reshape(4, 3),
        array.astype(np.float64),
        array + np.float32(1),
        array[:, ::-1],
    ]
    assert len({base, *(digest_arrays([other]) for other in others)}) == 5


def test_order_and_borders_of_arrays_matter():
    one, two = np.zeros(2, np.uint8), np.zeros(3, np.uint8)
    assert digest_arrays([one, two]) != digest_arrays([two, one])
    assert digest_arrays([]) == digest_bytes(b"")
    assert digest_arrays([np.zeros((0, 3))]) != digest_arrays([np.zeros((3, 0))])


def test_scalars_are_arrays_too():
    assert digest_arrays([np.float32(1.5)]) == digest_arrays([np.array(1.5, np.float32)])

import os
import pickle

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError, MissingDataError
from benchmarker.data.reading_batches import read_batches
from benchmarker.data.reading_npz import read_npz
from benchmarker.data.reading_options import ReadOptions


def batch(count=3, side=4, start=0, *, names=True, keys=str):
    rng = np.random.default_rng(start)
    value = {
        "data": rng.integers(0, 255, (count, side * side), dtype=np.uint8),
        "labels": [row % 2 for row in range(count)],
        "filenames": [f"./d/{start + row if names else 0}.5.png" for row in range(count)],
        "batch_label": "a batch",
    }
    return value if keys is str else {key.encode(): item for key, item in value.items()}


def write(folder, protocol=2, **options):
    folder.mkdir(exist_ok=True)
    starts = {1: 20, 2: 0, 10: 10, **{number: 100 + 10 * number for number in range(3, 10)}}
    for number, start in starts.items():
        value = batch(start=start, **options)
        (folder / f"data_batch_{number}").write_bytes(pickle.dumps(value, protocol=protocol))
    test = batch(2, start=900, **options)
    (folder / "test_batch").write_bytes(pickle.dumps(test, protocol=protocol))
    meta = {"label_names": ["FRI", "FRII"], "num_vis": 16}
    (folder / "batches.meta").write_bytes(pickle.dumps(meta))
    return folder


@pytest.mark.parametrize(("protocol", "keys"), [(0, str), (2, str), (5, bytes)])
def test_batches_in_numeric_order(tmp_path, protocol, keys):
    images = read_batches(write(tmp_path / "set", protocol, keys=keys))
    assert len(images) == 32
    assert images.classes == ("FRI", "FRII")
    assert images.sources[:4] == ("20.5", "21.5", "22.5", "0.5")
    assert images.sources[-5:] == ("10.5", "11.5", "12.5", "900.5", "901.5")
    assert images.published_split == ("train",) * 30 + ("test",) * 2
    expected = batch(start=20)["data"][1].reshape(4, 4)
    assert np.array_equal(images.pixels.read(1)[:, :, 0], expected)


def test_repeated_file_names_give_way_to_batch_and_place(tmp_path):
    images = read_batches(write(tmp_path / "set", names=False))
    assert images.sources[1] == "data_batch_1-001"
    assert images.sources[-1] == "test_batch-001"


def test_converted_once_and_again_when_a_batch_changes(tmp_path):
    folder = write(tmp_path / "set")
    first = read_batches(folder)
    kept = tmp_path / "set.converted.npz"
    assert kept.is_file()
    stamp = kept.stat().st_mtime_ns
    assert read_batches(folder).digest == first.digest
    assert kept.stat().st_mtime_ns == stamp
    (folder / "test_batch").write_bytes(pickle.dumps(batch(2, start=950)))
    changed = read_batches(folder)
    assert changed.sources[-1] == "951.5"
    kept.write_bytes(b"damaged")
    assert read_batches(folder).digest == changed.digest
    # the converted file is a data set of its own
    assert read_npz(kept).digest == changed.digest


def test_nothing_is_written_if_not_wanted(tmp_path):
    read_batches(write(tmp_path / "set"), ReadOptions(convert=False))
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_malicious_batch_is_refused_without_running(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'ran'}",)

    folder = write(tmp_path / "set")
    (folder / "data_batch_3").write_bytes(pickle.dumps({**batch(), "batch_label": Trap()}))
    with pytest.raises(InputFileError, match=r"data_batch_3: refused: it asks for posix\.system"):
        read_batches(folder)
    assert not (tmp_path / "ran").exists()


def test_faults_of_all_batches_are_listed_at_once(tmp_path):
    folder = write(tmp_path / "set")
    bad = {
        "data_batch_2": {**batch(), "data": np.zeros((3, 15), np.uint8)},
        "data_batch_4": {**batch(), "labels": [0]},
        "data_batch_8": {**batch(), "labels": [0, [1], 2]},
        "data_batch_5": {"labels": [0]},
        "data_batch_6": [1, 2],
        "batches.meta": {"names": []},
    }
    for name, value in bad.items():
        (folder / name).write_bytes(pickle.dumps(value))
    (folder / "data_batch_7").write_bytes(b"\x80\x02cut off")
    with pytest.raises(InputFileError) as caught:
        read_batches(folder)
    text = str(caught.value)
    assert "set has 7 faults" in text
    for word in (
        "data_batch_2: 15 values per image",
        "data_batch_4: 1 labels for 3 images",
        "data_batch_8: a label is no whole number",
        "data_batch_5: 'data' is NoneType",
        "data_batch_6: holds a list",
        "data_batch_7: not a readable pickle",
        "batches.meta: no list 'label_names'",
    ):
        assert word in text


def test_missing_batches_are_named(tmp_path):
    folder = write(tmp_path / "set")
    (folder / "data_batch_4").unlink()
    (folder / "data_batch_9").unlink()
    with pytest.raises(InputFileError, match="data_batch_4, data_batch_9 missing"):
        read_batches(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingDataError, match="no batches"):
        read_batches(tmp_path / "empty")


def test_batches_of_unequal_image_size(tmp_path):
    folder = write(tmp_path / "set")
    (folder / "data_batch_2").write_bytes(pickle.dumps(batch(side=5)))
    with pytest.raises(InputFileError, match=r"data_batch_2: images of \(5, 5\) pixels, expected"):
        read_batches(folder)


def test_real_batches_give_the_digest_of_the_card(tmp_path, real_data):
    from benchmarker.data.cards import load_card

    with np.load(real_data / "frdeep_first.npz") as arrays:
        stored = {key: arrays[key] for key in arrays.files}
    for name in sorted(set(stored["batch_file"])):
        rows = np.flatnonzero(stored["batch_file"] == name)
        value = {
            "data": stored["images"][rows].reshape(len(rows), -1),
            "labels": stored["labels"][rows].tolist(),
            "filenames": stored["filenames"][rows].tolist(),
        }
        (tmp_path / str(name)).write_bytes(pickle.dumps(value, protocol=3))
    images = read_batches(tmp_path, ReadOptions(convert=False))
    assert images.classes == ("0", "1")
    from dataclasses import replace

    card = load_card("frdeep-first")
    assert replace(images, classes=card.classes).digest == card.content

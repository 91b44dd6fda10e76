from pathlib import Path

import h5py
import numpy as np
import pytest

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.hosts.realbogus.dataset import (
    Places,
    SetForm,
    write_set,
    write_unlabelled,
)
from benchmarker.hosts.realbogus.lists import read_list
from benchmarker.hosts.realbogus.normalisations import normalise
from benchmarker.hosts.realbogus.parts import grouped_parts, legacy_parts
from benchmarker.hosts.realbogus.stamps import StampForm, read_stamp, to_vectors, turned
from tests.hosts.realbogus.stamp_files import write_lists, write_stamp


@pytest.fixture
def lists(tmp_path):
    return write_lists(tmp_path)


def written(tmp_path, lists, *, legacy=False, facts=None, **form):
    good, bad = (read_list(path) for path in lists)
    parts = legacy_parts(good, bad, skew=3) if legacy else grouped_parts(good, bad, skew=3, seed=0)
    path = tmp_path / "set.h5"
    summary = write_set(path, parts, Places(tmp_path, tmp_path, facts or {}), SetForm(**form))
    return path, parts, summary


def test_the_layout_of_psat_ml(tmp_path, lists):
    path, parts, _ = written(tmp_path, lists, legacy=True)
    with h5py.File(path) as file:
        train, test = len(parts.train), len(parts.test)
        assert train + test == 48
        shapes = {"X": (train, 400), "y": (train,), "testX": (test, 400), "testy": (test,)}
        for name, shape in shapes.items():
            assert (file[name].dtype, file[name].shape) == (np.float64, shape)
        for half, rows in (("train", parts.train), ("test", parts.test)):
            names = file[f"{half}_files"]
            assert names.dtype.kind == "S"
            assert [name.decode() for name in names[()]] == list(rows.entries)
        assert file["y"][()].tolist() == parts.train.labels.tolist()
        assert set(np.unique(file["testy"])) == {0.0, 1.0}
        entry, label = parts.train.entries[5], parts.train.labels[5]
        stamp = read_stamp(tmp_path / ("good" if label else "bad") / entry)
        np.testing.assert_array_equal(file["X"][5], normalise(stamp.ravel(order="F")))


def test_what_is_known_stands_beside_the_pixels(tmp_path, lists):
    good = read_list(lists[0])
    facts = {good[0]: {"kind": "comet"}}
    form = {"stamps": StampForm(8, magic=-1), "normalisation": "spn", "seed": 4}
    path, parts, summary = written(tmp_path, lists, facts=facts, **form)
    with h5py.File(path) as file:
        groups = {half: set(file[f"{half}_group"][()]) for half in ("train", "test")}
        assert not groups["train"] & groups["test"]
        words = [word.decode() for word in file["train_split"][()]]
        assert words == ["train"] * len(parts.train) + ["validation"] * len(parts.validation)
        assert file.attrs["validation_rows"] == len(parts.validation)
        said = {key: file.attrs[key] for key in ("normalisation", "extent", "magic", "seed")}
        assert said == {"normalisation": "signPreserveNorm", "extent": 8, "magic": -1, "seed": 4}
        assert file.attrs["extension"] == "auto"
        assert file.attrs["software"].startswith("benchmarker ")
        assert file["X"].shape[1] == 256
        kinds = {
            name: kind
            for half in ("train", "test")
            for name, kind in zip(file[f"{half}_files"], file[f"{half}_kind"], strict=True)
        }
        assert kinds[good[0].encode()] == b"comet"
        assert kinds[good[1].encode()] == b"good1"
        assert set(file["train_camera"]) == {b"02a"}
        assert file["train_magnitude"].dtype == np.float64
    assert sum(summary.rows["train"].values()) == len(parts.train)


def test_training_stamps_are_turned_and_no_others(tmp_path, lists):
    plain, parts, _ = written(tmp_path, lists)
    with h5py.File(plain) as file:
        rows, tested = file["X"][()], file["testX"][()]
    path, _, _ = written(tmp_path, lists, rotations=True)
    count = len(parts.train)
    with h5py.File(path) as file:
        assert file["X"].shape[0] == 4 * count + len(parts.validation)
        for quarters in range(4):
            found = file["X"][quarters : 4 * count : 4]
            np.testing.assert_array_equal(found, turned(rows[:count], quarters))
        np.testing.assert_array_equal(file["X"][4 * count :], rows[count:])
        np.testing.assert_array_equal(file["testX"], tested)
        names = file["train_files"][: 4 * count]
        assert names.tolist() == [n.encode() for n in parts.train.entries for _ in range(4)]


def test_rows_do_not_depend_on_how_many_are_written_at_once(tmp_path, lists, monkeypatch):
    path, _, _ = written(tmp_path, lists)
    monkeypatch.setattr("benchmarker.hosts.realbogus.dataset.ROWS_AT_ONCE", 5)
    with h5py.File(path) as file:
        expected = file["X"][()], file["train_magnitude"][()]
    path, _, _ = written(tmp_path, lists)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["X"], expected[0])
        np.testing.assert_array_equal(file["train_magnitude"], expected[1])


def test_whole_numbers_among_floats_are_normalised_as_they_are_alone(tmp_path, lists):
    name = read_list(lists[1])[0]
    pixels = np.random.default_rng(3).integers(-50, 50, (24, 24)).astype(np.int16)
    pixels[12, 12] = -31415
    write_stamp(tmp_path / "bad" / name, pixels)
    path, _, _ = written(tmp_path, lists, legacy=True)
    with h5py.File(path) as file:
        names = file["train_files"][()].tolist() + file["test_files"][()].tolist()
        row = np.concatenate([file["X"], file["testX"]])[names.index(name.encode())]
    expected = normalise(to_vectors(read_stamp(tmp_path / "bad" / name, magic=-31415)))
    assert expected.dtype == np.float64
    np.testing.assert_array_equal(row, expected)


def test_a_flat_stamp_is_flagged_and_zero(tmp_path, lists):
    name = read_list(lists[0])[2]
    write_stamp(tmp_path / "good" / name, np.full((24, 24), 7.5, np.float32))
    path, _, summary = written(tmp_path, lists)
    assert summary.flat == 1
    with h5py.File(path) as file:
        flags = np.concatenate([file["train_flat"], file["test_flat"]])
        rows = np.concatenate([file["X"], file["testX"]])
    assert flags.sum() == 1
    assert not rows[flags == 1].any()


def test_half_the_size_where_asked_for(tmp_path, lists):
    path, _, _ = written(tmp_path, lists, dtype="float32")
    with h5py.File(path) as file:
        assert file["X"].dtype == np.float32
    with pytest.raises(SettingsError, match="float16"):
        SetForm(dtype="float16")


def test_an_unreadable_stamp_leaves_nothing_behind_or_is_left_out(tmp_path, lists):
    name = read_list(lists[1])[0]
    path = tmp_path / "bad" / name
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputFileError, match=f"{name}.*cut off"):
        written(tmp_path, lists, legacy=True)
    assert not list(tmp_path.glob("*.h5"))
    assert not list(tmp_path.glob(".part*"))
    written_path, _, summary = written(tmp_path, lists, legacy=True, skip=1)
    assert list(summary.left_out) == [name]
    with h5py.File(written_path) as file:
        assert len(file["X"]) + len(file["testX"]) == 47
        assert file.attrs["left_out"] == 1


def test_a_set_without_labels(tmp_path, lists):
    entries = read_list(lists[0])
    seen = []
    progress = lambda done, total: seen.append((done, total))  # noqa: E731
    write_unlabelled(tmp_path / "u.h5", entries, Places(tmp_path, tmp_path), SetForm(), progress)
    with h5py.File(tmp_path / "u.h5") as file:
        assert file["X"].shape == (12, 400)
        assert [name.decode() for name in file["images"]] == entries
        assert "y" not in file
    assert seen[-1] == (12, 12)
    form = SetForm(skip=12)
    with pytest.raises(InputFileError, match="no stamp of 12"):
        write_unlabelled(tmp_path / "v.h5", entries, Places(Path("/x"), Path("/x")), form)
    assert not (tmp_path / "v.h5").exists()

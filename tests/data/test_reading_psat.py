import h5py
import numpy as np
import pytest

from benchmarker.core.errors import BenchmarkerWarning, InputFileError
from benchmarker.data.opening import open_data
from benchmarker.data.reading_options import ReadOptions
from benchmarker.data.reading_psat import is_psat, open_psat, read_psat
from benchmarker.data.splits import choose_split

TRAIN = [f"{row // 2}_a_{row}.fits" for row in range(24)]
TEST = [f"{50 + row}_a_{row}.fits" for row in range(8)]


def psat(path, **changes):
    """A file as psat-ml writes it; `changes` replace, add or (None) leave out data sets."""
    draw = np.random.default_rng(0)
    arrays = {
        "X": draw.normal(size=(24, 9)),
        "y": np.arange(24) // 2 % 2.0,
        "train_files": np.array(TRAIN, "S"),
        "testX": draw.normal(size=(8, 9)),
        "testy": np.arange(8) % 2.0,
        "test_files": np.array(TEST, "S"),
    } | changes
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            if array is not None:
                file[name] = array
    return path


def test_a_plain_file_opens_by_its_path(tmp_path):
    path = psat(tmp_path / "set.h5")
    images = open_data(path)
    assert images.classes == ("bogus", "real")
    assert images.sources == (*TRAIN, *TEST)
    assert images.labels.tolist() == [*(np.arange(24) // 2 % 2), *(np.arange(8) % 2)]
    assert images.groups[:3] == ("0", "0", "1")
    assert images.provenance["reader"] == "psat"
    assert images.provenance["preparation"] == "as-is"
    with h5py.File(path) as file:
        expected = file["testX"][3].reshape((3, 3), order="F").astype(np.float32)
    assert np.array_equal(images.pixels.read(27)[:, :, 0], expected)


def test_validation_takes_whole_objects_where_the_file_names_none(tmp_path):
    images = read_psat(psat(tmp_path / "set.h5"))
    split = choose_split(images, seed=1)
    assert split.validation
    assert set(split.test) == set(TEST)
    objects = [{name.partition("_")[0] for name in part} for part in split.parts.values()]
    assert not objects[0] & objects[1]


def test_the_file_says_what_validates_and_what_is_known(tmp_path):
    words = np.array(["train"] * 18 + ["validation"] * 6, "S")
    facts = {"train_magnitude": np.arange(24.0), "test_kind": np.array(["x"] * 8, "S")}
    images = read_psat(psat(tmp_path / "set.h5", train_split=words, **facts))
    assert images.published_split == ("train",) * 18 + ("validation",) * 6 + ("test",) * 8
    assert sorted(images.facts) == ["kind", "magnitude"]
    assert images.facts["magnitude"][3] == 3
    assert np.isnan(images.facts["magnitude"][24:]).all()
    assert images.facts["kind"].tolist() == [""] * 24 + ["x"] * 8
    assert choose_split(images, seed=1).rule == "published"


def test_stored_objects_win_over_names(tmp_path):
    groups = {"train_group": np.array([f"g{row // 4}" for row in range(24)], "S")}
    images = read_psat(psat(tmp_path / "set.h5", **groups))
    assert images.groups[:5] == ("g0", "g0", "g0", "g0", "g1")
    assert images.groups[24] == "50"


def test_turned_copies_get_names_of_their_own(tmp_path):
    images = read_psat(psat(tmp_path / "a.h5", train_files=np.array([TRAIN[0]] * 24, "S")))
    assert images.sources[:3] == (TRAIN[0], f"{TRAIN[0]}#2", f"{TRAIN[0]}#3")
    assert set(images.groups[:24]) == {"0"}


def test_a_leak_is_told(tmp_path):
    leaking = np.array(["3_z.fits", *TEST[1:]], "S")
    with pytest.warns(BenchmarkerWarning, match=r"1 objects have stamps in more .*\(3\)"):
        read_psat(psat(tmp_path / "set.h5", test_files=leaking))


def refused(path, *words, options=None):
    with pytest.raises(InputFileError) as caught:
        read_psat(path, options or ReadOptions())
    text = str(caught.value)
    assert str(path) in text
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y": None, "testy": None}, ["no y", "no testy"]),
        ({"testX": None}, ["no testX"]),
        ({"X": np.zeros((24, 8))}, ["(24, 8)", "square"]),
        ({"X": np.zeros((24, 16))}, ["differ in size"]),
        ({"X": np.array([["a"] * 9] * 24, "S")}, ["expected numbers"]),
        ({"y": np.full(24, 2.0)}, ["0 (bogus) and 1 (real)"]),
        ({"y": np.full(24, np.nan)}, ["0 (bogus) and 1 (real)"]),
        ({"y": np.zeros(23)}, ["y has shape (23,), expected (24,)"]),
        ({"train_files": None}, ["no file names for X"]),
        ({"X": np.full((24, 9), np.nan)}, [TRAIN[0], "expected normalised"]),
        ({"train_split": np.array(["tset"] * 24, "S")}, ["tset"]),
        ({"y": h5py.ExternalLink("other.h5", "y")}, ["link to another file"]),
    ],
)
def test_files_that_are_no_sets_are_refused(tmp_path, changes, words):
    refused(psat(tmp_path / "set.h5", **changes), *words)


def test_files_that_are_no_hdf5_or_too_large(tmp_path):
    path = psat(tmp_path / "set.h5")
    refused(path, "needs 1152 bytes", options=ReadOptions(max_bytes=1000))
    path.write_bytes(path.read_bytes()[:3000])
    refused(path, "not a usable HDF5 file")
    assert not is_psat(path)


def test_a_file_without_labels_can_be_walked_but_not_trained_on(tmp_path):
    none = dict.fromkeys(("y", "testX", "testy", "test_files", "train_files"))
    path = psat(tmp_path / "set.h5", images=np.array(TRAIN, "S"), **none)
    assert is_psat(path)
    refused(path, "no y")
    with open_psat(path) as halves:
        half = halves["train"]
        assert (half.rows, half.side, half.files) == (24, 3, TRAIN)
        assert half.labels is None
        pieces = list(half.batches(10))
        assert [piece.shape for piece in pieces] == [(10, 3, 3, 1), (10, 3, 3, 1), (4, 3, 3, 1)]
        assert np.array_equal(np.concatenate(pieces), half.images())


def test_other_hdf5_files_are_none_of_these(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["images"] = np.zeros((4, 3, 3), np.uint8)
        file["labels"] = np.arange(4) % 2
    assert not is_psat(tmp_path / "a.h5")
    assert open_data(tmp_path / "a.h5").provenance["reader"] == "hdf5"

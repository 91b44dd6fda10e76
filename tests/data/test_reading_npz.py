import io
import zipfile

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError
from benchmarker.data.reading_npz import array_names, read_arrays, read_npz
from benchmarker.data.reading_options import DEFAULTS, ReadOptions

IMAGES = np.arange(4 * 3 * 3, dtype=np.uint8).reshape(4, 3, 3)


def save(path, **arrays):
    given = {"images": IMAGES, "labels": np.array([0, 1, 1, 0]), **arrays}
    np.savez_compressed(path, **{key: value for key, value in given.items() if value is not None})
    return path


def refused(path, *words, options=DEFAULTS):
    with pytest.raises(InputFileError) as caught:
        read_npz(path, options)
    text = str(caught.value)
    assert str(path) in text
    for word in words:
        assert word in text


def raw_npz(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def npy(array, shape=None):
    """Bytes of an .npy member, with another shape in its header if asked for."""
    stream = io.BytesIO()
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": shape or array.shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + array.tobytes()


def test_smallest_file(tmp_path):
    images = read_npz(save(tmp_path / "a.npz"))
    assert images.pixels.read(1).shape == (3, 3, 1)
    assert images.pixels.array.dtype == np.uint8
    assert images.classes == ("0", "1")
    assert images.sources == ("row-000000", "row-000001", "row-000002", "row-000003")
    assert images.published_split is None
    assert images.name == "a"


def test_all_columns(tmp_path):
    path = save(
        tmp_path / "a.npz",
        label_names=np.array(["FRI", "FRII"]),
        split=np.array([0, 1, 2, 0]),
        split_names=np.array(["train", "test", "valid"]),
        filenames=np.array(["x.png"] * 4),
        filepath=np.array([f"c/{row}.5.png" for row in range(4)]),
        ra_deg=np.array([1.0, 2.0, np.nan, 4.0]),
        dec_deg=np.arange(4.0),
        remark=np.array(["passed", "over", "as", "unknown"]),
    )
    images = read_npz(path)
    assert images.published_split == ("train", "test", "validation", "train")
    assert images.sources == ("0.5", "1.5", "2.5", "3.5")
    assert images.provenance["source_names"] == "filepath"
    assert images.ra_deg[1] == 2.0


def test_text_labels_and_batch_names(tmp_path):
    path = save(
        tmp_path / "a.npz",
        labels=np.array(["b", "a", "a", "b"]),
        split=np.array(["Train", "val", "test", "train"]),
        batch_file=np.array(["data_batch_1"] * 2 + ["test_batch"] * 2),
        batch_index=np.array([0, 1, 0, 1]),
    )
    images = read_npz(path)
    assert images.classes == ("a", "b")
    assert images.labels.tolist() == [1, 0, 0, 1]
    assert images.published_split[1] == "validation"
    assert images.sources[2] == "test_batch-000"


@pytest.mark.parametrize("kind", [">i2", ">f8", "f2", "?", ">u2"])
def test_other_pixel_types_become_native_float32(tmp_path, kind):
    images = read_npz(save(tmp_path / "a.npz", images=IMAGES.astype(kind)))
    assert images.pixels.array.dtype == np.dtype(np.float32)
    assert images.pixels.array.dtype.isnative
    assert images.pixels.array[0, 0, 1, 0] == 1


def test_pixels_that_are_not_finite_follow_the_policy(tmp_path):
    pixels = IMAGES.astype(np.float32)
    pixels[1, 0, 0], pixels[3, 0, :2] = np.nan, np.inf
    path = save(tmp_path / "a.npz", images=pixels)
    kept = read_npz(path)
    assert kept.provenance["non_finite"] == {"images": 2, "pixels": 3, "policy": "keep"}
    assert np.isnan(kept.pixels.array[1, 0, 0, 0])
    zero = read_npz(path, ReadOptions(non_finite="zero"))
    assert np.isfinite(zero.pixels.array).all()
    refused(path, "row 1 has 1 NaN", "row 3 has 2", options=ReadOptions(non_finite="reject"))
    pixels[2] = np.nan
    refused(save(tmp_path / "b.npz", images=pixels), "row 2 has no finite pixel")


def test_every_fault_is_listed_at_once(tmp_path):
    path = save(
        tmp_path / "a.npz",
        labels=np.array([0, 1, 5, -1]),
        label_names=np.array(["a", "b"]),
        split=np.array([0, 1, 9, 0]),
        split_names=np.array(["train", "test"]),
        ra_deg=np.zeros(3),
        dec_deg=np.zeros(4),
    )
    refused(path, "row 2 is 5", "row 3 is -1", "split numbers [9]", "'ra_deg' has shape (3,)")


@pytest.mark.parametrize(
    ("arrays", "word"),
    [
        ({"labels": None}, "no array 'labels'"),
        ({"images": None}, "no array 'images', found: labels"),
        ({"images": None, "labels": None, "x": IMAGES}, "no array 'images', found: x"),
        ({"images": IMAGES.reshape(4, 9)}, "shape (4, 9)"),
        ({"images": np.zeros((4, 3, 3, 7), np.uint8)}, "(4, 3, 3, 7)"),
        ({"images": np.zeros((0, 3, 3), np.uint8), "labels": np.zeros(0, int)}, "holds no image"),
        ({"images": IMAGES.astype(complex)}, "complex128"),
        ({"labels": np.array([0.5, 1, 1, 0])}, "expected whole numbers"),
        ({"labels": np.array([0, 1, 1])}, "expected (4,)"),
        ({"labels": np.array([0, 1, 1, 10**9])}, "row 3 is 1000000000"),
        ({"split": np.array([0, 1, 0, 0])}, "expected texts 'split_names'"),
        ({"split": np.array(["train", "test", "fold3", "train"])}, "fold3"),
    ],
)
def test_wrong_arrays(tmp_path, arrays, word):
    refused(save(tmp_path / "a.npz", **arrays), word)


def test_objects_are_refused_and_not_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    labels = np.array([Trap()] * 4, dtype=object)
    refused(save(tmp_path / "a.npz", labels=labels), "Python objects")
    assert not (tmp_path / "ran").exists()


def test_claimed_sizes_must_agree_before_anything_is_allocated(tmp_path):
    huge = npy(IMAGES, shape=(10**6, 10**6, 10**3))
    path = raw_npz(tmp_path / "a.npz", {"images.npy": huge, "labels.npy": npy(np.zeros(4, int))})
    refused(path, "'images' claims 1000000000000000 bytes", "36 are stored")
    refused(raw_npz(tmp_path / "b.npz", {"images.npy": npy(IMAGES)[:-5]}), "31 are stored")


def test_forged_zip_sizes_are_refused(tmp_path):
    path = raw_npz(tmp_path / "a.npz", {"images.npy": npy(IMAGES)})
    raw = bytearray(path.read_bytes())
    place = raw.rindex(b"PK\x01\x02") + 24  # uncompressed size in the central directory
    raw[place : place + 4] = (2**31).to_bytes(4, "little")
    path.write_bytes(raw)
    refused(path, "no such compression exists")


def test_bombs_and_damage(tmp_path):
    zeros = np.zeros((2000, 100, 100), np.uint8)
    path = save(tmp_path / "a.npz", images=zeros, labels=np.zeros(2000, int))
    assert path.stat().st_size < 100_000
    refused(path, "expected at most 1000000", options=ReadOptions(max_bytes=1_000_000))
    raw = bytearray(save(tmp_path / "b.npz").read_bytes())
    raw[raw.index(b"images.npy") + 40] ^= 0xFF
    (tmp_path / "b.npz").write_bytes(raw)
    refused(tmp_path / "b.npz", "damaged")
    for content in (b"", b"PK\x03\x04 cut off", b"hello"):
        (tmp_path / "c.npz").write_bytes(content)
        refused(tmp_path / "c.npz", "not an .npz archive")
    refused(tmp_path / "none.npz", "No such file")
    refused(raw_npz(tmp_path / "d.npz", {"evil.txt": b"x"}), "'evil.txt' is no array")


def test_unwanted_arrays_are_not_read(tmp_path):
    bomb = npy(np.zeros(3), shape=(10**15,))
    path = raw_npz(tmp_path / "a.npz", {"x.npy": npy(np.ones(2)), "huge.npy": bomb})
    assert array_names(path) == ["x", "huge"]
    assert read_arrays(path, limit=1000, wanted="x".__eq__)["x"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("file", "classes", "parts"),
    [
        ("first_griese2022.npz", [495, 924, 391, 348], (1758, 200, 200)),
        ("mirabest.npz", [339, 49, 9, 191, 3, 432, 4, 195, 19, 15], (1099, 0, 157)),
        ("frdeep_first.npz", [264, 336], (550, 0, 50)),
    ],
)
def test_real_files(real_data, file, classes, parts):
    images = read_npz(real_data / file)
    assert np.bincount(images.labels).tolist() == classes
    split = images.published_split
    assert tuple(split.count(part) for part in ("train", "validation", "test")) == parts
    assert len(set(images.sources)) == len(images)
    first = {"first_griese2022.npz": "data_0", "frdeep_first.npz": "data_batch_1-000"}
    assert images.sources[0] == first.get(file, "100_162.947+055.386_0.0739_0250.34")
    assert (images.ra_deg is None) == (file == "frdeep_first.npz")


def test_groups_and_facts_are_read(tmp_path):
    extra = {
        "group": np.array(["o1", "o1", "o2", "o3"]),
        "fact_band": np.array(["072-080", "080-088", "080-088", "223-231"]),
        "fact_strength": np.array([1, 3, 2, 9]),
        "noise": np.zeros(7),
    }
    images = read_npz(save(tmp_path / "a.npz", **extra))
    assert images.groups == ("o1", "o1", "o2", "o3")
    assert images.facts.keys() == {"band", "strength"}
    assert images.facts["strength"].dtype == np.float64
    taken = images.take([3, 0])
    assert taken.groups == ("o3", "o1")
    assert taken.facts["band"].tolist() == ["223-231", "072-080"]
    refused(save(tmp_path / "b.npz", fact_band=np.array(["x"])), "'fact_band' has shape (1,)")

import h5py
import numpy as np
import pytest

from benchmarker.core.errors import InputFileError
from benchmarker.data.reading_hdf5 import read_hdf5
from benchmarker.data.reading_options import DEFAULTS, ReadOptions

IMAGE = np.arange(30, dtype=np.uint8).reshape(5, 6)


def release(path, count=12, **dataset):
    """A file in the form of the Griese release: data_0 ... with text and float scalars."""
    with h5py.File(path, "w") as file:
        for row in range(count):
            group = file.create_group(f"data_{row}")
            image = group.create_dataset("Img", data=IMAGE + row, **dataset)
            image.attrs["RA"], image.attrs["DEC"] = 10.0 + row, -row / 2
            image.attrs["Source"] = "MiraBest"
            group["Label_literature"] = float(row % 4)
            group["Split_literature"] = ("train", "valid", "test")[row % 3]
            group["Label_CDL1"] = np.nan
    return path


def refused(path, *words, options=DEFAULTS):
    with pytest.raises(InputFileError) as caught:
        read_hdf5(path, options)
    text = str(caught.value)
    assert str(path) in text
    for word in words:
        assert word in text


@pytest.mark.parametrize("packing", [{}, {"compression": "gzip", "chunks": (5, 6)}])
def test_the_form_of_the_release(tmp_path, packing):
    images = read_hdf5(release(tmp_path / "a.h5", **packing))
    assert images.sources == tuple(f"data_{row}" for row in range(12))  # numeric order
    assert images.classes == ("FRI", "FRII", "Compact", "Bent")
    assert images.labels.tolist() == [row % 4 for row in range(12)]
    assert images.published_split[:3] == ("train", "validation", "test")
    assert np.array_equal(images.pixels.read(11)[:, :, 0], IMAGE + 11)
    assert images.pixels.array.dtype == np.uint8
    assert (images.ra_deg[3], images.dec_deg[3]) == (13.0, -1.5)


def test_parts_may_be_attributes_with_other_names(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        for row in range(2):
            group = file.create_group(f"data_{row}")
            group["image"] = IMAGE
            group.attrs["label"] = row
            group.attrs["split"] = np.bytes_(b"train")
    images = read_hdf5(path)
    assert images.labels.tolist() == [0, 1]
    assert images.published_split == ("train", "train")


def test_named_arrays(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["images"] = np.stack([IMAGE, IMAGE])
        file["labels"] = np.array([1, 0])
        file.create_dataset("label_names", data=["a", "b"], dtype=h5py.string_dtype())
    images = read_hdf5(path)
    assert images.classes == ("a", "b")
    assert len(images) == 2


def test_faults_are_listed_at_once(tmp_path):
    path = release(tmp_path / "a.h5", count=4)
    with h5py.File(path, "a") as file:
        del file["data_1/Label_literature"]
        del file["data_2/Img"]
        file.create_group("data_9")
    refused(path, "data_1: no label", "data_2: no image", "data_9: no image")


def test_other_shape_is_named(tmp_path):
    path = release(tmp_path / "a.h5", count=2)
    with h5py.File(path, "a") as file:
        del file["data_1/Img"]
        file["data_1/Img"] = IMAGE[:4]
    refused(path, "data_1: image has shape (4, 6), expected (5, 6)")


def test_links_and_foreign_storage_are_refused(tmp_path):
    secret = release(tmp_path / "secret.h5", count=1)
    path = tmp_path / "a.h5"
    release(path, count=5)
    (tmp_path / "raw").write_bytes(bytes(30))
    with h5py.File(path, "a") as file:
        for row in range(4):
            del file[f"data_{row}/Img"]
        file["data_0/Img"] = h5py.ExternalLink(str(secret), "data_0/Img")
        file["data_1/Img"] = h5py.SoftLink("/data_4/Img")
        file.create_dataset(
            "data_2/Img", (5, 6), np.uint8, external=[(str(tmp_path / "raw"), 0, 30)]
        )
        layout = h5py.VirtualLayout(shape=(5, 6), dtype=np.uint8)
        layout[:] = h5py.VirtualSource(str(secret), "data_0/Img", shape=(5, 6))
        file.create_virtual_dataset("data_3/Img", layout)
        file["data_8"] = h5py.ExternalLink(str(secret), "/data_0")
    refused(
        path,
        "data_0/Img is a link to another file",
        "data_1/Img is a link to another place",
        "data_2/Img keeps its data in another file",
        "data_3/Img is a virtual data set",
        "data_8 is a link to another file",
    )


def test_claims_beyond_what_is_stored_are_refused(tmp_path):
    path = release(tmp_path / "a.h5", count=2)
    with h5py.File(path, "a") as file:
        del file["data_0/Img"]
        file.create_dataset("data_0/Img", (10**7, 10**7), np.uint8, chunks=(100, 100))
    refused(path, "claims 100000000000000 bytes", "but 0 are stored")


def test_the_limit_counts_the_whole_file(tmp_path):
    path = release(tmp_path / "a.h5")
    refused(path, "limit of 100 bytes", options=ReadOptions(max_bytes=100))
    assert len(read_hdf5(path, ReadOptions(max_bytes=12 * 30))) == 12


def test_damaged_empty_and_foreign_files(tmp_path):
    path = release(tmp_path / "a.h5")
    path.write_bytes(path.read_bytes()[:3000])
    refused(path, "not a usable HDF5 file")
    path.write_bytes(b"no HDF5")
    refused(path, "not a usable HDF5 file")
    with h5py.File(path, "w"):
        pass
    refused(path, "no group with an image")
    refused(tmp_path / "none.h5", "No such file")


def test_label_out_of_range(tmp_path):
    path = release(tmp_path / "a.h5", count=3)
    with h5py.File(path, "a") as file:
        del file["data_1/Label_literature"]
        file["data_1/Label_literature"] = -1.0
    refused(path, "row 1 is -1")


def test_real_images_in_the_form_of_the_release_give_the_same_set(tmp_path, real_data):
    with np.load(real_data / "first_griese2022.npz") as arrays:
        picked = {key: arrays[key][:20] for key in ("images", "labels", "split")}
        picked |= {key: arrays[key] for key in ("label_names", "split_names")}
        picked["source_key"] = arrays["source_key"][:20]
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        for row in range(20):
            group = file.create_group(f"data_{row}")
            group["Img"] = picked["images"][row]
            group["Label_literature"] = float(picked["labels"][row])
            group["Split_literature"] = str(picked["split_names"][picked["split"][row]])
    np.savez(tmp_path / "a.npz", **picked)
    from benchmarker.data.reading_npz import read_npz

    assert read_hdf5(path).digest == read_npz(tmp_path / "a.npz").digest

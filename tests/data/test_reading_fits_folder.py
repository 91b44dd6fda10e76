import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from benchmarker.core.errors import InputFileError, MissingDataError
from benchmarker.data.checking import check_images
from benchmarker.data.reading_files import drop_unreadable
from benchmarker.data.reading_fits_folder import read_fits_folder
from benchmarker.data.reading_options import DEFAULTS, ReadOptions

NAMES = ("J000001.00+010101.0", "J000002.00+010101.0", "J000003.00-010101.0")


def write(path, value=1.0, shape=(4, 5)):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.arange(shape[0] * shape[1], dtype=np.float32).reshape(shape) * np.float32(value)
    fits.PrimaryHDU(image).writeto(path)
    return path


@pytest.fixture
def layout(tmp_path):
    """Two classes, three sources, a manifest in another order than the alphabet."""
    root = tmp_path / "FITS"
    write(root / "COMP" / f"{NAMES[0]}.fits", 1)
    write(root / "FRI" / f"{NAMES[1]}.fits", 2)
    write(root / "FRI" / f"{NAMES[2]}.fits", 3)
    (tmp_path / "labels.csv").write_text("Label,Class\n1,COMP\n2,FRI\n")
    rows = [f"{NAMES[2]},2", f"{NAMES[0]},1", f"{NAMES[1]},2"]
    (tmp_path / "m.csv").write_text("Name,Type\n" + "\n".join(rows) + "\n")
    return root


def with_manifest(root, options=DEFAULTS):
    parent = root.parent
    return read_fits_folder(root, options, manifest=parent / "m.csv", labels=parent / "labels.csv")


def test_manifest_order_labels_positions_and_pixels(layout):
    images = with_manifest(layout)
    assert images.sources == (NAMES[2], NAMES[0], NAMES[1])
    assert images.labels.tolist() == [1, 0, 1]
    assert images.classes == ("COMP", "FRI")
    assert images.dec_deg[0] < 0 < images.dec_deg[1]
    pixels = images.pixels.read(0)
    assert (pixels.shape, pixels.dtype) == ((4, 5, 1), np.float32)
    assert pixels[0, 1, 0] == 3
    assert images.pixels.facts(0)["checksum"] == "unverified"


def test_only_the_first_image_is_opened(layout):
    broken = layout / "FRI" / f"{NAMES[1]}.fits"
    broken.write_bytes(b"")
    images = with_manifest(layout)
    assert len(images) == 3
    with pytest.raises(InputFileError, match="empty file"):
        images.pixels.read(2)


def test_without_manifest_folder_names_are_classes(layout):
    (layout / ".hidden").mkdir()
    (layout / "FRI" / "notes.txt").write_text("no image")
    images = read_fits_folder(layout)
    assert images.classes == ("COMP", "FRI")
    assert images.sources == NAMES
    ordered = read_fits_folder(layout, classes=("FRI", "COMP"))
    assert ordered.labels.tolist() == [0, 0, 1]


def test_label_file_gives_the_class_order(layout):
    labels = layout.parent / "other.csv"
    labels.write_text("1,FRI\n2,COMP\n")
    assert read_fits_folder(layout, labels=labels).classes == ("FRI", "COMP")


def test_what_the_original_program_left_behind_is_no_source(layout):
    base = layout / "COMP" / f"{NAMES[0]}.fits"
    for ending in ("_rot_0", "_rot_15", "_clipped"):
        shutil.copy(base, base.with_name(f"{NAMES[0]}{ending}.fits"))
    images = read_fits_folder(layout)
    assert images.sources == NAMES
    assert list(images.provenance["passed_over"].values()) == [3]


def test_fr0_as_a_class_of_its_own_is_found_among_the_compact_sources(layout):
    compact = "J000004.00+010101.0"
    write(layout / "COMP" / f"{compact}.fits", 4)
    rows = f"{NAMES[0]},1F\n{compact},1\n{NAMES[1]},2\n"
    (layout.parent / "m.csv").write_text("Name,Type\n" + rows)
    images = with_manifest(layout, ReadOptions(fr0="own"))
    assert images.classes == ("COMP", "FRI", "FR0")
    assert images.labels.tolist() == [2, 0, 1]
    folders = [Path(images.pixels.name(row)).parent.name for row in range(3)]
    assert folders == ["COMP", "COMP", "FRI"]
    (layout / "FR0").mkdir()
    with pytest.raises(InputFileError, match=r"FR0/J000001.00\+010101.0.fits is missing"):
        with_manifest(layout, ReadOptions(fr0="own"))


def test_missing_files_are_listed_at_once_or_left_out_within_the_budget(layout):
    for name in NAMES[1:]:
        (layout / "FRI" / f"{name}.fits").unlink()
    with pytest.raises(InputFileError) as caught:
        with_manifest(layout)
    text = str(caught.value)
    assert f"{NAMES[1]}.fits is missing" in text
    assert f"{NAMES[2]}.fits is missing" in text
    assert "2 missing images, 0 allowed" in text
    with pytest.raises(InputFileError, match="class FRI has no image"):
        with_manifest(layout, ReadOptions(skip_budget=2))
    write(layout / "FRI" / f"{NAMES[1]}.fits")
    images = with_manifest(layout, ReadOptions(skip_budget=1))
    assert images.sources == (NAMES[0], NAMES[1])
    assert list(images.provenance["left_out"]) == [NAMES[2]]


def test_absent_root_absent_class_folder_and_empty_class(layout, tmp_path):
    with pytest.raises(MissingDataError, match="no folder"):
        read_fits_folder(tmp_path / "none")
    (layout / "FRI").rename(layout / "FR1")
    with pytest.raises(InputFileError, match=r"no folder for class FRI .did you mean FR1"):
        with_manifest(layout)
    (layout / "EMPTY").mkdir()
    with pytest.raises(InputFileError, match="class EMPTY has no image"):
        read_fits_folder(layout, classes=("COMP", "EMPTY"))


def test_one_source_in_two_classes_is_an_error(layout):
    write(layout / "COMP" / f"{NAMES[1]}.fits")
    with pytest.raises(InputFileError, match=f"{NAMES[1]!r} is repeated".replace("+", r"\+")):
        read_fits_folder(layout)


def test_a_folder_without_images_is_recorded(layout):
    (layout / "BENT").mkdir()
    images = read_fits_folder(layout)
    assert images.classes == ("COMP", "FRI")
    assert images.provenance["passed_over"] == {"folders without images": ["BENT"]}
    (finding,) = check_images(images).of_kind("empty-folder")
    assert "BENT" in finding.text


def test_running_numbers_may_repeat_from_class_to_class(tmp_path):
    write(tmp_path / "FRI" / "0001.fits")
    write(tmp_path / "FRII" / "0001.fits")
    images = read_fits_folder(tmp_path)
    assert images.sources == ("FRI/0001", "FRII/0001")
    assert images.labels.tolist() == [0, 1]


def test_other_shape_names_both(layout):
    path = layout / "FRI" / f"{NAMES[1]}.fits"
    path.unlink()
    write(path, shape=(6, 6))
    images = with_manifest(layout)
    with pytest.raises(InputFileError) as caught:
        images.pixels.read(2)
    assert "(6, 6, 1)" in str(caught.value)
    assert "(4, 5, 1)" in str(caught.value)


def test_unreadable_images_are_dropped_within_the_budget_and_recorded(layout):
    (layout / "FRI" / f"{NAMES[1]}.fits").write_bytes(b"<html>")
    images = with_manifest(layout)
    with pytest.raises(InputFileError, match="1 unreadable images, 0 allowed"):
        drop_unreadable(images, 0)
    kept = drop_unreadable(images, 1)
    assert kept.sources == (NAMES[2], NAMES[0])
    assert "web page" in kept.provenance["left_out"][NAMES[1]]


def test_one_file_twice_packed_and_plain(layout):
    (layout / "COMP" / f"{NAMES[0]}.fits.gz").write_bytes(b"x")
    with pytest.raises(InputFileError, match="one source"):
        read_fits_folder(layout)


def test_manifest_over_a_flat_folder_of_real_images(real_data, tmp_path):
    root = real_data / "mirabest_fits_sample"
    stems = sorted(path.name.removesuffix(".fits") for path in root.glob("*.fits"))
    manifest = tmp_path / "m.csv"
    labels = tmp_path / "l.csv"
    labels.write_text("1,FRI\n2,FRII\n3,hybrid\n")
    manifest.write_text("".join(f"{stem},{stem[0]}\n" for stem in stems))
    images = read_fits_folder(root, manifest=manifest, labels=labels)
    assert images.labels.tolist() == [0, 0, 0, 1, 1, 2]
    assert images.ra_deg[0] == 203.220
    assert images.pixels.facts(3)["nan"] == 10498
    assert images.digest == read_fits_folder(root, manifest=manifest, labels=labels).digest

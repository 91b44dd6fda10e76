from pathlib import Path

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.hosts.realbogus.stamps import (
    StampForm,
    crop,
    open_stamp,
    read_stamp,
    side_of,
    to_images,
    to_vectors,
    turned,
)
from tests.hosts.realbogus.stamp_files import write_stamp

OPEN_FILES = Path("/proc/self/fd")


def test_masked_pixels_become_zero_and_the_type_stays(tmp_path):
    pixels = np.full((40, 40), 7, np.int16)
    pixels[20, 20] = -31415
    path = write_stamp(tmp_path / "a.fits", pixels)
    cut = read_stamp(path, magic=-31415)
    assert (cut.dtype, cut.shape) == (np.dtype(np.int16), (20, 20))
    assert cut[10, 10] == 0
    assert read_stamp(path)[10, 10] == -31415


def test_each_axis_is_cut_in_its_own_middle():
    pixels = np.arange(30 * 40).reshape(30, 40)
    assert np.array_equal(crop(pixels, StampForm(10), "a"), pixels[5:25, 10:30])
    legacy = crop(pixels, StampForm(10, legacy=True), "a")
    assert np.array_equal(legacy, pixels[10:30, 10:30])


@pytest.mark.parametrize("shape", [(19, 40), (40, 19), (19, 19)])
@pytest.mark.parametrize("legacy", [True, False])
def test_stamps_that_are_too_small_are_refused(tmp_path, shape, legacy):
    path = write_stamp(tmp_path / "small.fits", np.zeros(shape, np.float32))
    with pytest.raises(InputFileError, match=rf"small.fits.*20 x 20.*{shape[0]} x {shape[1]}"):
        open_stamp(path, StampForm(10, legacy=legacy))


def test_a_stamp_that_is_not_there_or_no_image(tmp_path):
    with pytest.raises(InputFileError, match=r"none\.fits"):
        read_stamp(tmp_path / "none.fits")
    (tmp_path / "web.fits").write_text("<html>")
    with pytest.raises(InputFileError, match="web page"):
        read_stamp(tmp_path / "web.fits")


def test_files_are_closed_again(tmp_path):
    path = write_stamp(tmp_path / "a.fits", np.zeros((20, 20), np.float32))
    before = len(list(OPEN_FILES.iterdir()))
    for _ in range(20):
        read_stamp(path)
    assert len(list(OPEN_FILES.iterdir())) == before


def test_vectors_go_column_by_column_and_back():
    image = np.arange(9).reshape(3, 3)
    assert to_vectors(image).tolist() == image.ravel(order="F").tolist()
    stack = np.stack([image, -image])
    assert np.array_equal(to_images(to_vectors(stack)), stack)


def test_turns_equal_the_vectors(specs):
    with np.load(specs / "psat_vectors.npz") as stored:
        turns = [turned(stored["rot__X"], quarters) for quarters in range(4)]
        assert np.array_equal(np.stack(turns, axis=1).reshape(12, 36), stored["rot__outX"])


def test_impossible_sizes_are_refused():
    with pytest.raises(SettingsError, match="extent is 0"):
        StampForm(0)
    with pytest.raises(SettingsError, match="399 pixels"):
        side_of(399)

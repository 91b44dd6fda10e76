"""The last scaling: outside the cache, the same for every reader."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarker.data.cache import prepared
from benchmarker.data.images import ArrayPixels, ImageSet
from benchmarker.data.preparation import named_preparation, prepare
from benchmarker.data.recipes import rotations

ROTATIONS = rotations(60)
SCALED, ATTENTION = named_preparation("scaled"), named_preparation("attention")


@pytest.fixture(scope="module")
def images():
    pixels = np.random.default_rng(5).integers(0, 256, (3, 16, 16, 1), np.uint8)
    return ImageSet(
        name="toy",
        pixels=ArrayPixels(pixels, "toy.npz"),
        labels=np.arange(3) % 2,
        classes=("FRI", "FRII"),
        sources=("a", "b", "c"),
    )


def test_sets_that_differ_in_the_last_scaling_share_an_entry(tmp_path, images):
    made = [
        prepared(images, images.sources, preparation, ROTATIONS, tmp_path)
        for preparation in (SCALED, ATTENTION, replace(SCALED, standardise=(0.0031, 0.035)))
    ]
    assert len({part.digest for part in made}) == 1
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1
    rows = np.arange(len(made[0]))
    assert np.array_equal(made[0].raw(rows), made[1].raw(rows))
    assert np.array_equal(made[0].raw(rows), made[0].read(rows))
    assert not np.array_equal(made[1].read(rows), made[2].read(rows))


@pytest.mark.parametrize("on_disk", [True, False])
def test_read_is_raw_finished_in_float32(tmp_path, images, on_disk):
    made = prepared(images, images.sources, ATTENTION, ROTATIONS, tmp_path if on_disk else None)
    raw, values = made.raw([0, 7]), made.read([0, 7])
    assert values.dtype == np.float32
    assert np.array_equal(raw[0], prepare(images.pixels.read(0), SCALED, "a"))
    np.testing.assert_allclose(values, 2 * raw.astype(np.float64) - 1, atol=1e-7)
    assert np.array_equal(made.finish(raw), values)
    # corners that a rotation fills are empty sky: -1 and not 0
    assert made.read([1])[0, 0, 0, 0] == -1


def test_rows_are_checked_before_and_after(images):
    made = prepared(images, images.sources, ATTENTION, ROTATIONS, None)
    for reader in (made.raw, made.read):
        with pytest.raises(IndexError, match=r"expected 0\.\.17"):
            reader([18])


def test_the_record_of_a_preparation_makes_it_again(images):
    record = ATTENTION.as_dict()
    assert record["standardise"] == [0.5, 0.5]
    assert type(ATTENTION)(**record) == ATTENTION
    assert prepared(images, ["a"], ATTENTION, ROTATIONS, None).standardise == (0.5, 0.5)

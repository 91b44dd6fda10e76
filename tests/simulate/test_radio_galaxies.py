"""The simulated set: seeded per source, shaped as asked, refused where it makes no sense."""

import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.simulate.radio_galaxies import (
    CLASSES,
    Survey,
    lazy_images,
    parameters,
    simulate_images,
    truth_of,
)

# of two sources per class, 64 px, seed 8901; the same on processors with and without AVX
DIGEST = "b53d317cb6d919ad9d1b21780d7b710b6117a4a963e39967cdddd54920abeea2"


@pytest.fixture(scope="module")
def images():
    return simulate_images(20, size=64, seed=3)


def test_images_are_as_documented(images):
    assert images.name == "simulated"
    assert images.classes == CLASSES == ("COMP", "FRI", "FRII", "BENT")
    assert len(images) == 80
    assert images.pixels.array.shape == (80, 64, 64, 1)
    assert images.pixels.array.dtype == np.float32
    assert np.isfinite(images.pixels.array).all()
    assert images.pixel_scale_arcsec == 1.8
    assert images.provenance["seed"] == 3
    assert images.provenance["counts"] == dict.fromkeys(CLASSES, 20)
    assert images.provenance["survey"]["beam_arcsec"] == 5.4


def test_same_seed_same_digest_other_seed_other_digest(images):
    assert simulate_images(20, size=64, seed=3).digest == images.digest
    assert simulate_images(20, size=64, seed=4).digest != images.digest


def test_larger_set_begins_with_the_smaller(images):
    smaller = simulate_images(7, size=64, seed=3)
    assert images.sources[:28] == smaller.sources
    assert np.array_equal(images.pixels.array[:28], smaller.pixels.array)
    assert images.published_split[:28] == smaller.published_split


def test_a_source_does_not_depend_on_the_other_classes(images):
    alone = simulate_images({"BENT": 3}, size=64, seed=3)
    rows = np.flatnonzero(images.labels == CLASSES.index("BENT"))[:3]
    assert alone.sources == tuple(images.sources[row] for row in rows)
    assert np.array_equal(alone.pixels.array, images.pixels.array[rows])
    assert alone.labels.tolist() == [3, 3, 3]


def test_pixels_read_in_any_order_are_the_same(images):
    lazy = lazy_images(20, size=64, seed=3)
    for row in (79, 0, 41, 79):
        assert np.array_equal(lazy.pixels.read(row), images.pixels.array[row])
    assert lazy.digest == images.digest


def test_digest_is_the_same_everywhere():
    # a new digest means that the same seed gives other images: raise VERSION with it
    assert simulate_images(2, size=64, seed=8901).digest == DIGEST


def test_global_random_state_is_not_touched(images):
    before = np.random.get_state()[1].copy()  # noqa: NPY002 (the global state is what is tested)
    again = simulate_images(1, size=64, seed=3)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    assert simulate_images(1, size=64, seed=3).digest == again.digest


def test_split_shares_and_small_sets_have_all_parts(images):
    for label in range(4):
        parts = [images.published_split[row] for row in np.flatnonzero(images.labels == label)]
        assert [parts.count(part) for part in ("train", "validation", "test")] == [12, 3, 5]
        assert set(parts[:5]) == {"train", "validation", "test"}
    assert simulate_images(1, size=64, split=False).published_split is None


def test_sky_is_the_same_at_every_size():
    survey = Survey(rms_jy=0.0, sidelobe_level=0.0)
    small = simulate_images(3, size=64, survey=survey).pixels.array
    large = simulate_images(3, size=150, survey=survey).pixels.array
    assert np.allclose(large[:, 43:107, 43:107], small, atol=2e-9)


def test_sources_fit_into_the_smallest_image():
    columns = parameters(100)
    assert columns["angular_size_arcsec"].max() < 64 * 1.8 - 5.4
    assert columns["angular_size_arcsec"].min() >= 0.0


def test_parameters_are_the_truth_of_the_images(images):
    columns, taken = parameters(20, seed=3), truth_of(images.take([5, 2]))
    assert columns["source"].tolist() == list(images.sources)
    assert [CLASSES[label] for label in images.labels] == columns["label"].tolist()
    for name, values in taken.items():
        assert np.array_equal(values, columns[name][[5, 2]])


@pytest.mark.parametrize(
    ("counts", "options", "text"),
    [
        ({"FR1": 3}, {}, "did you mean FRI"),
        ({"FRI": -1}, {}, "-1 sources of class FRI asked for, expected 0 or more"),
        (0, {}, "no source to simulate"),
        ({}, {}, "no source to simulate"),
        (1, {"size": 32}, "images of 32 px asked for, expected 64 to 300 px"),
        (1, {"size": 301}, "expected 64 to 300 px"),
        (1, {"seed": -1}, "seed is -1"),
    ],
)
def test_refusals(counts, options, text):
    with pytest.raises(SettingsError, match=text):
        lazy_images(counts, **options)


def test_survey_lists_every_fault():
    with pytest.raises(SettingsError) as error:
        Survey(rms_jy=-1.0, beam_arcsec=float("nan"))
    assert "rms_jy is -1.0, expected a number of at least 0" in str(error.value)
    assert "beam_arcsec is nan" in str(error.value)


def test_truth_of_a_real_set_is_refused(images):
    from dataclasses import replace

    with pytest.raises(SettingsError, match="not a simulated set"):
        truth_of(replace(images, provenance={}))

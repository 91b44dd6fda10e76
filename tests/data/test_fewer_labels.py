"""Training parts of growing size: nested, of equal classes, with one test part."""

from collections import Counter

import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.data.fewer_labels import fewer_labels, training_counts
from benchmarker.data.opening import open_data
from benchmarker.data.splits import choose_split
from tests.runs.toy import CLASSES, write_toy


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return open_data(str(write_toy(tmp_path_factory.mktemp("toy") / "toy.npz", size=8)))


@pytest.fixture(scope="module")
def whole(images):
    return choose_split(images, seed=1)


def test_smaller_sets_are_parts_of_larger_ones_and_the_rest_stays(images, whole):
    found = [fewer_labels(whole, images, per_class=n, seed=1) for n in (1, 3, 7)]
    for smaller, larger in zip(found, [*found[1:], whole], strict=True):
        assert set(smaller.train) < set(larger.train)
    label = dict(zip(images.sources, images.labels, strict=True))
    for n, split in zip((1, 3, 7), found, strict=True):
        assert Counter(label[name] for name in split.train) == dict.fromkeys(range(4), n)
        assert (split.validation, split.test) == (whole.validation, whole.test)
        assert f"{n} of each class to train; seed 1" in split.rule


def test_they_stand_in_the_order_of_the_split_and_seeds_choose_others(images, whole):
    places = [whole.train.index(n) for n in fewer_labels(whole, images, per_class=5, seed=1).train]
    assert places == sorted(places)
    chosen = {fewer_labels(whole, images, per_class=5, seed=seed).train for seed in range(5)}
    assert len(chosen) == 5


def test_all_of_them_are_the_split_itself(images, whole):
    counts = training_counts(whole, images)
    assert sum(counts.values()) == len(whole.train)
    equal = min(counts.values())
    even = fewer_labels(whole, images, per_class=equal, seed=1)
    assert fewer_labels(even, images, per_class=equal, seed=1) is even


def test_a_class_with_fewer_is_named(images, whole):
    counts = training_counts(whole, images)
    assert list(counts) == list(CLASSES)
    asked = max(counts.values()) + 1
    with pytest.raises(SettingsError) as caught:
        fewer_labels(whole, images, per_class=asked, seed=1)
    for name, count in counts.items():
        assert f"class {name} has {count} to train" in str(caught.value)
    with pytest.raises(SettingsError, match="0 sources, expected at least 1"):
        fewer_labels(whole, images, per_class=0, seed=1)


def test_no_global_generator_is_drawn_from(images, whole):
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the state that must stay
    fewer_labels(whole, images, per_class=2, seed=1)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002

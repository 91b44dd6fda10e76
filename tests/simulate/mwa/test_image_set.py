"""The set as a reader returns it: lazy, with a split by night."""

import numpy as np

from benchmarker.simulate.mwa.image_set import lazy_snapshots
from benchmarker.simulate.mwa.plan import CLASSES, SnapshotSettings, plan
from benchmarker.simulate.mwa.snapshots import render

SETTINGS = SnapshotSettings(size=64, seed=11)


def test_pixels_are_drawn_when_read():
    images = lazy_snapshots(8, SETTINGS)
    assert images.classes == CLASSES
    read = images.pixels.read(5)
    assert read.shape == (64, 64, 1)
    assert read.dtype == np.float32
    assert np.array_equal(read[:, :, 0], render(plan(8, SETTINGS)[5], SETTINGS).image)
    assert images.sources[5] in images.pixels.name(5)


def test_digest_tells_settings_and_rows_apart_without_drawing():
    images = lazy_snapshots(4000, SETTINGS)
    assert images.digest == lazy_snapshots(4000, SETTINGS).digest
    others = (
        SnapshotSettings(size=128, seed=11),
        SnapshotSettings(size=64, seed=12),
        SnapshotSettings(size=64, seed=11, strength=(1.0, 2.0)),
    )
    digests = {lazy_snapshots(40, other).digest for other in (SETTINGS, *others)}
    assert len(digests) == 4
    assert images.pixels.digest([0, 1]) != images.pixels.digest([1, 0])


def test_nights_and_observations_stand_in_one_part():
    images = lazy_snapshots(1200, SETTINGS)
    shots = plan(1200, SETTINGS)
    part_of_night = {}
    for shot, part in zip(shots, images.published_split, strict=True):
        assert part_of_night.setdefault(shot.observation.night, part) == part
    shares = {
        part: images.published_split.count(part) / 1200 for part in ("train", "validation", "test")
    }
    assert shares == {"train": 0.6, "validation": 0.15, "test": 0.25}
    for part in shares:
        labels = [
            n for n, p in zip(images.labels, images.published_split, strict=True) if p == part
        ]
        assert np.allclose(np.bincount(labels) / len(labels), [0.3, 0.3, 0.2, 0.2], atol=0.05)


def test_a_small_set_has_all_parts_and_classes():
    images = lazy_snapshots(20, SETTINGS)
    assert set(images.published_split) == {"train", "validation", "test"}
    assert set(images.labels.tolist()) == {0, 1, 2, 3}
    assert lazy_snapshots(20, SETTINGS, split=False).published_split is None


def test_facts_and_groups_are_those_of_the_plan():
    settings = SnapshotSettings(size=64, seed=5)
    images, shots = lazy_snapshots(40, settings), plan(40, settings)
    assert images.groups == tuple(shot.observation.night for shot in shots)
    assert images.facts["band"].tolist() == [shot.band.name for shot in shots]
    good = images.labels == 0
    assert np.isnan(images.facts["strength"][good]).all()
    strong = images.facts["strength"][~good]
    assert ((strong >= 0.5) & (strong <= 30)).all()
    both = images.labels == 3
    parts = [images.facts[f"{word}_strength"][both] for word in ("rfi", "sis")]
    assert np.allclose(np.hypot(*parts), images.facts["strength"][both])

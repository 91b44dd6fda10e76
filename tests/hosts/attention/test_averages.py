from types import SimpleNamespace

import numpy as np
import pytest

from benchmarker.hosts.attention.averages import Sums, sum_maps
from benchmarker.hosts.attention.maps import Maps

SOURCES = (
    "100_162.947+055.386_0.0739_0250.34",
    "110_145.354+021.350_0.2259_0100.75",
    "200_020.485-000.490_0.4364_0052.49",
)
LABELS = np.array([0, 0, 1])


class Shown:
    """Images of which each is its row number, seen through a scaling."""

    labels, sources = LABELS, SOURCES
    preparation = SimpleNamespace(standardise=(0.5, 0.25))

    def __len__(self):
        return len(LABELS)

    def read(self, rows):
        values = np.asarray(rows, np.float32)[:, None, None, None]
        return (np.ones((len(rows), 4, 4, 1), np.float32) * values - 0.5) / 0.25


class Maker:
    """Two maps, of which the second is twice the first; rows 1 and 2 are given class 1."""

    method, names, batch = "attention", ("gate1", "gate2"), 2

    def __call__(self, images):
        rows = images[..., 0] * 0.25 + 0.5
        scores = np.stack([0 * rows[:, 0, 0], rows[:, 0, 0] - 0.5], axis=1)
        return Maps(self.names, (rows, 2 * rows), np.stack([rows, 2 * rows], axis=1), scores)


def test_means_are_those_of_the_images_in_a_group():
    told = []
    sums = sum_maps(Maker(), [Shown(), Shown()], Shown(), step=lambda: told.append(1))
    first = sums.of_class(0)
    assert len(told) == 2
    assert first.count == 4
    assert first.image == pytest.approx(np.full((4, 4), 0.5))  # rows 0 and 1, unscaled
    assert first.maps[1] == pytest.approx(np.full((4, 4), 1.0))
    assert first.mean == pytest.approx(np.full((4, 4), 0.75))
    assert sums.of_class(0, "uncertain").image == pytest.approx(np.full((4, 4), 1.0))
    assert sums.of_class(1, "uncertain").count == 0
    assert sums.knows_certainty


def test_cells_of_true_and_predicted_class_add_up():
    sums = sum_maps(Maker(), [Shown()], Shown())
    counts = [[sums.of_cell(true, predicted).count for predicted in (0, 1)] for true in (0, 1)]
    assert counts == [[1, 1], [0, 1]]
    assert sums.of_cell(1, 0).mean.max() == 0


def test_other_names_say_nothing_of_certainty():
    assert not Sums(LABELS, ("a", "b", "c"), ("gate1",)).knows_certainty

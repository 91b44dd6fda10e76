"""Scores that do not change when the image turns."""

import itertools

import keras
import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.networks import registry
from benchmarker.networks.describe import describe
from benchmarker.networks.plane_groups import plane_group
from tests.networks.test_plane_groups import transformed


@pytest.mark.parametrize("side", [33, 36, 37, 50])
def test_scores_are_invariant_under_quarter_turns_and_mirror_images(side):
    model = registry.build("galaxy_d4", (side, side, 1), 2, seed=8901, fields=2, hidden=8)
    scores = keras.Model(model.input, model.get_layer("scores").output)
    group = plane_group("d4")
    image = np.random.default_rng(0).random((side, side, 1), "float32")
    turned = np.stack([transformed(group, element, image) for element in range(group.order)])
    found = np.asarray(scores(turned))
    spread = np.ptp(np.asarray(scores(np.random.default_rng(1).random((8, side, side, 1)))))
    assert np.ptp(found, axis=0).max() < 1e-5 * max(1.0, np.abs(found).max())
    assert spread > 1e-3


def test_it_sees_where_a_source_is_bright():
    """Two discs near each other or far apart: means over places would hardly tell them apart."""
    model = registry.build("galaxy_d4", (48, 48, 1), 2, seed=8901, fields=2, hidden=8)
    before = keras.Model(model.input, model.get_layer("over_places").output)
    images = np.zeros((2, 48, 48, 1), "float32")
    images[0, 22:26, [16, 17, 30, 31]] = 1
    images[1, 22:26, [6, 7, 40, 41]] = 1
    near, far = np.asarray(before(images))
    assert np.abs(near - far).max() > 0.05 * np.abs(near).max()


@pytest.mark.parametrize(
    ("side", "stages", "covered"), [(8, 1, 4), (28, 2, 7), (96, 4, 6), (150, 4, 9), (300, 5, 9)]
)
def test_stages_and_parameters_follow_the_size(side, stages, covered):
    found = describe("galaxy_d4", side, 2)
    named = {row.name: row for row in found.layers}
    assert f"stage{stages}" in named
    assert f"stage{stages + 1}" not in named
    assert named["cover"].kernel == covered
    fields = [4, 8, 16, 16, 16][:stages]
    convolutions = 25 * 4 + sum(9 * 8 * a * b for a, b in itertools.pairwise(fields))
    cover = covered**2 * 8 * fields[-1] * 64
    norms = 4 * (sum(fields) + 64)
    assert found.parameters == convolutions + cover + norms + 64 * 2 + 2


def test_settings():
    model = registry.build("galaxy_d4", (32, 32, 1), 2, seed=1, group="c4", fields=3, dropout=0)
    assert model.get_layer("stage1").output.shape == (None, 32, 32, 12)
    with pytest.raises(SettingsError, match=r"galaxy_d4, dropout: '1' is not a number from 0"):
        registry.build("galaxy_d4", (32, 32, 1), 2, seed=1, dropout=1)
    with pytest.raises(SettingsError, match=r"expected at least 8x8 pixels"):
        registry.build("galaxy_d4", (7, 7, 1), 2, seed=1)

"""The LeNet-like networks of Scaife & Porter 2021: sizes, counts, equivariance."""

import keras
import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.networks import registry
from benchmarker.networks.describe import describe
from benchmarker.networks.plane_groups import plane_group
from tests.networks.test_group_convolution import outputs
from tests.networks.test_plane_groups import transformed

HEAD = 16 * 36 * 36 * 120 + 120 + 120 * 84 + 84 + 84 * 2 + 2


@pytest.mark.parametrize("side", [150, 151])
@pytest.mark.parametrize("name", ["lenet", "lenet_c4", "lenet_d4", "lenet_d16"])
def test_parameters_of_the_paper(name, side):
    """36 x 36 maps reach the dense layers at 150 and, as in the paper, at 151 pixels."""
    order = 1 if name == "lenet" else plane_group(name.removeprefix("lenet_")).order
    convolutions = (25 * 6 + 6) + (25 * order * 6 * 16 + 16)
    found = describe(name, side, 2)
    assert found.flatten == 16 * 36 * 36
    assert found.parameters == HEAD + convolutions
    assert found.conv_parameters == convolutions


@pytest.mark.parametrize("side", [30, 31, 32, 33])
def test_maps_before_the_dense_layers_turn_with_the_image(side):
    model = registry.build("lenet_d4", (side, side, 1), 2, seed=8901)
    group = plane_group("d4")
    before = keras.Model(
        model.input, [model.get_layer("over_group").output, model.get_layer("scores").output]
    )
    image = np.random.default_rng(0).random((side, side, 1), "float32")
    maps, _ = outputs(before, image)
    assert maps.std() > 1e-2
    for element in range(group.order):
        turned, _ = outputs(before, transformed(group, element, image))
        np.testing.assert_allclose(turned, transformed(group, element, maps), atol=1e-5)


def test_the_group_is_a_setting():
    chosen = registry.build("lenet_d4", (40, 40, 1), 2, seed=1, group="c8", dropout=0.1)
    assert chosen.get_layer("conv1").group.name == "c8"
    assert chosen.get_layer("dropout").rate == 0.1
    with pytest.raises(SettingsError, match=r"lenet_d4, group: 'x4' is not a group; expected cN"):
        registry.build("lenet_d4", (40, 40, 1), 2, seed=1, group="x4")
    with pytest.raises(SettingsError, match=r"lenet has no setting 'group'"):
        registry.build("lenet", (40, 40, 1), 2, seed=1, group="c4")


def test_a_small_image_is_refused_with_the_smallest_side():
    with pytest.raises(SettingsError, match=r"expected at least 14x14 pixels"):
        registry.build("lenet_d4", (13, 13, 1), 2, seed=1)
    assert describe("lenet_d4", 14, 2).flatten == 16 * 2 * 2

"""Equivariance: features of a turned image are the turned, permuted features of the image."""

import keras
import numpy as np
import pytest

from benchmarker.networks.describe import describe
from benchmarker.networks.group_convolution import (
    GroupBatchNormalization,
    GroupConv2D,
    GroupPooling,
    centred_pool,
)
from benchmarker.networks.plane_groups import plane_group
from tests.networks.test_plane_groups import transformed

FIELDS = 3


def network(group, side, *, padding=1, channels=2):
    """Lifting and group convolution, normalisation and pooling, with every weight random."""
    image = keras.Input((side, side, channels))
    tensor = GroupConv2D(2, 5, group=group, lifting=True, padding=padding, kernel_seed=1)(image)
    tensor = centred_pool(keras.layers.ReLU()(tensor), "pool1")
    tensor = GroupConv2D(FIELDS, 3, group=group, activation="relu", kernel_seed=2)(tensor)
    tensor = GroupBatchNormalization(group=group)(tensor)
    maps = centred_pool(tensor, "pool2", kind="average")
    values = keras.layers.GlobalAveragePooling2D()(GroupPooling(group=group)(maps))
    model = keras.Model(image, [maps, values])
    random = np.random.default_rng(5)
    model.set_weights([w + random.random(w.shape) * 0.1 for w in model.get_weights()])
    return model


def outputs(model, image):
    maps, values = model(np.ascontiguousarray(image)[np.newaxis])
    return np.asarray(maps)[0], np.asarray(values)[0]


def quarter_turns(group):
    return [e for e in range(group.order) if e % group.rotations * 4 % group.rotations == 0]


def carried(group, element, maps):
    """What the maps of the image must become: turned, their elements permuted."""
    parts = maps.reshape(*maps.shape[:2], group.order, -1)
    back = group.inverse(element)
    moved = [
        transformed(group, element, parts[:, :, group.product(back, g)]) for g in range(group.order)
    ]
    return np.stack(moved, axis=2).reshape(maps.shape)


@pytest.mark.parametrize("name", ["c1", "c4", "d4", "d2", "c8", "d8"])
@pytest.mark.parametrize(("side", "padding"), [(20, 1), (21, 1), (22, "same"), (23, "valid")])
def test_a_turned_image_gives_turned_features(name, side, padding):
    group = plane_group(name)
    model = network(name, side, padding=padding)
    image = np.random.default_rng(0).random((side, side, 2), "float32")
    maps, values = outputs(model, image)
    largest = np.abs(maps).max()
    assert maps.std() > 1e-2 * largest
    for element in quarter_turns(group):
        turned_maps, turned_values = outputs(model, transformed(group, element, image))
        expected = carried(group, element, maps)
        np.testing.assert_allclose(turned_maps, expected, rtol=0, atol=1e-5 * largest)
        np.testing.assert_allclose(turned_values, values, rtol=0, atol=1e-5 * largest)


def test_an_oblong_image_may_be_mirrored():
    group = plane_group("d2")
    image = keras.Input((11, 16, 1))
    tensor = GroupConv2D(2, 3, group="d2", lifting=True, kernel_seed=3)(image)
    model = keras.Model(image, [tensor, GroupPooling(group="d2", how="mean")(tensor)])
    pixels = np.random.default_rng(0).random((11, 16, 1), "float32")
    maps, pooled = outputs(model, pixels)
    for element in range(group.order):
        turned, turned_pooled = outputs(model, transformed(group, element, pixels))
        np.testing.assert_allclose(turned, carried(group, element, maps), atol=1e-5)
        expected = transformed(group, element, pooled)
        np.testing.assert_allclose(turned_pooled, expected, atol=1e-5)


def test_pooling_by_pairs_would_break_it_at_odd_sizes():
    pixels = np.random.default_rng(0).random((1, 7, 7, 1), "float32")
    turned = np.rot90(pixels, axes=(1, 2)).copy()
    pairs = keras.layers.MaxPooling2D(2)
    assert not np.allclose(np.rot90(pairs(pixels), axes=(1, 2)), pairs(turned))
    image = keras.Input((7, 7, 1))
    centred = keras.Model(image, centred_pool(image, "pool"))
    assert centred.output_shape == (None, 3, 3, 1)
    np.testing.assert_array_equal(np.rot90(centred(pixels), axes=(1, 2)), centred(turned))


def test_smooth_images_turned_by_45_degrees_change_little():
    """With interpolated kernels a turn by an eighth permutes the elements approximately."""
    rows, columns = np.mgrid[:41, :41] - 20.0

    def blobs(angle):
        along = columns * np.cos(angle) - rows * np.sin(angle)
        across = columns * np.sin(angle) + rows * np.cos(angle)
        image = np.exp(-((along - 6) ** 2 + across**2) / 18) + np.exp(-(along**2 + across**2) / 40)
        return image[:, :, np.newaxis].astype("float32")

    change = {}
    for name in ("c4", "c8"):
        image = keras.Input((41, 41, 1))
        tensor = GroupConv2D(16, 5, group=name, lifting=True, activation="relu", kernel_seed=3)(
            image
        )
        tensor = GroupConv2D(16, 5, group=name, activation="relu", kernel_seed=4)(tensor)
        values = keras.layers.GlobalAveragePooling2D()(GroupPooling(group=name)(tensor))
        model = keras.Model(image, [tensor, values])
        upright, turned = (outputs(model, blobs(angle))[1] for angle in (0, np.pi / 4))
        change[name] = np.abs(turned - upright).max() / np.abs(upright).max()
    assert change["c8"] < 0.02
    assert change["c8"] < change["c4"]


@pytest.mark.parametrize("name", ["c4", "d8"])
def test_values_keep_their_size_from_layer_to_layer(name):
    """He's rule by the expanded fan-in, corrected for what interpolation takes away."""
    image = keras.Input((24, 24, 1))
    tensor = GroupConv2D(32, 5, group=name, lifting=True, kernel_seed=3, padding="valid")(image)
    second = GroupConv2D(32, 5, group=name, kernel_seed=4, padding="valid")
    model = keras.Model(image, [tensor, second(keras.layers.ReLU()(tensor))])
    pixels = np.random.default_rng(0).standard_normal((8, 24, 24, 1)).astype("float32")
    first, last = (float(np.square(np.asarray(maps)).mean()) for maps in model(pixels))
    assert first == pytest.approx(2, rel=0.3)
    assert last == pytest.approx(first, rel=0.3)
    kernel = np.asarray(second.expanded_kernel())
    order = plane_group(name).order
    assert kernel.shape == (5, 5, 32 * order, 32 * order)
    assert np.square(kernel).sum(axis=(0, 1, 2)).mean() == pytest.approx(2, rel=0.1)


def test_counts_are_those_of_the_shared_weights_and_the_expanded_convolution():
    image = keras.Input((12, 10, 3))
    lift = GroupConv2D(4, 3, group="d4", lifting=True)
    after = GroupConv2D(5, 3, group="d4", padding="valid", use_bias=False)
    after(lift(image))
    assert lift.count_params() == 3 * 3 * 3 * 4 + 4
    assert after.count_params() == 3 * 3 * 8 * 4 * 5
    assert lift.multiply_adds == 12 * 10 * 9 * 3 * 32
    assert after.multiply_adds == 10 * 8 * 9 * 32 * 40
    assert after.output.shape == (None, 10, 8, 40)


def test_describe_counts_them():
    described = describe("lenet_d4", 150, 2)
    conv = {row.name: row for row in described.layers if row.layer == "GroupConv2D"}
    assert conv["conv1"].multiply_adds == 148 * 148 * 25 * 48
    assert conv["conv2"].multiply_adds == 72 * 72 * 25 * 48 * 128
    assert conv["conv2"].setting == "128 filters, 5x5, stride 1, margin 1"
    assert described.receptive_field == 16


def test_layers_come_back_from_their_configuration():
    model = network("d4", 20)
    again = keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    image = np.random.default_rng(0).random((20, 20, 2), "float32")
    for before, after in zip(outputs(model, image), outputs(again, image), strict=True):
        np.testing.assert_array_equal(before, after)


def test_faults_are_named():
    with pytest.raises(ValueError, match=r"needs an odd kernel, got 4"):
        GroupConv2D(2, 4, group="c4")
    with pytest.raises(ValueError, match=r"6 channels are no feature maps of c4, expected .* 4"):
        GroupConv2D(2, 3, group="c4", name="conv")(keras.Input((8, 8, 6)))
    with pytest.raises(ValueError, match=r"expected max or mean"):
        GroupPooling(group="c4", how="median")

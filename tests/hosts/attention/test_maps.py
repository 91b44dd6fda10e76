import keras
import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.hosts.attention.maps import AttentionMaps, all_maps, resize, stretched
from benchmarker.runs.scores import score_head
from tests.hosts.attention.networks import SIDE, Prepared, noise, small_agcnn


def test_resizing_repeats_the_edge():
    ones = np.ones((1, 3, 5), np.float32)
    assert np.array_equal(resize(ones, (10, 20)), np.ones((1, 10, 20), np.float32))
    ramp = resize(np.array([[[0.0, 1.0]]], np.float32), (1, 4))[0, 0]
    assert ramp == pytest.approx([0.0, 0.25, 0.75, 1.0])


def test_resizing_to_the_same_size_changes_nothing():
    maps = noise(2)[..., 0]
    assert np.array_equal(resize(maps, (SIDE, SIDE)), maps)


def test_a_square_stays_where_it_is():
    small = np.zeros((1, 4, 4), np.float32)
    small[0, 3, 0] = 1
    large = resize(small, (16, 16))[0]
    assert np.unravel_index(large.argmax(), large.shape) == pytest.approx((15, 0), abs=2)
    assert large[:8].max() == 0
    assert large[:, 8:].max() == 0


def test_maps_are_those_of_the_gates():
    model = small_agcnn(gates=2)
    images = noise(3)
    maps = AttentionMaps(model)(images)
    inside = keras.Model(model.inputs, [model.get_layer("gate1").output])
    expected = inside.predict_on_batch(images)[..., 0]
    assert maps.names == ("gate1", "gate2")
    assert [one.shape for one in maps.own] == [(3, 6, 6), (3, 12, 12)]
    assert maps.own[0] == pytest.approx(expected, abs=1e-6)
    assert maps.resized.shape == (3, 2, SIDE, SIDE)
    assert maps.mean == pytest.approx(
        (resize(maps.own[0], (SIDE, SIDE)) + resize(maps.own[1], (SIDE, SIDE))) / 2, abs=1e-6
    )
    assert maps.scores == pytest.approx(score_head(model).predict_on_batch(images), rel=1e-5)
    assert maps.probabilities == pytest.approx(model.predict_on_batch(images), abs=1e-5)


def test_an_empty_image_has_maps_of_zeros():
    maps = AttentionMaps(small_agcnn())(np.zeros((1, SIDE, SIDE, 1), np.float32))
    assert np.isfinite(maps.scores).all()
    for own in maps.own:
        assert np.isfinite(own).all()
    assert stretched(np.zeros((4, 4))).max() == 0


@pytest.mark.parametrize("maps_over", ["image", "batch"])
def test_a_map_does_not_depend_on_its_neighbours(maps_over):
    model = small_agcnn(gates=1, maps_over=maps_over)
    images = np.concatenate([noise(2), 5 * noise(2, seed=2)])
    together = all_maps(AttentionMaps(model), Prepared(images))
    alone = all_maps(AttentionMaps(model), Prepared(images[1:2]))
    assert together.own[0][1] == pytest.approx(alone.own[0][0], abs=1e-5)
    assert together.scores[1] == pytest.approx(alone.scores[0], rel=1e-3)


def test_many_images_come_in_batches_and_in_order():
    told = []
    images = noise(35)
    maps = all_maps(AttentionMaps(small_agcnn(gates=1)), Prepared(images), step=told.append)
    one = AttentionMaps(small_agcnn(gates=1))(images[34:])
    assert told == [32, 35]
    assert len(maps) == 35
    assert maps.mean[34] == pytest.approx(one.mean[0], abs=1e-5)


def test_a_network_without_gates_is_refused():
    with pytest.raises(SettingsError, match=r"no attention gates.*grad-cam"):
        AttentionMaps(small_agcnn(gates=0))


def test_stretching_brings_a_map_to_its_extremes():
    values = stretched(np.array([[2.0, 3.0], [4.0, 6.0]]))
    assert values.tolist() == [[0.0, 0.25], [0.5, 1.0]]

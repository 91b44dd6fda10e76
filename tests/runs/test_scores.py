"""Scores before the softmax: the same layers, exact where probabilities saturate."""

import keras
import numpy as np
import pytest

from benchmarker.networks import registry
from benchmarker.runs.scores import (
    batch_of,
    double_softmax,
    double_softmax_loss,
    score_head,
    scores,
    softmax,
)


class Images:
    def __init__(self, values):
        self.values = values

    def __len__(self):
        return len(self.values)

    def read(self, rows):
        return self.values[rows]


def images(count=5, side=28):
    return Images(np.random.default_rng(3).random((count, side, side, 1), "float32"))


@pytest.mark.parametrize("name", ["mcrgnet", "agcnn"])
def test_probabilities_are_the_softmax_of_the_scores(name):
    model = registry.build(name, (28, 28, 1), 3, seed=1)
    given = images()
    assert np.allclose(softmax(scores(model, given)), model(given.values), atol=1e-6)


@pytest.mark.parametrize("name", ["mcrgnet", "agcnn", "deepsource_published"])
def test_the_head_has_the_weights_of_the_model_in_their_order(name):
    model = registry.build(name, (28, 28, 1), 3, seed=1)
    head = score_head(model)
    assert [w.path for w in head.weights] == [w.path for w in model.weights]
    assert all(a is b for a, b in zip(head.weights, model.weights, strict=True))
    assert score_head(model) is head


def test_scores_keep_the_order_that_probabilities_lose():
    layer = keras.layers.Dense(2, activation="softmax", name="classes")
    model = keras.Sequential([keras.Input((1,)), layer])
    layer.kernel.assign([[100.0, -100.0]])
    given = Images(np.array([[1.0], [2.0], [3.0]], "float32"))
    found = scores(model, given)
    assert np.allclose(found, [[100, -100], [200, -200], [300, -300]])
    assert np.array_equal(model(given.values), np.array([[1, 0]] * 3, "float32"))


def test_a_sigmoid_output_has_the_logarithms_of_its_shares():
    model = registry.build("atlas", (28, 28, 1), 3, seed=1, legacy=True)
    given = images()
    raw = np.asarray(model(given.values), np.float64)
    assert np.allclose(softmax(scores(model, given)), raw / raw.sum(axis=1, keepdims=True))


def test_the_published_loss_by_hand_and_its_floor():
    values = np.array([[3.0, 1.0], [-200.0, 200.0], [0.0, 0.0]], "float32")
    target = np.array([[1, 0], [0, 1], [1, 0]], "float32")
    p = softmax(values)
    by_hand = [-np.log(np.exp(a @ b) / np.exp(b).sum()) for a, b in zip(target, p, strict=True)]
    assert np.allclose(double_softmax(target, values), by_hand, atol=1e-6)
    assert double_softmax_loss(np.array([0, 1, 0]), p) == pytest.approx(np.mean(by_hand))
    assert min(by_hand) == pytest.approx(np.log(1 + 1 / np.e))


def test_keras_does_not_leave_the_second_softmax_out():
    """In a compiled step Keras looks behind a softmax; the published loss must survive that."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax")])
    head = score_head(model)
    head.compile("sgd", double_softmax)
    x, y = np.array([[50.0, 0.0], [9.0, 1.0]], "float32"), np.eye(2, dtype="float32")
    value = head.test_on_batch(x, y)
    assert value == pytest.approx(float(np.mean(double_softmax(y, head(x)))), rel=1e-5)
    assert value >= 0.3132


@pytest.mark.parametrize(("over", "batch"), [("image", 32), ("batch", 16)])
def test_maps_over_the_batch_are_tested_in_the_published_batches(over, batch):
    model = registry.build("agcnn", (28, 28, 1), 2, seed=1, gates=1, maps_over=over)
    assert batch_of(model) == batch
    given = images(40)
    whole = scores(model, given)
    alone = np.concatenate([scores(model, Images(given.values[[row]])) for row in range(3)])
    assert np.allclose(whole[:3], alone, rtol=1e-4) == (over == "image")


@pytest.mark.parametrize("axis", [-1, 1])
def test_a_last_softmax_layer_is_taken_off(axis):
    layers = [keras.layers.Dense(2, name="classes"), keras.layers.Softmax(axis=axis)]
    model = keras.Sequential([keras.Input((1,)), *layers])
    layers[0].kernel.assign([[100.0, -100.0]])
    given = Images(np.array([[1.0], [2.0]], "float32"))
    assert np.allclose(scores(model, given), [[100, -100], [200, -200]])
    assert score_head(model).weights == model.weights

"""Monte Carlo dropout: passes differ by dropout alone."""

import keras
import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.hosts.evaluation.dropout import (
    dropout_layers,
    dropout_scores,
    refuse_without_dropout,
)
from benchmarker.runs.scores import scores


class Prepared:
    """Random images in memory."""

    def __init__(self, count=40, size=8):
        self.images = np.random.default_rng(5).normal(size=(count, size, size, 1))

    def __len__(self):
        return len(self.images)

    def read(self, rows):
        return self.images[rows].astype(np.float32)


def network(rate=0.5):
    image = keras.Input((8, 8, 1))
    norm = keras.layers.BatchNormalization(name="norm")
    hidden = norm(keras.layers.Conv2D(4, 3)(image))
    dropped = keras.layers.Dropout(rate, name="drop", seed=1)(keras.layers.Flatten()(hidden))
    return keras.Model(image, keras.layers.Dense(2, activation="softmax")(dropped))


def weights(model):
    return [np.array(keras.ops.convert_to_numpy(w)) for w in model.get_layer("norm").weights]


def test_passes_differ_from_each_other_and_repeat_by_seed():
    model, prepared = network(), Prepared()
    first = dropout_scores(model, prepared, seed=1, passes=3)
    assert first.shape == (3, 40, 2)
    assert np.abs(first[0] - first[1]).max() > 0.01
    # two batches of one pass have different masks as well
    np.testing.assert_array_equal(first, dropout_scores(model, prepared, seed=1, passes=3))
    assert np.abs(first - dropout_scores(model, prepared, seed=2, passes=3)).max() > 0.01


def test_batch_normalisation_is_neither_used_in_training_mode_nor_changed():
    model, prepared = network(rate=1e-9), Prepared()
    before = weights(model)
    drawn = dropout_scores(model, prepared, seed=1, passes=2)
    # with next to no dropout a pass is the plain pass, whatever the batch's own statistics
    np.testing.assert_allclose(drawn[0], scores(model, prepared), rtol=1e-4, atol=1e-6)
    for one, other in zip(before, weights(model), strict=True):
        np.testing.assert_array_equal(one, other)
    assert all(layer.trainable for layer in model.layers)


def test_frozen_layers_stay_frozen():
    model = network()
    model.get_layer("norm").trainable = False
    dropout_scores(model, Prepared(4), seed=1, passes=1)
    assert [layer.trainable for layer in model.layers if layer.name == "norm"] == [False]


def test_progress_is_told():
    told = []
    dropout_scores(network(), Prepared(4), seed=1, passes=3, done=told.append)
    assert told == [1, 2, 3]


def test_a_network_without_dropout_is_refused():
    assert dropout_layers(network()) == ["drop"]
    with pytest.raises(SettingsError, match="net has no dropout: its passes would all be the same"):
        refuse_without_dropout(network(rate=0.0), "net")

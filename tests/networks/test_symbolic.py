"""Models without memory: counted like real ones, of any size, and with no trace left."""

import resource

import keras
import pytest

from benchmarker.networks.rows import totals
from benchmarker.networks.symbolic import model_rows, without_memory


def small():
    image = keras.Input((12, 10, 2))
    x = keras.layers.Conv2D(4, 3, dilation_rate=2, kernel_regularizer="l2")(image)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.AveragePooling2D(2)(x)
    x = keras.layers.LeakyReLU()(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(3, activation="softmax")(x))


def test_counts_are_those_of_the_allocated_model():
    rows = totals(model_rows(without_memory(small)))
    real = small()
    assert rows["parameters"] == real.count_params()
    assert rows["trainable_parameters"] == sum(w.numpy().size for w in real.trainable_weights)
    assert rows == totals(model_rows(real))


def test_the_field_grows_with_dilation_and_pooling():
    rows = totals(model_rows(without_memory(small)))
    assert (rows["receptive_field"], rows["stride"]) == (6, 2)
    assert rows["l2_kernels"] == 1
    assert rows["original_flops"] is None


def test_transposed_convolutions_count_their_input_places():
    def build():
        image = keras.Input((4, 4, 3))
        return keras.Model(image, keras.layers.Conv2DTranspose(2, 2, strides=2)(image))

    assert model_rows(without_memory(build))[0].multiply_adds == 4 * 4 * 2 * 2 * 2 * 3


def test_a_network_larger_than_the_memory_is_counted():
    def build():
        values = keras.Input((1_000_000,))
        return keras.Model(values, keras.layers.Dense(1_000_000)(values))

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert without_memory(build).count_params() == 1_000_001_000_000
    with keras.StatelessScope():
        pass  # would allocate the deferred variables of this thread, if any were left
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_what_the_function_raises_comes_out():
    def build():
        raise LookupError("inside")

    with pytest.raises(LookupError, match="inside"):
        without_memory(build)

"""VGG6 of braai: real or bogus from science, reference and difference image together.

Duev et al. 2019. The published network ends in one sigmoid; its value z stands here as the
scores (0, z) of bogus and real, whose softmax is that sigmoid, with the same weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarker.networks.build import classifier, seeded_dense
from benchmarker.networks.entries import LayerSeeds, NetworkSetting, PythonNetwork, number

if TYPE_CHECKING:
    import keras

# filters of two convolutions each, and side and stride of the pooling after them
BLOCKS = ((("conv1", "conv2"), 16, 2), (("conv3", "conv4"), 32, 4))
HIDDEN = 256
SMALLEST = 17  # pixels, of which one is left
BINARY = 2


def build(
    input_shape: tuple[int, int, int],
    num_classes: int,
    seeds: LayerSeeds,
    *,
    dropout: float,
    dense_dropout: float,
) -> keras.Model:
    """The network for one size of image; published for 63 x 63 x 3.

    Input: float32 (n, height, width, channels) from 17 pixels; output: softmax
    (n, num_classes). With two classes one score is computed, else one for each. Raises
    `ValueError` for a smaller side.
    """
    import keras
    from keras import layers

    if min(input_shape[:2]) < SMALLEST:
        message = f"four valid convolutions and poolings by two and four need {SMALLEST} pixels"
        raise ValueError(message)
    image = keras.Input(input_shape, name="image")
    tensor = image
    for place, (names, filters, pool) in enumerate(BLOCKS, start=1):
        for name in names:
            tensor = _convolution(name, filters, seeds)(tensor)
        tensor = layers.MaxPooling2D(pool, name=f"pool{place}")(tensor)
        tensor = _dropout(dropout, f"dropout{place}", seeds)(tensor)
    tensor = seeded_dense(HIDDEN, "fc_1", seeds, "relu")(layers.Flatten(name="flat")(tensor))
    tensor = _dropout(dense_dropout, "dropout3", seeds)(tensor)
    if num_classes == BINARY:
        real = seeded_dense(1, "fc_out", seeds)(tensor)
        scores = layers.ZeroPadding1D((1, 0), name="pair", dtype="float32")(
            layers.Reshape((1, 1), name="column", dtype="float32")(real)
        )
        scores = layers.Reshape((BINARY,), name="scores", dtype="float32")(scores)
    else:
        scores = seeded_dense(num_classes, "fc_out", seeds)(tensor)
    return classifier(image, scores, seeds)


def _convolution(name: str, filters: int, seeds: LayerSeeds) -> Any:
    from keras import initializers, layers

    start = initializers.GlorotUniform(seed=seeds.kernel(name))
    return layers.Conv2D(filters, 3, activation="relu", kernel_initializer=start, name=name)


def _dropout(rate: float, name: str, seeds: LayerSeeds) -> Any:
    from keras import layers

    return layers.Dropout(rate, seed=seeds.dropout(name), name=name)


_RATE = number(0, 0.95)

NETWORKS = (
    PythonNetwork(
        name="braai_vgg6",
        family="braai_vgg6",
        role="published",
        paper="duev2019",
        note="VGG6 of braai; with two classes its one sigmoid as a pair of scores",
        build=build,
        parameters=10_634_484,
        multiply_adds=514_600_000,
        settings={
            "dropout": NetworkSetting(0.25, _RATE, "share of the maps' values left out"),
            "dense_dropout": NetworkSetting(0.5, _RATE, "share of the hidden values left out"),
        },
        unseeded=True,
    ),
)

"""CnnGleam of RADIAnCE: artefacts in whole-field MWA images, as published and in small.

Three blocks of convolution, ReLU and pooling by three. The published network flattens the
last features into three linear layers with nothing between them, so its size follows the
image: 70 168 906 weights at 4000 pixels. The small one pools them, and takes any image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarker.networks.build import classifier
from benchmarker.networks.entries import LayerSeeds, NetworkSetting, PythonNetwork, number, whole
from benchmarker.networks.torch_defaults import EPSILON, MOMENTUM, convolution, dense

if TYPE_CHECKING:
    import keras

# filters and kernel side of each block
BLOCKS = (("layer1", 16, 15), ("layer4", 32, 9), ("layer7", 32, 5))
POOL = 3
SMALLEST = POOL ** len(BLOCKS)  # pixels, of which three poolings leave one
HIDDEN, DROPOUT = (100, 50), 0.1


def build(
    input_shape: tuple[int, int, int], num_classes: int, seeds: LayerSeeds, *, dropout: float
) -> keras.Model:
    """The published network for one size of image.

    Input: float32 (n, height, width, channels) from 27 pixels; output: softmax
    (n, num_classes) after the layer ``scores`` (``fc3`` of the original). Raises `ValueError`
    for a smaller side.
    """
    import keras

    image = keras.Input(_checked(input_shape), name="image")
    tensor = image
    for name, filters, kernel in BLOCKS:
        tensor = convolution(tensor, (filters, kernel), name, seeds)
        tensor = keras.layers.ReLU(name=f"{name}_relu")(tensor)
        tensor = keras.layers.MaxPooling2D(POOL, name=f"{name}_pool")(tensor)
    tensor = dense(keras.layers.Flatten(name="flat")(tensor), HIDDEN[0], "fc1", seeds)
    tensor = _dropout(dropout, seeds)(tensor)
    scores = dense(dense(tensor, HIDDEN[1], "fc2", seeds), num_classes, "scores", seeds)
    return classifier(image, scores, seeds)


def build_small(
    input_shape: tuple[int, int, int],
    num_classes: int,
    seeds: LayerSeeds,
    *,
    width: int,
    dropout: float,
) -> keras.Model:
    """The same three blocks with batch norm; mean and maximum of the last maps go on.

    Stripes of interference lie anywhere in a field, so where they lie says nothing: their
    mean and maximum say as much as all places, with few weights. Input and output as above.
    """
    import keras
    from keras import layers

    image = keras.Input(_checked(input_shape), name="image")
    tensor = image
    for name, filters, kernel in BLOCKS:
        scaled = max(1, round(filters * width / BLOCKS[0][1]))
        tensor = convolution(tensor, (scaled, kernel), name, seeds)
        # pooled first: the largest value stays the largest, and a ninth is left to normalise
        tensor = layers.MaxPooling2D(POOL, name=f"{name}_pool")(tensor)
        norm = layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name=f"{name}_norm")
        tensor = layers.ReLU(name=f"{name}_relu")(norm(tensor))
    pooled = [
        layers.GlobalAveragePooling2D(name="mean", dtype="float32")(tensor),
        layers.GlobalMaxPooling2D(name="maximum", dtype="float32")(tensor),
    ]
    tensor = layers.Concatenate(name="pooled", dtype="float32")(pooled)
    tensor = dense(tensor, HIDDEN[1], "hidden", seeds, "relu")
    scores = dense(_dropout(dropout, seeds)(tensor), num_classes, "scores", seeds)
    return classifier(image, scores, seeds)


def _checked(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    if min(shape[:2]) < SMALLEST:
        message = f"three poolings by three need a side of {SMALLEST} pixels"
        raise ValueError(message)
    return shape


def _dropout(rate: float, seeds: LayerSeeds) -> keras.layers.Layer:
    import keras

    return keras.layers.Dropout(
        rate, seed=seeds.dropout("dropout"), name="dropout", dtype="float32"
    )


_DROPOUT = NetworkSetting(DROPOUT, number(0, 0.95), "share of the hidden values left out")

NETWORKS = (
    PythonNetwork(
        name="cnn_gleam",
        family="cnn_gleam",
        role="published",
        paper="radiance",
        note="three blocks, then three linear layers without activation between them",
        build=build,
        parameters=463_306,
        multiply_adds=766_990_800,
        settings={"dropout": _DROPOUT},
        unseeded=True,
    ),
    PythonNetwork(
        name="cnn_gleam_small",
        family="cnn_gleam_small",
        role="own",
        paper="radiance",
        note="the same three blocks with batch norm, mean and maximum of the last maps",
        build=build_small,
        parameters=74_526,
        multiply_adds=766_601_800,
        settings={
            "width": NetworkSetting(16, whole(1, 256), "filters of the first block"),
            "dropout": _DROPOUT,
        },
    ),
)

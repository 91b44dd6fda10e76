"""A small modern baseline: the ConvNeXt block (Liu et al. 2022) in 0.4 million parameters.

After Liu et al. 2022, CVPR (arXiv 2201.03545), figure 4 and section 2: a patch stem,
depthwise 7 x 7 convolutions, layer norm, a pointwise expansion by four, global averages.
Three stages instead of four and no layer scale or stochastic depth: both are for far
deeper networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarker.networks.build import classifier, seeded_dense
from benchmarker.networks.entries import LayerSeeds, NetworkSetting, PythonNetwork, number, whole

if TYPE_CHECKING:
    import keras

DEPTHS = (2, 2, 2)
STEM, KERNEL, EXPANSION = 4, 7, 4
EPSILON = 1e-6
SMALLEST = STEM * 2 ** (len(DEPTHS) - 1)  # pixels


def build(
    input_shape: tuple[int, int, int],
    num_classes: int,
    seeds: LayerSeeds,
    *,
    width: int,
    dropout: float,
) -> keras.Model:
    """Three stages of residual blocks, each half as large and twice as wide as the one before.

    Input: float32 (n, height, width, channels) from 16 pixels; output: softmax (n,
    num_classes). `width` is the number of channels of the first stage.
    Raises `ValueError` for a smaller side.
    """
    from keras import Input, layers

    if min(input_shape[:2]) < SMALLEST:
        message = f"a stem of {STEM} pixels and two halvings need a side of {SMALLEST} pixels"
        raise ValueError(message)
    image = Input(input_shape, name="image")
    tensor = _norm("stem_norm")(_patches(width, STEM, "stem", seeds)(image))
    for stage, depth in enumerate(DEPTHS, start=1):
        channels = width * 2 ** (stage - 1)
        if stage > 1:
            tensor = _norm(f"halve{stage}_norm")(tensor)
            tensor = _patches(channels, 2, f"halve{stage}", seeds)(tensor)
        for place in range(1, depth + 1):
            tensor = _block(tensor, f"block{stage}{place}", seeds)
    tensor = layers.GlobalAveragePooling2D(name="averages")(tensor)
    tensor = _norm("averages_norm")(tensor)
    tensor = layers.Dropout(dropout, seed=seeds.dropout("dropout"), name="dropout")(tensor)
    scores = seeded_dense(num_classes, "scores", seeds)(tensor)
    return classifier(image, scores, seeds)


def _block(tensor: Any, name: str, seeds: LayerSeeds) -> Any:
    """Look around each channel by itself, mix the channels at each pixel, add the input."""
    from keras import initializers, layers

    channels = tensor.shape[-1]
    # the rule of fans counts all channels, but each output sees one
    seen = initializers.TruncatedNormal(stddev=1 / KERNEL, seed=seeds.kernel(f"{name}_around"))
    around = layers.DepthwiseConv2D(
        KERNEL, padding="same", depthwise_initializer=seen, name=f"{name}_around"
    )(tensor)
    values = _norm(f"{name}_norm")(around)
    values = seeded_dense(EXPANSION * channels, f"{name}_wide", seeds, "gelu")(values)
    values = seeded_dense(channels, f"{name}_narrow", seeds)(values)
    return layers.Add(name=f"{name}_add")([tensor, values])


def _patches(channels: int, side: int, name: str, seeds: LayerSeeds) -> keras.layers.Layer:
    from keras import initializers, layers

    rule = initializers.LecunNormal(seed=seeds.kernel(name))
    return layers.Conv2D(channels, side, strides=side, kernel_initializer=rule, name=name)


def _norm(name: str) -> keras.layers.Layer:
    from keras import layers

    return layers.LayerNormalization(epsilon=EPSILON, name=name)


NETWORKS = (
    PythonNetwork(
        name="compact",
        family="compact",
        role="own",
        paper="liu2022",
        note="small ConvNeXt: 7x7 depthwise, layer norm, pointwise expansion, global averages",
        build=build,
        parameters=412_324,
        multiply_adds=321_816_256,
        settings={
            "width": NetworkSetting(32, whole(4, 256), "channels of the first stage"),
            "dropout": NetworkSetting(0.2, number(0, 0.95), "share of the averages left out"),
        },
    ),
)

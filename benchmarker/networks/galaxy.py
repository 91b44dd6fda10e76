"""A network for few images of sources without a preferred direction: invariant, not blind to place.

Group convolutions (Cohen & Welling 2016, ICML, arXiv 1602.07576) with batch norm and pooling,
then one group convolution whose kernel covers the whole map: it sees where a source is bright,
as a dense layer on pixels would, but in each of the group's directions with the same weights.
The maximum over the group makes what follows invariant: a quarter turn or a mirror image of
the input leaves the scores as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarker.networks.build import classifier, seeded_dense
from benchmarker.networks.entries import LayerSeeds, NetworkSetting, PythonNetwork, number, whole
from benchmarker.networks.equivariant_lenet import read_group

if TYPE_CHECKING:
    import keras

FIRST_KERNEL, KERNEL = 5, 3
WIDENING = (1, 2, 4)  # fields of the stages, in units of the first; the last goes on
COVERED = 9  # pixels per side at most that the covering kernel sees
MOMENTUM = 0.9  # a few hundred images give few steps to follow
SMALLEST = 8  # pixels


def build(  # noqa: PLR0913 - the settings of a run list
    input_shape: tuple[int, int, int],
    num_classes: int,
    seeds: LayerSeeds,
    *,
    group: str,
    fields: int,
    hidden: int,
    map_dropout: float,
    dropout: float,
) -> keras.Model:
    """Stages of group convolution and pooling, a covering group convolution, invariant values.

    Input: float32 (n, height, width, channels) from 8 pixels; output: softmax (n,
    num_classes). There are as many stages as leave at most 9 pixels on the shorter side.
    Raises `ValueError` for a smaller side.
    """
    from keras import Input, layers

    from benchmarker.networks.group_convolution import GroupPooling

    if min(input_shape[:2]) < SMALLEST:
        message = f"its stages need a side of {SMALLEST} pixels"
        raise ValueError(message)
    image = Input(input_shape, name="image")
    tensor = _stages(image, group, fields, seeds)
    tensor = layers.Dropout(map_dropout, seed=seeds.dropout("map_dropout"), name="map_dropout")(
        tensor
    )
    side = min(tensor.shape[1:3])
    tensor = _convolution(tensor, (hidden, side, "valid"), group, "cover", seeds)
    tensor = _normalised(tensor, group, "cover")
    tensor = GroupPooling(group=group, name="over_group")(tensor)
    # one place for a square image; the mean of several for an oblong one
    tensor = layers.GlobalAveragePooling2D(name="over_places")(tensor)
    tensor = layers.Dropout(dropout, seed=seeds.dropout("dropout"), name="dropout")(tensor)
    scores = seeded_dense(num_classes, "scores", seeds)(tensor)
    return classifier(image, scores, seeds)


def _stages(tensor: Any, group: str, fields: int, seeds: LayerSeeds) -> Any:
    from benchmarker.networks.group_convolution import centred_pool

    stage = 0
    while stage == 0 or min(tensor.shape[1:3]) > COVERED:
        widening = WIDENING[min(stage, len(WIDENING) - 1)]
        kernel = KERNEL if stage else FIRST_KERNEL
        stage += 1
        name = f"stage{stage}"
        tensor = _convolution(tensor, (fields * widening, kernel, "same"), group, name, seeds)
        # the rest passes a quarter of the pixels, and the maximum commutes with ReLU
        tensor = _normalised(centred_pool(tensor, f"{name}_pool"), group, name)
    return tensor


def _convolution(
    tensor: Any, settings: tuple[int, int, str], group: str, name: str, seeds: LayerSeeds
) -> Any:
    """Group convolution of (fields, kernel, padding), without the bias that batch norm adds."""
    from benchmarker.networks.group_convolution import GroupConv2D

    fields, kernel, padding = settings
    return GroupConv2D(
        fields,
        kernel,
        group=group,
        lifting=name == "stage1",
        padding=padding,
        use_bias=False,
        kernel_seed=seeds.kernel(name),
        name=name,
    )(tensor)


def _normalised(tensor: Any, group: str, name: str) -> Any:
    """Batch norm, ReLU."""
    from keras import layers

    from benchmarker.networks.group_convolution import GroupBatchNormalization

    tensor = GroupBatchNormalization(group=group, momentum=MOMENTUM, name=f"{name}_norm")(tensor)
    return layers.ReLU(name=f"{name}_relu")(tensor)


SHARE = number(0, 0.95)
NETWORKS = (
    PythonNetwork(
        name="galaxy_d4",
        family="galaxy",
        role="own",
        paper="cohen2016",
        note="four stages of D4 convolutions, one that covers the map, the maximum over D4",
        build=build,
        parameters=712_792,
        multiply_adds=1_156_391_680,
        settings={
            "group": NetworkSetting(
                "d4", read_group, "rotations (cN) and mirror images (dN) that share weights"
            ),
            "fields": NetworkSetting(4, whole(1, 256), "fields of the first stage"),
            "hidden": NetworkSetting(64, whole(1, 4096), "fields of the covering convolution"),
            "map_dropout": NetworkSetting(0.0, SHARE, "share of the map's values left out"),
            "dropout": NetworkSetting(0.5, SHARE, "share of the invariant values left out"),
        },
    ),
)

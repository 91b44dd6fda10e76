"""LeNet and its rotation-reflection equivariant forms of Scaife & Porter 2021.

MNRAS 503, 2369 (arXiv 2102.08252), section 3.2, and the models of their code. The published
equivariant networks write each kernel as a sum of circular harmonics (Weiler & Cesa 2019);
here the kernels are free on the pixel grid and are turned, which shares weights in the same
way and needs nothing but an ordinary convolution. docs/equivariant-networks.md compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from benchmarker.networks.build import classifier, seeded_dense
from benchmarker.networks.entries import LayerSeeds, NetworkSetting, PythonNetwork, number

if TYPE_CHECKING:
    import keras

FILTERS = (6, 16)
KERNEL, MARGIN = 5, 1
HIDDEN = (120, 84)
SMALLEST = 14  # pixels; two unpadded steps of each convolution and two poolings leave two


def read_group(text: str) -> str:
    """Reader of the setting `group`; raises `ValueError` that says what is allowed."""
    from benchmarker.networks.plane_groups import plane_group

    return plane_group(text).name


def build(
    input_shape: tuple[int, int, int],
    num_classes: int,
    seeds: LayerSeeds,
    *,
    dropout: float,
    group: str | None = None,
) -> keras.Model:
    """Two convolutions with pooling, the maximum over the group, three dense layers.

    Input: float32 (n, height, width, channels) from 14 pixels; output: softmax (n,
    num_classes). Up to the pooling over the group, turning the image turns the maps; the
    dense layers see where a map has its values, so the scores may change.
    Raises `ValueError` for a smaller side.
    """
    from keras import Input, layers

    if min(input_shape[:2]) < SMALLEST:
        message = f"two convolutions and poolings need a side of {SMALLEST} pixels"
        raise ValueError(message)
    image = Input(input_shape, name="image")
    features = _plain(image, seeds) if group is None else _grouped(image, seeds, group)
    tensor = layers.Flatten(name="flat")(features)
    for place, units in enumerate(HIDDEN, start=1):
        tensor = seeded_dense(units, f"hidden{place}", seeds, "relu")(tensor)
    tensor = layers.Dropout(dropout, seed=seeds.dropout("dropout"), name="dropout")(tensor)
    scores = seeded_dense(num_classes, "scores", seeds)(tensor)
    return classifier(image, scores, seeds)


def _plain(tensor: Any, seeds: LayerSeeds) -> Any:
    from keras import initializers, layers

    from benchmarker.networks.group_convolution import centred_pool

    for place, filters in enumerate(FILTERS, start=1):
        tensor = layers.ZeroPadding2D(MARGIN, name=f"pad{place}")(tensor)
        tensor = layers.Conv2D(
            filters,
            KERNEL,
            activation="relu",
            kernel_initializer=initializers.HeNormal(seed=seeds.kernel(f"conv{place}")),
            name=f"conv{place}",
        )(tensor)
        tensor = centred_pool(tensor, f"pool{place}")
    return tensor


def _grouped(tensor: Any, seeds: LayerSeeds, group: str) -> Any:
    from benchmarker.networks.group_convolution import GroupConv2D, GroupPooling, centred_pool

    for place, fields in enumerate(FILTERS, start=1):
        tensor = GroupConv2D(
            fields,
            KERNEL,
            group=group,
            lifting=place == 1,
            padding=MARGIN,
            activation="relu",
            kernel_seed=seeds.kernel(f"conv{place}"),
            name=f"conv{place}",
        )(tensor)
        tensor = centred_pool(tensor, f"pool{place}")
    return GroupPooling(group=group, name="over_group")(tensor)


DROPOUT = NetworkSetting(0.5, number(0, 0.95), "share of the last hidden values left out")


def _settings(group: str | None) -> Mapping[str, NetworkSetting]:
    if group is None:
        return {"dropout": DROPOUT}
    about = "rotations (cN) and mirror images (dN) that share weights"
    return {"dropout": DROPOUT, "group": NetworkSetting(group, read_group, about)}


def _network(group: str | None, note: str, parameters: int, multiply_adds: int) -> PythonNetwork:
    return PythonNetwork(
        name="lenet" if group is None else f"lenet_{group}",
        family="lenet",
        role="published",
        paper="scaife2021",
        note=note,
        build=build,
        parameters=parameters,
        multiply_adds=multiply_adds,
        unseeded=True,
        settings=_settings(group),
    )


NETWORKS = (
    _network(None, "plain LeNet, the baseline of the comparison", 10_244_876, 75_424_296),
    _network("c4", "quarter turns share weights, exactly", 10_252_076, 893_310_096),
    _network(
        "d4", "quarter turns and mirror images share weights, exactly", 10_261_676, 3_435_949_296
    ),
    _network(
        "c8",
        "eight turns share weights, those of 45 degrees by interpolation",
        10_261_676,
        3_435_949_296,
    ),
    _network("d8", "as c8, with mirror images", 10_280_876, 13_499_941_296),
    _network("c16", "16 turns share weights, by interpolation", 10_280_876, 13_499_941_296),
    _network(
        "d16", "as c16, with mirror images: the best of the paper", 10_319_276, 53_542_779_696
    ),
)

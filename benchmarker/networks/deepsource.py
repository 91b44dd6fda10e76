"""DeepSource of Vafaei Sadr et al. 2019 with a classification head, in two wirings.

The published network is fully convolutional and finds sources; the comparison of 2021 put
a dense head on it and, by a slip, wired the third convolution to the first one, so that the
second takes no part. `deepsource` is that network, `deepsource_published` has the three
convolutions in a row.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarker.networks.build import chain, model_name
from benchmarker.networks.entries import LayerSeeds, PythonNetwork

if TYPE_CHECKING:
    import keras

CONVOLUTION = "C16k5S:relu"
REST = "BN C16k5S:relu Do0.5 C1k5S:relu F D500:relu:gl Dn:softmax:gl"


def build(
    input_shape: tuple[int, int, int],
    num_classes: int,
    seeds: LayerSeeds,
    *,
    inner: tuple[str, ...],
) -> keras.Model:
    """A skip from the first convolution over the `inner` ones, then the head.

    Input: float32 (n, height, width, channels); output: softmax (n, num_classes).
    """
    import keras

    image = keras.Input(input_shape, name="image")
    first = chain(CONVOLUTION, image, seeds, prefix="x1")
    last = first
    for prefix in inner:
        last = chain(CONVOLUTION, last, seeds, prefix=prefix)
    added = keras.layers.Add(name="add")([first, last])
    output = chain(REST, added, seeds, prefix="head", classes=num_classes)
    return keras.Model(image, output, name=model_name(seeds.network))


NETWORKS = (
    PythonNetwork(
        name="deepsource",
        family="deepsource",
        role="published",
        paper="vafaei2019",
        note="own classification head; the second convolution of the skip block takes no part",
        build=partial(build, inner=("x3",)),
        parameters=45_016_217,
        multiply_adds=1_269_002_000,
    ),
    PythonNetwork(
        name="deepsource_published",
        family="deepsource",
        role="published",
        paper="vafaei2019",
        note="the published wiring, three convolutions in a row under the skip; own head",
        build=partial(build, inner=("x2", "x3")),
        parameters=45_022_633,
        multiply_adds=1_845_002_000,
    ),
)

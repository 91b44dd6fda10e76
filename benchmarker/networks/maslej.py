"""The three-branch network of Maslej-Krešňáková et al. 2021 and two variants of it.

The published input is 64x64x1; at 300x300 the first dense layer alone holds 725 million
weights (2.9 GB), which no training at that size is worth.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarker.networks.build import chain, model_name
from benchmarker.networks.entries import LayerSeeds, PythonNetwork

if TYPE_CHECKING:
    import keras

BRANCHES = {"a": "C128k3s2V:relu F", "b": "C64k4V:relu P2V F", "c": "C64k2V:relu P2V F"}
BRANCHES_WITH_DROPOUT = {
    "a": "C128k3s2V:relu Do0.5:UNSEEDED F",
    "b": "C64k4V:relu P2V Do0.5:UNSEEDED F",
    "c": "C64k2V:relu P2V Do0.5:UNSEEDED F",
}
HEAD = "Do0.2:UNSEEDED D128:relu:gl Dn:softmax:gl"
HEAD_WITH_L2 = "D128:relu:L20.01:gl Do0.5:UNSEEDED Dn:softmax:gl"


def build(
    input_shape: tuple[int, int, int],
    num_classes: int,
    seeds: LayerSeeds,
    *,
    branches: dict[str, str],
    head: str,
) -> keras.Model:
    """Three branches read the image side by side; their values are joined and classified.

    Input: float32 (n, height, width, channels); output: softmax (n, num_classes).
    """
    import keras

    image = keras.Input(input_shape, name="image")
    paths = [chain(text, image, seeds, prefix=letter) for letter, text in branches.items()]
    joined = keras.layers.Concatenate(name="join")(paths)
    output = chain(head, joined, seeds, prefix="head", classes=num_classes)
    return keras.Model(image, output, name=model_name(seeds.network))


def _network(name: str, role: str, note: str, branches: dict[str, str], head: str) -> PythonNetwork:
    return PythonNetwork(
        name=name,
        family="maslej",
        role=role,
        paper="maslej2021",
        note=note,
        build=partial(build, branches=branches, head=head),
        parameters=725_052_676,
        multiply_adds=863_838_080,
        unseeded=True,
    )


NETWORKS = (
    _network(
        "maslej",
        "published",
        "three parallel branches; published for 64x64 images",
        BRANCHES,
        HEAD,
    ),
    _network(
        "maslej_l2_no_do",
        "variant",
        "dropout 0.5 after the hidden dense layer instead of 0.2 before it; L2 0.01 on that layer",
        BRANCHES,
        HEAD_WITH_L2,
    ),
    _network(
        "maslej_l2_do",
        "variant",
        "maslej_l2_no_do with dropout 0.5 in each branch",
        BRANCHES_WITH_DROPOUT,
        HEAD_WITH_L2,
    ),
)

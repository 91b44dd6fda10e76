"""The network of Tang et al. 2019 as the AG-CNN authors rewrote it, in two forms.

Its printed summary has three hidden dense layers; the code calls one of them twice, so it
holds fewer weights. The layer lists `fr_deep` are the rewriting of the 2021 comparison.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarker.networks.build import classifier
from benchmarker.networks.entries import LayerSeeds, PythonNetwork
from benchmarker.networks.torch_defaults import EPSILON, MOMENTUM, convolution, dense, dense_layer

if TYPE_CHECKING:
    import keras

# filters, kernel, and the pooling after it
CONVOLUTIONS = ((6, 11, 2), (16, 5, 3), (24, 3, None), (24, 3, None), (16, 3, 5))
HIDDEN, DROPOUT = 256, 0.5
SMALLEST = 30  # pixels; poolings by two, three and five leave one
# the code calls its second hidden layer again where the summary prints a third
PRINTED, AS_CODED = ("hidden1", "hidden2", "hidden3"), ("hidden1", "hidden2", "hidden2")


def build(
    input_shape: tuple[int, int, int],
    num_classes: int,
    seeds: LayerSeeds,
    *,
    hidden: tuple[str, ...],
) -> keras.Model:
    """Convolutions, then the `hidden` dense layers; a name that comes twice shares its weights.

    Input: float32 (n, height, width, channels) from 30 pixels; output: softmax (n, num_classes).
    Raises `ValueError` for a smaller side.
    """
    import keras

    if min(input_shape[:2]) < SMALLEST:
        message = f"poolings by two, three and five need a side of {SMALLEST} pixels"
        raise ValueError(message)
    image = keras.Input(input_shape, name="image")
    tensor = keras.layers.Flatten(name="flat")(_convolutions(image, seeds))
    made: dict[str, Any] = {}
    for place, name in enumerate(hidden, start=1):
        if name not in made:
            made[name] = dense_layer(tensor.shape[-1], HIDDEN, name, seeds, "relu")
        tensor = made[name](tensor)
        word = f"dropout{place}"
        tensor = keras.layers.Dropout(DROPOUT, seed=seeds.dropout(word), name=word)(tensor)
    scores = dense(tensor, num_classes, "scores", seeds)
    return classifier(image, scores, seeds)


def _convolutions(tensor: Any, seeds: LayerSeeds) -> Any:
    """Convolution, ReLU, batch norm, in this order, five times."""
    from keras import layers

    for place, (filters, kernel, pool) in enumerate(CONVOLUTIONS, start=1):
        tensor = convolution(tensor, (filters, kernel), f"conv{place}", seeds)
        tensor = layers.ReLU(name=f"relu{place}")(tensor)
        norm = layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name=f"bnorm{place}")
        tensor = norm(tensor)
        if pool:
            tensor = layers.MaxPooling2D(pool, name=f"pool{place}")(tensor)
    return tensor


NETWORKS = (
    PythonNetwork(
        name="tang2019",
        family="tang2019",
        role="published",
        paper="tang2019",
        note="as the summary prints it, with three hidden dense layers",
        build=partial(build, hidden=PRINTED),
        parameters=558_120,
        multiply_adds=150_121_696,
        unseeded=True,
    ),
    PythonNetwork(
        name="tang2019_shared",
        family="tang2019",
        role="variant",
        paper="tang2019",
        note="as coded, the second hidden dense layer in place of the third too",
        build=partial(build, hidden=AS_CODED),
        parameters=492_328,
        multiply_adds=150_056_160,  # a layer counts once, also where it is called twice
        unseeded=True,
    ),
)

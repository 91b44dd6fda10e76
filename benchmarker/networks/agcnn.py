"""AG-CNN of Bowles et al. 2021: the class comes only from features weighted by attention maps.

A trunk of eleven convolutions makes ever coarser features; up to three gates look back at
the finer ones in the light of the coarsest. What the gates let through is pooled over all
pixels and classified; the maps show where the network looked. With zero gates it is a plain
convolutional network with one dense layer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from benchmarker.networks.build import classifier
from benchmarker.networks.entries import (
    LayerSeeds,
    NetworkSetting,
    PythonNetwork,
    number,
    whole,
    words,
)
from benchmarker.networks.torch_defaults import EPSILON, MOMENTUM, convolution, dense

if TYPE_CHECKING:
    import keras

SMALLEST = 16  # pixels; four poolings by two leave one
BLOCKS = (("1", "abc", 6), ("2", "abc", 16), ("3", "abc", 32), ("4", "ab", 64))
GATED = ("3", "2", "1")  # the block that gate 1, 2, 3 looks at
AGGREGATIONS = ("ft", "mean", "concat", "deep_sup")
KERNELS = (3, 5, 7, 9)
PUBLISHED_DROPOUT = 0.5  # with three gates; none with fewer


@dataclass(frozen=True)
class Settings:
    """The settings of `SETTINGS`, resolved."""

    gates: int
    normalisation: str
    aggregation: str
    maps_over: str
    pooling: str
    dropout: float | str
    psi_bias: float
    kernel: int

    @property
    def rate(self) -> float:
        """Dropout rate on the pooled vectors."""
        if self.dropout == "published":
            return PUBLISHED_DROPOUT if self.gates == len(GATED) else 0.0
        return float(self.dropout)


def build(
    input_shape: tuple[int, int, int], num_classes: int, seeds: LayerSeeds, **settings: Any
) -> keras.Model:
    """The network for one size of image; maps are the outputs of ``gate1`` to ``gate3``.

    Input: float32 (n, height, width, channels); output: softmax (n, num_classes), after the
    layer ``scores``. Raises `ValueError` for a side below 16 pixels.
    """
    import keras

    if min(input_shape[:2]) < SMALLEST:
        message = f"four poolings by two need a side of {SMALLEST} pixels"
        raise ValueError(message)
    chosen = Settings(**settings)
    image = keras.Input(input_shape, name="image")
    features, coarse = _trunk(image, chosen, seeds)
    if chosen.gates:
        vectors = [_gate(n + 1, features[n], coarse, chosen, seeds) for n in range(chosen.gates)]
        scores = _aggregated(vectors, chosen.aggregation, num_classes, seeds)
    else:
        scores = dense(_flat(coarse), num_classes, "scores", seeds)
    return classifier(image, scores, seeds)


def _trunk(image: Any, chosen: Settings, seeds: LayerSeeds) -> tuple[list[Any], Any]:
    """Features for the gates, gate 1 first, and the coarse features of the last block."""
    import keras

    ends, tensor = {}, image
    for block, letters, filters in BLOCKS:
        if block != "1":
            tensor = keras.layers.MaxPooling2D(2, name=f"pool{int(block) - 1}")(tensor)
        for letter in letters:
            tensor = _convolved(tensor, filters, f"{block}{letter}", chosen.kernel, seeds)
        ends[block] = tensor
    return [ends[block] for block in GATED], tensor


def _convolved(tensor: Any, filters: int, name: str, kernel: int, seeds: LayerSeeds) -> Any:
    """Convolution, batch norm, ReLU: the order of the published weights."""
    from keras import initializers, layers

    from benchmarker.networks.attention_gate import he_normal

    def start(_: int, seed: int) -> Any:
        return he_normal(seed)

    tensor = convolution(tensor, (filters, kernel), f"conv{name}", seeds, start)
    scale = initializers.RandomNormal(1.0, 0.02, seed=seeds.kernel(f"bnorm{name}"))
    norm = layers.BatchNormalization(
        momentum=MOMENTUM, epsilon=EPSILON, gamma_initializer=scale, name=f"bnorm{name}"
    )
    return layers.ReLU(name=f"relu{name}")(norm(tensor))


def _gate(gate: int, x: Any, coarse: Any, chosen: Settings, seeds: LayerSeeds) -> Any:
    """The pooled vector of one gate, float32 (n, channels of x)."""
    import keras

    from benchmarker.networks.attention_gate import AttentionGate, GatePooling

    attention = AttentionGate(
        chosen.normalisation,
        maps_over=chosen.maps_over,
        psi_bias=chosen.psi_bias,
        seeds=[seeds.kernel(f"gate{gate} {part}") for part in ("theta", "phi", "psi")],
        name=f"gate{gate}",
    )([x, coarse])
    vector = GatePooling(chosen.pooling, name=f"pooled{gate}", dtype="float32")([x, attention])
    if not chosen.rate:
        return vector
    name = f"dropout{gate}"
    dropout = keras.layers.Dropout(
        chosen.rate, seed=seeds.dropout(name), name=name, dtype="float32"
    )
    return dropout(vector)


def _aggregated(vectors: list[Any], aggregation: str, classes: int, seeds: LayerSeeds) -> Any:
    """Scores (n, classes) from the vectors of the gates: section 3.3 of the paper."""
    import keras

    def joined(tensors: list[Any]) -> Any:
        if len(tensors) == 1:
            return tensors[0]
        return keras.layers.Concatenate(name="joined", dtype="float32")(tensors)

    if aggregation == "concat":
        return dense(joined(vectors), classes, "scores", seeds)
    activation = "relu" if aggregation == "ft" else None
    parts = [
        dense(vector, classes, f"classifier{gate}", seeds, activation)
        for gate, vector in enumerate(vectors, start=1)
    ]
    if aggregation == "ft":
        return dense(joined(parts), classes, "scores", seeds)
    if aggregation == "deep_sup":
        parts = [dense(joined(vectors), classes, "classifier", seeds), *parts]
    if len(parts) == 1:
        return keras.layers.Activation("linear", name="scores", dtype="float32")(parts[0])
    return keras.layers.Average(name="scores", dtype="float32")(parts)


def _flat(coarse: Any) -> Any:
    """All pixels of channel 0, then of channel 1, ...: the order of the published weights."""
    from keras import layers

    pooled = layers.MaxPooling2D(2, name="pool4")(coarse)
    return layers.Flatten(name="flat")(layers.Permute((3, 1, 2), name="channels_first")(pooled))


def _dropout(text: str) -> float | str:
    """`published`, or a rate below 1."""
    if text == "published":
        return text
    try:
        return number(0, 0.99)(text)
    except ValueError as error:
        message = f"{error}, nor 'published' (0.5 with three gates, else 0)"
        raise ValueError(message) from error


def _kernel(text: str) -> int:
    """The odd sizes that Bowles et al. tried."""
    return int(words(*map(str, KERNELS))(text))


NORMALISATIONS = ("range_norm", "std_mean_norm", "sigmoid", "softmax", "tanh")
SETTINGS = {
    "gates": NetworkSetting(3, whole(0, 3), "attention gates, 0 to 3"),
    "normalisation": NetworkSetting(
        "range_norm",
        words(*NORMALISATIONS),
        "how scores become a map: " + ", ".join(NORMALISATIONS),
    ),
    "aggregation": NetworkSetting(
        "ft", words(*AGGREGATIONS), "how the gates decide together: " + ", ".join(AGGREGATIONS)
    ),
    "maps_over": NetworkSetting(
        "image",
        words("image", "batch"),
        "extremes of a map: of the image, or as published the batch",
    ),
    "pooling": NetworkSetting(
        "sum", words("sum", "mean", "weighted"), "over the pixels of gated features"
    ),
    "dropout": NetworkSetting(
        "published", _dropout, "rate on pooled features; published: 0.5 with three gates, else 0"
    ),
    "psi_bias": NetworkSetting(
        0.0, number(-100, 100), "where the bias of the scores starts; 10 as published"
    ),
    "kernel": NetworkSetting(3, _kernel, "side of the trunk's kernels: 3, 5, 7 or 9 pixels"),
}
AGCNN = PythonNetwork(
    name="agcnn",
    family="agcnn",
    role="published",
    paper="bowles2021",
    note="three attention gates, range normalisation, fine-tuned aggregation",
    build=build,
    parameters=102_179,
    multiply_adds=485_102_760,
    unseeded=True,
    settings=SETTINGS,
)


# parameters and multiply-adds at 300x300x1 and four classes
WITH_THREE = {
    "ft": (102_179, 485_102_760),
    "mean": (102_127, 485_102_712),
    "concat": (102_119, 485_102_712),
    "deep_sup": (102_347, 485_102_928),
}
FEWER_GATES = (
    (0, "no gate: one dense layer on the last features", 168_908, 391_683_168),
    (1, "one gate, on the third block", 92_321, 409_087_792),
    (2, "two gates, on the third and second block", 97_590, 439_175_296),
)
PUBLISHED_NORMALISATIONS = NORMALISATIONS[:4]  # the paper ran no tanh


def _grid() -> list[PythonNetwork]:
    """The sixteen networks of experiment 2: normalisations times aggregations."""
    return [
        replace(
            AGCNN,
            name=f"agcnn_{normalisation}_{aggregation}",
            role="variant",
            note=f"three gates, normalisation {normalisation}, aggregation {aggregation}",
            settings=AGCNN.with_defaults(normalisation=normalisation, aggregation=aggregation),
            parameters=parameters,
            multiply_adds=multiply_adds,
        )
        for normalisation in PUBLISHED_NORMALISATIONS
        for aggregation, (parameters, multiply_adds) in WITH_THREE.items()
    ]


def _fewer() -> list[PythonNetwork]:
    """The networks of experiment 3: none, one and two gates."""
    return [
        replace(
            AGCNN,
            name=f"agcnn_gates{gates}",
            role="variant",
            note=note,
            settings=AGCNN.with_defaults(gates=gates),
            parameters=parameters,
            multiply_adds=multiply_adds,
        )
        for gates, note, parameters, multiply_adds in FEWER_GATES
    ]


NETWORKS = (AGCNN, *_grid(), *_fewer())

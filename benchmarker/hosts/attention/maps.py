"""Maps of where a trained network looked: one form for attention gates and for Grad-CAM.

The maps of AG-CNN (Bowles et al. 2021) are what its gates give out; "the" attention
map of an image is the mean over the gates, each resized to the size of the image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from benchmarker.core.errors import SettingsError

BATCH = 32
ATTENTION = "attention"


@dataclass(frozen=True)
class Maps:
    """Maps of one network for n images, g of them for each image.

    Arguments
    ---------
    names : g names: of the gates, or of the layer that Grad-CAM looked at
    own : g float32 arrays (n, h, w), each at the size at which the network made it
    resized : float32 (n, g, height, width), at the size of the images
    scores : float64 (n, classes), before the softmax, from the same forward pass
    """

    names: tuple[str, ...]
    own: tuple[np.ndarray, ...]
    resized: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.resized)

    @cached_property
    def mean(self) -> np.ndarray:
        """Mean over the g maps of each image, float32 (n, height, width)."""
        return self.resized.mean(axis=1)

    @cached_property
    def probabilities(self) -> np.ndarray:
        """float64 (n, classes)."""
        from benchmarker.runs.scores import softmax

        return softmax(self.scores)

    @property
    def predicted(self) -> np.ndarray:
        """int64 (n,): the class of the highest score."""
        return self.scores.argmax(axis=1)


class MapMaker(Protocol):
    """Makes maps of images as the network wants them."""

    @property
    def method(self) -> str:
        """``attention`` or ``grad-cam``."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the maps of one image."""
        ...

    @property
    def batch(self) -> int:
        """Images that may be shown at once."""
        ...

    def __call__(self, images: np.ndarray) -> Maps:
        """Maps of finished images, float32 (n, height, width, channels)."""
        ...


class AttentionMaps:
    """The maps of every attention gate of a network.

    Where a gate takes its extremes over the whole batch, images are shown one by one, so
    that a map does not depend on its neighbours. Raises `SettingsError` for a network
    without gates.
    """

    method = ATTENTION

    def __init__(self, model: Any) -> None:
        import keras

        from benchmarker.runs.scores import score_head

        gates = attention_gates(model)
        if not gates:
            message = (
                f"{model.name} has no attention gates, so it has no attention maps; "
                "expected a network such as agcnn with 1 to 3 gates, or --method grad-cam"
            )
            raise SettingsError(message)
        self.names = tuple(gate.name for gate in gates)
        self.batch = batch_of(model)
        outputs = [score_head(model).outputs[0], *(gate.output for gate in gates)]
        self._model = keras.Model(model.inputs, outputs, name=f"{model.name}_maps")

    def __call__(self, images: np.ndarray) -> Maps:
        scores, *maps = self._model.predict_on_batch(images)
        own = tuple(np.asarray(one, np.float32)[..., 0] for one in maps)
        resized = np.stack([resize(one, images.shape[1:3]) for one in own], axis=1)
        return Maps(self.names, own, resized, np.asarray(scores, np.float64))


def attention_gates(model: Any) -> list[Any]:
    """The attention gates of a model, by name in the order that people count."""
    from benchmarker.data.reading_names import natural_key
    from benchmarker.networks.attention_gate import AttentionGate

    found = [layer for layer in model.layers if isinstance(layer, AttentionGate)]
    return sorted(found, key=lambda gate: natural_key(gate.name))


def batch_of(model: Any) -> int:
    """Images to show at once: one where a gate mixes the images of a batch."""
    mixed = any(gate.maps_over == "batch" for gate in attention_gates(model))
    return 1 if mixed else BATCH


def resize(maps: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Bilinear resizing of (n, h, w) to (n, height, width), float32.

    Half-pixel centres; outside the outermost centres the edge value is repeated, so that
    the border is not darkened. The mean of a map that grows by a whole factor stays.
    """
    from benchmarker.networks.attention_gate import resize_matrix

    rows, columns = (resize_matrix(*lengths) for lengths in zip(maps.shape[1:], size, strict=True))
    return (rows @ maps.astype(np.float64) @ columns.T).astype(np.float32)


def map_batches(maker: MapMaker, prepared: Any) -> Iterator[tuple[np.ndarray, np.ndarray, Maps]]:
    """Batch by batch: row numbers, the images shown (n, height, width, channels), their maps."""
    rows = np.arange(len(prepared))
    for first in range(0, len(rows), maker.batch):
        part = rows[first : first + maker.batch]
        images = prepared.read(part)
        yield part, images, maker(images)


def all_maps(maker: MapMaker, prepared: Any, *, step: Callable[[int], None] | None = None) -> Maps:
    """Maps of all prepared images; `step` is told the number of images done."""
    parts = []
    for rows, _, maps in map_batches(maker, prepared):
        parts.append(maps)
        if step is not None:
            step(int(rows[-1]) + 1)
    return joined(parts)


def joined(parts: Sequence[Maps]) -> Maps:
    """Maps of several batches of one network as one."""
    own = zip(*(maps.own for maps in parts), strict=True)
    return Maps(
        parts[0].names,
        tuple(np.concatenate(arrays) for arrays in own),
        np.concatenate([maps.resized for maps in parts]),
        np.concatenate([maps.scores for maps in parts]),
    )


def stretched(image: np.ndarray) -> np.ndarray:
    """An image or map brought to 0-1 by its extremes, float32; a flat one becomes zeros."""
    values = np.asarray(image, np.float64)
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return np.zeros(values.shape, np.float32)
    return ((values - low) / (high - low)).astype(np.float32)

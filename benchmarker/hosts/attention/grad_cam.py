"""Grad-CAM: where features speak for a class, for any network.

Selvaraju et al. 2017 (ICCV, arXiv:1610.02391), equations 1 and 2: the gradient of the class
score (before the softmax) with respect to the features of a layer, averaged over the pixels,
weighs the channels; what is positive in their sum is the map.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarker.core.errors import SettingsError, suggest
from benchmarker.hosts.attention.maps import Maps, batch_of, resize

GRAD_CAM = "grad-cam"
SPATIAL_AXES = 4  # batch, height, width, channels


class GradCam:
    """Grad-CAM of one layer of a network.

    Arguments
    ---------
    model : from images to probabilities
    layer : name of the layer; None takes the last one that computes features, see
        `default_layer`
    of_class : index of the class that is asked about; None takes the predicted one

    Raises `SettingsError` for an unknown layer or one without spatial output.
    """

    method = GRAD_CAM

    def __init__(
        self, model: Any, layer: str | None = None, *, of_class: int | None = None
    ) -> None:
        import keras

        from benchmarker.runs.scores import score_head

        name = layer or default_layer(model)
        features = _features(model, name)
        scores = score_head(model).outputs[0]
        self.names = (name,)
        self.batch = batch_of(model)
        self.of_class = of_class
        self._head = keras.Model(model.inputs, [features, scores], name=f"{model.name}_head")
        # features as an input of their own: everything after the layer is computed from them
        self._tail = keras.Model([*model.inputs, features], scores, name=f"{model.name}_tail")

    def __call__(self, images: np.ndarray) -> Maps:
        from benchmarker.hosts.attention.gradients import score_gradients

        features, scores = (np.asarray(x) for x in self._head.predict_on_batch(images))
        chosen = scores.argmax(axis=1)
        if self.of_class is not None:
            chosen = np.full(len(images), self.of_class)
        gradients = score_gradients(self._tail, images, features, chosen)
        own = class_activation(features, gradients)
        resized = unit_height(resize(own, images.shape[1:3]))
        return Maps(self.names, (own,), resized[:, np.newaxis], scores.astype(np.float64))


def class_activation(features: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """relu(sum over k of (mean of gradient k) x features k), float32 (n, h, w).

    `features` and `gradients` are (n, h, w, k).
    """
    weights = gradients.astype(np.float64).mean(axis=(1, 2))
    total = np.einsum("nhwk,nk->nhw", features.astype(np.float64), weights)
    return np.maximum(total, 0.0).astype(np.float32)


def unit_height(maps: np.ndarray) -> np.ndarray:
    """Each map (n, h, w) over its maximum, so within 0-1; a map of zeros stays one."""
    peak = maps.max(axis=(1, 2), keepdims=True)
    return np.divide(maps, peak, out=np.zeros_like(maps), where=peak > 0)


def spatial_layers(model: Any) -> list[str]:
    """Names of the layers with one output of four axes and sides above 1 pixel, in order.

    The input, layers of several outputs (attention gates) and those that only change the
    order of the axes are not among them.
    """
    from keras import layers

    from benchmarker.networks.attention_gate import AttentionGate

    others = (layers.InputLayer, layers.Permute, layers.Reshape, AttentionGate)
    return [
        layer.name
        for layer in model.layers
        if not isinstance(layer, others) and _is_spatial(layer.output)
    ]


def default_layer(model: Any) -> str:
    """The last spatial layer that is neither pooling nor dropout.

    Pooling after the last convolution only makes its features coarser, down to 3 x 3 pixels
    in some networks; the paper too looks at the convolution. Raises `SettingsError` where no
    layer is spatial.
    """
    from keras import layers

    thinning = (
        layers.MaxPooling2D,
        layers.AveragePooling2D,
        layers.Dropout,
        layers.SpatialDropout2D,
    )
    known = spatial_layers(model)
    if not known:
        message = f"{model.name} has no layer with a spatial output, so Grad-CAM has no map"
        raise SettingsError(message)
    telling = [name for name in known if not isinstance(model.get_layer(name), thinning)]
    return (telling or known)[-1]


def _is_spatial(output: Any) -> bool:
    shape = getattr(output, "shape", ())
    return len(shape) == SPATIAL_AXES and min(shape[1:3]) > 1


def _features(model: Any, layer: str) -> Any:
    """The symbolic output of the layer."""
    known = spatial_layers(model)
    if layer in known:
        return model.get_layer(layer).output
    there = layer in [one.name for one in model.layers]
    fault = "has not one spatial output" if there else "is not there"
    message = (
        f"layer {layer!r} of {model.name} {fault}{suggest(layer, known)}; expected one of "
        f"{', '.join(known)}"
    )
    raise SettingsError(message)

"""A trained network as a LiteRT (TensorFlow Lite) file, tried with the LiteRT interpreter."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import SettingsError
from benchmarker.core.extras import require
from benchmarker.runs.calm import greetings_held_back


def require_litert() -> None:
    """Raise `SettingsError` naming what is not installed, or a backend that cannot write it."""
    import keras

    require("LiteRT", "export", "ai_edge_litert")
    if keras.backend.backend() != "tensorflow":
        message = (
            f"LiteRT files are made by TensorFlow, Keras uses {keras.backend.backend()} here: "
            "set KERAS_BACKEND=tensorflow"
        )
        raise SettingsError(message)


def to_litert(model: Any) -> bytes:
    """The model of `probability_model` as the bytes of a ``.tflite`` file, in float32.

    Raises `SettingsError` for a network that uses an operation which LiteRT has not.
    """
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "network.tflite"
        try:
            model.export(path, format="litert", verbose=False)
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            message = f"this network cannot be written as LiteRT: {reason}"
            raise SettingsError(message) from error
        return path.read_bytes()


def litert_predictor(data: bytes) -> Callable[[np.ndarray], np.ndarray]:
    """What the LiteRT interpreter makes of a file: images (n, h, w, c) to probabilities."""
    from ai_edge_litert.interpreter import Interpreter

    with greetings_held_back():
        interpreter = Interpreter(model_content=data)
        interpreter.allocate_tensors()
    (image,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()

    def predict(images: np.ndarray) -> np.ndarray:
        interpreter.resize_tensor_input(image["index"], images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(image["index"], np.ascontiguousarray(images, np.float32))
        interpreter.invoke()
        return interpreter.get_tensor(output["index"])

    return predict

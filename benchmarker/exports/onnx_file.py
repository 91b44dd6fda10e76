"""A trained network as an ONNX file, made by Keras and tf2onnx, tried with ONNX Runtime."""

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import SettingsError
from benchmarker.core.extras import require
from benchmarker.exports.source import IMAGE, PROBABILITIES

MODULES = ("onnx", "tf2onnx", "onnxruntime")
ANY_NUMBER = "images"  # name of the dimension that may have any length
METADATA = "benchmarker"


def require_onnx() -> None:
    """Raise `SettingsError` naming what is not installed, if anything is."""
    require("ONNX", "export", *MODULES)


def to_onnx(model: Any, description: Mapping[str, Any]) -> bytes:
    """The model of `probability_model` as the bytes of an ONNX file.

    Input ``image`` and output ``probabilities`` take any number of images. `description` goes
    into the file's metadata as JSON. Raises `SettingsError` for a network that uses an
    operation which ONNX has not.
    """
    import keras
    import onnx

    signature = [keras.InputSpec(shape=(None, *model.input_shape[1:]), dtype="float32", name=IMAGE)]
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / "network.onnx"
        try:
            model.export(path, format="onnx", verbose=False, input_signature=signature)
        except Exception as error:
            raise SettingsError(_refusal(error)) from error
        made = onnx.load(path)
    _write_out_erfc(made.graph)
    _name_ends(made.graph)
    onnx.helper.set_model_props(made, {METADATA: json.dumps(description, allow_nan=False)})
    try:
        onnx.checker.check_model(made, full_check=True)
    except Exception as error:
        raise SettingsError(_refusal(error)) from error
    return made.SerializeToString()


def onnx_predictor(data: bytes) -> Callable[[np.ndarray], np.ndarray]:
    """What ONNX Runtime makes of an ONNX file: images (n, h, w, c) to probabilities."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run([PROBABILITIES], {IMAGE: images})[0]


def _refusal(error: Exception) -> str:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return f"this network cannot be written as ONNX: {reason}"


def _write_out_erfc(graph: Any) -> None:
    """ONNX knows erf alone: erfc(x) = 1 - erf(x), as in the exact GELU."""
    from onnx import helper, numpy_helper

    if not any(node.op_type == "Erfc" for node in graph.node):
        return
    one = "benchmarker_one"
    graph.initializer.append(numpy_helper.from_array(np.float32(1.0).reshape(()), one))
    nodes = []
    for node in graph.node:
        if node.op_type != "Erfc":
            nodes.append(node)
            continue
        between = f"{node.output[0]}/erf"
        nodes.append(helper.make_node("Erf", list(node.input), [between], f"{node.name}/erf"))
        nodes.append(helper.make_node("Sub", [one, between], list(node.output), node.name))
    del graph.node[:]
    graph.node.extend(nodes)


def _name_ends(graph: Any) -> None:
    """Call the output by its name, and let the number of images be any."""
    old = graph.output[0].name
    for node in graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name == old:
                    names[place] = PROBABILITIES
    graph.output[0].name = PROBABILITIES
    for end in (graph.input[0], graph.output[0]):
        end.type.tensor_type.shape.dim[0].dim_param = ANY_NUMBER


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the converter's talk to itself: what matters is checked afterwards."""
    log = logging.getLogger("tf2onnx")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)

"""Model files for other programs, each written only if it gives what Keras gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.core.files import write_bytes, write_json
from benchmarker.core.hashing import digest_bytes
from benchmarker.exports import litert_file, onnx_file, tensors
from benchmarker.exports.agreement import Agreement, agreement, require_agreement
from benchmarker.exports.description import describe_export
from benchmarker.exports.source import batches, images_to_check, probability_model
from benchmarker.runs.scores import score_head, softmax
from benchmarker.runs.trained import Trained

SUFFIXES = {"onnx": ".onnx", "litert": ".tflite", "safetensors": ".safetensors"}
Predictor = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Written:
    """What came of an export.

    Arguments
    ---------
    path, beside : the file, and the JSON text beside it
    agreement : with Keras; None where the file holds the weights alone
    """

    path: Path
    beside: Path
    agreement: Agreement | None


def check_target(kind: str, path: Path) -> None:
    """Raise `SettingsError` for a name without the ending of its kind."""
    if path.suffix != SUFFIXES[kind]:
        message = f"-o {path}: expected a name that ends in {SUFFIXES[kind]} for {kind}"
        raise SettingsError(message)


def write_model(
    trained: Trained, kind: str, path: Path, *, model: str = "best", data: str | None = None
) -> Written:
    """Write an ``onnx``, ``litert`` or ``safetensors`` file, and ``PATH.json`` beside it.

    Arguments
    ---------
    trained : the network
    kind : key of `SUFFIXES`
    path : to write; left as it is where the new file would not agree with Keras
    model : ``best`` or ``final``, for the text beside
    data : where the images lie on which they are compared

    Raises `SettingsError` for what is not installed or cannot be written, `CheckFailedError`
    where probabilities differ by more than 1e-5.
    """
    check_target(kind, path)
    description = describe_export(trained, model)
    if kind == "safetensors":
        found = None
        content = _plain(trained, description)
    else:
        found, content = _checked(trained, kind, description, data)
    write_bytes(path, content)
    description["file"] = {"name": path.name, "sha256": digest_bytes(content)}
    description["agreement"] = None if found is None else found.as_dict()
    beside = write_json(path.with_name(f"{path.name}.json"), description)
    return Written(path, beside, found)


def _checked(
    trained: Trained, kind: str, description: Mapping[str, Any], data: str | None
) -> tuple[Agreement, bytes]:
    if kind == "onnx":
        onnx_file.require_onnx()
    else:
        litert_file.require_litert()
    images, names = images_to_check(trained, data)
    exported = probability_model(trained)
    if kind == "onnx":
        content = onnx_file.to_onnx(exported, description)
        predict = onnx_file.onnx_predictor(content)
    else:
        content = litert_file.to_litert(exported)
        predict = litert_file.litert_predictor(content)
    return _compared(trained, kind, predict, (images, names)), content


def _compared(trained: Trained, kind: str, theirs: Predictor, shown: tuple[Any, Any]) -> Agreement:
    """Against the network as it was trained, not as it was rearranged for the export."""
    head = score_head(trained.model)
    images, names = shown
    found = agreement(
        images.name,
        batches(trained, images, names),
        lambda batch: softmax(head.predict_on_batch(batch)),
        theirs,
    )
    require_agreement(found, f"the {kind} file")
    return found


def _plain(trained: Trained, description: dict[str, Any]) -> bytes:
    """Weights under plain names; what the layers are goes into the text beside."""
    from safetensors.numpy import load, save

    arrays = tensors.plain_weights(trained.model)
    content = save({name: np.array(array, order="C") for name, array in arrays.items()})
    back = load(content)
    if not all(np.array_equal(back[name], array, equal_nan=True) for name, array in arrays.items()):
        message = f"{trained.where}: the weights did not survive being written"
        raise InputFileError(message)
    description["weights"] = {"axes": tensors.AXES, "layers": tensors.layer_list(trained.model)}
    return content

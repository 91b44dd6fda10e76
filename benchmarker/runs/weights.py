"""Weights and training state as safetensors: numbers and names only, no code."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import InputFileError, Problems
from benchmarker.core.files import write_with
from benchmarker.core.hashing import digest_arrays

DIGEST = "digest"  # of the arrays, in the file's text metadata


def named_weights(model: Any) -> dict[str, np.ndarray]:
    """The model's weights in order, as ``003|conv2d_1/kernel`` -> array."""
    return named_variables(model.weights)


def named_variables(variables: Any) -> dict[str, np.ndarray]:
    """Keras variables in order, as ``NNN|path`` -> array; order and path both count."""
    return {
        f"{number:03d}|{variable.path}": variable.numpy()
        for number, variable in enumerate(variables)
    }


def weights_digest(model: Any) -> str:
    """SHA-256 over names, shapes, dtypes and bytes of all weights."""
    return digest_arrays(named_weights(model))


def write_tensors(
    path: str | Path, tensors: dict[str, np.ndarray], notes: dict[str, str] | None = None
) -> Path:
    """Write arrays as one safetensors file, whole or not at all; `notes` are text metadata.

    A digest of the arrays goes with them, so that a flipped bit is found when they are read.
    """
    from safetensors.numpy import save

    # safetensors takes a non-contiguous array's bytes as they lie: make them plain first
    plain = {name: np.array(tensor, order="C") for name, tensor in tensors.items()}
    data = save(plain, metadata={**(notes or {}), DIGEST: _content_digest(plain)})
    return write_with(path, lambda stream: stream.write(_in_one_order(data)))


def _in_one_order(data: bytes) -> bytes:
    """The same safetensors file with its texts by name.

    The library writes them in an order that changes from call to call, and two equal runs
    shall write equal files.
    """
    begin = 8  # the first bytes hold the length of the header, a JSON text
    end = begin + int.from_bytes(data[:begin], "little")
    header = json.loads(data[begin:end])
    texts = dict(sorted(header.pop("__metadata__").items()))
    text = json.dumps({"__metadata__": texts, **header}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % begin)  # numbers begin at a multiple of 8 bytes
    return len(text).to_bytes(begin, "little") + text + data[end:]


def read_tensors(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Arrays and text metadata of a file; `InputFileError` if it is damaged or absent."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        message = f"no weights file {path}"
        raise InputFileError(message)
    try:
        with safe_open(str(path), framework="numpy") as stream:
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
            notes = dict(stream.metadata() or {})
    except (SafetensorError, OSError) as error:
        message = f"{path} is damaged or no safetensors file: {error}"
        raise InputFileError(message) from error
    if notes.get(DIGEST, _content_digest(tensors)) != _content_digest(tensors):
        message = f"{path} is damaged: its numbers are not those that were written"
        raise InputFileError(message)
    return tensors, notes


def _content_digest(tensors: dict[str, np.ndarray]) -> str:
    # by name: the file lists tensors in an order of its own
    return digest_arrays({name: tensors[name] for name in sorted(tensors)})


def load_weights(model: Any, path: str | Path) -> None:
    """Put stored weights into `model`; every name or shape that differs is listed.

    What the file says of its network is not compared: `trained.load_matching` does that.
    """
    tensors, _ = read_tensors(path)
    assign(model.weights, tensors, path)


def assign(
    variables: Any, tensors: dict[str, np.ndarray], where: str | Path, faults: Iterable[str] = ()
) -> None:
    """Assign named tensors to variables after checking that all names and shapes agree.

    `faults` are reasons against it that are known already.
    """
    wanted = {
        f"{number:03d}|{variable.path}": variable for number, variable in enumerate(variables)
    }
    problems = Problems(where)
    for text in faults:
        problems.add(text)
    for name in sorted(set(wanted) - set(tensors)):
        problems.add(f"no tensor {name}, which this network has")
    for name in sorted(set(tensors) - set(wanted)):
        problems.add(f"tensor {name} belongs to no layer of this network")
    for name, variable in wanted.items():
        if name in tensors and tuple(tensors[name].shape) != tuple(variable.shape):
            problems.add(
                f"{name} has shape {tuple(tensors[name].shape)}, this network needs "
                f"{tuple(variable.shape)}"
            )
    problems.raise_if_any()
    for name, variable in wanted.items():
        variable.assign(tensors[name])

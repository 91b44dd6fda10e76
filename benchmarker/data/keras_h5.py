"""Weights of old Keras models (HDF5 of Keras 1 and 2) as plain arrays; nothing is executed.

Keras 3 refuses these files as whole models. In them the attribute ``layer_names`` lists the
layers, and ``weight_names`` of a layer's group its arrays; a whole model has them below
``model_weights``. The optimizer's state and the model's description are passed over.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarker.core.errors import InputFileError

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MOST_ARRAYS = 10_000


def is_hdf5(path: Path) -> bool:
    """Whether a file begins as HDF5 files do."""
    with path.open("rb") as stream:
        return stream.read(len(SIGNATURE)) == SIGNATURE


def read_keras_h5(path: str | Path, *, limit: int) -> dict[str, np.ndarray]:
    """Arrays by ``layer.weight``, for instance ``conv1.kernel``; at most `limit` bytes.

    Raises `InputFileError` for a file that is damaged, too large, or no weights of Keras.
    """
    import h5py

    path = Path(path)
    try:
        with h5py.File(path, "r") as file:
            return _arrays(file, path, limit)
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        text = str(error).strip("\"'").splitlines()[0]
        message = f"{path}: cut off or damaged HDF5 file: {text}"
        raise InputFileError(message) from None


def _arrays(file: h5py.File, path: Path, limit: int) -> dict[str, np.ndarray]:
    root = file.get("model_weights", file)
    if "layer_names" not in root.attrs:
        message = (
            f"{path}: no weights of Keras 1 or 2, expected the attribute layer_names (as "
            f"save_weights wrote it), it holds {', '.join(sorted(file)[:6]) or 'nothing'}"
        )
        raise InputFileError(message)
    found: dict[str, np.ndarray] = {}
    used = 0
    for layer in _texts(root.attrs["layer_names"]):
        for name in _texts(root[layer].attrs["weight_names"]):
            array = root[layer][name]
            used += array.size * array.dtype.itemsize
            if used > limit or len(found) >= MOST_ARRAYS:
                message = f"{path}: more than {limit:,} bytes of weights or {MOST_ARRAYS} arrays"
                raise InputFileError(message)
            # "conv1/kernel:0", or "conv1_1/kernel:0" of a model that was built twice
            found[f"{layer}.{name.split('/')[-1].split(':')[0]}"] = array[()]
    return found


def _texts(values: Any) -> list[str]:
    return [v.decode("utf-8") if isinstance(v, bytes) else str(v) for v in values]

"""One safe file with all that it takes to use a trained network anywhere."""

from __future__ import annotations

from pathlib import Path

from benchmarker.core.errors import SettingsError
from benchmarker.exports.description import run_facts
from benchmarker.runs.notes import notes_of
from benchmarker.runs.trained import Trained
from benchmarker.runs.weights import write_tensors

SUFFIX = ".safetensors"


def write_bundle(trained: Trained, path: str | Path, model: str = "best") -> Path:
    """Write weights and what is known of them as one file that `open_trained` reads.

    It holds numbers and text, no code: the weights by name, and in its notes the network's
    name, settings and definition (a layer list as a whole), the size and preparation of the
    images, the classes, how they are decided, the temperature, digests of data and split,
    metrics and fingerprint. `model` says which weights of the run these are.

    Raises `SettingsError` for a file of weights, of whose run nothing is known, and for a name
    without the ending ``.safetensors``.
    """
    path = Path(path)
    if trained.record is None:
        message = f"{trained.where} is no run: a bundle holds what the record of a run says"
        raise SettingsError(message)
    if path.suffix != SUFFIX:
        message = f"--bundle {path}: expected a name that ends in {SUFFIX}"
        raise SettingsError(message)
    notes = notes_of(
        trained.definition,
        shape=trained.shape,
        classes=trained.classes,
        preparation=trained.preparation,
        facts=run_facts(trained.record, model),
    )
    return write_tensors(path, dict(trained.tensors), notes)

"""What is exported: trained weights, the model that other programs get, and images to check it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import CheckFailedError, Problems, SettingsError
from benchmarker.data.images import ImageSet
from benchmarker.runs.resolve import open_images, reopen
from benchmarker.runs.scores import batch_of, scorer
from benchmarker.runs.settings import RunSettings
from benchmarker.runs.trained import Trained, open_trained
from benchmarker.runs.trust import weights_faults

IMAGE, PROBABILITIES = "image", "probabilities"


def open_source(what: str | Path, model: str = "best") -> Trained:
    """The weights of a complete run, or of a file with notes.

    Raises as `open_trained`, and `CheckFailedError` where the weights of a run are not those
    that its record speaks of.
    """
    trained = open_trained(what, model=model)
    if trained.record is not None:
        problems = Problems(trained.record.folder, CheckFailedError)
        for text in weights_faults(trained.record, model):
            problems.add(text)
        problems.raise_if_any()
    return trained


def probability_model(trained: Trained) -> Any:
    """A Keras model from prepared images to probabilities, for inference alone.

    Input ``image``: float32 (n, height, width, channels), as the preparation leaves it, its
    last scaling included. Output ``probabilities``: float32 (n, classes), rows sum to 1, also
    for a network that was published with another output.
    """
    import keras

    image = keras.Input(trained.shape, name=IMAGE, dtype="float32")
    scores = scorer(trained.model)(image)
    shares = keras.layers.Softmax(name=PROBABILITIES, dtype="float32")(scores)
    return keras.Model(image, shares, name="network")


def images_to_check(trained: Trained, given: str | None = None) -> tuple[ImageSet, tuple[str, ...]]:
    """The test images of a run, or those of the data set `given` for a file of weights.

    Returns the set and the names in it. Raises `MissingDataError` where they cannot be opened
    and `SettingsError` where nobody said which to take.
    """
    if trained.record is not None:
        _, images = reopen(trained.record, given)
        return images, trained.record.predictions("best").sources
    if given is None:
        message = (
            f"{trained.where} is a file of weights, which has no test images: expected --data "
            "with a data set on which the exported file is compared"
        )
        raise SettingsError(message)
    images = open_images(RunSettings("none", 1.0, 1, data=given))
    return images, images.sources


def batches(
    trained: Trained, images: ImageSet, names: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
    """Names and prepared images, float32 (n, height, width, channels), a batch at a time.

    Batches are those of the run's own test: some networks normalise over them.
    """
    size = batch_of(trained.model)
    for first in range(0, len(names), size):
        some = names[first : first + size]
        prepared = trained.prepare(images, some)
        yield some, prepared.read(np.arange(len(some)))

"""Artefact classes of many whole fields, by one network that is loaded once.

Threads read and prepare the next images and write headers while the network computes. What
cannot be read or written is noted with its reason, and the others go on.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import BenchmarkerError, InputFileError, SettingsError
from benchmarker.core.files import write_text
from benchmarker.data.fields import read_field
from benchmarker.data.preparation import last_scaling, prepare
from benchmarker.hosts.evaluation.preparing import Fitting
from benchmarker.hosts.radiance.headers import update_header
from benchmarker.hosts.radiance.result_cards import Provenance, cards_of, sidecar_of, sidecar_text
from benchmarker.hosts.radiance.results import Classified
from benchmarker.hosts.radiance.weights import CLASSES
from benchmarker.runs.scores import batch_of, scorer
from benchmarker.runs.trained import Trained

READERS, WRITERS = 2, 2
MOST_PIXELS = 2**21  # of a batch: the first 16 maps of so many take 128 MiB
NOWHERE, HEADER, SIDECAR = "nowhere", "header", "sidecar"


@dataclass(frozen=True)
class Choices:
    """How images are read and where the cards go.

    Arguments
    ---------
    target : ``header`` of the image, ``sidecar`` (a text file beside it) or ``nowhere``
    header_options : of `update_header`
    extension : the image's HDU, by number or EXTNAME; None takes the first with one
    downsample : means over so many times so many pixels come first; 1 is none
    crop : images that are larger than the network takes are cut to their centre
    batch : images at a time; None for as many as fit `MOST_PIXELS`
    """

    target: str = HEADER
    header_options: dict[str, Any] = field(default_factory=dict)
    extension: int | str | None = None
    downsample: int = 1
    crop: bool = False
    batch: int | None = None


def class_order(trained: Trained) -> list[int]:
    """Output of the network for each of `CLASSES`; `SettingsError` where it has others."""
    names = [name.lower() for name in trained.classes]
    if sorted(names) != sorted(CLASSES):
        message = (
            f"{trained.where} tells the classes {', '.join(trained.classes)}: expected a network "
            f"for {', '.join(CLASSES)}, in any order"
        )
        raise SettingsError(message)
    return [names.index(name) for name in CLASSES]


def batch_size(trained: Trained, given: int | None = None) -> int:
    """Images at a time: as `given`, else by the memory that they need."""
    height, width, _ = trained.shape
    return given or min(batch_of(trained.model), max(1, MOST_PIXELS // (height * width)))


def classify(
    trained: Trained,
    paths: Sequence[Path],
    choices: Choices,
    provenance: Provenance,
    step: Callable[[int, int], None] = lambda *_: None,
) -> list[Classified]:
    """Classify images and write their cards; results in the order of `paths`.

    `step` is told how many are done. Raises `SettingsError` for a network of other classes;
    what is wrong with one image stands in its result.
    """
    order = class_order(trained)
    head, batch = scorer(trained.model), batch_size(trained, choices.batch)
    fitting = fitting_for(trained, choices)
    results = [Classified(path) for path in paths]
    room = np.empty((batch, *trained.shape), np.float32)
    writing: list[Future[None]] = []
    with _threads(READERS) as readers, _threads(WRITERS) as writers:
        images = _ahead(
            readers, lambda result: _prepared(result, fitting, choices), results, batch + READERS
        )
        for group in _groups(images, batch, lambda done: step(done, len(results))):
            begun = time.perf_counter()
            shown = np.stack([image for _, image in group], out=room[: len(group)])
            scores = np.asarray(head.predict_on_batch(shown), np.float64)
            seconds = (time.perf_counter() - begun) / len(group)
            for (result, _), row in zip(group, scores, strict=True):
                result.scores, result.seconds = row[order], seconds
                if choices.target != NOWHERE:
                    writing.append(writers.submit(write_cards, result, provenance, choices))
        for one in writing:
            one.result()
    return results


@contextmanager
def _threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that drop what is still waiting when the block fails or is stopped."""
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()


def _ahead(
    pool: ThreadPoolExecutor,
    read: Callable[[Classified], np.ndarray | None],
    results: Sequence[Classified],
    most: int,
) -> Iterator[tuple[Classified, np.ndarray | None]]:
    """Results with their images in order, of which no more than `most` wait in memory."""
    waiting: deque[tuple[Classified, Future[np.ndarray | None]]] = deque()
    for result in results:
        if len(waiting) == most:
            first, image = waiting.popleft()
            yield first, image.result()
        waiting.append((result, pool.submit(read, result)))
    for first, image in waiting:
        yield first, image.result()


def _groups(
    images: Iterator[tuple[Classified, np.ndarray | None]],
    batch: int,
    step: Callable[[int], None],
) -> Iterator[list[tuple[Classified, np.ndarray]]]:
    """Batches of the images that could be read."""
    group: list[tuple[Classified, np.ndarray]] = []
    for done, (result, image) in enumerate(images, start=1):
        if image is not None:
            group.append((result, image))
        if len(group) == batch:
            yield group
            group = []
        step(done)
    if group:
        yield group


def fitting_for(trained: Trained, choices: Choices) -> Fitting:
    """The network's own preparation, after means over `downsample` times more pixels."""
    own = trained.preparation
    preparation = replace(own, downsample=own.downsample * choices.downsample)
    return Fitting(trained, preparation, choices.crop)


def _prepared(result: Classified, fitting: Fitting, choices: Choices) -> np.ndarray | None:
    """float32 (height, width, channels) as the network takes it; None with a note in `result`."""
    where = str(result.path)
    try:
        image = read_field(result.path, extension=choices.extension).values
        _require_size(image.shape, fitting, where)
        chosen = fitting.for_image(image, where)
        return last_scaling(prepare(image, chosen, where), chosen.standardise)
    except InputFileError as error:
        result.error = str(error)
        return None


def _require_size(shape: tuple[int, ...], fitting: Fitting, where: str) -> None:
    """Refuse an image that would be cut without having been asked for."""
    factor = fitting.preparation.downsample
    found = tuple(side // factor for side in shape)
    wanted = fitting.trained.shape[:2]
    if fitting.crop or not any(side > need for side, need in zip(found, wanted, strict=True)):
        return
    ratio = found[0] // wanted[0]
    own = factor // fitting.trained.preparation.downsample
    fits = ratio > 1 and tuple(side // ratio for side in found) == tuple(wanted)
    advice = f"--downsample {own * ratio} takes means over their blocks, " if fits else ""
    after = f" ({found[0]} x {found[1]} after means)" if factor > 1 else ""
    message = (
        f"{where} is {shape[0]} x {shape[1]} pixels{after}, {fitting.trained.network} takes "
        f"{wanted[0]} x {wanted[1]}: {advice}--crop takes the centre"
    )
    raise InputFileError(message)


def write_cards(result: Classified, provenance: Provenance, choices: Choices) -> None:
    """Into the image's header or the file beside it; the reason stands in `result` if not."""
    cards = cards_of(result, provenance)
    try:
        if choices.target == HEADER:
            options = {"extension": choices.extension, **choices.header_options}
            update_header(result.path, cards, **options)
        else:
            write_text(sidecar_of(result.path), sidecar_text(cards))
    except BenchmarkerError as error:
        result.error = str(error)
    else:
        result.written = choices.target

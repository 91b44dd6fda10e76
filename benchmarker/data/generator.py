"""Batches for training: order and every random draw depend on (seed, epoch, index) alone."""

from __future__ import annotations

import math

import keras
import numpy as np

from benchmarker.core.errors import SettingsError
from benchmarker.core.seeds import generator
from benchmarker.data.augment import check_transforms, draw
from benchmarker.data.cache import PreparedImages
from benchmarker.data.recipes import Recipe


class ImageBatches(keras.utils.PyDataset):
    """Batches of prepared images with one-hot labels.

    Batch `i` of an epoch is a pure function of (seed, epoch, i), so the number of loader
    threads, a second look at a batch and the batches read before do not change it. The
    training loop calls `set_epoch` before each epoch; ``fit`` needs ``shuffle=False``.

    Arguments
    ---------
    prepared : images from `benchmarker.data.cache.prepared`
    num_classes : length of the one-hot labels
    batch : images per batch; the last batch of an epoch may be smaller, down to one image,
        and a batch larger than the data gives one batch of all
    seed : run seed
    shuffle : a new order of the images in each epoch; otherwise the stored order
    recipe : its random transforms and ``draw: one`` are applied; None: stored images as they are
    legacy_batches : the original's way: batches of neighbours in stored order (rotations of
        one source side by side), only the order of the batches is shuffled
    workers : loader threads of Keras; 0 and 1 load in one go with the training
    passes : how often an epoch shows the images. Each pass has its own order, draws and
        short last batch, those of an epoch numbered epoch x passes + pass

    Returns at ``[i]`` (images float32 (b, height, width, channels), labels float32 (b,
    classes)). Raises `SettingsError` for settings without meaning, IndexError for a batch
    that is not there.
    """

    def __init__(  # noqa: PLR0913 - keyword-only options of one object
        self,
        prepared: PreparedImages,
        num_classes: int,
        *,
        batch: int,
        seed: int,
        shuffle: bool,
        recipe: Recipe | None = None,
        legacy_batches: bool = False,
        workers: int = 0,
        passes: int = 1,
    ) -> None:
        super().__init__(workers=workers, use_multiprocessing=False)
        _refuse_number("batch", batch)
        _refuse_number("passes", passes)
        _refuse(prepared, num_classes, recipe)
        self.prepared = prepared
        self.num_classes = num_classes
        self.batch = int(batch)
        self.seed = seed
        self.shuffle = shuffle
        self.recipe = recipe
        self.legacy_batches = legacy_batches
        self.passes = int(passes)
        self._labels = prepared.labels
        self._epoch = 0
        self._rows: tuple[int, np.ndarray] = (-1, np.empty(0, np.int64))

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, counted from 0, whose batches ``[i]`` returns."""
        self._epoch = int(epoch)

    @property
    def epoch_images(self) -> int:
        """Images shown in one epoch, those of every pass."""
        return self.passes * self._pass_images

    @property
    def _pass_images(self) -> int:
        return self.prepared.source_count if self._draws_one else len(self.prepared)

    @property
    def _pass_batches(self) -> int:
        return math.ceil(self._pass_images / self.batch)

    @property
    def _draws_one(self) -> bool:
        return self.recipe is not None and self.recipe.draws_one

    def __len__(self) -> int:
        return self.passes * self._pass_batches

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        epoch = self._epoch
        rows = self.batch_indices(epoch, index)
        images = self.prepared.raw(rows)
        if self.recipe is not None and self.recipe.is_random:
            turn, _ = self._turn(epoch, index)
            for place, row in enumerate(rows):
                images[place] = draw(images[place], self.recipe, self.seed, turn, int(row))
        labels = np.eye(self.num_classes, dtype=np.float32)[self._labels[rows]]
        return self.prepared.finish(images), labels

    def batch_indices(self, epoch: int, index: int) -> np.ndarray:
        """Rows of the prepared images in batch `index` of `epoch`, int64 (b,)."""
        if not 0 <= index < len(self):
            message = f"batch {index} asked for, expected 0..{len(self) - 1}"
            raise IndexError(message)
        turn, index = self._turn(epoch, index)
        if self.legacy_batches and self.shuffle:
            order = generator(self.seed, turn, "batches").permutation(self._pass_batches)
            index = int(order[index])
        return self._turn_rows(turn)[index * self.batch : (index + 1) * self.batch]

    def _turn(self, epoch: int, index: int) -> tuple[int, int]:
        """Number of the pass, counted from the first epoch on, and the batch within it."""
        pass_of_epoch, index = divmod(index, self._pass_batches)
        return epoch * self.passes + pass_of_epoch, index

    def _turn_rows(self, turn: int) -> np.ndarray:
        known, rows = self._rows
        if known != turn:
            rows = self._drawn_rows(turn)
            if self.shuffle and not self.legacy_batches:
                rows = rows[generator(self.seed, turn, "order").permutation(len(rows))]
            # one assignment, so that other threads see the old pair or the new one
            self._rows = (turn, rows)
        return rows

    def _drawn_rows(self, turn: int) -> np.ndarray:
        if not self._draws_one:
            return np.arange(len(self.prepared))
        count, variants = self.prepared.source_count, self.prepared.variants
        drawn = generator(self.seed, turn, "variant").integers(variants, size=count)
        return np.arange(count) * variants + drawn


def _refuse_number(what: str, number: int) -> None:
    if int(number) != number or number < 1:
        message = f"{what} must be a whole number from 1, got {number}"
        raise SettingsError(message)


def _refuse(prepared: PreparedImages, num_classes: int, recipe: Recipe | None) -> None:
    if prepared.source_labels.max() >= num_classes:
        message = (
            f"label {prepared.source_labels.max()} needs at least "
            f"{prepared.source_labels.max() + 1} classes, got {num_classes}"
        )
        raise SettingsError(message)
    if recipe is not None and recipe.variants != prepared.variants:
        message = (
            f"recipe {recipe.name} stores {recipe.variants} variants of a source, the prepared "
            f"images hold {prepared.variants}: prepare them with this recipe"
        )
        raise SettingsError(message)
    if recipe is not None:
        check_transforms(recipe)

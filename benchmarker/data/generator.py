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
    ) -> None:
        super().__init__(workers=workers, use_multiprocessing=False)
        _refuse(prepared, num_classes, batch, recipe)
        self.prepared = prepared
        self.num_classes = num_classes
        self.batch = int(batch)
        self.seed = seed
        self.shuffle = shuffle
        self.recipe = recipe
        self.legacy_batches = legacy_batches
        self._labels = prepared.labels
        self._epoch = 0
        self._rows: tuple[int, np.ndarray] = (-1, np.empty(0, np.int64))

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, counted from 0, whose batches ``[i]`` returns."""
        self._epoch = int(epoch)

    @property
    def epoch_images(self) -> int:
        """Images shown in one epoch."""
        return self.prepared.source_count if self._draws_one else len(self.prepared)

    @property
    def _draws_one(self) -> bool:
        return self.recipe is not None and self.recipe.draws_one

    def __len__(self) -> int:
        return math.ceil(self.epoch_images / self.batch)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        epoch = self._epoch
        rows = self.batch_indices(epoch, index)
        images = self.prepared.read(rows)
        if self.recipe is not None and self.recipe.is_random:
            for place, row in enumerate(rows):
                images[place] = draw(images[place], self.recipe, self.seed, epoch, int(row))
        return images, np.eye(self.num_classes, dtype=np.float32)[self._labels[rows]]

    def batch_indices(self, epoch: int, index: int) -> np.ndarray:
        """Rows of the prepared images in batch `index` of `epoch`, int64 (b,)."""
        if not 0 <= index < len(self):
            message = f"batch {index} asked for, expected 0..{len(self) - 1}"
            raise IndexError(message)
        if self.legacy_batches and self.shuffle:
            index = int(generator(self.seed, epoch, "batches").permutation(len(self))[index])
        return self._epoch_rows(epoch)[index * self.batch : (index + 1) * self.batch]

    def _epoch_rows(self, epoch: int) -> np.ndarray:
        known, rows = self._rows
        if known != epoch:
            rows = self._drawn_rows(epoch)
            if self.shuffle and not self.legacy_batches:
                rows = rows[generator(self.seed, epoch, "order").permutation(len(rows))]
            # one assignment, so that other threads see the old pair or the new one
            self._rows = (epoch, rows)
        return rows

    def _drawn_rows(self, epoch: int) -> np.ndarray:
        if not self._draws_one:
            return np.arange(len(self.prepared))
        count, variants = self.prepared.source_count, self.prepared.variants
        drawn = generator(self.seed, epoch, "variant").integers(variants, size=count)
        return np.arange(count) * variants + drawn


def _refuse(prepared: PreparedImages, num_classes: int, batch: int, recipe: Recipe | None) -> None:
    if int(batch) != batch or batch < 1:
        message = f"batch must be a whole number from 1, got {batch}"
        raise SettingsError(message)
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

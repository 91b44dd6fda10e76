"""Batches: every image once, the same for any number of workers, nothing drawn from state."""

import random

import keras
import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.core.seeds import generator
from benchmarker.data.augment import draw
from benchmarker.data.cache import prepared
from benchmarker.data.generator import ImageBatches
from benchmarker.data.images import ArrayPixels, ImageSet
from benchmarker.data.preparation import Preparation
from benchmarker.data.recipes import Recipe, load_recipe

RAW = Preparation(normalise="none")
NONE, D4, ONE = (
    load_recipe("none"),
    load_recipe("d4"),
    Recipe("one", load_recipe("d4").expansion, "one"),
)
ROTATION = load_recipe("random-rotation")


def toy(count=10, recipe=NONE, side=8):
    """Images whose pixels tell their row; three classes in turn."""
    pixels = np.random.default_rng(4).random((count, side, side, 1), dtype=np.float32)
    images = ImageSet(
        name="toy",
        pixels=ArrayPixels(pixels, "toy.npz"),
        labels=np.arange(count) % 3,
        classes=("FRI", "FRII", "BENT"),
        sources=tuple(f"J{number:04d}" for number in range(count)),
    )
    return prepared(images, images.sources, RAW, recipe, None)


def batches(images, recipe=None, **options):
    defaults = {"batch": 4, "seed": 8901, "shuffle": True}
    return ImageBatches(images, 3, recipe=recipe, **{**defaults, **options})


def rows_of(made, epoch):
    return [made.batch_indices(epoch, index).tolist() for index in range(len(made))]


def test_batch_holds_the_images_and_one_hot_labels_of_its_rows():
    images = toy()
    made = batches(images)
    for index in range(len(made)):
        rows = made.batch_indices(0, index)
        values, labels = made[index]
        assert values.dtype == labels.dtype == np.float32
        assert np.array_equal(values, images.read(rows))
        assert np.array_equal(labels.argmax(axis=1), rows % 3)
        assert np.array_equal(labels.sum(axis=1), np.ones(len(rows)))


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("legacy", [True, False])
def test_every_image_once_per_epoch(shuffle, legacy):
    made = batches(toy(), shuffle=shuffle, legacy_batches=legacy)
    for epoch in range(3):
        assert sorted(np.concatenate(rows_of(made, epoch))) == list(range(10))


@pytest.mark.parametrize(
    ("count", "batch", "sizes"),
    [(10, 4, [4, 4, 2]), (9, 4, [4, 4, 1]), (8, 4, [4, 4]), (3, 32, [3]), (1, 1, [1])],
)
def test_last_batch_is_short_and_used(count, batch, sizes):
    made = batches(toy(count), batch=batch)
    assert [len(made[index][0]) for index in range(len(made))] == sizes


@pytest.mark.parametrize(("sources", "length"), [(1000, 750), (400, 300)])
def test_lengths_of_the_original(sources, length):
    images = toy(sources, load_recipe("rotations24"), side=2)
    assert len(batches(images, batch=32)) == length


def test_without_shuffle_the_order_is_the_stored_one():
    assert rows_of(batches(toy(), shuffle=False), 5) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_order_is_mixed_anew_in_each_epoch_and_for_each_seed():
    images = toy(40)
    orders = [rows_of(batches(images, seed=seed), epoch) for seed in (1, 2) for epoch in (0, 1)]
    assert all(orders[i] != orders[j] for i in range(4) for j in range(i))
    assert orders[0] != rows_of(batches(images, shuffle=False), 0)
    assert rows_of(batches(images, seed=1), 1) == orders[1]


def test_legacy_batches_keep_neighbours_together():
    images = toy(4, D4)  # 32 rows
    made = batches(images, legacy_batches=True, batch=6)
    natural = [list(range(start, min(start + 6, 32))) for start in range(0, 32, 6)]
    orders = [rows_of(made, epoch) for epoch in range(4)]
    for order in orders:
        assert sorted(order) == natural
    assert len({str(order) for order in orders}) > 1
    assert rows_of(batches(images, legacy_batches=True, batch=6, shuffle=False), 1) == natural


def test_one_variant_of_each_source_per_epoch():
    images = toy(30, ONE)
    made = batches(images, recipe=ONE)
    assert len(made) == 8
    assert made.epoch_images == 30
    seen = set()
    for epoch in range(40):
        rows = np.concatenate([made.batch_indices(epoch, index) for index in range(len(made))])
        assert sorted(rows // 8) == list(range(30))
        seen.update(rows.tolist())
    assert len(seen) > 230  # of 240
    values, labels = made[2]
    rows = made.batch_indices(0, 2)
    assert np.array_equal(values, images.read(rows))
    assert np.array_equal(labels.argmax(axis=1), rows // 8 % 3)


def test_draw_of_a_source_does_not_depend_on_its_place_in_the_epoch():
    images = toy(12)
    mixed, plain = (
        batches(images, recipe=ROTATION),
        batches(images, ROTATION, shuffle=False, batch=5),
    )
    for epoch in (0, 3):
        drawn = []
        for made in (mixed, plain):
            made.set_epoch(epoch)
            rows = np.concatenate([made.batch_indices(epoch, index) for index in range(len(made))])
            values = np.concatenate([made[index][0] for index in range(len(made))])
            drawn.append(values[np.argsort(rows)])
        assert np.array_equal(drawn[0], drawn[1])


def test_draws_differ_between_epochs_and_from_the_stored_image():
    images = toy(4)
    made = batches(images, recipe=ROTATION, shuffle=False)
    first = made[0][0]
    made.set_epoch(1)
    second = made[0][0]
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, images.read(range(4)))
    made.set_epoch(0)
    assert np.array_equal(made[0][0], first)


def test_reading_a_batch_changes_nothing():
    made, other = batches(toy(), recipe=ROTATION), batches(toy(), recipe=ROTATION)
    state = (random.getstate(), np.random.get_state()[1].tobytes())  # noqa: NPY002
    for index in (2, 0, 0, 1):
        made[index]
    made.on_epoch_end()
    for index in range(len(made)):
        assert np.array_equal(made[index][0], other[index][0])
    assert (random.getstate(), np.random.get_state()[1].tobytes()) == state  # noqa: NPY002


def fit(workers, recipe, images):
    """Weights and losses of a tiny network after three epochs through Keras."""
    keras.utils.set_random_seed(3)
    network = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.SGD(0.1), loss)
    made = batches(images, recipe=recipe, workers=workers, batch=3)
    at_begin = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: made.set_epoch(epoch))
    history = network.fit(made, epochs=3, shuffle=False, verbose=0, callbacks=[at_begin])
    return [weight.tobytes() for weight in network.get_weights()], history.history["loss"]


def fit_by_hand(recipe, images):
    """The same training from batches read directly, epoch by epoch."""
    keras.utils.set_random_seed(3)
    network = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    kernel, bias = (np.asarray(weight, np.float64) for weight in network.get_weights())
    made = batches(images, recipe=recipe, batch=3)
    for epoch in range(3):
        made.set_epoch(epoch)
        for values, labels in made:
            flat = values.reshape(len(values), -1).astype(np.float64)
            scores = np.exp(flat @ kernel + bias)
            slope = (scores / scores.sum(axis=1, keepdims=True) - labels) / len(values)
            kernel, bias = kernel - 0.1 * flat.T @ slope, bias - 0.1 * slope.sum(axis=0)
    return kernel


@pytest.mark.parametrize("recipe", [None, ONE, ROTATION], ids=["stored", "one", "random"])
def test_keras_trains_the_same_with_any_number_of_workers(recipe):
    images = toy(10, ONE if recipe is ONE else NONE)
    results = [fit(workers, recipe, images) for workers in (0, 1, 4)]
    assert results[1] == results[0]
    assert results[2] == results[0]
    kernel = np.frombuffer(results[0][0][0], np.float32).reshape(64, 3)
    assert np.abs(kernel - fit_by_hand(recipe, images)).max() < 1e-5


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"batch": 0}, "batch must be a whole number from 1, got 0"),
        ({"batch": 2.5}, "batch must be a whole number from 1, got 2.5"),
        ({"recipe": D4}, "recipe d4 stores 8 variants .* the prepared images hold 1"),
        (
            {"recipe": Recipe("own", transforms=({"__class_fullname__": "D4", "k": 1},))},
            "recipe own: albumentations refuses",
        ),
    ],
)
def test_settings_without_meaning_are_refused(options, text):
    with pytest.raises(SettingsError, match=text):
        batches(toy(), **options)


def test_label_without_class_is_refused():
    with pytest.raises(SettingsError, match="label 2 needs at least 3 classes, got 2"):
        ImageBatches(toy(), 2, batch=4, seed=1, shuffle=True)


@pytest.mark.parametrize("index", [-1, 3])
def test_batch_that_is_not_there(index):
    with pytest.raises(IndexError, match=r"expected 0\.\.2"):
        batches(toy())[index]


# An epoch of several passes is those passes one after another, as if each were an epoch.


def as_single_passes(images, recipe, epoch, passes, **options):
    """Batches of epochs epoch x passes ... of an `ImageBatches` that makes one pass."""
    single = batches(images, recipe, **options)
    made = []
    for turn in range(epoch * passes, (epoch + 1) * passes):
        single.set_epoch(turn)
        made.extend(single[index] for index in range(len(single)))
    return made


@pytest.mark.parametrize(
    ("recipe", "options"),
    [
        (ROTATION, {}),
        (NONE, {"shuffle": False}),
        (D4, {"legacy_batches": True, "batch": 7}),
        (ONE, {}),
    ],
    ids=["random", "in order", "legacy", "draw one"],
)
@pytest.mark.parametrize("epoch", [0, 2])
def test_passes_follow_each_other_like_epochs(recipe, options, epoch):
    images = toy(10, recipe)
    made = batches(images, recipe, passes=3, **options)
    made.set_epoch(epoch)
    expected = as_single_passes(images, recipe, epoch, 3, **options)
    assert len(made) == len(expected)
    for index in reversed(range(len(made))):  # any order of reading
        for found, wanted in zip(made[index], expected[index], strict=True):
            assert np.array_equal(found, wanted)


def test_a_pass_shows_each_image_once_and_ends_with_a_short_batch():
    # Bowles et al. 2021: 856 images in batches of 16, 72 passes: 3888 steps
    images = toy(856, side=1)
    made = batches(images, batch=16, passes=72)
    assert (len(made), made.epoch_images) == (3888, 72 * 856)
    rows = [made.batch_indices(1, index) for index in range(2 * 54)]
    assert [len(part) for part in rows[:54]] == [16] * 53 + [8]
    first, second = np.concatenate(rows[:54]), np.concatenate(rows[54:])
    assert sorted(first) == sorted(second) == list(range(856))
    assert not np.array_equal(first, second)
    with pytest.raises(IndexError, match=r"batch 3888 asked for, expected 0\.\.3887"):
        made.batch_indices(0, 3888)


def test_order_and_draws_are_the_declared_functions_of_seed_and_epoch():
    # a change here makes every recorded run impossible to repeat
    images = toy(10)
    made = batches(images, ROTATION)
    made.set_epoch(4)
    order = generator(8901, 4, "order").permutation(10)
    assert np.array_equal(made.batch_indices(4, 1), order[4:8])
    wanted = [draw(images.read([row])[0], ROTATION, 8901, 4, int(row)) for row in order[4:8]]
    assert np.array_equal(made[1][0], np.stack(wanted))
    drawn = batches(toy(10, ONE), ONE)
    variant = generator(8901, 4, "variant").integers(8, size=10)
    assert np.array_equal(drawn.batch_indices(4, 0), (np.arange(10) * 8 + variant)[order][:4])
    legacy = batches(images, legacy_batches=True)
    first = generator(8901, 4, "batches").permutation(3)[0]
    assert legacy.batch_indices(4, 0)[0] == first * 4


@pytest.mark.parametrize("passes", [0, 1.5])
def test_passes_without_meaning_are_refused(passes):
    with pytest.raises(SettingsError, match=f"passes must be a whole number from 1, got {passes}"):
        batches(toy(), passes=passes)


def test_scaling_comes_after_the_draws_so_that_filled_corners_are_empty_sky():
    pixels = np.full((6, 8, 8, 1), 255, np.uint8)
    images = ImageSet(
        name="toy",
        pixels=ArrayPixels(pixels, "toy.npz"),
        labels=np.arange(6) % 2,
        classes=("FRI", "FRII"),
        sources=tuple("abcdef"),
    )
    preparation = Preparation(normalise="scale255", standardise=(0.5, 0.25))
    made = ImageBatches(
        prepared(images, images.sources, preparation, ROTATION, None),
        2,
        batch=6,
        seed=1,
        shuffle=False,
        recipe=ROTATION,
    )
    values, _ = made[0]
    ones = np.ones((8, 8, 1), np.float32)
    plain = np.stack([draw(ones, ROTATION, 1, 0, row) for row in range(6)])
    assert plain.min() == 0
    assert np.array_equal(values, (plain - np.float32(0.5)) / np.float32(0.25))
    assert (values.min(), values.max()) == (-2, 2)

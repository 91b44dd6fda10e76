"""The cache: exact values, keys that cover everything, damage, kills and two builders."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError, MissingDataError, SettingsError
from benchmarker.data import cache, stored_images
from benchmarker.data.augment import expand
from benchmarker.data.cache import prepared
from benchmarker.data.images import ArrayPixels, ImageSet
from benchmarker.data.preparation import named_preparation, prepare
from benchmarker.data.recipes import load_recipe, rotations

LEGACY, MINMAX = named_preparation("legacy"), named_preparation("minmax")
D4, NONE, ROTATIONS = load_recipe("d4"), load_recipe("none"), rotations(60)


def radio_images(count=6, side=24, seed=0):
    """Noise with one bright source each."""
    rng = np.random.default_rng(seed)
    pixels = rng.normal(0, 1, (count, side, side, 1)).astype(np.float32)
    for image in pixels:
        row, column = rng.integers(6, side - 8, 2)
        image[row : row + 3, column : column + 2] += rng.uniform(20, 60)
    return image_set(pixels)


def image_set(pixels, names=None):
    count = len(pixels)
    return ImageSet(
        name="toy",
        pixels=ArrayPixels(pixels, "toy.npz"),
        labels=np.arange(count) % 2,
        classes=("FRI", "FRII"),
        sources=tuple(names or (f"J{number:04d}" for number in range(count))),
    )


def expected(images, preparation, recipe):
    rows = [
        expand(prepare(images.pixels.read(index), preparation, "image"), recipe)
        for index in range(len(images))
    ]
    return np.concatenate(rows)


def everything(made):
    return made.read(np.arange(len(made)))


def bits(array):
    return np.ascontiguousarray(array).view(np.uint32)


class Builds:
    """Counts how often images were prepared."""

    def __init__(self):
        self.calls = []

    def __call__(self, done, total):
        self.calls.append((done, total))

    def __len__(self):
        return sum(done == 1 for done, _ in self.calls)


@pytest.mark.parametrize("recipe", [NONE, D4, ROTATIONS], ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("preparation", [LEGACY, MINMAX], ids=lambda p: p.clip)
@pytest.mark.parametrize("on_disk", [True, False])
def test_stored_values_are_exact(tmp_path, recipe, preparation, on_disk):
    images = radio_images()
    made = prepared(images, images.sources, preparation, recipe, tmp_path if on_disk else None)
    assert made.shape == (24, 24, 1)
    assert len(made) == 6 * recipe.variants
    values = everything(made)
    assert values.dtype == np.float32
    assert np.array_equal(bits(values), bits(expected(images, preparation, recipe)))


def test_empty_images_are_sparse_and_full_ones_dense(tmp_path):
    images = radio_images()
    assert sorted(
        path.name
        for preparation in (LEGACY, MINMAX)
        for path in (
            tmp_path / prepared(images, images.sources, preparation, D4, tmp_path).digest
        ).iterdir()
    ) == ["base.npy", "meta.json", "meta.json", "places.npy", "starts.npy", "values.npy"]


def test_dense_and_sparse_hold_the_same_bits(tmp_path, monkeypatch):
    images = radio_images()
    sparse = prepared(images, images.sources, LEGACY, ROTATIONS, tmp_path / "sparse")
    monkeypatch.setattr(stored_images, "DENSE_SHARE", -1.0)
    dense = prepared(images, images.sources, LEGACY, ROTATIONS, tmp_path / "dense")
    assert isinstance(sparse.stored, stored_images.SparseImages)
    assert isinstance(dense.stored, stored_images.DenseImages)
    assert np.array_equal(bits(everything(sparse)), bits(everything(dense)))


def test_negative_zero_survives():
    pixels = np.zeros((1, 4, 4, 1), np.float32)
    pixels[0, 0, 0], pixels[0, 1, 1] = -0.0, -2.5
    preparation = replace(MINMAX, normalise="none")
    made = prepared(image_set(pixels), ["J0000"], preparation, NONE, None)
    assert np.array_equal(bits(everything(made)), bits(pixels))


def test_rows_names_and_labels(tmp_path):
    images = radio_images()
    names = ["J0003", "J0000", "J0004"]
    made = prepared(images, names, LEGACY, D4, tmp_path)
    assert made.source_count == 3
    assert made.variants == 8
    assert made.sources == ("J0003",) * 8 + ("J0000",) * 8 + ("J0004",) * 8
    assert made.labels.dtype == np.int64
    assert made.labels.tolist() == [1] * 8 + [0] * 16
    whole = expected(images, LEGACY, D4).reshape(6, 8, 24, 24, 1)
    rows = np.array([23, 0, 8, 8])
    assert np.array_equal(made.read(rows), whole[[4, 3, 0, 0], [7, 0, 0, 0]])
    assert made.read([]).shape == (0, 24, 24, 1)
    with pytest.raises(IndexError, match=r"expected 0\.\.23"):
        made.read([24])
    with pytest.raises(IndexError):
        made.read([-1])


def test_second_opening_builds_nothing(tmp_path):
    images, builds = radio_images(), Builds()
    first = prepared(images, images.sources, LEGACY, D4, tmp_path, progress=builds)
    assert builds.calls == [(done, 6) for done in range(1, 7)]
    second = prepared(images, images.sources, LEGACY, D4, tmp_path, progress=builds)
    assert len(builds.calls) == 6
    assert np.array_equal(everything(first), everything(second))
    assert (first.digest, first.sources) == (second.digest, second.sources)


def test_key_covers_everything_the_values_depend_on(tmp_path, monkeypatch):
    images = radio_images()
    names = images.sources
    changed = images.pixels.array.copy()
    changed[3, 0, 0] += 1e-6

    def key(images=images, names=names, preparation=LEGACY, recipe=D4):
        return prepared(images, names, preparation, recipe, None).digest

    keys = [
        key(),
        key(images=image_set(changed)),
        key(
            images=image_set(images.pixels.array, [f"K{name}" for name in names]),
            names=[f"K{name}" for name in names],
        ),
        key(names=names[::-1]),
        key(names=names[:5]),
        key(preparation=named_preparation("robust")),
        key(preparation=replace(LEGACY, size=(20, 20))),
        key(preparation=replace(LEGACY, circular_mask=True)),
        key(recipe=NONE),
        key(recipe=rotations(90)),
        key(recipe=ROTATIONS),
    ]
    monkeypatch.setattr(cache, "interpolation_versions", lambda: {"opencv": "another"})
    keys.append(key(recipe=ROTATIONS))
    monkeypatch.setattr(cache, "FORMAT", cache.FORMAT + 1)
    keys.append(key())
    assert len(set(keys)) == len(keys)


def test_recipes_that_store_the_same_share_an_entry(tmp_path):
    images = radio_images()
    for same in (["none", "d4-random", "random-rotation"], ["rotations24", "rotations24-random"]):
        entries = {
            prepared(images, images.sources, LEGACY, load_recipe(name), tmp_path).digest
            for name in same
        }
        assert len(entries) == 1


def entry_of(folder, made):
    return folder / made.digest


def flip_a_bit(entry, name):
    content = bytearray((entry / name).read_bytes())
    content[len(content) // 2 + 1] ^= 4
    (entry / name).write_bytes(bytes(content))


def cut(entry, name):
    content = (entry / name).read_bytes()
    (entry / name).write_bytes(content[: len(content) - 5])


def forge(entry, key, value):
    meta = json.loads((entry / "meta.json").read_text())
    (entry / "meta.json").write_text(json.dumps({**meta, key: value}))


DAMAGES = {
    "bit in values": lambda entry: flip_a_bit(entry, "values.npy"),
    "bit in places": lambda entry: flip_a_bit(entry, "places.npy"),
    "bit in starts": lambda entry: flip_a_bit(entry, "starts.npy"),
    "cut": lambda entry: cut(entry, "places.npy"),
    "emptied": lambda entry: (entry / "values.npy").write_bytes(b""),
    "file gone": lambda entry: (entry / "starts.npy").unlink(),
    "meta gone": lambda entry: (entry / "meta.json").unlink(),
    "meta cut": lambda entry: cut(entry, "meta.json"),
    "meta is a list": lambda entry: (entry / "meta.json").write_text("[]"),
    "older format": lambda entry: forge(entry, "format", 0),
    "foreign key": lambda entry: forge(entry, "key", "0" * 64),
    "other layout": lambda entry: forge(entry, "stored", "dense"),
    "no checksums": lambda entry: forge(entry, "files", {}),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_entry_is_built_again_with_a_warning(tmp_path, caplog, damage):
    images, builds = radio_images(), Builds()
    made = prepared(images, images.sources, LEGACY, D4, tmp_path)
    before = everything(made)
    DAMAGES[damage](entry_of(tmp_path, made))
    with caplog.at_level(logging.WARNING):
        again = prepared(images, images.sources, LEGACY, D4, tmp_path, progress=builds)
    assert len(builds) == 1
    assert "is damaged" in caplog.text
    assert "built again" in caplog.text
    assert np.array_equal(bits(everything(again)), bits(before))
    prepared(images, images.sources, LEGACY, D4, tmp_path, progress=builds)
    assert len(builds) == 1


def test_damaged_dense_entry_is_built_again(tmp_path):
    images, builds = radio_images(), Builds()
    made = prepared(images, images.sources, MINMAX, D4, tmp_path)
    flip_a_bit(entry_of(tmp_path, made), "base.npy")
    again = prepared(images, images.sources, MINMAX, D4, tmp_path, progress=builds)
    assert len(builds) == 1
    assert np.array_equal(everything(again), expected(images, MINMAX, D4))


def test_entry_of_other_images_under_this_name_is_not_used(tmp_path):
    images, others = radio_images(), radio_images(seed=9)
    made = prepared(images, images.sources, LEGACY, D4, tmp_path)
    foreign = prepared(others, others.sources, LEGACY, D4, tmp_path)
    entry_of(tmp_path, made).rename(tmp_path / "aside")
    entry_of(tmp_path, foreign).rename(entry_of(tmp_path, made))
    again = prepared(images, images.sources, LEGACY, D4, tmp_path)
    assert np.array_equal(everything(again), expected(images, LEGACY, D4))


def test_all_unusable_images_are_named_at_once(tmp_path):
    images = radio_images()
    images.pixels.array[1] = np.nan
    images.pixels.array[4] = np.nan
    with pytest.raises(InputFileError) as caught:
        prepared(images, images.sources, LEGACY, D4, tmp_path)
    text = str(caught.value)
    assert text.startswith("data set toy has 2 faults:")
    assert "J0001 (toy.npz row 1): no finite pixel" in text
    assert "J0004 (toy.npz row 4): no finite pixel" in text
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


@dataclass(frozen=True)
class ListPixels:
    """Pixels of any shape; a string stands for a file that cannot be read."""

    arrays: tuple

    def __len__(self):
        return len(self.arrays)

    def read(self, index):
        if isinstance(self.arrays[index], str):
            raise OSError(self.arrays[index])
        return self.arrays[index]

    def name(self, index):
        return f"file{index}.fits"

    def digest(self, indices):  # noqa: ARG002 - the protocol
        return "digest"


def test_other_shapes_and_unreadable_files_are_named_at_once():
    arrays = (np.eye(5), np.eye(6), "stale handle", np.eye(5, 7), np.eye(5))
    images = replace(radio_images(5), pixels=ListPixels(arrays))
    with pytest.raises(InputFileError) as caught:
        prepared(images, images.sources, MINMAX, NONE, None)
    text = str(caught.value)
    assert "3 faults" in text
    assert "J0001: image has 6 x 6 pixels, expected 5 x 5" in text
    assert "J0002 (file2.fits) cannot be read: stale handle" in text
    assert "J0003: image has 5 x 7 pixels" in text
    made = prepared(images, ["J0000", "J0004"], MINMAX, NONE, None)
    assert everything(made).shape == (2, 5, 5, 1)


def test_a_long_list_of_faults_is_cut():
    images = radio_images(60)
    images.pixels.array[:] = np.nan
    with pytest.raises(InputFileError, match="and 10 more") as caught:
        prepared(images, images.sources, LEGACY, NONE, None)
    assert len(str(caught.value).splitlines()) == 52


def test_pixels_that_are_not_finite_are_counted_and_remembered(tmp_path, caplog):
    images = radio_images()
    images.pixels.array[2, :2, 0] = np.nan
    for opening in ("built", "read back"):
        made = prepared(images, images.sources, LEGACY, D4, tmp_path)
        assert made.filled_pixels == {"J0002": 2}, opening
        assert np.isfinite(everything(made)).all()
    assert "1 of 6 images hold pixels that are not finite" in caplog.text


@pytest.mark.parametrize(
    ("names", "error", "text"),
    [
        ([], SettingsError, "no source of toy to prepare"),
        (["J0001", "J00011"], MissingDataError, r"toy has no source named J00011 \(did you mean"),
        (["J0001", "J0002", "J0001"], SettingsError, "asked for twice: J0001"),
    ],
)
def test_names_that_cannot_be_meant(names, error, text):
    with pytest.raises(error, match=text):
        prepared(radio_images(), names, LEGACY, NONE, None)


def test_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    images = radio_images()
    with pytest.raises(SettingsError, match=r"cannot write .*file"):
        prepared(images, images.sources, LEGACY, NONE, tmp_path / "file")


def test_full_disk_is_explained_and_leaves_nothing(tmp_path, monkeypatch):
    def full(self, image):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stored_images.SparseWriter, "add", full)
    images = radio_images()
    with pytest.raises(SettingsError, match=r"cannot write the image cache .*No space left"):
        prepared(images, images.sources, LEGACY, NONE, tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_reading_from_many_threads(tmp_path):
    images = radio_images()
    for preparation in (LEGACY, MINMAX):
        made = prepared(images, images.sources, preparation, ROTATIONS, tmp_path)
        whole = expected(images, preparation, ROTATIONS)
        start = threading.Barrier(4)

        def read(part, made=made, start=start):
            rows = np.random.default_rng(part).integers(len(made), size=50)
            start.wait()
            return rows, made.read(rows)

        with ThreadPoolExecutor(4) as pool:
            for rows, values in pool.map(read, range(4)):
                assert np.array_equal(values, whole[rows])


@dataclass(frozen=True)
class MadePixels:
    """A large data set that is made when asked for."""

    count: int

    def __len__(self):
        return self.count

    def read(self, index):
        image = np.zeros((200, 200, 1), np.float32)
        image[90:110, 90:110] = np.random.default_rng(index).random((20, 20, 1)) + 5
        return image

    def name(self, index):
        return f"made {index}"

    def digest(self, indices):  # noqa: ARG002 - the protocol
        return "made"


def test_memory_stays_bounded_while_building(tmp_path):
    count = 60
    images = replace(radio_images(count), pixels=MadePixels(count))
    recipe = load_recipe("rotations24")
    prepared(radio_images(1), ["J0000"], LEGACY, recipe, None)  # imports, outside the count
    tracemalloc.start()
    made = prepared(images, images.sources, LEGACY, recipe, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    whole = len(made) * 200 * 200 * 4
    assert whole > 200e6
    assert peak < 20e6


BUILDER = """
import os, sys, signal, time
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_cache import *

class Pixels(ArrayPixels):
    def read(self, index):
        {hook}
        return super().read(index)

images = radio_images()
images = replace(images, pixels=Pixels(images.pixels.array, "toy.npz"))
builds = Builds()
folder = Path(sys.argv[1])
(folder / f"ready{{os.getpid()}}").touch()
while len(list(folder.glob("ready*"))) < {processes}:
    time.sleep(0.01)
made = prepared(images, images.sources, LEGACY, D4, folder / "cache", progress=builds)
print(len(builds), made.digest, everything(made).tobytes().hex()[:4000])
"""


def start_builder(folder, hook, processes=1):
    script = BUILDER.format(tests=str(Path(__file__).parent), hook=hook, processes=processes)
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, env=environment
    )


def test_two_processes_build_an_entry_once(tmp_path):
    builders = [start_builder(tmp_path, "time.sleep(0.05)", processes=2) for _ in range(2)]
    lines = [builder.communicate(timeout=60)[0].decode().split() for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0]
    assert sorted(int(line[0]) for line in lines) == [0, 1]
    assert lines[0][1:] == lines[1][1:]


def test_kill_in_the_middle_of_a_build(tmp_path):
    # not while the sample is read, but when some images are written already
    written = "any(Path(sys.argv[1]).glob('cache/.building-*/values.npy'))"
    hook = f"if index == 4 and {written}: os.kill(os.getpid(), signal.SIGKILL)"
    builder = start_builder(tmp_path, hook)
    builder.communicate(timeout=60)
    assert builder.returncode == -signal.SIGKILL
    folder = tmp_path / "cache"
    leftover = next(folder.glob(".building-*"))
    assert (leftover / "values.npy").exists()
    images, builds = radio_images(), Builds()
    made = prepared(images, images.sources, LEGACY, D4, folder, progress=builds)
    assert len(builds) == 1
    assert np.array_equal(bits(everything(made)), bits(expected(images, LEGACY, D4)))
    assert leftover.exists()  # it may belong to a process at work on another machine
    old = time.time() - 2 * cache.LEFTOVER_SECONDS
    for path in [*leftover.iterdir(), leftover]:
        os.utime(path, (old, old))
    prepared(images, images.sources, LEGACY, NONE, folder)
    assert not leftover.exists()

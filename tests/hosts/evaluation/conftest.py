"""Networks to evaluate: weights as they start, and one toy run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarker.data.preparation import named_preparation
from benchmarker.networks import registry
from benchmarker.runs.trained import open_trained, write_trained
from tests.runs.commands import command
from tests.runs.toy import toy_arrays, write_toy


def write_weights(path, *, preparation="scaled", shape=(32, 32, 1), classes=None, **changes):
    """A file of untrained weights of mcrgnet with its notes."""
    classes = classes or ("TOP", "BOTTOM", "LEFT", "RIGHT")
    model = registry.build("mcrgnet", shape, len(classes), seed=3)
    write_trained(
        path,
        model,
        network="mcrgnet",
        network_settings={},
        shape=shape,
        classes=classes,
        preparation=replace(named_preparation(preparation), **changes),
    )
    return path


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """A folder with two toy sets and one complete run on the first."""
    folder = tmp_path_factory.mktemp("evaluation")
    write_toy(folder / "toy.npz", count=60)
    # other images, of which the last twelve are training images of the first set
    other, known = toy_arrays(40, seed=9), toy_arrays(60)
    for row in range(12):
        other["images"][28 + row] = known["images"][row]
        other["labels"][28 + row] = known["labels"][row]
    other["sources"] = np.array([f"other{row:03d}" for row in range(40)])
    other["split"] = np.full(40, 2)
    np.savez_compressed(folder / "other.npz", **other)
    (folder / "list.txt").write_text("mcrgnet,1e-3,2,recipe=affine,batch=16,test_passes=3\n")
    done = command("-a", "list.txt", "-s", "8901", "-d", "toy.npz", "--threads", "1", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def run_folder(place) -> Path:
    """The toy run."""
    (folder,) = (place / "results" / "runs").iterdir()
    return folder


@pytest.fixture
def trained(run_folder):
    """Its best weights."""
    return open_trained(run_folder)

"""A small network for artefacts, and a folder of images for it."""

import numpy as np
import pytest
from astropy.io import fits

from benchmarker.data.preparation import named_preparation
from benchmarker.networks import registry
from benchmarker.runs.trained import open_trained, write_trained

SIDE = 32


def write_network(path, *, classes=("good", "rfi", "sis", "rfisis"), preparation="field"):
    """Untrained weights with notes; their probabilities differ between images."""
    model = registry.build("cnn_gleam_small", (SIDE, SIDE, 1), len(classes), seed=3, width=4)
    layer = model.get_layer("scores")
    layer.kernel.assign(np.asarray(layer.kernel) * 20)
    write_trained(
        path,
        model,
        network="cnn_gleam_small",
        network_settings=registry.network_settings("cnn_gleam_small", {"width": 4}),
        shape=(SIDE, SIDE, 1),
        classes=classes,
        preparation=named_preparation(preparation),
    )
    return path


def field_pixels(number, side=SIDE):
    """float32 noise with stripes, of another kind for each number."""
    rng = np.random.default_rng(number)
    rows, columns = np.indices((side, side))
    stripes = np.sin((rows * np.cos(number) + columns * np.sin(number)) * (0.3 + 0.2 * number))
    return (rng.normal(size=(side, side)) + 3 * number * stripes).astype(np.float32)


def write_fields(folder, count=5, side=SIDE):
    folder.mkdir(exist_ok=True)
    paths = [folder / f"f{number}.fits" for number in range(count)]
    for number, path in enumerate(paths):
        fits.PrimaryHDU(field_pixels(number, side)[np.newaxis, np.newaxis]).writeto(
            path, checksum=True
        )
    return paths


@pytest.fixture(scope="session")
def network_file(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("network") / "cnn.safetensors")


@pytest.fixture(scope="session")
def artefact_network(network_file):
    return open_trained(network_file)


@pytest.fixture
def field_paths(tmp_path):
    return write_fields(tmp_path / "fields")

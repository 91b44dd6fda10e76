"""Images from anywhere become what a network takes, or are refused in words."""

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError
from benchmarker.data.preparation import NAMED, Preparation, named_preparation
from benchmarker.hosts.evaluation.preparing import Fitting, fits_counterpart, name_of
from benchmarker.runs.trained import open_trained
from tests.hosts.evaluation.conftest import write_weights


def fitting(tmp_path, *, preparation="scaled", crop=False, named=None, **changes):
    path = write_weights(tmp_path / "w.safetensors", preparation=preparation, **changes)
    return Fitting.of(open_trained(path), crop=crop, named=named)


@pytest.mark.parametrize(
    ("stored", "made"), [("attention", "attention-fits"), ("scaled", "mirabest")]
)
def test_counterparts_of_named_preparations(stored, made):
    found = fits_counterpart(named_preparation(stored), (150, 150))
    assert found == NAMED[made]
    assert name_of(found) == made


def test_counterpart_of_a_padded_preparation():
    padded = fits_counterpart(NAMED["scaife2021"], (151, 151))
    assert (padded.clip, padded.size, padded.pad) == ("mirabest", (150, 150), (151, 151))
    assert padded.standardise == (0.0031, 0.0350)
    assert fits_counterpart(named_preparation("pad64"), (64, 64)) is None


def test_float_images_take_the_counterpart_and_bytes_do_not(tmp_path):
    made = fitting(tmp_path)
    image = np.random.default_rng(1).normal(size=(32, 32, 1))
    assert made.for_image(image.astype(np.float32), "x").clip == "mirabest"
    assert made.for_image(np.zeros((32, 32, 1), np.uint8), "x") == Preparation(normalise="scale255")
    # a network of cut-outs keeps its own preparation for either
    cutouts = fitting(tmp_path, preparation="robust")
    assert cutouts.for_image(image.astype(np.float32), "x").clip == "robust"


def test_other_sizes(tmp_path):
    large, small = np.zeros((40, 44, 1), np.uint8), np.zeros((20, 32, 1), np.uint8)
    with pytest.raises(
        InputFileError, match=r"^x is 40 x 44 pixels, mcrgnet takes 32 x 32: --crop"
    ):
        fitting(tmp_path).for_image(large, "x")
    cropping = fitting(tmp_path, crop=True)
    large[20, 22] = 255
    prepared = cropping.prepare(large, "x")
    assert prepared.shape == (32, 32, 1)
    assert prepared[16, 16, 0] == 1.0
    with pytest.raises(InputFileError, match=r"20 x 32 pixels, .* 32 x 32: images are never enl"):
        cropping.for_image(small, "x")


def test_no_counterpart_names_what_can_be_used(tmp_path):
    image = np.ones((32, 32, 1), np.float32)
    with pytest.raises(InputFileError, match=r"x holds numbers in its own unit.*attention-fits"):
        fitting(tmp_path, named="scaled").for_image(image, "x")
    assert fitting(tmp_path, named="minmax").for_image(image, "x") == NAMED["minmax"]

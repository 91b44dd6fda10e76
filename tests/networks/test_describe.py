"""Every published count, at 300x300x1 with 4 classes and at 28x28x1 with 10."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.networks.describe import counts, describe, fits
from benchmarker.networks.notation import format_layers
from benchmarker.networks.registry import find, names

FACTS = Path(__file__).with_name("published_counts.csv")
ROWS = list(csv.DictReader(FACTS.read_text(encoding="utf-8").splitlines()))
NAMES = [row["name"] for row in ROWS]
COLUMNS = {
    "params": "parameters",
    "trainable_params": "trainable_parameters",
    "conv_params": "conv_parameters",
    "dense_params": "dense_parameters",
    "bn_params": "bn_parameters",
    "flops": "multiply_adds",
    "original_flops": "original_flops",
    "conv_layers": "conv_layers",
    "dense_layers": "dense_layers",
    "pool_layers": "pool_layers",
    "bn_layers": "bn_layers",
    "dropout_layers": "dropout_layers",
    "l2_kernels": "l2_kernels",
    "flatten": "flatten",
    "receptive_field": "receptive_field",
    "stride": "stride",
}


def test_the_published_table_is_whole():
    assert len(ROWS) == 128
    assert set(NAMES) <= set(names())
    assert sum(row["mnist_params"] == "error" for row in ROWS) == 37


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_published_counts(row):
    found = describe(row["name"], 300, 4, 1, legacy=True)
    expected = {ours: int(row[theirs] or -1) for theirs, ours in COLUMNS.items()}
    got = {ours: getattr(found, ours) for ours in COLUMNS.values()}
    got["original_flops"] = -1 if got["original_flops"] is None else got["original_flops"]
    assert got == expected
    assert found.flops == 2 * found.multiply_adds
    assert found.final_activation == row["final_activation"]
    assert found.unseeded == (row["unseeded"] == "yes")
    assert found.family == row["family"]


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_published_counts_on_handwritten_digits(row):
    if row["mnist_params"] == "error":
        reason = fits(row["name"], 28, 10)
        assert reason is not None
        assert "28x28" in reason
        with pytest.raises(SettingsError, match=r"expected at least \d+x\d+ pixels"):
            describe(row["name"], 28, 10)
    else:
        found = describe(row["name"], 28, 10)
        assert found.parameters == int(row["mnist_params"])
        assert found.multiply_adds == int(row["mnist_flops"])


@pytest.mark.parametrize(
    "row", [row for row in ROWS if "=" not in row["signature"] and "[" not in row["signature"]]
)
def test_layer_lists_are_the_published_ones(row):
    layers = find(row["name"]).layers
    text = format_layers(layers).replace("A:leaky", "A:LeakyReLU")
    assert " ".join(text.replace("Dn", "D4").split()) == row["signature"]


@pytest.mark.parametrize("name", names())
def test_declared_counts_are_those_of_the_layers(name):
    entry = find(name)
    found = describe(name)
    assert counts(entry, (300, 300, 1), 4) == (found.parameters, found.multiply_adds)


def test_networks_that_left_the_published_file():
    assert describe("toothless_real_regularized").parameters == 87_640_132
    published = describe("deepsource_published")
    assert published.parameters == 45_022_633
    assert published.multiply_adds == 1_845_002_000
    assert published.receptive_field == 21


def test_maslej_at_its_published_size():
    found = describe("maslej", 64)
    assert found.flatten == 242_112
    assert found.parameters == 30_993_668


def test_rows_of_the_paper_network():
    rows = describe("convXpress").layers
    assert [row.parameters for row in rows if row.parameters] == [
        320, 9_248, 9_248, 18_496, 36_928, 36_928, 73_856, 147_584, 147_584, 295_168, 590_080,
        3_200_500, 2_004,
    ]  # fmt: skip
    assert rows[5].output_shape == (38, 38, 64)
    assert rows[-1].output_shape == (4,)


def test_softmax_unless_legacy():
    assert describe("atlas").final_activation == "softmax"
    assert describe("atlas", legacy=True).final_activation == "sigmoid"


def test_rectangular_images_and_channels():
    square, wide = describe("simple", 64), describe("simple", (64, 128), channels=3)
    assert wide.input_shape == (64, 128, 3)
    assert wide.flatten == 2 * square.flatten
    assert wide.layers[0].parameters == 3 * 16 * 16 + 16


def test_the_smallest_size_is_the_smallest():
    reason = fits("alexnet_adapted", 150)
    assert "layer 11 (Conv2D 256 filters, 3x3, stride 1, valid, he_normal) gets 2x2x384" in reason
    assert "expected at least 195x195 pixels" in reason
    assert fits("alexnet_adapted", 195) is None
    assert fits("alexnet_adapted", 194) is not None
    assert fits("alexnet_adapted", (195, 194)) is not None


def test_a_python_network_says_its_smallest_size_too():
    assert "expected at least 5x5 pixels" in fits("maslej", 4)
    assert fits("maslej", 5) is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"classes": 1}, "1 class.* expected at least 2"),
        ({"size": 0}, r"input shape is \(0, 0, 1\), expected \(height, width, channels\)"),
        ({"channels": 0}, "expected .height, width, channels."),
    ],
)
def test_senseless_inputs_are_refused(options, words):
    with pytest.raises(SettingsError, match=words):
        describe("simple", **options)


def test_json_holds_the_promised_keys():
    plain = describe("convXpress").as_dict()
    for key in ("name", "parameters", "trainable_parameters", "multiply_adds", "flops", "layers",
                "receptive_field", "stride", "paper"):  # fmt: skip
        assert key in plain
    assert plain["layers"][0] == {
        "name": "conv_01",
        "layer": "Conv2D",
        "setting": "32 filters, 3x3, stride 2, same, he_normal",
        "activation": "relu",
        "output_shape": [150, 150, 32],
        "parameters": 320,
        "multiply_adds": 6_480_000,
    }


def test_layer_lists_are_described_without_tensorflow():
    code = (
        "import sys; from benchmarker.networks.describe import describe, counts; "
        "from benchmarker.networks.registry import find, names; describe('convXpress'); "
        "[counts(find(n), (300, 300, 1), 4) for n in names()]; "
        "print([m for m in ('tensorflow', 'keras') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

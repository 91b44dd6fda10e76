"""Numbers, names, images and addresses as pages show them."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from benchmarker.report.site import words


@pytest.mark.parametrize(
    "call",
    [
        lambda: words.share(None),
        lambda: words.share_with_sd(None, None),
        lambda: words.whole(None),
        lambda: words.short(None),
        lambda: words.decimal(None),
        lambda: words.with_interval(dict.fromkeys(("value", "low", "high"))),
    ],
)
def test_what_is_not_defined_says_so(call):
    assert call() == "undefined"


def test_numbers():
    assert words.share(0.8034) == "80.3"
    assert words.share(0.0) == "0.0"
    assert words.share_with_sd(0.8, None) == "80.0"
    assert words.with_interval({"value": 0.8, "low": 0.75, "high": 0.84}) == "80.0 (75.0–84.0)"
    assert words.between(None, 0.5) == ""
    assert words.whole(1495944) == "1,495,944"


def test_values_of_records():
    assert words.shown(value=True) == "yes"
    assert words.shown([64, 64]) == "64, 64"
    assert words.shown({"a": None, "b": [False]}) == "a none, b no"
    assert words.shown([]) == "none"


def test_control_characters_are_not_shown():
    assert words.printable("\x1b[31mred\x1b[0m\x00\x07 line\nnext\tcell ±ä") == (
        "red line\nnext\tcell ±ä"
    )
    assert words.printable("lone \ud800 half").encode() == b"lone  half"


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "a/b", "<script>alert(1)</script>", "Ωmega", "", ".hidden", "x" * 300],
)
def test_file_names_are_plain_and_short(name):
    found = words.file_name(name, set())
    assert found.isascii()
    assert not set(found) & set("/\\<>&\"' ")
    assert not found.startswith(".")
    assert 0 < len(found) < 100


def test_file_names_are_distinct_also_where_case_does_not_count():
    taken = set()
    names = ["run", "RUN", "run?", "run!", "run", "a/b", "a-b", "a b"]
    found = [words.file_name(name, taken) for name in names]
    assert found[0] == "run"
    assert len({name.lower() for name in found}) == len(names)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_an_image_survives_its_address(shape):
    image = np.random.default_rng(1).integers(0, 255, shape, dtype=np.uint8)
    kind, _, data = words.png_address(image).partition(",")
    assert kind == "data:image/png;base64"
    found = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    np.testing.assert_array_equal(found, image)


def test_a_sky_viewer_is_asked_for_the_position():
    address = words.sky_address(187.70593, -12.39112)
    assert address.startswith("https://")
    assert "187.70593%20-12.39112" in address
    assert words.position(187.70593, 12.39112) == "RA 187.7059° Dec +12.3911°"

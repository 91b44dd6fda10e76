import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from benchmarker.core.errors import InputFileError, MissingDataError
from benchmarker.data.reading_options import DEFAULTS, ReadOptions
from benchmarker.data.reading_png_folder import SIGNATURE, read_png, read_png_folder

GREY = np.arange(20, dtype=np.uint8).reshape(4, 5)


def write(path, pixels=GREY):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def refused(path, word, options=DEFAULTS):
    with pytest.raises(InputFileError) as caught:
        read_png(path, options)
    assert str(path) in str(caught.value)
    assert word in str(caught.value)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_grey_stays_uint8_and_16_bit_becomes_float32(tmp_path):
    assert np.array_equal(read_png(write(tmp_path / "a.png"))[:, :, 0], GREY)
    assert read_png(tmp_path / "a.png").dtype == np.uint8
    deep = read_png(write(tmp_path / "b.png", GREY.astype(np.uint16) * 3000))
    assert deep.dtype == np.float32
    assert deep.max() == 57000
    two = read_png(write(tmp_path / "c.png", GREY > 5))
    assert (two.dtype, set(two.ravel())) == (np.uint8, {0, 255})


def test_colour_rule(tmp_path):
    equal = np.repeat(GREY[:, :, None], 3, axis=2)
    assert np.array_equal(read_png(write(tmp_path / "e.png", equal))[:, :, 0], GREY)
    colour = equal.copy()
    colour[0, 0] = (100, 50, 20)
    path = write(tmp_path / "c.png", colour)
    refused(path, "colour PNG")
    grey = read_png(path, ReadOptions(colour="luminance"))
    assert grey[0, 0, 0] == round(0.299 * 100 + 0.587 * 50 + 0.114 * 20)
    assert np.array_equal(grey[1:, :, 0], GREY[1:])
    alpha = np.dstack([equal, np.full(GREY.shape, 200, np.uint8)])
    refused(write(tmp_path / "t.png", alpha), "transparent")


def test_bombs_are_refused_from_the_header(tmp_path):
    path = tmp_path / "bomb.png"
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0))
    path.write_bytes(SIGNATURE + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)))
    refused(path, "50000 x 50000 pixels")
    refused(write(tmp_path / "a.png"), "expected 1 to 19", ReadOptions(max_pixels=19))


def test_damaged_and_foreign_files(tmp_path):
    path = write(tmp_path / "a.png", np.random.default_rng(1).integers(0, 255, (64, 64), np.uint8))
    path.write_bytes(path.read_bytes()[:2000])
    refused(path, "damaged PNG")
    path.write_bytes(b"")
    refused(path, "empty file")
    path.write_bytes(b"GIF89a and so on, no PNG at all, though named so")
    refused(path, "not a PNG")
    refused(tmp_path / "none.png", "No such file")


def test_animated_png_is_refused(tmp_path):
    frames = [Image.fromarray(GREY), Image.fromarray(GREY + 1)]
    path = tmp_path / "a.png"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    refused(path, "animated")


def test_folder_of_classes(tmp_path):
    write(tmp_path / "FRII" / "b.png")
    write(tmp_path / "Bent" / "116.785_-17.291_0_X.png", GREY + 1)
    images = read_png_folder(tmp_path)
    assert images.classes == ("Bent", "FRII")
    assert images.sources == ("116.785_-17.291_0_X", "b")
    assert images.published_split is None
    assert images.dec_deg[0] == -17.291
    assert images.pixels.read(0).shape == (4, 5, 1)
    assert read_png_folder(tmp_path, classes=("FRII", "Bent")).labels.tolist() == [1, 0]
    with pytest.raises(InputFileError, match="folder Bent is no class, expected FRII"):
        read_png_folder(tmp_path, classes=("FRII",))


def test_folders_of_parts_give_the_split_and_all_is_passed_over(tmp_path):
    for part, name in (("train", "a"), ("valid", "b"), ("test", "c"), ("all", "a")):
        write(tmp_path / part / "FRI" / f"{name}.png")
        write(tmp_path / part / "FRII" / f"{name}2.png")
    images = read_png_folder(tmp_path)
    assert len(images) == 6
    by_name = dict(zip(images.sources, images.published_split, strict=True))
    assert by_name == {
        "a": "train", "a2": "train", "b": "validation", "b2": "validation", "c": "test",
        "c2": "test",
    }  # fmt: skip


def test_file_names_that_repeat_get_their_folder(tmp_path):
    write(tmp_path / "plain" / "FRI" / "1.png")
    write(tmp_path / "plain" / "FRII" / "1.png")
    assert read_png_folder(tmp_path / "plain").sources == ("FRI/1", "FRII/1")
    for part in ("train", "test"):
        write(tmp_path / "parts" / part / "FRI" / "1.png")
    assert set(read_png_folder(tmp_path / "parts").sources) == {"train/FRI/1", "test/FRI/1"}
    for name in ("FRI", "FRII"):
        write(tmp_path / "sky" / name / "J000330.73+002756.1.png")
    with pytest.raises(InputFileError, match="is repeated"):
        read_png_folder(tmp_path / "sky")


def test_empty_class_and_absent_folder(tmp_path):
    write(tmp_path / "FRI" / "a.png")
    with pytest.raises(InputFileError, match="class FRII has no image"):
        read_png_folder(tmp_path, classes=("FRI", "FRII"))
    with pytest.raises(MissingDataError):
        read_png_folder(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputFileError, match="no folder with PNG images"):
        read_png_folder(tmp_path / "empty")

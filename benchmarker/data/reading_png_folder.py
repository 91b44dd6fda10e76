"""A folder of PNG images per class, with or without folders ``train``, ``valid``, ``test``."""

from __future__ import annotations

import struct
from functools import partial
from pathlib import Path

import numpy as np

from benchmarker.core.errors import InputFileError, MissingDataError, Problems
from benchmarker.data.images import ImageSet
from benchmarker.data.reading_files import FilePixels, first_shape, list_images, subfolders
from benchmarker.data.reading_names import (
    PNG_SUFFIXES,
    names_in_folders,
    positions,
    split_word,
)
from benchmarker.data.reading_options import DEFAULTS, ReadOptions

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_PIXELS = 2**26  # below Pillow's own warning level
LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601
OPAQUE = 255
_HEADER = struct.Struct(">I4sII")


def read_png(path: str | Path, options: ReadOptions = DEFAULTS) -> np.ndarray:
    """One PNG as (height, width, 1): uint8, or float32 0..65535 for 16-bit files.

    A colour image must have equal channels, unless ``options.colour`` is ``luminance``; a
    transparent one is refused. Raises `InputFileError` naming the file: no PNG, damaged,
    more pixels than the limit, animated, coloured.
    """
    from PIL import Image

    _check_header(Path(path), min(options.max_pixels, MAX_PIXELS))
    try:
        with Image.open(path, formats=["PNG"]) as image:
            if getattr(image, "n_frames", 1) > 1:
                message = f"{path}: animated PNG, expected a single image"
                raise InputFileError(message)
            if image.mode in {"1", "L"}:
                return np.array(image.convert("L"))[:, :, np.newaxis]
            if image.mode.startswith("I"):
                return np.array(image).astype(np.float32)[:, :, np.newaxis]
            channels = np.array(image.convert("RGBA"))
    except (OSError, ValueError, SyntaxError, EOFError, struct.error) as error:
        message = f"{path}: damaged PNG: {error}"
        raise InputFileError(message) from error
    return _grey(channels, path, options.colour)


def _check_header(path: Path, limit: int) -> None:
    """Refuse what is no PNG or too large, from its first 33 bytes."""
    try:
        with path.open("rb") as stream:
            head = stream.read(len(SIGNATURE) + _HEADER.size)
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise InputFileError(message) from error
    if not head.startswith(SIGNATURE) or len(head) < len(SIGNATURE) + _HEADER.size:
        found = "an empty file" if not head else f"{head[:16]!r}"
        message = f"{path}: not a PNG image, got {found}"
        raise InputFileError(message)
    _, kind, width, height = _HEADER.unpack_from(head, len(SIGNATURE))
    if kind != b"IHDR" or not 0 < width * height <= limit:
        message = (
            f"{path}: PNG header claims {width} x {height} pixels, expected 1 to {limit} in all; "
            "refused before reading"
        )
        raise InputFileError(message)


def _grey(channels: np.ndarray, path: str | Path, policy: str) -> np.ndarray:
    """uint8 (h, w, 4) -> uint8 (h, w, 1)."""
    colour, alpha = channels[:, :, :3], channels[:, :, 3]
    if (alpha != OPAQUE).any():
        message = f"{path}: PNG with transparent pixels, expected an opaque grey image"
        raise InputFileError(message)
    if (colour == colour[:, :, :1]).all():
        return colour[:, :, :1].copy()
    if policy == "luminance":
        grey = np.rint(colour.astype(np.float64) @ np.array(LUMINANCE))
        return grey.astype(np.uint8)[:, :, np.newaxis]
    message = (
        f"{path}: colour PNG, expected a grey one or equal channels (colour 'luminance' mixes them)"
    )
    raise InputFileError(message)


def read_png_folder(
    root: str | Path,
    options: ReadOptions = DEFAULTS,
    *,
    classes: tuple[str, ...] | None = None,
) -> ImageSet:
    """Images ``root/CLASS/NAME.png`` or ``root/PART/CLASS/NAME.png``, read when asked for.

    PART is ``train``, ``valid`` (or ``val``, ``validation``) or ``test`` and gives the
    published split; beside parts a folder ``all`` is passed over, as it repeats them.
    `classes` is the class order; by default folder names in alphabetical order. Sources are
    named after their files, with their folder where file names repeat (``FRI/0001``).

    Raises `InputFileError` listing every class without an image, `MissingDataError` if
    `root` is absent.
    """
    root = Path(root)
    if not root.is_dir():
        message = f"no folder {root}; expected one folder of PNG images per class in it"
        raise MissingDataError(message)
    places = png_places(root)
    names = classes or tuple(sorted({folder.name for _, folder in places}))
    rows = [
        (key, names.index(folder.name), path, part)
        for part, folder in places
        if folder.name in names
        for key, path in list_images(folder, PNG_SUFFIXES).items()
    ]
    problems = Problems(root)
    for name in sorted({folder.name for _, folder in places} - set(names)):
        problems.add(f"folder {name} is no class, expected {', '.join(names)}")
    for label, name in enumerate(names):
        if not any(row[1] == label for row in rows):
            problems.add(f"class {name} has no image, expected at least one in {root / name}")
    if not names:
        problems.add("no folder with PNG images in it, expected one per class")
    problems.raise_if_any()
    names_found, labels, paths, parts = zip(*rows, strict=True)
    folders = [path.parent.relative_to(root).as_posix() for path in paths]
    sources = tuple(names_in_folders(names_found, folders))
    decode = partial(_decode, options)
    ra, dec = positions(names_found)
    return ImageSet(
        name=root.name or root.resolve().name,
        pixels=FilePixels(paths, decode, first_shape(paths, decode, options.skip_budget)),
        labels=np.array(labels, dtype=np.int64),
        classes=names,
        sources=sources,
        ra_deg=ra,
        dec_deg=dec,
        published_split=None if None in parts else parts,
        provenance={"reader": "png-folder"},
    )


def _decode(options: ReadOptions, path: Path) -> np.ndarray:
    return read_png(path, options)


def png_places(root: Path) -> list[tuple[str | None, Path]]:
    """Class folders with PNG images in them, each with its part of the split (or None)."""
    parts = [
        (split_word(folder.name), folder)
        for folder in subfolders(root)
        if split_word(folder.name) in {"train", "validation", "test"}
    ]
    places = [(part, inner) for part, folder in parts for inner in subfolders(folder)]
    if not places:
        places = [(None, folder) for folder in subfolders(root)]
    return [(part, folder) for part, folder in places if list_images(folder, PNG_SUFFIXES)]

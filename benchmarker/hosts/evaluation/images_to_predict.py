"""Images to be classified, one after the other: data sets, folders and single files.

Unlike a data set that trains, nothing here has to be complete: an image that cannot be read
is named with its reason, and the others are classified.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from benchmarker.core.errors import InputFileError, MissingDataError, Problems
from benchmarker.data.cards import is_card
from benchmarker.data.images import ImageSet
from benchmarker.data.opening_kinds import kind_of
from benchmarker.data.reading_files import fits_decoder
from benchmarker.data.reading_names import (
    FITS_SUFFIXES,
    PNG_SUFFIXES,
    is_distinct,
    natural_key,
    stem,
)
from benchmarker.data.reading_options import ReadOptions

_PNG = b"\x89PNG\r\n\x1a\n"
_FITS = b"SIMPLE"


class Images(Protocol):
    """Images by number."""

    names: Sequence[str]
    labels: Sequence[str] | None

    def read(self, number: int) -> np.ndarray:
        """Stored image (height, width, channels); raises `InputFileError`."""
        ...


@dataclass(frozen=True)
class SetImages:
    """The images of a data set, with their classes as labels where it tells them."""

    images: ImageSet
    names: Sequence[str]
    labels: Sequence[str] | None

    def read(self, number: int) -> np.ndarray:
        """As the set stores it."""
        return self.images.pixels.read(number)


@dataclass(frozen=True)
class FileImages:
    """FITS and PNG files; the label of each is its folder, where that is a class."""

    paths: Sequence[Path]
    names: Sequence[str]
    labels: Sequence[str] | None
    options: ReadOptions

    def read(self, number: int) -> np.ndarray:
        """A FITS file as float32, a PNG as uint8, told apart by their content."""
        path = self.paths[number]
        head = _head(path)
        if path.name.lower().endswith(PNG_SUFFIXES) and not head.startswith((_PNG, _FITS)):
            # otherwise it would be refused as a FITS image, which nobody said it was
            message = f"{path}: not a PNG image: expected {_PNG!r} at its start, got {head!r}"
            raise InputFileError(message)
        return _decoder(head, self.options)(path)


def _decoder(head: bytes, options: ReadOptions) -> Callable[[Path], np.ndarray]:
    if head != _PNG:
        return fits_decoder(options)
    from benchmarker.data.reading_png_folder import read_png

    return lambda path: read_png(path, options)


def open_images(words: Sequence[str], classes: Sequence[str], options: ReadOptions) -> Images:
    """What the user named: one data set, or any number of files and folders of images.

    Arguments
    ---------
    words : a card's name or CARD=PATH, an ``.npz`` or HDF5 file, a folder of pickled batches
        or digits; or FITS and PNG files and folders with such files at any depth
    classes : of the network; a folder of that name labels the images in it
    options : of the readers

    Raises `MissingDataError` for what is not there or holds no image.
    """
    if len(words) == 1 and _is_set(words[0]):
        return _open_set(words[0], options)
    problems = Problems("the list of images", MissingDataError)
    paths: list[Path] = []
    for word in words:
        found = list(_image_files(Path(word)))
        if not found:
            problems.add(_absent(word, several=len(words) > 1))
        paths += found
    problems.raise_if_any()
    labels = [path.parent.name if path.parent.name in classes else "" for path in paths]
    known = labels if any(labels) else None
    return FileImages(paths, _names(paths), known, options)


def _is_set(word: str) -> bool:
    """Whether a word names a data set; False for image files and folders of them.

    What is not there counts as a set: opening it says what was expected.
    """
    path = Path(word)
    if is_card(word) or not path.exists():
        return True
    if path.is_file():
        return not (_is_image(path.name) or _head(path).startswith((_FITS, _PNG)))
    return next(_image_files(path), None) is None


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(len(_PNG))
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise InputFileError(message) from error


def _open_set(word: str, options: ReadOptions) -> SetImages:
    from benchmarker.data.opening import open_data

    path = Path(word)
    if path.is_file() and options.subset is None and kind_of(path)[0] == "npz":
        unlabelled = _unlabelled(path, options)
        if unlabelled is not None:
            return SetImages(unlabelled, unlabelled.sources, None)
    images = open_data(word, options=options)
    labels = [images.classes[label] for label in images.labels]
    return SetImages(images, images.sources, labels)


def _unlabelled(path: Path, options: ReadOptions) -> ImageSet | None:
    """An archive of images without labels; None for one that has them.

    Raises `InputFileError` for one without images.
    """
    from benchmarker.data.reading_arrays import images_from_arrays, is_used
    from benchmarker.data.reading_npz import array_names, read_arrays

    names = set(array_names(path))
    if "images" not in names:
        # without labels, which nobody needs here, nothing is wrong but this
        found = ", ".join(sorted(names)) or "none"
        message = f"{path}: no array 'images', found: {found}"
        raise InputFileError(message)
    if "labels" in names:
        return None
    arrays = read_arrays(path, limit=options.max_bytes, wanted=is_used)
    arrays["labels"] = np.zeros(len(arrays["images"]), np.int64)  # a set has some; not told
    return images_from_arrays(arrays, str(path), reader="npz", options=options)


def _image_files(path: Path) -> Iterator[Path]:
    """Image files at `path` or below it, in the order in which people count."""
    if path.is_file():
        yield path
        return
    for folder, below, files in os.walk(path):
        below[:] = sorted((n for n in below if not n.startswith(".")), key=natural_key)
        for name in sorted(filter(_is_image, files), key=natural_key):
            yield Path(folder) / name


def _is_image(name: str) -> bool:
    return name.lower().endswith((*FITS_SUFFIXES, *PNG_SUFFIXES)) and not name.startswith(".")


def _names(paths: Sequence[Path]) -> list[str]:
    """Names of the files without endings; with their folder, or whole paths, where they repeat."""
    names = [stem(path.name) for path in paths]
    if is_distinct(names):
        return names
    names = [f"{path.parent.name}/{stem(path.name)}" for path in paths]
    return names if is_distinct(names) else [str(path) for path in paths]


def _absent(word: str, *, several: bool) -> str:
    path = Path(word)
    if path.is_dir():
        return f"{word} holds no FITS or PNG image"
    note = "; a data set is predicted alone" if several and is_card(word) else ""
    return f"no file or folder {word}{note}"

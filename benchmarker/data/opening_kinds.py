"""Which reader fits a path: told from content, not from the name."""

from __future__ import annotations

from pathlib import Path

from benchmarker.core.errors import InputFileError, MissingDataError
from benchmarker.data.reading_batches import batch_files
from benchmarker.data.reading_files import subfolders
from benchmarker.data.reading_mnist import FILES, idx_files
from benchmarker.data.reading_names import FITS_SUFFIXES, PNG_SUFFIXES, split_word
from benchmarker.data.reading_npz import array_names
from benchmarker.data.reading_psat import is_psat

HEAD_BYTES = 4096
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
ZIP_MAGIC = b"PK\x03\x04"
# what people point at by mistake, and what to do instead
_HINTS = {
    b"SIMPLE  =": "a single FITS image; expected a folder with one folder of images per class",
    b"\x89PNG": "a single PNG image; expected a folder with one folder of images per class",
    b"\x93NUMPY": "a single array; expected an .npz with arrays 'images' and 'labels'",
    b"\x1f\x8b": "a gzip file; unpack it first and give the folder",
    b"BZh": "a bzip2 file; unpack it first and give the folder",
    b"\x80": "a pickle; give the folder with all batches of the set",
    b"<": "a web page or XML (a failed download?)",
}


def kind_of(path: Path, *, has_manifest: bool = False) -> tuple[str, Path]:
    """The reader's name for `path`, and the path it should read.

    A folder that holds nothing but one `.npz` or HDF5 file stands for that file. Raises
    `MissingDataError` for an absent path or a folder with nothing to read in it, and
    `InputFileError` for a file of an unknown kind.
    """
    if not path.exists():
        message = f"no file or folder {path}"
        raise MissingDataError(message)
    if path.is_dir():
        return _folder_kind(path, has_manifest=has_manifest)
    return _file_kind(path), path


def _file_kind(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            head = stream.read(16)
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise InputFileError(message) from error
    if head.startswith(HDF5_MAGIC):
        return "psat" if is_psat(path) else "hdf5"
    if head.startswith(ZIP_MAGIC):
        names = array_names(path)
        return "mnist" if set(FILES) <= set(names) else "npz"
    found = next((hint for magic, hint in _HINTS.items() if head.startswith(magic)), None)
    if found is None:
        found = "an empty file" if not head else f"a file of unknown kind, begins with {head!r}"
    if path.suffix.lower() == ".csv" and _names_fields(head + _rest(path)):
        return "field-list"
    if path.suffix.lower() in {".csv", ".txt"}:
        found = "a text table; give the folder of images, and this as the manifest"
    message = f"{path}: {found}; data sets are folders of FITS or PNG, .npz, .h5, pickled batches"
    raise InputFileError(message)


def _rest(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(HEAD_BYTES)[16:]


def _names_fields(head: bytes) -> bool:
    """Whether the first lines of a table name FITS images, and nothing is no text."""
    lines = head.decode("utf-8", errors="replace").splitlines()[:3]
    return any(suffix in line.lower() for line in lines for suffix in FITS_SUFFIXES)


def _folder_kind(path: Path, *, has_manifest: bool) -> tuple[str, Path]:
    if batch_files(path):
        return "batches", path
    if idx_files(path):
        return "mnist", path
    has_fits = _has_classes(path, FITS_SUFFIXES)
    has_png = _has_classes(path, PNG_SUFFIXES) or _has_parts(path)
    if has_fits and has_png:
        message = f"{path}: folders with FITS and with PNG images; expected one kind"
        raise InputFileError(message)
    if has_fits or has_manifest:
        return "fits-folder", path
    if has_png:
        return "png-folder", path
    single = [entry for entry in sorted(path.iterdir()) if _is_archive(entry)]
    if len(single) == 1:
        return _file_kind(single[0]), single[0]
    if single:
        names = ", ".join(entry.name for entry in single)
        message = f"{path}: several data sets ({names}); give one of them"
        raise InputFileError(message)
    raise MissingDataError(_nothing(path))


def _nothing(path: Path) -> str:
    entries = sorted(entry.name for entry in path.iterdir())
    if _has_images(path, FITS_SUFFIXES) or _has_images(path, PNG_SUFFIXES):
        return (
            f"{path}: images lie directly in the folder; expected one folder per class, "
            "or a manifest that says the class of each FITS image"
        )
    found = f"found {', '.join(entries[:8])}{', ...' if len(entries) > 8 else ''}"
    return (
        f"{path}: nothing to read; expected a folder of FITS or PNG images per class, an .npz "
        f"or .h5 file, or pickled batches; {found if entries else 'the folder is empty'}"
    )


def _is_archive(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in {".npz", ".h5", ".hdf5"}


def _has_classes(path: Path, suffixes: tuple[str, ...]) -> bool:
    return any(_has_images(folder, suffixes) for folder in subfolders(path))


def _has_parts(path: Path) -> bool:
    parts = [folder for folder in subfolders(path) if split_word(folder.name) != folder.name]
    parts += [folder for folder in subfolders(path) if folder.name in {"train", "test"}]
    return any(_has_classes(folder, PNG_SUFFIXES) for folder in parts)


def _has_images(folder: Path, suffixes: tuple[str, ...]) -> bool:
    return any(
        entry.name.lower().endswith(suffixes) and not entry.name.startswith(".")
        for entry in folder.iterdir()
    )

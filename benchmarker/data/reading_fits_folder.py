"""A folder of FITS images per class, with a manifest (the original layout) or without."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import MissingDataError, Problems, suggest
from benchmarker.data.images import ImageSet
from benchmarker.data.manifests import FR0_CODE, Manifest
from benchmarker.data.reading_files import (
    FilePixels,
    first_shape,
    fits_decoder,
    fits_facts,
    list_images,
    raise_over_budget,
    subfolders,
)
from benchmarker.data.reading_names import FITS_SUFFIXES, names_in_folders, positions
from benchmarker.data.reading_options import DEFAULTS, ReadOptions

# what the original program left between the images: its rotations and clipped copies
_LEFTOVER = re.compile(r"(.+)_(?:rot_\d+|clipped)$")


@dataclass(frozen=True)
class _Found:
    """Sources with their files, in the order of the data set."""

    names: list[str]
    labels: list[int]
    paths: list[Path]
    classes: tuple[str, ...]
    notes: dict[str, Any]


def read_fits_folder(
    root: str | Path,
    options: ReadOptions = DEFAULTS,
    *,
    manifest: str | Path | None = None,
    labels: str | Path | None = None,
    classes: tuple[str, ...] | None = None,
) -> ImageSet:
    """Images ``root/CLASS/NAME.fits``; pixels are read when asked for, float32 (h, w, 1).

    Arguments
    ---------
    root : folder with one folder per class, or with all images where there is a manifest
    options : policies and limits
    manifest : table of names and label codes; its order is the order of the set, and files
        it does not name are passed over. Without it every FITS file of the class folders
        is a source.
    labels : table of label codes and classes (= folder names)
    classes : class order without manifest and labels; by default alphabetical

    Raises `InputFileError` listing every class without an image, every missing file (more
    than ``options.skip_budget``) and every name found twice; `MissingDataError` if `root`
    is absent.
    """
    root = Path(root)
    if not root.is_dir():
        message = f"no folder {root}; expected one folder of FITS images per class in it"
        raise MissingDataError(message)
    if manifest is not None:
        found = _by_manifest(root, Path(manifest), labels, options)
    else:
        found = _by_folders(root, labels, classes)
    decode = fits_decoder(options)
    shape = first_shape(found.paths, decode, options.skip_budget)
    ra, dec = positions(found.names)
    return ImageSet(
        name=root.name or str(root.resolve().name),
        pixels=FilePixels(tuple(found.paths), decode, shape, fits_facts(options)),
        labels=np.array(found.labels, dtype=np.int64),
        classes=found.classes,
        sources=tuple(found.names),
        ra_deg=ra,
        dec_deg=dec,
        provenance={"reader": "fits-folder", **found.notes},
    )


def _by_manifest(
    root: Path, manifest: Path, labels: str | Path | None, options: ReadOptions
) -> _Found:
    from benchmarker.core.hashing import digest_file
    from benchmarker.data.manifests import read_manifest

    table = read_manifest(manifest, labels, fr0=options.fr0, certainty=options.certainty)
    homeless = _fr0_without_folder(root, table)
    files = _files_by_class(root, tuple(name for name in table.classes if name != homeless))
    if homeless is not None:
        files[homeless] = files[table.classes[0]]
    found = _Found([], [], [], table.classes, {"manifest_sha256": digest_file(manifest)})
    missing = {}
    for name, label in zip(table.names, table.labels.tolist(), strict=True):
        path = files[table.classes[label]].get(name)
        if path is None:
            missing[name] = f"{root / table.classes[label] / name}.fits is missing"
            continue
        found.names.append(name)
        found.labels.append(label)
        found.paths.append(path)
    raise_over_budget(manifest, list(missing.values()), options.skip_budget, "missing images")
    if missing:
        found.notes["left_out"] = missing
    _refuse_empty(root, found)
    return found


def _fr0_without_folder(root: Path, table: Manifest) -> str | None:
    """The class of FR0 sources if it has no folder: in the original layout they lie in COMP."""
    codes = zip(table.codes, table.labels.tolist(), strict=True)
    label = next((label for code, label in codes if code == FR0_CODE), 0)
    name = table.classes[label]
    return name if label > 0 and not (root / name).is_dir() else None


def _files_by_class(root: Path, classes: tuple[str, ...]) -> dict[str, dict[str, Path]]:
    """Files of each class folder; a folder without class folders serves all classes."""
    folders = {folder.name: folder for folder in subfolders(root)}
    if not any(name in folders for name in classes):
        flat = list_images(root, FITS_SUFFIXES)
        if flat:
            return dict.fromkeys(classes, flat)
    problems = Problems(root)
    for name in classes:
        if name not in folders:
            near = suggest(name, folders)
            problems.add(f"no folder for class {name}{near}, expected {root / name}")
    problems.raise_if_any()
    return {name: list_images(folders[name], FITS_SUFFIXES) for name in classes}


def _by_folders(root: Path, labels: str | Path | None, classes: tuple[str, ...] | None) -> _Found:
    if labels is not None:
        from benchmarker.data.manifests import read_labels

        classes = read_labels(labels).classes
    if classes is None:
        folders = [folder for folder in subfolders(root) if list_images(folder, FITS_SUFFIXES)]
        classes = tuple(folder.name for folder in folders)
    found = _Found([], [], [], classes, {})
    empty = [folder.name for folder in subfolders(root) if folder.name not in classes]
    empty = [name for name in empty if not list_images(root / name, FITS_SUFFIXES)]
    passed_over: dict[str, Any] = {"folders without images": empty} if empty else {}
    leftovers = 0
    for label, files in enumerate(_files_by_class(root, classes).values()):
        for name, path in files.items():
            kind = _LEFTOVER.match(name)
            if kind and kind[1] in files:
                leftovers += 1
                continue
            found.names.append(name)
            found.labels.append(label)
            found.paths.append(path)
    folders = [classes[label] for label in found.labels]
    found.names[:] = names_in_folders(found.names, folders)
    if leftovers:
        passed_over["rotations and clipped copies of other images"] = leftovers
    if passed_over:
        found.notes["passed_over"] = passed_over
    _refuse_empty(root, found)
    return found


def _refuse_empty(root: Path, found: _Found) -> None:
    problems = Problems(root)
    if not found.classes:
        problems.add("no folder with FITS images in it, expected one per class")
    for label, name in enumerate(found.classes):
        if label not in found.labels:
            problems.add(f"class {name} has no image, expected at least one in {root / name}")
    problems.raise_if_any()

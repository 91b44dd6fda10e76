"""HDF5 files: the release of Griese et al. (one group per source), or named arrays.

A file may name other files (external links, external storage, virtual data sets) and may
claim any shape at no cost: all of that is refused before a pixel is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarker.core.errors import InputFileError, Problems
from benchmarker.data.images import ImageSet
from benchmarker.data.reading_arrays import images_from_arrays, is_used
from benchmarker.data.reading_names import natural_key
from benchmarker.data.reading_options import DEFAULTS, ReadOptions

if TYPE_CHECKING:
    import h5py

# filters that the HDF5 library itself brings; others would load a plug-in
FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}
DEFLATE_RATIO = 1032
IMAGE_KEYS = ("Img", "img", "Image", "image")
LABEL_KEYS = ("Label_literature", "Label", "label", "Class", "class")
SPLIT_KEYS = ("Split_literature", "Split", "split")
RA_KEYS = ("RA", "ra", "ra_deg")
DEC_KEYS = ("DEC", "Dec", "dec", "dec_deg")
RELEASE_CLASSES = ("FRI", "FRII", "Compact", "Bent")


def read_hdf5(path: str | Path, options: ReadOptions = DEFAULTS) -> ImageSet:
    """Images from one group per source, or from arrays named as in an `.npz` file.

    A group holds ``Img``, ``Label_literature`` and ``Split_literature``, and RA and DEC as
    attributes of the image; other usual names of these are known too. Groups are taken in
    numeric order and give the source names (``data_17``). Raises `InputFileError` listing
    every fault: no HDF5 file, cut off, links to other files, claimed sizes beyond what is
    stored or the limit, missing parts, shapes that differ.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            problems = Problems(path)
            budget = _Budget(options.max_bytes)
            if _has_arrays(file):
                arrays = _named_arrays(file, problems, budget)
            else:
                arrays = _grouped_arrays(file, problems, budget)
            problems.raise_if_any()
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        message = f"{path}: not a usable HDF5 file: {error}"
        raise InputFileError(message) from error
    return images_from_arrays(arrays, str(path), reader="hdf5", options=options)


class _Budget:
    """Bytes that may still be read from one file."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    def take(self, count: int) -> bool:
        self.used += count
        return self.used <= self.limit


def _has_arrays(file: h5py.File) -> bool:
    return "images" in file


def _named_arrays(file: h5py.File, problems: Problems, budget: _Budget) -> dict[str, np.ndarray]:
    names = [name for name in file if is_used(name)]
    found = {name: _read(file, name, problems, budget) for name in names}
    return {name: _plain_texts(array) for name, array in found.items() if array is not None}


def _grouped_arrays(file: h5py.File, problems: Problems, budget: _Budget) -> dict[str, np.ndarray]:
    rows = list(_rows(file, problems, budget))
    if not rows and not problems:
        problems.add("no group with an image, expected data_0, data_1, ... or an array 'images'")
    shapes = [row["image"].shape for row in rows]
    for row, shape in zip(rows, shapes, strict=True):
        if shape != shapes[0]:
            problems.add(f"{row['name']}: image has shape {shape}, expected {shapes[0]}")
    problems.raise_if_any()
    arrays = {
        "images": np.stack([row["image"] for row in rows]),
        "labels": np.array([row["label"] for row in rows]),
        "sources": np.array([row["name"] for row in rows]),
        "ra_deg": np.array([row["ra"] for row in rows], dtype=np.float64),
        "dec_deg": np.array([row["dec"] for row in rows], dtype=np.float64),
    }
    if all(row["split"] is not None for row in rows):
        arrays["split"] = np.array([row["split"] for row in rows])
    numbers = arrays["labels"]
    if numbers.dtype.kind in "iuf" and set(numbers) <= set(range(len(RELEASE_CLASSES))):
        arrays["label_names"] = np.array(RELEASE_CLASSES)
    return arrays


def _rows(file: h5py.File, problems: Problems, budget: _Budget) -> Iterator[dict[str, Any]]:
    """One dictionary for each group that holds an image and a label."""
    for name in sorted(file, key=natural_key):
        group = member_of(file, name, problems)
        if group is None or not hasattr(group, "keys"):
            continue
        key = next((key for key in IMAGE_KEYS if key in group), None)
        if key is None:
            problems.add(f"{name}: no image ({', '.join(IMAGE_KEYS)}), found {list(group)[:8]}")
            continue
        image = _read(group, key, problems, budget)
        label = _value(group, key, LABEL_KEYS, problems)
        if label is None:
            problems.add(f"{name}: no label, expected one of {', '.join(LABEL_KEYS)}")
        if image is None or label is None:
            continue
        yield {
            "name": name,
            "image": image,
            "label": label,
            "split": _value(group, key, SPLIT_KEYS, problems),
            "ra": _degrees(_value(group, key, RA_KEYS, problems)),
            "dec": _degrees(_value(group, key, DEC_KEYS, problems)),
        }


def _degrees(value: Any) -> float:
    return float(value) if isinstance(value, int | float | np.number) else float("nan")


def _value(group: h5py.Group, image: str, keys: tuple[str, ...], problems: Problems) -> Any:
    """A number or text kept as a scalar data set, or as an attribute of the group or image."""
    for key in keys:
        if key in group:
            member = member_of(group, key, problems)
            if member is None or getattr(member, "shape", None) not in {(), (1,)}:
                return None
            return _plain(np.asarray(member[()]).reshape(-1)[0])
        for owner in (group[image], group):
            if key in owner.attrs:
                return _plain(np.asarray(owner.attrs[key]).reshape(-1)[0])
    return None


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.item() if isinstance(value, np.generic) else value


def _plain_texts(array: np.ndarray) -> np.ndarray:
    """Texts that HDF5 gives as objects, as numpy texts; other arrays unchanged."""
    return np.array([_plain(text) for text in array]) if array.dtype.kind == "O" else array


def member_of(group: h5py.Group, name: str, problems: Problems) -> Any:
    """A member of `group` that lies in this very place: links are refused."""
    import h5py

    link = group.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink):
        kind = "another file" if isinstance(link, h5py.ExternalLink) else "another place"
        problems.add(f"{group.name.rstrip('/')}/{name} is a link to {kind}; refused")
        return None
    return group[name]


def _read(group: h5py.Group, name: str, problems: Problems, budget: _Budget) -> np.ndarray | None:
    """The whole data set `name`, after its claims are checked."""
    member = member_of(group, name, problems)
    if member is None:
        return None
    fault = dataset_fault(member)
    if fault is None and not budget.take(math.prod(member.shape) * member.dtype.itemsize):
        fault = f"goes beyond the limit of {budget.limit} bytes for one file"
    if fault:
        problems.add(f"{group.name.rstrip('/')}/{name} {fault}")
        return None
    return member[()]


def dataset_fault(dataset: Any) -> str | None:
    """Why a data set must not be read, in words; None where its claims are honest."""
    if not hasattr(dataset, "dtype") or dataset.shape is None:
        return "is no array"
    if dataset.is_virtual:
        return "is a virtual data set (it names other files); refused"
    if dataset.external:
        return "keeps its data in another file; refused"
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(number)[0] for number in range(plist.get_nfilters())]
    unknown = [code for code in filters if code not in FILTERS]
    if unknown:
        return f"is packed by filters {unknown}, expected {', '.join(FILTERS.values())} or none"
    claimed = math.prod(dataset.shape) * dataset.dtype.itemsize
    stored = dataset.id.get_storage_size()
    # compressed chunks may be padded up to a whole chunk, never shrunk beyond deflate's ratio
    if claimed > stored * (DEFLATE_RATIO if filters else 1):
        return f"claims {claimed} bytes for shape {dataset.shape}, but {stored} are stored"
    return None

"""A CSV list of whole-field FITS images with labels, as a data set; fields stay on disk.

Besides path and label a list may say the part of a split, the observation or night (images
of one stay in one part) and other things (band, polarisation ...), by which scores are then
shown apart: columns are found as `benchmarker data audit` finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarker.core.errors import Problems
from benchmarker.core.hashing import digest_file, digest_json
from benchmarker.data.audit_tables import LabelledTable, labelled, read_table
from benchmarker.data.fields import label_codes, read_field, read_list
from benchmarker.data.images import ImageSet
from benchmarker.data.reading_names import split_word
from benchmarker.data.reading_options import ReadOptions

if TYPE_CHECKING:
    import pandas as pd

# of RADIAnCE; a list that holds nothing but these has them in this order
ARTEFACTS = ("good", "rfi", "sis", "rfisis")
MOST_NAMED = 10
# what must not be torn apart, the widest first
GROUPS = ("night", "obsid", "observation", "object", "object_id", "field")


@dataclass(frozen=True)
class ListedFields:
    """Fields that are read when asked for."""

    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, index: int) -> np.ndarray:
        """Float32 (height, width, 1), NaN where there is no number."""
        field = read_field(self.paths[index])
        return np.expand_dims(field.values, -1)

    def name(self, index: int) -> str:
        """The file."""
        return str(self.paths[index])

    def digest(self, indices: Sequence[int]) -> str:
        """Of the files' content, in this order."""
        return digest_json([digest_file(self.paths[index]) for index in indices])


def read_field_list(
    path: str | Path, options: ReadOptions, *, classes: tuple[str, ...] | None = None
) -> ImageSet:
    """The fields that a CSV list names (see `fields.read_list`), with what it says of them.

    `classes` in label order; without them those of RADIAnCE where the labels are among these
    or 0 to 3, else the labels themselves in alphabetical order. Sources are file names
    without their endings. `options` are of no account: pixels that are not finite are left
    to the preparation.

    Raises `InputFileError` listing every image that is not there, every line without label,
    every label that is none, and every name that stands twice.
    """
    path = Path(path)
    listed = read_list(path)
    problems = Problems(path)
    absent = [one.path for one in listed if not one.path.is_file()]
    for missing in absent[:MOST_NAMED]:
        problems.add(f"no file {missing}")
    if len(absent) > MOST_NAMED:
        problems.add(f"{len(absent) - MOST_NAMED} more files are not there")
    for one in [one for one in listed if one.label is None][:MOST_NAMED]:
        problems.add(f"{one.path} has no label, expected one to train and to test")
    problems.raise_if_any()
    classes = classes or _classes([one.label or "" for one in listed])
    codes = label_codes(listed, classes, str(path))
    table = labelled(read_table(path), path.name)
    frame = table.frame
    return ImageSet(
        name=path.parent.name if path.stem == "list" and path.parent.name else path.stem,
        pixels=ListedFields(tuple(one.path for one in listed)),
        labels=np.array(codes, dtype=np.int64),
        classes=classes,
        sources=tuple(one.path.name.removesuffix(".fz").removesuffix(".fits") for one in listed),
        published_split=_parts(table),
        groups=_groups(frame),
        facts={name: frame[name].to_numpy(dtype=str) for name in table.facts},
        provenance={"reader": "field-list", "preparation": "field", "policy": options.non_finite},
    )


def _classes(labels: Sequence[str]) -> tuple[str, ...]:
    words = {label.lower().removesuffix(".0") for label in labels}
    numbers = {str(code) for code in range(len(ARTEFACTS))}
    if words <= {*ARTEFACTS} or words <= numbers:
        return ARTEFACTS
    return tuple(sorted(words))


def _parts(table: LabelledTable) -> tuple[str, ...] | None:
    if table.part is None:
        return None
    words = [split_word(word) for word in table.frame[table.part]]
    return tuple(words) if {"train", "test"} <= set(words) else None


def _groups(frame: pd.DataFrame) -> tuple[str, ...] | None:
    name = next((name for name in GROUPS if name in frame), None)
    return None if name is None else tuple(frame[name])

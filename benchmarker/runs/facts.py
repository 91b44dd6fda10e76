"""What a data set knows of its test sources beside their classes, kept with a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarker.core.files import write_csv
from benchmarker.data.images import ImageSet


def write_facts(folder: Path, images: ImageSet, sources: tuple[str, ...]) -> Path | None:
    """Write ``sources.csv``: a row for each of `sources`, a column for each fact.

    An unknown number is an empty cell. Writes nothing where the set knows no facts.
    """
    if not images.facts:
        return None
    row_of = {source: row for row, source in enumerate(images.sources)}
    rows = [row_of[source] for source in sources]
    cells = [[_cell(values[row]) for values in images.facts.values()] for row in rows]
    table = ([source, *row] for source, row in zip(sources, cells, strict=True))
    return write_csv(folder / "sources.csv", ["source", *images.facts], table)


def _cell(value: object) -> object:
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else float(value)
    return value

"""The figures of mean maps of groups of sources: by class, by certainty, as a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarker.hosts.attention.averages import Average, Sums
from benchmarker.hosts.attention.maps import stretched
from benchmarker.hosts.attention.panels import Grid, Panel, map_panel, source_panel
from benchmarker.metrics.groups import CERTAINTIES

# contours of a mean image that is stretched to 0-1: four levels from 0.001 to 0.1
LEVELS = tuple(float(level) for level in np.geomspace(0.001, 0.1, 4))

SMOOTHING = 2.0  # pixels, standard deviation: about the beam of FIRST


def classes_grid(sums: Sums, classes: Sequence[str], title: str) -> Grid:
    """Rows true classes; columns mean image, mean map, and the mean map of each gate."""
    several = len(sums.names) > 1
    rows = []
    for label, name in enumerate(classes):
        average = sums.of_class(label)
        if not average.count:
            continue
        top = not rows
        panels = _image_and_map(average, f"{name}\n{images_of(average.count)}", top=top)
        if several:
            panels += [
                map_panel(one, title=gate if top else "")
                for gate, one in zip(sums.names, average.maps, strict=True)
            ]
        rows.append(panels)
    return Grid(rows, title=title)


def certainty_grid(sums: Sums, classes: Sequence[str], title: str) -> Grid:
    """Rows certain and uncertain sources of each class; columns mean image and mean map."""
    rows = []
    for label, name in enumerate(classes):
        for certainty in CERTAINTIES:
            average = sums.of_class(label, certainty)
            if average.count:
                left = f"{name}, {certainty}\n{images_of(average.count)}"
                rows.append(_image_and_map(average, left, top=not rows))
    return Grid(rows, title=title)


def confusion_grid(
    sums: Sums, true_classes: Sequence[str], predicted_classes: Sequence[str], title: str
) -> Grid:
    """Mean maps with rows true and columns predicted classes, all in one scale of colours."""
    cells = {
        (row, column): sums.of_cell(row, column)
        for row in range(len(true_classes))
        for column in range(len(predicted_classes))
    }
    filled = [one.mean for one in cells.values() if one.count]
    limits = (float(min(one.min() for one in filled)), float(max(one.max() for one in filled)))
    limits = limits if limits[1] > limits[0] else None

    def panel(row: int, column: int) -> Panel:
        average = cells[row, column]
        total = sum(cells[row, other].count for other in range(len(predicted_classes)))
        share = f" ({100 * average.count / total:.0f} %)" if total else ""
        texts = {
            "title": "" if row else f"predicted {predicted_classes[column]}",
            "left": "" if column else f"true {true_classes[row]}",
            "below": f"{images_of(average.count)}{share}",
        }
        if not average.count:
            blank = np.zeros(average.image.shape)
            return Panel(blank, is_source=True, **texts)
        return _mean_panel(average, limits=limits, **texts)

    rows = [
        [panel(row, column) for column in range(len(predicted_classes))]
        for row in range(len(true_classes))
    ]
    return Grid(rows, title=title, bars="one", bar_label="mean map")


def _image_and_map(average: Average, left: str, *, top: bool) -> list[Panel]:
    image = source_panel(stretched(average.image), title="mean image" if top else "", left=left)
    return [image, _mean_panel(average, title="mean map" if top else "")]


def _mean_panel(
    average: Average, *, limits: tuple[float, float] | None = None, **texts: str
) -> Panel:
    image = smoothed(average.image)
    return map_panel(average.mean, image, levels=LEVELS, limits=limits, **texts)


def smoothed(image: np.ndarray) -> np.ndarray:
    """A mean image for contours, 0 to 1; the lowest would else run around every speck of noise."""
    from scipy.ndimage import gaussian_filter

    return stretched(gaussian_filter(image, SMOOTHING))


def images_of(count: int) -> str:
    """A count of images in words."""
    return f"{count:,} image{'' if count == 1 else 's'}".replace(",", " ")

"""Mean image and mean map of every class, in the form of maps of single images.

So the figures that put maps side by side (through training, over networks) can show whole
classes too: Bowles et al. 2021, experiment 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarker.core.errors import MissingDataError
from benchmarker.hosts.attention.averages import Sums
from benchmarker.hosts.attention.figures import Explained
from benchmarker.hosts.attention.group_figures import images_of, smoothed
from benchmarker.hosts.attention.maps import Maps


def class_means(
    sums: Sums, true_classes: tuple[str, ...], trained: Any, *, network: str, method: str
) -> Explained:
    """One image and its maps per true class that has any, in the order of the classes.

    The image is the mean image as figures of groups draw it, the scores are zeros: a mean
    image was never classified. Raises `MissingDataError` where no class has an image.
    """
    averages = {name: sums.of_class(label) for label, name in enumerate(true_classes)}
    kept = {name: one for name, one in averages.items() if one.count}
    if not kept:
        message = f"no image of {', '.join(true_classes)}, expected at least one"
        raise MissingDataError(message)
    resized = np.stack([one.maps for one in kept.values()]).astype(np.float32)
    return Explained(
        network=network,
        settings=dict(trained.network_settings),
        method=method,
        images=np.stack([smoothed(one.image) for one in kept.values()]).astype(np.float32),
        maps=Maps(
            names=tuple(sums.names),
            own=tuple(np.moveaxis(resized, 1, 0)),
            resized=resized,
            scores=np.zeros((len(kept), len(trained.classes))),
        ),
        sources=tuple(f"mean of {images_of(one.count)}" for one in kept.values()),
        truth=tuple(kept),
        classes=tuple(trained.classes),
    )

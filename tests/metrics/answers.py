"""Made-up answers of networks: some images are hard for all, some seeds are better than others."""

import numpy as np

CLASSES = 4
SIZES = (0.4, 0.3, 0.2, 0.1)


def truth(count, classes=CLASSES):
    """Labels of unequal classes, int (count,)."""
    shares = np.array(SIZES[:classes]) / sum(SIZES[:classes])
    return np.repeat(np.arange(classes), np.round(shares * count).astype(int))


def answers(draw, labels, seeds, *, skill=1.8, hard=None, spread=(0.3, 0.2, 0.5)):
    """int (seeds, n): the right class, or the next one.

    `spread`: of a network on an image, of a seed, of a seed on an image; `hard` (n,) is what
    all networks find hard.
    """
    count = len(labels)
    hard = draw.normal(size=count) if hard is None else hard
    network, seed, both = spread
    ease = skill + hard + network * draw.normal(size=count)
    ease = ease + seed * draw.normal(size=(seeds, 1)) + both * draw.normal(size=(seeds, count))
    return np.where(ease > 0, labels, (labels + 1) % (labels.max() + 1))

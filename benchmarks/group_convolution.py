"""What a group convolution costs beside a plain one with as many output channels.

    python benchmarks/group_convolution.py [--groups c4,d4,d8] [--batch 16] [--rounds 20]

Times the second convolution of the equivariant LeNet and a 3x3 one, at 74 pixels: one
gradient step and one pass forward, both kinds by turns, medians. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

SIDE = 74  # pixels: an image of 150 after the first convolution and pooling
SHAPES = ((5, 6, 16), (3, 8, 16))  # kernel, fields in, fields out


def main() -> None:
    """Print one row per kernel and group."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groups", default="c4,d4,d8", help="comma-separated (c4,d4,d8)")
    parser.add_argument("--batch", type=int, default=16, help="images per step (16)")
    parser.add_argument("--rounds", type=int, default=20, help="timed steps of each kind (20)")
    arguments = parser.parse_args()
    print("| group | kernel | channels | plain step | group step | ratio | forward ratio |")
    print("|---|---|---|---|---|---|---|")
    for kernel, fields_in, fields_out in SHAPES:
        for group in arguments.groups.split(","):
            print(row(group, (kernel, fields_in, fields_out), arguments.batch, arguments.rounds))


def row(group: str, shape: tuple[int, int, int], batch: int, rounds: int) -> str:
    """Milliseconds of one group and shape, as a row of the table."""
    import keras
    import numpy as np

    from benchmarker.networks.group_convolution import GroupConv2D
    from benchmarker.networks.plane_groups import plane_group

    kernel, fields_in, fields_out = shape
    order = plane_group(group).order
    maps = (SIDE, SIDE, order * fields_in)
    plain = keras.layers.Conv2D(order * fields_out, kernel, padding="same")
    shared = GroupConv2D(fields_out, kernel, group=group)
    images = np.random.default_rng(0).random((batch, *maps), "float32")
    targets = np.zeros((batch, SIDE, SIDE, order * fields_out), "float32")
    models = [model_of(layer, maps) for layer in (plain, shared)]
    steps = medians([lambda m=m: m.train_on_batch(images, targets) for m in models], rounds)
    passes = medians([lambda m=m: m.predict_on_batch(images) for m in models], rounds)
    cells = [
        group,
        f"{kernel}x{kernel}",
        f"{maps[-1]} to {order * fields_out}",
        f"{1e3 * steps[0]:.1f} ms",
        f"{1e3 * steps[1]:.1f} ms",
        f"{steps[1] / steps[0]:.2f}",
        f"{passes[1] / passes[0]:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def model_of(layer: Any, maps: tuple[int, int, int]) -> Any:
    """A compiled model of a plain 1x1 convolution, so that gradients pass through, and `layer`."""
    import keras

    image = keras.Input(maps)
    before = keras.layers.Conv2D(maps[-1], 1)(image)
    model = keras.Model(image, layer(before))
    model.compile(keras.optimizers.SGD(1e-6), "mean_squared_error")
    return model


def medians(actions: list[Callable[[], Any]], rounds: int) -> list[float]:
    """Median seconds of each action; all take turns, so that a busy machine slows them alike."""
    seconds: list[list[float]] = [[] for _ in actions]
    for turn in range(rounds + 2):
        for action, times in zip(actions, seconds, strict=True):
            began = time.perf_counter()
            action()
            if turn > 1:  # the first two trace the graph
                times.append(time.perf_counter() - began)
    return [statistics.median(times) for times in seconds]


if __name__ == "__main__":
    main()

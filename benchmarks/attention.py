"""Speed of AG-CNN with 0 to 3 gates beside ConvXpress, and beside PyTorch where that is there.

    python benchmarks/attention.py [--size 150] [--batch 16] [--repeats 5] [--threads 2]

One process, all take turns; images per second of a training step and of inference on one
batch in memory are printed, as medians and as ratios to ConvXpress in the same run. Where
`torch` can be imported, the same network written in PyTorch from the paper's description
takes part (it is no dependency; ``pip install --target FOLDER torch`` and PYTHONPATH do).
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable

import numpy as np

from benchmarker.runs import determinism

CLASSES = 2
Steps = tuple[Callable[[], object], Callable[[], object]]  # one training step, one inference


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=150, help="pixels (default: 150)")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    determinism.set_determinism(8901, arguments.threads)
    rng = np.random.default_rng(1)
    images = rng.uniform(-1, 1, (arguments.batch, arguments.size, arguments.size, 1))
    measured = {"convXpress": keras_steps("convXpress", images)}
    for gates in range(4):
        measured[f"agcnn, {gates} gates"] = keras_steps("agcnn", images, gates=gates)
    if importlib.util.find_spec("torch"):
        from agcnn_torch import torch_steps

        measured["PyTorch, 3 gates"] = torch_steps(images, arguments.threads)
    print_table(arguments, rates(measured, arguments))


def keras_steps(name: str, images: np.ndarray, **settings: object) -> Steps:
    """Training and inference of a registered network, as a run does them."""
    from benchmarker.networks import registry
    from benchmarker.runs.scores import scorer
    from benchmarker.runs.settings import RunSettings
    from benchmarker.runs.training import compile_model

    model = registry.build(name, images.shape[1:], CLASSES, seed=1, **settings)
    learner = compile_model(model, RunSettings(name, learning_rate=1e-3, epochs=1))
    targets = np.eye(CLASSES, dtype="float32")[np.arange(len(images)) % CLASSES]
    x = images.astype("float32")
    return lambda: learner.train_on_batch(x, targets), lambda: scorer(model).predict_on_batch(x)


def rates(measured: dict[str, Steps], arguments: argparse.Namespace) -> dict[str, np.ndarray]:
    """Images per second, (repeats, 2): training and inference."""
    seconds: dict[str, list[list[float]]] = {name: [] for name in measured}
    for steps in measured.values():
        for step in steps:
            step()  # builds the graph
    for _ in range(arguments.repeats):
        for name, steps in measured.items():
            seconds[name].append([timed(step) for step in steps])
    return {name: arguments.batch / np.array(found) for name, found in seconds.items()}


def timed(step: Callable[[], object], times: int = 4) -> float:
    """Median seconds of one step."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        step()
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


def print_table(arguments: argparse.Namespace, found: dict[str, np.ndarray]) -> None:
    """Medians side by side, and ratios to ConvXpress."""
    print(
        f"{arguments.size} px, batch {arguments.batch}, {arguments.threads} threads, "
        f"{determinism.processor()}"
    )
    print(f"{'images/s':20}{'training':>10}{'ratio':>8}{'inference':>11}{'ratio':>8}")
    reference = found["convXpress"]
    for name, values in found.items():
        training, inference = np.median(values, axis=0)
        ratios = np.median(values / reference, axis=0)
        print(f"{name:20}{training:10.1f}{ratios[0]:8.2f}{inference:11.1f}{ratios[1]:8.2f}")


if __name__ == "__main__":
    main()

"""Training through the harness against the same model on one batch kept in memory.

    python benchmarks/training.py [--size 150] [--sources 40] [--repeats 3]

Both train ConvXpress at batch 32. The harness does all it does in a run: cache, image
generator, per-batch dropout seeds, history, best weights, checkpoint, records. The two
take turns; medians and their ratio are printed, and the peak memory of the process.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from pathlib import Path

from benchmarker.runs import determinism

BATCH = 32


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="simulated", help="card or path (default: simulated)")
    parser.add_argument("--network", default="convXpress")
    parser.add_argument("--size", type=int, default=150, help="pixels (default: 150)")
    parser.add_argument("--sources", type=int, default=40, help="training sources per class")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    determinism.set_determinism(8901, determinism.cores())
    rates: dict[str, list[float]] = {"in memory": [], "harness": []}
    for _ in range(arguments.repeats):
        for what, measure in (("in memory", in_memory), ("harness", harness)):
            rates[what].append(measure(arguments))
    print_table(arguments, rates)


def print_table(arguments: argparse.Namespace, rates: dict[str, list[float]]) -> None:
    """Medians side by side."""
    medians = {what: statistics.median(values) for what, values in rates.items()}
    print(f"{arguments.network}, {arguments.size} px, batch {BATCH}, {determinism.processor()}")
    print(f"{'':12}{'images/s':>10}{'ratio':>8}   all repeats")
    for what, values in rates.items():
        every = ", ".join(f"{value:.1f}" for value in values)
        ratio = medians[what] / medians["in memory"]
        print(f"{what:12}{medians[what]:10.1f}{ratio:8.3f}   {every}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"peak memory {peak:.2f} GB")


def resolved(arguments: argparse.Namespace):  # noqa: ANN201 (a Resolved run)
    """The run that both measure."""
    from benchmarker.runs.resolve import resolve
    from benchmarker.runs.settings import RunSettings

    size = (arguments.size, arguments.size)
    settings = RunSettings(
        arguments.network, 1e-4, 2, data=arguments.data, size=size,
        train=arguments.sources, validation=4,
    )  # fmt: skip
    return resolve(settings)


def parts_of(run, cache: str | None = None):  # noqa: ANN001, ANN201
    """Model, training batches and prepared validation images of a run."""
    from benchmarker.data.cache import prepared
    from benchmarker.data.generator import ImageBatches
    from benchmarker.data.recipes import load_recipe
    from benchmarker.networks import registry

    classes, seed = len(run.images.classes), run.settings.seed
    folder = Path(cache or Path(tempfile.gettempdir()) / "benchmarker-benchmark-cache")
    train = prepared(run.images, run.split.train, run.preparation, run.recipe, folder)
    none = load_recipe("none")
    validation = prepared(run.images, run.split.validation, run.preparation, none, folder)
    model = registry.build(run.settings.network, run.shape, classes, seed=seed)
    batches = ImageBatches(train, classes, batch=BATCH, seed=seed, shuffle=True, recipe=run.recipe)
    return model, batches, validation


def in_memory(arguments: argparse.Namespace) -> float:
    """Images per second of train_on_batch on one batch, over as many steps as the harness."""
    from benchmarker.runs.training import compile_model

    run = resolved(arguments)
    model, batches, _ = parts_of(run)
    compile_model(model, run.settings)
    x, y = batches[0]
    model.train_on_batch(x, y)
    steps = len(batches) * (run.settings.epochs - 1)
    begun = time.perf_counter()
    for _ in range(steps):
        model.train_on_batch(x, y)
    return steps * len(x) / (time.perf_counter() - begun)


def harness(arguments: argparse.Namespace) -> float:
    """Images per second of the training loop, from the end of the first epoch to its return."""
    from benchmarker.runs.folder import RunFolder
    from benchmarker.runs.training import Training, train

    run = resolved(arguments)
    model, batches, validation = parts_of(run)
    first_done: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place))
        folder.begin(run.identity, determinism.fingerprint(determinism.cores()), {})

        def epoch_done(history: list[dict[str, float]]) -> None:
            folder.write_history(history)
            folder.change(status={"epochs_done": len(history)})
            first_done.append(time.perf_counter())

        training = Training(
            model, run.settings, batches, validation, folder.checkpoint, "benchmark",
            epoch_done=epoch_done,
        )  # fmt: skip
        train(training)
        seconds = time.perf_counter() - first_done[0]
    return batches.epoch_images * (run.settings.epochs - 1) / seconds


if __name__ == "__main__":
    main()

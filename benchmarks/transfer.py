"""Transfer with few labels against training from scratch, side by side, on real images.

    python benchmarks/transfer.py [--work FOLDER] [--output results/transfer.md]

Two pairs of sets: FIRST (Griese et al. 2023) to FR-DEEP, and MiraBest to FIRST. The first
set trains a network once, without any source that the second one uses. The second set then
trains it on 25, 50 and 100 labels of each class: from scratch, from the first network's
weights, and from them with a frozen trunk; same images, same number of steps, three seeds,
one test set. What is complete is skipped, so the command can be repeated. Needs the cards'
files (`benchmarker data list` shows them); three quarters of an hour on one busy core.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarker.core.files import write_bytes
from benchmarker.core.records import Record, find_records
from benchmarker.core.seeds import PAPER_SEEDS
from benchmarker.data.dealing import shuffled
from benchmarker.data.images import ImageSet
from benchmarker.data.opening import open_data
from benchmarker.data.sharing import pixel_pairs, shared_sources
from benchmarker.data.splits import Split, write_split

NETWORK = "mcrgnet_no_conv_do"
SIZE = 150
COMMON = "size=150,preparation=scaled-sqrt,recipe=random-rotation,schedule=cosine,batch=16"
PRETRAINING_EPOCHS = 60
LABELS = (25, 50, 100)  # of each class
CHOOSING = 25  # validation sources of each class
TESTED = 100  # of each class, where the set's own test part is small
EPOCHS, SHOWN = 10, 800  # images in one epoch, whatever the number of labels
ALIKE, SURELY_ALIKE, CANDIDATES = 0.7, 0.97, 12
METHODS = ("from scratch", "from other weights", "frozen trunk")
SEED = PAPER_SEEDS[0]


@dataclass(frozen=True)
class Pair:
    """Two sets: one lends its weights, the other has few labels.

    `published` takes the published test part of the second set, and for training only
    sources that the first set does not hold; else a test is drawn, and what both hold
    leaves the first set.
    """

    title: str
    lender: str
    target: str
    published: bool


PAIRS = (
    Pair("FIRST to FR-DEEP", "first", "frdeep-first", published=False),
    Pair("MiraBest to FIRST", "mirabest-nohybrid", "first", published=True),
)


def main() -> None:
    """Run what is not complete, then write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=Path("results/transfer"))
    parser.add_argument("--output", type=Path, default=Path("results/transfer.md"))
    arguments = parser.parse_args()
    text = [HEAD]
    for pair in PAIRS:
        text += compare(pair, arguments.work / pair.target)
    print("\n".join(text))
    write_bytes(arguments.output, ("\n".join(text) + "\n").encode())


def compare(pair: Pair, work: Path) -> list[str]:
    """Both trainings of one pair; the lines of its table."""
    work.mkdir(parents=True, exist_ok=True)
    lender, target = open_data(pair.lender), without_twins(open_data(pair.target))
    test, pool, known = used_sources(pair, lender, target)
    dropped = common(lender, lender.sources, target, (*test, *pool))
    start = pretrain(pair, lender, set(dropped), work)
    by_labels = {}
    for labels in LABELS:
        lines = method_lines(start.folder, labels * len(target.classes))
        for seed in PAPER_SEEDS:
            split = write_split(
                work / f"{labels}-{seed}.json", few(target, pool, test, labels, seed)
            )
            by_labels[labels, seed] = run(lines, pair.target, split, seed, work / f"{labels}")
    facts = (
        f"{len(target.classes)} classes; {len(test)} test sources, the same for all. "
        f"{pair.lender} lends what {start.split['train']} sources taught it (its own test: "
        f"{start.metrics['best']['mpca']['value']:.3f}); {len(dropped)} of its {len(lender)} "
        f"sources are among those used here and were left out first. {known}".strip()
    )
    return [f"\n## {pair.title}\n", facts, "", *table(by_labels)]


def without_twins(images: ImageSet) -> ImageSet:
    """Each image once: one must not test what its twin trained."""
    twins = {second for first, second in pixel_pairs(images, images) if first < second}
    return images.take([row for row in range(len(images)) if row not in twins])


def used_sources(
    pair: Pair, lender: ImageSet, target: ImageSet
) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Test sources, sources to draw labels from, and what is to be said of them."""
    if pair.published:
        words = dict(zip(target.sources, target.published_split, strict=True))
        test = tuple(name for name in target.sources if words[name] == "test")
        others = tuple(name for name in target.sources if words[name] != "test")
        shared = set(common(target, others, lender, lender.sources))
        pool = tuple(name for name in others if name not in shared)
        said = f"{len(shared)} of its {len(others)} other sources are known to the lender: not used"
        return test, pool, f"{said} for training here."
    drawn = {label: [] for label in range(len(target.classes))}
    labels = dict(zip(target.sources, target.labels, strict=True))
    for name in shuffled(target.sources, SEED):
        drawn[int(labels[name])].append(name)
    test = tuple(name for names in drawn.values() for name in names[:TESTED])
    pool = tuple(name for names in drawn.values() for name in names[TESTED:])
    return test, pool, ""


def common(
    first: ImageSet, names: Iterable[str], second: ImageSet, others: Iterable[str]
) -> tuple[str, ...]:
    """Names of the first set that are sources of the second: by place, pixels or likeness."""
    names, others = tuple(names), tuple(others)
    shared = shared_sources(first, names, second, others)
    if first.ra_deg is not None and second.ra_deg is not None:
        return shared.names
    found = set(shared.names) | alike(first, names, second, others)
    return tuple(name for name in names if name in found)


def alike(
    first: ImageSet, names: tuple[str, ...], second: ImageSet, others: tuple[str, ...]
) -> set[str]:
    """Names of the first set that look like sources of the second, where places are unknown.

    For every source of the second set the most similar image (correlation of the square
    roots above 0.7, within one pixel), and every pair above 0.97. That is more than what
    is really shared: round sources resemble each other.
    """
    ours, theirs = pictures(first, names), pictures(second, others)
    near = np.argsort(-(coarse(theirs) @ coarse(ours).T), axis=1)[:, :CANDIDATES]
    found: set[str] = set()
    for image, rows in zip(theirs, near, strict=True):
        likeness = [
            max(
                float(np.vdot(np.roll(image, (up, right), (0, 1)), ours[row]))
                for up in (-1, 0, 1)
                for right in (-1, 0, 1)
            )
            for row in rows
        ]
        found.update(
            names[row]
            for row, value in zip(rows, likeness, strict=True)
            if value > SURELY_ALIKE or (value > ALIKE and value == max(likeness))
        )
    return found


def pictures(images: ImageSet, names: tuple[str, ...]) -> np.ndarray:
    """Centres as unit vectors about their mean: float32 (n, 150, 150)."""
    place = {name: row for row, name in enumerate(images.sources)}
    out = np.empty((len(names), SIZE, SIZE), np.float32)
    for row, name in enumerate(names):
        image = images.pixels.read(place[name])[..., 0].astype(np.float32)
        top, left = ((length - SIZE) // 2 for length in image.shape)
        out[row] = np.sqrt(image[top : top + SIZE, left : left + SIZE])
    return unit(out)


def coarse(images: np.ndarray) -> np.ndarray:
    """Means over 3 x 3 pixels as rows of unit length."""
    side = SIZE // 3
    return unit(images.reshape(-1, side, 3, side, 3).mean((2, 4))).reshape(len(images), -1)


def unit(images: np.ndarray) -> np.ndarray:
    """Mean 0 and length 1 for each image."""
    images = images - images.mean((1, 2), keepdims=True)
    return images / np.maximum(np.linalg.norm(images, axis=(1, 2), keepdims=True), 1e-9)


def pretrain(pair: Pair, lender: ImageSet, dropped: set[str], work: Path) -> Record:
    """The lending network: 80 % of the sources left train, 10 % choose, 10 % test."""
    names = shuffled([name for name in lender.sources if name not in dropped], SEED)
    eighty, ninety = len(names) * 8 // 10, len(names) * 9 // 10
    parts = tuple(names[:eighty]), tuple(names[eighty:ninety]), tuple(names[ninety:])
    split = write_split(work / "lender.json", Split(*parts, rule="80, 10 and 10 per cent"))
    lines = [f"{NETWORK},1e-3,{PRETRAINING_EPOCHS},{COMMON},class_weights=sqrt"]
    (record,) = run(lines, pair.lender, split, SEED, work / "lender")
    return record


def few(
    target: ImageSet, pool: tuple[str, ...], test: tuple[str, ...], labels: int, seed: int
) -> Split:
    """`labels` sources of each class to train, 25 to choose the epoch: more labels hold fewer."""
    label_of = dict(zip(target.sources, target.labels, strict=True))
    train: list[str] = []
    validation: list[str] = []
    for label, name_of_class in enumerate(target.classes):
        names = [name for name in shuffled(pool, seed) if label_of[name] == label]
        if len(names) < CHOOSING + labels:
            message = f"{target.name} has {len(names)} sources of {name_of_class} to draw from"
            raise SystemExit(message)
        validation += names[:CHOOSING]
        train += names[CHOOSING : CHOOSING + labels]
    rule = f"{labels} labels of each class, seed {seed}"
    return Split(tuple(train), tuple(validation), test, rule=rule)


def method_lines(start: Path, images: int) -> list[str]:
    """One line of a run list for each of `METHODS`."""
    plain = f"{NETWORK},1e-3,{EPOCHS},{COMMON},passes={SHOWN // images}"
    return [plain, f"{plain},init={start}", f"{plain},init={start},freeze=trunk"]


def run(lines: list[str], data: str, split: Path, seed: int, results: Path) -> list[Record]:
    """The records of the lines, in their order; complete runs are not repeated."""
    results = results / str(seed)
    results.mkdir(parents=True, exist_ok=True)
    run_list = results / "list.txt"
    run_list.write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ["-a", run_list, "-s", seed, "-d", data, "--split", split, "-p", results]
    words += ["--cache", results.parents[1] / "cache", "--processes", 1, "--threads", 1]
    command = [sys.executable, "-m", "benchmarker", "run", *map(str, words)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    found = {method(record): record for record in find_records(results) if record.is_complete}
    return [found[number] for number in range(len(lines))]


def method(record: Record) -> int:
    """Place of a record's method in `METHODS`."""
    if "init" not in record.settings:
        return 0
    return 2 if "freeze" in record.settings else 1


def table(by_labels: dict[tuple[int, int], list[Record]]) -> list[str]:
    """Mean and spread over seeds of each method, and of the differences seed by seed."""
    lines = [
        "| labels per class | " + " | ".join(METHODS) + " | gain | gain, frozen | AUC, the three |",
        "|---" * (len(METHODS) + 4) + "|",
    ]
    for labels in LABELS:
        rows = np.array(
            [[score(r, "mpca") for r in by_labels[labels, seed]] for seed in PAPER_SEEDS]
        )
        aucs = np.mean(
            [[score(r, "auc") for r in by_labels[labels, seed]] for seed in PAPER_SEEDS], axis=0
        )
        cells = [spread(column) for column in rows.T]
        cells += [spread(rows[:, number] - rows[:, 0], sign="+") for number in (1, 2)]
        cells.append(", ".join(f"{value:.3f}" for value in aucs))
        lines.append(f"| {labels} | " + " | ".join(cells) + " |")
    return lines


def score(record: Record, name: str) -> float:
    """A test score of the weights with the lowest validation loss."""
    return record.metrics["best"][name]["value"]


def spread(values: Iterable[float], sign: str = "") -> str:
    """Mean and standard deviation."""
    values = list(map(float, values))
    return f"{statistics.mean(values):{sign}.3f} ± {statistics.stdev(values):.3f}"


HEAD = f"""# Few labels: from other weights or from scratch

```
python benchmarks/transfer.py
```

{NETWORK} (a small network without pooling, Ma et al. 2019) at {SIZE} x {SIZE} pixels, square
root of the pixels, random rotations and mirror images, Adam 1e-3 with cosine decay, batch 16. Every
run shows {EPOCHS * SHOWN:,} images, however few are different; {CHOOSING} sources of each
class choose the epoch. Numbers are mean per-class accuracies on the test sources, mean ± standard
deviation over three seeds, which draw labels and weights; the lending network was trained once. A
gain is the difference to "from scratch" on the same labels and test sources, seed by seed. With
frozen trunk only the last layer learns.

The seeds' spread does not hold the choice of the 200 test sources, which moves any single score by
0.03 (one standard deviation) and a difference by somewhat less. FR-DEEP has no positions: for each
of its images the most similar one of FIRST was left out of the first training, which is more than
they share, but no proof that nothing is left."""


if __name__ == "__main__":
    main()

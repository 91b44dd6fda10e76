"""ConvXpress on real FIRST images against published scores: mean and spread over three seeds.

    python benchmarks/accuracy_first.py --data first_griese2022.npz [--results FOLDER]

Runs `architectures/first.txt` (what is complete is skipped) and prints a Markdown table:
per seed and on average, validation and test, beside the published numbers. About a quarter
of an hour per seed on two idle cores.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarker.core.records import Record, find_records
from benchmarker.core.seeds import PAPER_SEEDS

# Named in the task of this benchmark for these images and this split; see docs/rg-benchmarker.md
PUBLISHED = (("plain CNNs, published", 0.80), ("group-equivariant network, best published", 0.81))
SCORES = ("mpca", "accuracy", "macro_f1", "auc")


def main() -> None:
    """Run, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="first", help="card or path (default: first)")
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--list", default="first.txt", help="run list (default: first.txt)")
    parser.add_argument("--table-only", action="store_true", help="print from records; run nothing")
    arguments = parser.parse_args()
    if not arguments.table_only:
        seeds = ",".join(map(str, PAPER_SEEDS))
        words = ["-a", arguments.list, "-s", seeds, "-d", arguments.data, "-p", arguments.results]
        subprocess.run([sys.executable, "-m", "benchmarker", "run", *map(str, words)], check=True)
    records = [
        record
        for record in find_records(arguments.results)
        if record.is_complete and record.data["card"] == "first"
    ]
    for model in ("best", "final"):
        print_table(sorted(records, key=lambda record: record.seed), model)


def print_table(records: list[Record], model: str) -> None:
    """One Markdown table: a row per seed, the mean, the published numbers."""
    print(f"\n### {model} weights\n")
    print("| seed | validation accuracy | test MPCA | accuracy | macro F1 | AUC | minutes |")
    print("|---|---|---|---|---|---|---|")
    rows = [row(record, model) for record in records]
    for record, values in zip(records, rows, strict=True):
        minutes = record.timings["training_seconds"] / 60
        cells = " | ".join(f"{value:.3f}" for value in values)
        print(f"| {record.seed} | {cells} | {minutes:.0f} |")
    if len(rows) > 1:
        columns = list(zip(*rows, strict=True))
        cells = " | ".join(f"{statistics.mean(c):.3f} ± {statistics.stdev(c):.3f}" for c in columns)
        print(f"| **mean ± sd** | {cells} | |")
    for name, value in PUBLISHED:
        print(f"| {name} | | {value:.2f} | | | | |")


def row(record: Record, model: str) -> list[float]:
    """Validation accuracy and the test scores of one record."""
    metrics = record.metrics
    validation = metrics[f"validation_{model}"]["accuracy"]
    return [validation, *(metrics[model][score]["value"] for score in SCORES)]


if __name__ == "__main__":
    main()

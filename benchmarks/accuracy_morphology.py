"""The networks of `architectures/morphology.txt` on the confident MiraBest sources.

    python benchmarks/accuracy_morphology.py --data mirabest.npz [--results FOLDER] [--only NAMES]

Runs the list with five seeds (what is complete is skipped) and prints a Markdown table: each
network's validation and test accuracy, F1 and area under the curve, mean and standard
deviation over the seeds, beside published numbers, best network on validation first.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from benchmarker.core.records import Record, find_records
from benchmarker.core.seeds import PAPER_SEEDS

SEEDS = (*PAPER_SEEDS, 2718, 3141)
SCORES = ("accuracy", "macro_f1", "auc")
# accuracy on these sources in the papers; splits and evaluation differ
PUBLISHED = (
    ("AG-CNN, 3 gates (Bowles et al. 2021)", 0.917),
    ("plain LeNet (Scaife & Porter 2021), about", 0.94),
    ("D16 steerable LeNet (Scaife & Porter 2021), about", 0.965),
)


def main() -> None:
    """Run, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="mirabest", help="card or path (default: mirabest)")
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--list", default="morphology.txt", help="run list (morphology.txt)")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)), help="comma-separated")
    parser.add_argument("--only", help="networks to print, comma-separated (default: all)")
    parser.add_argument("--table-only", action="store_true", help="print from records; run nothing")
    arguments = parser.parse_args()
    if not arguments.table_only:
        words = ["-a", arguments.list, "-s", arguments.seeds, "-d", arguments.data]
        words += ["--subset", "confident", "-p", str(arguments.results)]
        subprocess.run([sys.executable, "-m", "benchmarker", "run", *words], check=True)
    seeds = {int(seed) for seed in arguments.seeds.split(",")}
    kept = [
        record
        for record in find_records(arguments.results)
        if record.is_complete
        and record.data["card"] == "mirabest-confident"
        and record.seed in seeds
    ]
    if arguments.only:
        kept = [record for record in kept if record.network in arguments.only.split(",")]
    for model in ("best", "final"):
        print_table(kept, model)


def print_table(records: list[Record], model: str) -> None:
    """A row per network and settings, the best on validation first, then the published ones."""
    runs: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        settings = {k: v for k, v in record.identity["settings"].items() if k != "seed"}
        runs[record.network, str(sorted(settings.items()))].append(record)
    rows = {key: [values(record, model) for record in group] for key, group in runs.items()}
    print(f"\n### {model} weights\n")
    print("| network | parameters | seeds | validation | test accuracy | F1 | AUC | minutes |")
    print("|---|---|---|---|---|---|---|---|")
    for key in sorted(rows, key=lambda key: -statistics.mean(row[0] for row in rows[key])):
        group = runs[key]
        minutes = statistics.mean(r.timings["training_seconds"] / 60 for r in group)
        cells = " | ".join(spread(column) for column in zip(*rows[key], strict=True))
        parameters = f"{group[0].facts['parameters']:,}"
        print(f"| {key[0]} | {parameters} | {len(group)} | {cells} | {minutes:.0f} |")
    for name, value in PUBLISHED:
        print(f"| {name} | | | | {value} | | | |")


def values(record: Record, model: str) -> list[float]:
    """Validation accuracy and the test scores of one record."""
    metrics = record.metrics
    validation = metrics[f"validation_{model}"]["accuracy"]
    return [validation, *(metrics[model][score]["value"] for score in SCORES)]


def spread(column: tuple[float, ...]) -> str:
    """Mean ± standard deviation."""
    if len(column) == 1:
        return f"{column[0]:.3f}"
    return f"{statistics.mean(column):.3f} ± {statistics.stdev(column):.3f}"


if __name__ == "__main__":
    main()

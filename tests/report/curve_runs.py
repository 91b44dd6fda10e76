"""Run folders of learning curves and of tests on damage, without training anything."""

import json

from benchmarker.core.corruption_table import COLUMNS, FILE, SCORES, table_rows
from benchmarker.core.files import write_csv
from benchmarker.core.hashing import digest_file, digest_text
from benchmarker.core.records import read_record
from tests.report.factory import CLASSES, change_run, make_run

BASE = "published, validation 0.1 of train; seed {seed} (within 15 arcsec)"
WHOLE = 300


def sized_run(results, size=None, seed=8901, *, network="convXpress", test="one", **changes):
    """A run on `size` sources of each class; None is all 300 of the split."""
    rule = BASE.format(seed=seed)
    rule += "" if size is None else f", {size} of each class to train; seed {seed}"
    split = {
        "rule": rule,
        "digest": digest_text(f"{rule} {test}"),
        "train": WHOLE if size is None else size * len(CLASSES),
        "validation": 40,
        "test": 40,
        "digests": {"test": digest_text(test)},
    }
    return make_run(results, network, seed, split=split, **changes)


def set_score(folder, value, *, model="best", metric="accuracy"):
    """Let metrics.json say another score; the digests no longer fit, which no curve minds."""
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text())
    metrics[model][metric]["value"] = value
    path.write_text(json.dumps(metrics))


def damage_rows(folder, scores, *, model="best"):
    """Rows of corruptions.csv; `scores` are accuracies by (kind, strength)."""
    metrics = read_record(folder).metrics[model]
    plain = {name: metrics[name]["value"] for name in SCORES}
    first = {"model": model, "corruption": "none", "strength": 0, "amount": 0.0, "unit": ""}
    rows = [{**first, "n": metrics["n"], **plain}]
    for (kind, strength), accuracy in scores.items():
        told = {"corruption": kind, "strength": strength, "amount": strength / 10, "unit": "peaks"}
        rows.append({**rows[0], **told, "accuracy": accuracy, "auc": None})
    return rows


def add_damage(folder, rows):
    """Write corruptions.csv with its digest, as the command does."""
    path = write_csv(folder / FILE, COLUMNS, table_rows(rows))
    change_run(folder, lambda run: run["digests"]["files"].update({FILE: digest_file(path)}))
    return folder

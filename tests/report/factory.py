"""Run folders as a run writes them, without training anything."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from benchmarker.core.files import write_csv, write_json
from benchmarker.core.hashing import digest_arrays, digest_file, digest_json, digest_text
from benchmarker.core.record_tables import Predictions, prediction_table, read_predictions
from benchmarker.core.records import DIGESTED as FILES
from benchmarker.core.records import OPTIONAL, identity_digest, read_record
from benchmarker.metrics.augmented import evaluate_passes, per_source
from benchmarker.metrics.calibration import tempered
from benchmarker.metrics.classification import evaluate
from benchmarker.metrics.groups import certainty_of, evaluate_groups
from benchmarker.metrics.rotation import rotation_robustness
from benchmarker.metrics.temperature import calibrated, temperature
from benchmarker.runs.folder import HISTORY, TIMING_COLUMNS
from benchmarker.runs.weights import write_tensors

CLASSES = ("FRI", "FRII", "Compact", "Bent")


def identity(network="convXpress", seed=8901, *, classes=CLASSES, data="first", **changes):
    """Identity of a run; `changes` replace whole parts, `settings` is merged."""
    settings = {
        "learning_rate": 1e-4,
        "epochs": 3,
        "batch": 32,
        "optimizer": "adam",
        "schedule": "plateau",
        "size": [150, 150],
    } | changes.pop("settings", {})
    parts = {
        "version": 1,
        "network": network,
        "network_digest": digest_text(network),
        "settings": settings,
        "data": {
            "name": data,
            "digest": digest_text(f"images of {data}"),
            "classes": list(classes),
            "card": data,
        },
        "split": {
            "rule": "published",
            "digest": digest_text("published"),
            "train": 300,
            "validation": 40,
            "test": 40,
        },
        "preparation": {"clip": "none", "normalise": "scale255", "digest": digest_text("255")},
        "recipe": {"name": "rotations24", "digest": digest_text("24")},
        "seed": seed,
        "precision": "float32",
        "protocol": "standard",
    } | changes
    return {"digest": identity_digest(parts), **parts}


def predictions(classes, count, seed, skill):
    """Labels, then probabilities of ``best`` and ``final`` (a little worse)."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % len(classes)
    found = {}
    for model, factor in (("best", 1.0), ("final", 0.8)):
        logits = draw.normal(size=(count, len(classes)))
        logits += factor * skill * np.eye(len(classes))[labels]
        shares = np.exp(logits)
        found[model] = shares / shares.sum(axis=1, keepdims=True)
    return labels, found


def make_run(
    results,
    network="convXpress",
    seed=8901,
    *,
    skill=2.5,
    finished=None,
    varied=False,
    validated=False,
    **changes,
):
    """Write one complete run below `results` and return its folder.

    With `varied`, it has scores and was tested over twelve passes and at twelve angles; with
    `validated`, it has scores, predictions of the validation images and a temperature.
    """
    parts = identity(network, seed, **changes)
    word = network.replace("/", "_")
    folder = results / "runs" / f"{word}-{parts['data']['name']}-s{seed}-{parts['digest'][:8]}"
    folder.mkdir(parents=True)
    _write_files(folder, parts, skill)
    if varied:
        _write_varied(folder, parts, skill)
    if validated:
        _write_validated(folder, parts, skill)
    files = {name: digest_file(folder / name) for name in FILES}
    files |= {name: digest_file(folder / name) for name in OPTIONAL if (folder / name).exists()}
    speed = {"test_seconds": 0.4, "images_per_second": 100.0}
    alone = {"repeats": 5, "images": 40, "median_images_per_second": 250.0 + seed % 7}
    run = {
        "format": 1,
        "identity": parts,
        "fingerprint": {"backend": "tensorflow", "devices": ["CPU"], "threads": 2},
        "digests": content_digests(folder, parts) | {"files": files},
        "status": {
            "state": "complete",
            "reason": None,
            "epochs_done": parts["settings"]["epochs"],
            "marks": [],
        },
        "network": {
            "parameters": 4_567_944,
            "trainable_parameters": 4_567_944,
            "multiply_adds": 779_033_680,
        },
        "timings": {
            "training_seconds": 754.2,
            "training_images_per_second": 95.5,
            "inference": {"best": speed | {"batch_32": alone, "batch_1": alone}, "final": speed},
        },
        "created": "2026-01-01T10:00:00Z",
        "finished": finished or "2026-01-01T10:20:00Z",
    }
    write_json(folder / "run.json", run)
    return folder


def _write_files(folder, parts, skill):
    classes, count = tuple(parts["data"]["classes"]), parts["split"]["test"]
    labels, found = predictions(classes, count, parts["seed"], skill)
    epochs = range(1, parts["settings"]["epochs"] + 1)
    rows = [
        [e, 1.4 / e, 0.1, 0.9 - 0.5 / e, 1.5 / e, 0.8 - 0.5 / e, 1e-4, 9.5, 95.5] for e in epochs
    ]
    write_csv(folder / "history.csv", HISTORY, rows)
    header = ["model", "source", "label", *(f"p_{name}" for name in classes)]
    body = [
        [model, f"J{row:06d}", classes[labels[row]], *map(float, shares[row])]
        for model, shares in found.items()
        for row in range(count)
    ]
    write_csv(folder / "predictions.csv", header, body)
    metrics = {m: evaluate(labels, found[m], classes, seed=1, resamples=200) for m in found}
    for model in found:
        metrics[f"train_{model}"] = {"accuracy": 0.9, "cross_entropy": 0.3}
        metrics[f"validation_{model}"] = {"accuracy": 0.75, "cross_entropy": 0.6}
    write_json(folder / "metrics.json", metrics)
    for model in found:
        write_tensors(folder / f"{model}.safetensors", weights(model, parts["seed"]))


def weights(model, seed):
    """Weights of a layer too small for anything."""
    draw = np.random.default_rng([seed, len(model)])
    shapes = {"000|toy/classes/kernel": (3, 2), "001|toy/classes/bias": (2,)}
    return {name: draw.normal(size=shape).astype("float32") for name, shape in shapes.items()}


def content_digests(folder, parts):
    """Digests of what the files hold, as a run makes them before it writes any."""
    seed = parts["seed"]
    rows = read_table(folder / "history.csv")
    kept = [{k: text for k, text in row.items() if k not in TIMING_COLUMNS} for row in rows]
    table = read_predictions(folder / "predictions.csv", parts["data"]["classes"])
    scores = {model: one.scores for model, one in table.items() if one.scores is not None}
    return {
        "initial_weights": digest_text(f"initial_weights {seed}"),
        "best_weights": digest_arrays(weights("best", seed)),
        "final_weights": digest_arrays(weights("final", seed)),
        "history": digest_json(kept),
        "predictions": digest_arrays(scores),
    }


def source_names(count):
    """Names as MiraBest gives them, every second group of four uncertain."""
    return [f"1{row // 4 % 2}0_{row:03d}.000+001.000_0.1000_0010.00" for row in range(count)]


def varied_scores(parts, skill, passes, *, noise=1.0):
    """For both models: scores (n, classes), and of the passes (passes, n, classes)."""
    count, classes = parts["split"]["test"], len(parts["data"]["classes"])
    draw = np.random.default_rng(parts["seed"] + 1)
    labels = np.arange(count) % classes
    for model, factor in (("best", 1.0), ("final", 0.8)):
        plain = draw.normal(size=(count, classes)) + factor * skill * np.eye(classes)[labels]
        yield model, labels, plain, plain + noise * draw.normal(size=(passes, count, classes))


def _write_varied(folder, parts, skill):
    classes, count = tuple(parts["data"]["classes"]), parts["split"]["test"]
    metrics = json.loads((folder / "metrics.json").read_text())
    tables = {name: [] for name in ("predictions", "augmented", "rotation")}
    names, kept = source_names(count), {}
    groups = [certainty_of(name) for name in names]
    for model, labels, plain, passes in varied_scores(parts, skill, 12):
        shares = np.exp(plain) / np.exp(plain).sum(axis=1, keepdims=True)
        means, turned = per_source(labels, passes), rotation_robustness(passes, resamples=20)
        found = evaluate(labels, shares, classes, seed=1, resamples=20, scores=plain)
        found["augmented"] = evaluate_passes(labels, passes, classes, seed=1, resamples=20)
        found["rotation"] = turned.summary
        found["groups"] = evaluate_groups(labels, shares, classes, groups, resamples=20)
        metrics[model], kept[model] = found, passes.astype(np.float32)
        for row, name in enumerate(names):
            first = [model, name, classes[labels[row]]]
            tables["predictions"].append([*first, *shares[row].tolist(), *plain[row].tolist()])
            said = [*means.probabilities[row].tolist(), *means.scores[row].tolist()]
            tables["augmented"].append([*first, 12, int(means.wrong[row]), *said])
            steady = [float(turned.agreement[row]), float(turned.entropy[row]), turned.angles]
            tables["rotation"].append([*first, *steady])
    columns = ["model", "source", "label"]
    both = [f"{letter}_{name}" for letter in "ps" for name in classes]
    write_csv(folder / "predictions.csv", [*columns, *both], tables["predictions"])
    header = [*columns, "passes", "wrong", *both]
    write_csv(folder / "augmented.csv", header, tables["augmented"])
    header = [*columns, "agreement", "entropy", "turns"]
    write_csv(folder / "rotation.csv", header, tables["rotation"])
    np.savez(folder / "augmented.npz", **kept)
    np.savez(folder / "rotation.npz", **kept)
    write_json(folder / "metrics.json", metrics)


def confident_predictions(parts, skill, names):
    """Predictions of both models whose scores are twice what they should be."""
    return {
        model: Predictions(names, labels, tempered(2 * scores, 1), 2 * scores)
        for model, labels, scores, _ in varied_scores(parts, skill, 1)
    }


def _write_validated(folder, parts, skill):
    classes, split = tuple(parts["data"]["classes"]), parts["split"]
    metrics = json.loads((folder / "metrics.json").read_text())
    names = tuple(f"V{row:05d}" for row in range(split["validation"]))
    tested = confident_predictions(parts, skill, tuple(source_names(split["test"])))
    others = {**parts, "split": {"test": len(names)}, "seed": parts["seed"] + 1}
    seen = confident_predictions(others, skill, names)
    for model, found in tested.items():
        labels, scores = found.labels, found.scores
        entry = evaluate(labels, found.probabilities, classes, seed=1, resamples=20, scores=scores)
        fitted = temperature(seen[model].labels, seen[model].scores)
        entry["temperature"] = calibrated(fitted, labels, scores, seed=1, resamples=50)
        metrics[model] |= entry
        right = seen[model].probabilities.argmax(axis=1) == seen[model].labels
        metrics[f"validation_{model}"] |= {"accuracy": float(right.mean())}
    write_csv(folder / "predictions.csv", *prediction_table(tested, classes))
    write_csv(folder / "validation.csv", *prediction_table(seen, classes))
    write_json(folder / "metrics.json", metrics)


def make_failed(results, network="convXpress", seed=8901, reason="loss is NaN in epoch 2, batch 7"):
    """Write one failed run below `results` and return its folder."""
    folder = make_run(results, network, seed)
    for name in FILES[1:]:
        (folder / name).unlink()

    def fail(run):
        run["status"] |= {"state": "failed", "reason": reason, "epochs_done": 1}
        run["digests"] = {"initial_weights": "0"}
        run["timings"], run["finished"] = {}, None

    change_run(folder, fail)
    return folder


def change_run(folder, change):
    """Let `change` edit the content of run.json in place."""
    path = Path(folder) / "run.json"
    run = json.loads(path.read_text())
    change(run)
    path.write_text(json.dumps(run))


def value(folder, model="best", metric="mpca"):
    """A metric of a run."""
    return read_record(folder).metrics[model][metric]["value"]


def read_table(path):
    """Rows of a CSV file as dictionaries."""
    with Path(path).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))

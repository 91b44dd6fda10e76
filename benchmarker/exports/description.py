"""What goes beside or into an exported file, so that it can be used rightly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarker import __version__
from benchmarker.core.records import Record
from benchmarker.exports.source import IMAGE, PROBABILITIES
from benchmarker.metrics.classification import SCALARS
from benchmarker.runs.scores import batch_of
from benchmarker.runs.trained import Trained

FORMAT = 1
DECISION = "the class of highest probability"


def run_facts(record: Record, model: str) -> dict[str, Any]:
    """What a record says of the weights of one model: ready for JSON, no path in it."""
    identity, metrics = record.identity, record.metrics[model]
    return {
        "written_by": f"benchmarker {__version__}",
        "run": record.folder.resolve().name,
        "model": model,
        "identity": identity["digest"],
        "weights": record.run["digests"][f"{model}_weights"],
        "finished": record.run["finished"],
        "seed": record.seed,
        "settings": dict(record.settings),
        "protocol": identity["protocol"],
        "precision": identity["precision"],
        "recipe": {key: identity["recipe"][key] for key in ("name", "digest")},
        "data": {key: identity["data"].get(key) for key in ("name", "card", "digest")},
        "split": dict(identity["split"]),
        "network": dict(record.facts),
        "metrics": _scores(metrics),
        "decision": DECISION,
        "thresholds": metrics.get("thresholds"),
        "temperature": metrics.get("temperature"),
        "marks": list(record.run["status"]["marks"]),
        "fingerprint": dict(record.run["fingerprint"]),
    }


def _scores(metrics: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("n", "confusion_matrix", *SCALARS, "per_class", "auc_from", "flags", "undefined")
    return {key: metrics[key] for key in kept if key in metrics}


def known_facts(trained: Trained, model: str) -> dict[str, Any]:
    """`run_facts` of a run, those in a bundle, or nothing."""
    if trained.record is not None:
        return run_facts(trained.record, model)
    return dict(trained.facts)


def describe_export(trained: Trained, model: str) -> dict[str, Any]:
    """How to use a model file: its input, its output, and what is known of its weights."""
    facts = known_facts(trained, model)
    return {
        "format": FORMAT,
        "network": trained.network,
        "network_settings": dict(trained.network_settings),
        "network_digest": trained.network_digest,
        "input": {
            "name": IMAGE,
            "dtype": "float32",
            "shape": [None, *trained.shape],
            "axes": ["image", "row", "column", "channel"],
            "preparation": trained.preparation.as_dict(),
            "batch": batch_of(trained.model),
        },
        "output": {
            "name": PROBABILITIES,
            "dtype": "float32",
            "shape": [None, len(trained.classes)],
            "classes": list(trained.classes),
            "decision": DECISION,
            "temperature": (facts.get("temperature") or {}).get("value"),
        },
        "facts": facts or None,
    }

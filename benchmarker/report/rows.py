"""One row of the leaderboard from the runs of one configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarker.core.hashing import SHORT, digest_json
from benchmarker.core.records import Record
from benchmarker.metrics.seeds import average, check_seeds
from benchmarker.report import varied
from benchmarker.report.published import SHOWN, Published, all_beside, beside, published_names

HEAD = (
    "network",
    "data",
    "model",
    "learning_rate",
    "epochs",
    "batch",
    "size",
    "recipe",
    "preparation",
    "protocol",
    "precision",
    "split_rule",
    "seeds",
    "n_seeds",
    "mpca_mean",
    "mpca_sd",
    "mpca_low",
    "mpca_high",
    "mpca_iqm",
    "mpca_iqm_low",
    "mpca_iqm_high",
    "accuracy_mean",
    "accuracy_sd",
    "accuracy_low",
    "accuracy_high",
    "macro_f1_mean",
    "macro_f1_sd",
    "auc_mean",
    "auc_sd",
)
PER_CLASS = ("precision", "recall", "f1")
TAIL = (
    "calibration_error",
    *varied.COLUMNS,
    "parameters",
    "multiply_adds",
    "training_images_per_second",
    "inference_images_per_second",
    "published_value",
    "published_source",
    "state",
    "rank",
    "data_digest",
    "split_digest",
    "settings_digest",
    "published_metric",
    *(f"published_{name}" for name in SHOWN),
    "auc_from",
    "other_settings",
    "split_family",
    "metrics_version",
    "fingerprint",
    "reason",
    "note",
)
RANKED_WITHIN = ("data_digest", "split_family", "protocol", "model", "metrics_version")
SHOWN_SETTINGS = ("learning_rate", "epochs", "batch", "size")
# rules that draw the split by the run seed: its digest then differs from seed to seed
DRAWN_BY_SEED = re.compile(r"quota|fold|group|random|seed", re.IGNORECASE)
WHOLE_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
MIXED = "mixed"
REPEATED = "is there more than once"
SEED_IN_RULE = re.compile(r"[,;]?\s*\(?\bseed[ =:]*\d+\)?", re.IGNORECASE)


def group_key(record: Record) -> str:
    """Runs of one key differ in nothing but the seed (and the split drawn by it)."""
    identity = record.identity
    kept = {
        "settings": settings_digest(record),
        "network": identity["network"],
        "data": [record.data["name"], record.data["digest"]],
        "split": split_family(record),
        "metrics": _metrics_version(record),
    }
    return digest_json(kept)


def settings_digest(record: Record) -> str:
    """Digest of everything that determines a run except data, split and seed."""
    identity = record.identity
    parts = ("network", "network_digest", "settings", "precision", "protocol")
    digests = {part: identity[part]["digest"] for part in ("preparation", "recipe")}
    return digest_json({**{part: identity[part] for part in parts}, **digests})


def split_family(record: Record) -> str:
    """What the splits of different seeds have in common, as a short digest."""
    split = record.split
    # a rule that draws by seed may also give parts of slightly different sizes
    content = None if DRAWN_BY_SEED.search(split["rule"]) else split["digest"]
    return digest_json([_rule(record), content])[:SHORT]


def _rule(record: Record) -> str:
    return SEED_IN_RULE.sub("", record.split["rule"]).strip()


def _metrics_version(record: Record) -> int:
    return record.metrics["best"].get("version", 1)


def complete_row(
    runs: Sequence[Record], model: str, numbers: Sequence[Published], notes: Sequence[str] = ()
) -> dict[str, Any]:
    """The row of runs that share a `group_key`, one per seed: means over the seeds.

    Intervals and rank, which need the predictions and the other rows, are left None.
    """
    notes = list(notes)
    metrics = [run.metrics[model] for run in runs]
    row = base_row(runs[0], numbers)
    row |= {"model": model, "state": "complete"}
    row |= {"seeds": [run.seed for run in runs], "n_seeds": len(runs)}
    for name in ("mpca", "accuracy", "macro_f1", "auc"):
        found = average(entry[name]["value"] for entry in metrics)
        row |= {f"{name}_mean": found.mean, f"{name}_sd": found.sd}
        if found.n < len(runs):
            notes.append(f"{name} is undefined for {len(runs) - found.n} of the seeds")
    numbers_of_passes, remarks = varied.varied_columns(metrics)
    row |= numbers_of_passes | {"auc_from": varied.auc_origin(metrics)}
    notes += remarks
    if row["auc_from"] == MIXED:
        notes.append("the AUC ranks by scores in some of its runs, by probabilities in others")
    for name in runs[0].classes:
        for score in PER_CLASS:
            values = (entry["per_class"][name][score]["value"] for entry in metrics)
            row[f"{name}_{score}"] = average(values).mean
    row["calibration_error"] = _mean(entry["calibration_error"]["value"] for entry in metrics)
    row |= _speeds(runs)
    row["split_digest"] = _common((run.split["digest"] for run in runs), "one per seed")
    row["fingerprint"] = _common((_fingerprint(run) for run in runs), MIXED)
    row["metrics_version"] = _metrics_version(runs[0])
    unlike = _differing_fingerprint_keys(runs)
    notes += [f"its runs differ in {', '.join(unlike)}"] if unlike else []
    notes += sorted({mark for run in runs for mark in run.run["status"]["marks"]})
    row["note"] = "; ".join(notes)
    return row


def one_per_seed(group: Sequence[Record]) -> tuple[list[Record], list[str]]:
    """The newest run of each seed, ascending; a copied folder must not count twice."""
    newest: dict[int, Record] = {}
    for run in sorted(group, key=lambda run: (run.run["finished"] or "", run.folder.name)):
        newest[run.seed] = run
    repeated = check_seeds([run.seed for run in group], newest).repeated
    notes = [f"seed {seed} {REPEATED}, the newest run counts" for seed in repeated]
    return [newest[seed] for seed in sorted(newest)], notes


def failed_row(record: Record, numbers: Sequence[Published]) -> dict[str, Any]:
    """The row of one failed run: what it was and why it failed, no metric."""
    row = base_row(record, numbers)
    row |= {"state": "failed", "reason": record.reason, "seeds": [record.seed], "n_seeds": 0}
    row["split_digest"] = record.split["digest"]
    row["fingerprint"] = _fingerprint(record)
    return row


def base_row(record: Record, numbers: Sequence[Published]) -> dict[str, Any]:
    """What holds for every run of a row, complete or not."""
    identity, settings = record.identity, record.settings
    row: dict[str, Any] = dict.fromkeys(HEAD)
    row |= {f"{name}_{score}": None for name in record.classes for score in PER_CLASS}
    row |= dict.fromkeys(TAIL)
    row |= {"network": record.network, "data": record.data["name"]}
    row |= {key: settings[key] for key in ("learning_rate", "epochs", "batch")}
    row |= {
        "size": _size(settings["size"]),
        "recipe": identity["recipe"]["name"],
        "preparation": _preparation(identity["preparation"]),
        "protocol": identity["protocol"],
        "precision": identity["precision"],
        "split_rule": _rule(record),
        "split_family": split_family(record),
        "parameters": record.facts.get("parameters"),
        "multiply_adds": record.facts.get("multiply_adds"),
        "data_digest": record.data["digest"],
        "settings_digest": settings_digest(record),
        "other_settings": _other_settings(settings),
    }
    return row | _published(record, numbers)


def _published(record: Record, numbers: Sequence[Published]) -> dict[str, Any]:
    """The published numbers beside a row, under the first name that has any."""
    own = record.settings.get("network_settings") or {}
    for name in published_names(record.network, own):
        found = all_beside(numbers, name, record.data["name"])
        values = {f"published_{key}": found[key].value for key in SHOWN if key in found}
        number = beside(numbers, name, record.data["name"])
        if number is not None:
            protocol = "" if number.same_protocol else " (other protocol)"
            values |= {
                "published_value": number.value,
                "published_source": f"{number.source}{protocol}",
                "published_metric": number.metric,
            }
        if values:
            return values
    return {}


def _size(size: Sequence[int]) -> str:
    return str(size[0]) if len(set(size)) == 1 else "x".join(map(str, size))


def _preparation(preparation: dict[str, Any]) -> str:
    """Short text: clip and normalisation, then the names of what is switched on."""
    if "name" in preparation:
        return str(preparation["name"])
    words = [str(preparation[key]) for key in ("clip", "normalise") if key in preparation]
    words += [
        stretch for stretch in [preparation.get("stretch")] if stretch not in (None, "linear")
    ]
    words += [f"pad{side[0]}" for side in [preparation.get("pad")] if side]
    words += [
        f"(x-{scaling[0]:g})/{scaling[1]:g}"
        for scaling in [preparation.get("standardise")]
        if scaling
    ]
    words += [key for key, value in preparation.items() if value is True]
    return "+".join(words) or preparation["digest"][:SHORT]


def _other_settings(settings: dict[str, Any]) -> str:
    others = {key: value for key, value in settings.items() if key not in SHOWN_SETTINGS}
    words = (
        f"{key}={value if isinstance(value, str) else json.dumps(value, sort_keys=True)}"
        for key, value in sorted(others.items())
        if value is not None
    )
    # the weights that a run started from are named by their digest
    return WHOLE_DIGEST.sub(lambda found: found[0][:SHORT], " ".join(words))


def _mean(values: Iterable[float | None]) -> float | None:
    return average(values).mean


def _speeds(runs: list[Record]) -> dict[str, float | None]:
    return {
        "training_images_per_second": _mean(
            run.timings.get("training_images_per_second") for run in runs
        ),
        "inference_images_per_second": _mean(inference_speed(run) for run in runs),
    }


def inference_speed(record: Record) -> float | None:
    """Images per second of the network alone, batch 32, median of its repeats.

    Where only the timed test was recorded, that rate (with reading the images).
    """
    best = record.timings.get("inference", {}).get("best", {})
    alone = best.get("batch_32", {}).get("median_images_per_second")
    return alone if alone is not None else best.get("images_per_second")


def _fingerprint(record: Record) -> str:
    return digest_json(record.run["fingerprint"])[:SHORT]


def _differing_fingerprint_keys(runs: list[Record]) -> list[str]:
    """What the machines and versions of these runs do not have in common, e.g. threads."""
    found = [run.run["fingerprint"] for run in runs]
    keys = sorted({key for fingerprint in found for key in fingerprint})
    return [key for key in keys if len({digest_json(entry.get(key)) for entry in found}) > 1]


def _common(values: Iterable[str], otherwise: str) -> str:
    found = set(values)
    return found.pop() if len(found) == 1 else otherwise

"""Whether a run folder still is what the run wrote: form, digests, nothing missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarker.core import corruption_table
from benchmarker.core.errors import BenchmarkerError
from benchmarker.core.hashing import SHORT, digest_file
from benchmarker.core.records import (
    DIGESTED,
    MODELS,
    OPTIONAL,
    AugmentedTable,
    Predictions,
    Record,
    RotationTable,
    identity_digest,
    read_record,
)

ROUNDING = 1e-9


def check_record(folder: str | Path) -> list[str]:
    """Every fault of one run folder in words; an empty list if it is sound.

    Checked: the form of run.json; the digest over the identity and the folder's name; of a
    complete run the SHA-256 of every file recorded, that none is missing, and that
    history, predictions and metrics agree with each other and with run.json, also those
    of the validation images, over augmented passes and of turned images where the run has them.
    """
    try:
        record = read_record(folder)
    except BenchmarkerError as error:
        return str(error).splitlines()
    faults = _identity_faults(record) + _digest_faults(record)
    if record.is_complete:
        faults += _content_faults(record)
    return faults


def _identity_faults(record: Record) -> list[str]:
    stated = record.identity["digest"]
    faults = []
    if identity_digest(record.identity) != stated:
        faults.append("run.json: the identity was edited, its digest does not match")
    if not record.folder.resolve().name.endswith(f"-s{record.seed}-{stated[:SHORT]}"):
        ending = f"-s{record.seed}-{stated[:SHORT]}"
        faults.append(f"the folder is named {record.folder.name}, expected a name ending {ending}")
    return faults


def _digest_faults(record: Record) -> list[str]:
    recorded = record.run["digests"].get("files", {})
    faults = []
    if record.is_complete:
        faults += [
            f"run.json records no SHA-256 of {name}"
            for name in (*DIGESTED, *OPTIONAL)
            if name not in recorded and (name in DIGESTED or (record.folder / name).exists())
        ]
    for name, digest in recorded.items():
        # a name from a file is an input: nothing outside the folder is opened
        if Path(name).name != name:
            faults.append(f"run.json records a file outside the folder: {name!r}")
            continue
        path = record.folder / name
        if not path.is_file():
            faults.append(f"{name} is missing")
        elif digest_file(path) != digest:
            faults.append(f"{name} was changed after the run: its SHA-256 does not match run.json")
    return faults


def _content_faults(record: Record) -> list[str]:
    faults: list[str] = []
    checks = (_history_faults, _prediction_faults, _validation_faults, _augmented_faults)
    for check in (*checks, _rotation_faults, _array_faults, _corruption_faults):
        try:
            faults += check(record)
        except BenchmarkerError as error:
            faults += str(error).splitlines()
    return faults


def _history_faults(record: Record) -> list[str]:
    done = record.run["status"]["epochs_done"]
    epochs = [row.get("epoch") for row in record.history]
    if epochs == list(range(1, done + 1)):
        return []
    return [f"history.csv holds {len(epochs)} epochs, expected 1 to {done} in order"]


def _prediction_faults(record: Record) -> list[str]:
    metrics = record.metrics
    faults = []
    for model in MODELS:
        faults += _model_faults(record, model, metrics[model])
    if record.predictions("best").sources != record.predictions("final").sources:
        faults.append("predictions.csv: best and final were not tested on the same sources")
    return faults


def _model_faults(record: Record, model: str, metrics: dict) -> list[str]:
    found = record.predictions(model)
    where = f"predictions.csv, {model}"
    faults = []
    expected = record.split["test"]
    if len(found.sources) != expected:
        faults.append(f"{where}: {len(found.sources)} sources, the split has {expected}")
    if len(set(found.sources)) != len(found.sources):
        faults.append(f"{where}: a source is there more than once")
    if not (np.isfinite(found.probabilities).all() and (found.probabilities >= 0).all()):
        return [*faults, f"{where}: a probability is negative or not finite"]
    if metrics.get("auc_from") == "scores" and found.scores is None:
        faults.append(f"{where}: no scores, though metrics.json has the AUC from them")
    if found.scores is not None and not np.isfinite(found.scores).all():
        faults.append(f"{where}: a score is not finite")
    faults += [f"{where}: {text}" for text in _score_faults(found, metrics)]
    return faults


def _score_faults(found: Predictions, metrics: dict) -> list[str]:
    """Accuracy, MPCA and counts worked out again from the predictions."""
    classes = len(metrics["classes"])
    predicted = np.argmax(found.probabilities, axis=1)
    counts = np.bincount(found.labels * classes + predicted, minlength=classes**2)
    counts = counts.reshape(classes, classes)
    support = counts.sum(axis=1)
    recall = np.diag(counts)[support > 0] / support[support > 0]
    faults = []
    if counts.tolist() != metrics["confusion_matrix"]:
        text = f"they give the counts {counts.tolist()}"
        faults.append(f"{text}, metrics.json has {metrics['confusion_matrix']}")
    for name, value in (("accuracy", np.trace(counts) / counts.sum()), ("mpca", recall.mean())):
        stated = metrics[name]["value"]
        if stated is None or abs(stated - value) > ROUNDING:
            faults.append(f"they give {name} {value:.6f}, metrics.json has {stated}")
    return faults


def _validation_faults(record: Record) -> list[str]:
    faults: list[str] = []
    for model in MODELS:
        found = record.validation(model)
        stated = record.metrics[model].get("temperature")
        if found is None:
            if stated is not None and stated["n"]:
                faults.append(f"no validation.csv, though {model} has a temperature from it")
            continue
        texts = _other_validation(found, record, model)
        if stated is not None and stated["n"] != len(found.sources):
            texts.append(f"metrics.json has a temperature fitted on {stated['n']} sources")
        faults += [f"validation.csv, {model}: {text}" for text in texts]
    return faults


def _other_validation(found: Predictions, record: Record, model: str) -> list[str]:
    """What does not agree with the split, or with the accuracy that the run noted."""
    texts = []
    if len(found.sources) != record.split["validation"]:
        expected = record.split["validation"]
        texts.append(f"{len(found.sources)} sources, the split has {expected}")
    if len(set(found.sources)) != len(found.sources):
        texts.append("a source is there more than once")
    both = set(found.sources) & set(record.predictions(model).sources)
    if both:
        texts.append(f"{len(both)} of its sources are test sources, e.g. {min(both)}")
    values = [found.probabilities] + ([] if found.scores is None else [found.scores])
    if not all(np.isfinite(part).all() for part in values) or (found.probabilities < 0).any():
        return [*texts, "a probability is negative, or a number is not finite"]
    noted = record.metrics.get(f"validation_{model}", {}).get("accuracy")
    accuracy = np.mean(found.probabilities.argmax(axis=1) == found.labels)
    # the legacy protocol notes the accuracy over varied images
    if noted is not None and record.identity["protocol"] == "standard":
        texts += _unlike("the accuracy", accuracy, {"value": noted})
    return texts


def _augmented_faults(record: Record) -> list[str]:
    faults: list[str] = []
    for model in MODELS:
        found = record.augmented(model)
        if found is None:
            continue
        texts = [*_other_sources(found, record, model), *_impossible_passes(found)]
        if len(found.sources) < len(record.predictions(model).sources):
            texts.append("it has not all sources of predictions.csv")
        stated = record.metrics[model].get("augmented")
        if not texts and stated is not None:
            rate = found.wrong / found.passes
            texts += _unlike("the accuracy", 1 - rate.mean(), stated["pooled"]["accuracy"])
            if not np.allclose(rate, stated["wrong_rate"], rtol=0, atol=ROUNDING):
                texts.append("metrics.json has other shares of wrong passes")
        faults += [f"augmented.csv, {model}: {text}" for text in texts]
    return faults


def _rotation_faults(record: Record) -> list[str]:
    faults: list[str] = []
    for model in MODELS:
        found = record.rotation(model)
        if found is None:
            continue
        texts = [*_other_sources(found, record, model), *_impossible_turns(found)]
        stated = record.metrics[model].get("rotation")
        if not texts and stated is not None:
            texts += _unlike("the agreement", found.agreement.mean(), stated["agreement"])
            texts += _unlike("the entropy", found.entropy.mean(), stated["entropy"])
        faults += [f"rotation.csv, {model}: {text}" for text in texts]
    return faults


def _array_faults(record: Record) -> list[str]:
    for what in ("augmented", "rotation"):
        for model in MODELS:
            _ = record.all_scores(what, model)  # raises where the array has another shape
    return []


def _corruption_faults(record: Record) -> list[str]:
    rows = record.corruptions()
    return [
        f"{corruption_table.FILE}, {text}"
        for text in corruption_table.corruption_faults(rows or (), record.metrics)
    ]


def _other_sources(found: AugmentedTable | RotationTable, record: Record, model: str) -> list[str]:
    """What does not agree with predictions.csv; of many sources only some may be turned."""
    plain = record.predictions(model)
    label_of = dict(zip(plain.sources, plain.labels.tolist(), strict=True))
    there = set(found.sources)
    if len(there) != len(found.sources) or not there <= label_of.keys():
        return ["it has a source that predictions.csv has not, or one twice"]
    if [label_of[source] for source in found.sources] != found.labels.tolist():
        return ["it has other labels than predictions.csv"]
    if [source for source in plain.sources if source in there] != list(found.sources):
        return ["its sources are in another order than those of predictions.csv"]
    return []


def _impossible_passes(found: AugmentedTable) -> list[str]:
    faults = []
    if (found.passes < 1).any() or len(set(found.passes.tolist())) > 1:
        faults.append("the sources were not all shown equally often, at least once")
    if (found.wrong < 0).any() or (found.wrong > found.passes).any():
        faults.append("a source is wrong more often than it was shown")
    shares = found.probabilities
    if not (np.isfinite(shares).all() and (shares >= 0).all() and np.isfinite(found.scores).all()):
        faults.append("a probability is negative, or a mean is not finite")
    return faults


def _impossible_turns(found: RotationTable) -> list[str]:
    faults = []
    if (found.turns < 1).any() or len(set(found.turns.tolist())) > 1:
        faults.append("the sources were not all shown at equally many angles, at least one")
    if not ((found.agreement > 0) & (found.agreement <= 1)).all():
        faults.append("an agreement is not above 0 and at most 1")
    if not (np.isfinite(found.entropy) & (found.entropy >= 0)).all():
        faults.append("an entropy is negative or not finite")
    return faults


def _unlike(what: str, value: float, stated: dict) -> list[str]:
    if stated["value"] is not None and abs(stated["value"] - value) <= ROUNDING:
        return []
    return [f"its rows give {what} {value:.6f}, metrics.json has {stated['value']}"]

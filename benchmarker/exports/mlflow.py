"""A record as a run of an MLflow tracking server or folder, written after the fact."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from benchmarker.core.errors import SettingsError
from benchmarker.core.extras import require
from benchmarker.core.records import Record
from benchmarker.exports.series import begun, ended, points, settings_of

IDENTITY = "benchmarker.identity"
MODEL_OF_RUN = "benchmarker.weights"
EXPERIMENT = "benchmarker"
AT_ONCE = 500  # metrics in one request; servers take at most 1000
LONGEST_VALUE = 500  # letters of a parameter that every server takes
# the folder store must be asked for; the user did, by naming a folder
FOLDER_STORE = "MLFLOW_ALLOW_FILE_STORE"


def write_run(record: Record, uri: str, experiment: str = EXPERIMENT) -> tuple[str, bool]:
    """Write history, test metrics and settings of a record to an MLflow store.

    Arguments
    ---------
    record : with at least one finished epoch
    uri : ``http://...`` of a server, or a folder; what else MLflow knows where all of it is
        installed
    experiment : name, made where it is not there

    Returns the MLflow run's name there and whether it was written: the same record is written
    once. Raises `SettingsError` where MLflow is not installed or refuses.
    """
    require("MLflow", "tracking", "mlflow")
    with _folder_store(uri):
        import mlflow

        try:
            client = mlflow.MlflowClient(tracking_uri=_plain_uri(uri))
            place = _experiment(client, experiment)
            known = _known(client, place, record)
            return (known, False) if known else (_written(client, place, record), True)
        except mlflow.exceptions.MlflowException as error:
            reason = str(error).strip().splitlines()[0]
            message = f"MLflow at {uri} refuses: {reason}"
            raise SettingsError(message) from error


def _plain_uri(uri: str) -> str:
    return Path(uri).resolve().as_uri() if _is_folder(uri) and "://" not in uri else uri


def _is_folder(uri: str) -> bool:
    return urlparse(uri).scheme in ("", "file")


@contextmanager
def _folder_store(uri: str) -> Iterator[None]:
    before = os.environ.get(FOLDER_STORE)
    if _is_folder(uri):
        os.environ[FOLDER_STORE] = "true"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(FOLDER_STORE, None)
        else:
            os.environ[FOLDER_STORE] = before


def _experiment(client: Any, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return client.create_experiment(name) if found is None else found.experiment_id


def _known(client: Any, place: str, record: Record) -> str | None:
    """The run there of the same identity and the same weights, if there is one that ended."""
    words = {IDENTITY: record.identity["digest"], MODEL_OF_RUN: _weights(record)}
    query = " and ".join(f"tags.`{key}` = '{value}'" for key, value in words.items())
    for run in client.search_runs([place], query):
        if run.info.status == "FINISHED":
            return run.info.run_id
    return None


def _weights(record: Record) -> str:
    return str(record.run["digests"].get("final_weights", "none"))


def _written(client: Any, place: str, record: Record) -> str:
    from mlflow.entities import Metric, Param

    rows = list(points(record))  # a run without epochs is refused before anything is made
    tags = {
        IDENTITY: record.identity["digest"],
        MODEL_OF_RUN: _weights(record),
        "benchmarker.state": record.state,
        "mlflow.runName": record.folder.resolve().name,
    }
    began = _milliseconds(begun(record))
    run = client.create_run(place, start_time=began, tags=tags).info.run_id
    values = [Param(key, str(value)[:LONGEST_VALUE]) for key, value in settings_of(record).items()]
    client.log_batch(run, params=values)
    metrics = [Metric(p.name, p.value, _milliseconds(p.seconds), p.epoch) for p in rows]
    for first in range(0, len(metrics), AT_ONCE):
        client.log_batch(run, metrics=metrics[first : first + AT_ONCE])
    finished = _milliseconds(ended(record) or rows[-1].seconds)
    client.set_terminated(run, "FINISHED" if record.is_complete else "FAILED", finished)
    return run


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)

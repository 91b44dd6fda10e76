"""The page of one run, and the list of all runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarker.core.records import MODELS, Record
from benchmarker.report.site import evidence, figures, words
from benchmarker.report.site.material import Material
from benchmarker.report.site.network_page import SCORES
from benchmarker.report.text import duration

LOG_LINES = 200  # of the end of a log
LOG_BYTES = 200_000
LONGEST_VALUE = 400  # letters of one setting; an expansion of many rotations is longer


def run_page(material: Material, record: Record) -> dict[str, Any]:
    """What the template of a run's page needs; files that cannot be read are named."""
    reader = evidence.Reader()
    histories = reader.histories([record])
    page = {
        "record": record,
        "status": status(record),
        "scores": _scores(record),
        "learning": [chart.drawn() for chart in figures.learning(histories)],
        "sections": [
            ("Settings", flat(record.settings)),
            ("Data and split", flat({"data": record.data, "split": record.split})),
            (
                "Preparation and recipe",
                flat({name: record.identity[name] for name in ("preparation", "recipe")}),
            ),
            ("Fingerprint", flat(record.run["fingerprint"])),
            ("Digests", _digests(record)),
        ],
        "log": log_end(record),
        "network_page": material.network_page(record),
    }
    return page | {"faults": [words.printable(text) for text in reader.faults]}


def runs_page(material: Material) -> dict[str, Any]:
    """What the template of the list of all runs needs."""
    rows = []
    for number, record in enumerate(material.records):
        score = record.metrics[evidence.MODEL]["mpca"]["value"] if record.is_complete else None
        rows.append(
            {
                "id": f"run-{number}",
                "record": record,
                "page": material.run_page(record),
                "score": score,
                "search": f"{record.folder.name} {record.state}".lower(),
            }
        )
    states = sorted({record.state for record in material.records})
    return {"rows": rows, "states": states}


def status(record: Record) -> list[tuple[str, str]]:
    """How the run ended, and how long it took."""
    found, timings = record.run["status"], record.timings
    pairs = [
        ("state", found["state"]),
        ("reason", found["reason"]),
        ("epochs done", found["epochs_done"]),
        ("stopped early", found.get("stopped_early")),
        ("best epoch", record.run.get("best_epoch")),
        ("marks", found["marks"] or None),
        ("begun", record.run["created"]),
        ("finished", record.run["finished"]),
    ]
    if "training_seconds" in timings:
        pairs.append(("training", duration(timings["training_seconds"])))
    if "training_images_per_second" in timings:
        pairs.append(("training images/s", f"{timings['training_images_per_second']:.0f}"))
    return [(name, words.shown(value)) for name, value in pairs if value is not None]


def _scores(record: Record) -> list[tuple[str, list[str]]]:
    """Scores of best and final weights with intervals over the test images."""
    if not record.is_complete:
        return []
    entries = [record.metrics[model] for model in MODELS]
    return [
        (heading, [words.with_interval(entry[name]) for entry in entries])
        for name, heading in SCORES
    ]


def _digests(record: Record) -> list[tuple[str, str]]:
    of_identity = {"identity": record.identity["digest"]}
    of_identity["network definition"] = record.identity["network_digest"]
    return flat({**of_identity, **record.run["digests"]})


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Names and values of nested settings on one level, ``split train 300``."""
    found = []
    for key, value in values.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, Mapping) and value:
            found += flat(value, f"{name} ")
        else:
            text = words.shown(value)
            short = f"{text[:LONGEST_VALUE]}…" if len(text) > LONGEST_VALUE else text
            found.append((name, short))
    return found


def log_end(record: Record) -> dict[str, Any] | None:
    """The last lines of log.txt and whether there are more before; None without a log."""
    path = record.folder / "log.txt"
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(size - LOG_BYTES, 0))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return None
    lines = words.printable(text).splitlines()
    kept = lines[-LOG_LINES:]
    return {"text": "\n".join(kept), "cut": size > LOG_BYTES or len(lines) > len(kept)}

"""Results folders and sites made of them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarker.cli.verb_report import known_network
from benchmarker.core.records import read_record
from benchmarker.networks.registry import find
from benchmarker.report.site.build import build
from tests.report.factory import change_run, make_failed, make_run

HOSTILE = "<b>net</b>\"'><script>document.title='taken'</script>"
HOSTILE_CLASSES = ("<i>FRI</i>", 'FR"II', "{{ 7*7 }}", "&amp;")


def build_site(results, output):
    """The site of a results folder, its foot without the time."""
    return build(results, output, known=known_network, made="a test")


def keep_mistakes(folder, *, places=True):
    """Give a run the mistakes that its predictions have, with drawn images."""
    record = read_record(folder)
    said = record.predictions("best")
    predicted = said.probabilities.argmax(axis=1)
    rows = np.flatnonzero(predicted != said.labels)
    rows = rows[np.argsort(-said.probabilities[rows].max(axis=1), kind="stable")][:16]
    draw = np.random.default_rng(record.seed)
    unknown = np.full(len(rows), np.nan)
    np.savez(
        folder / "mistakes.npz",
        sources=np.array([said.sources[row] for row in rows], dtype=np.str_),
        images=draw.integers(0, 255, (len(rows), 24, 24), dtype=np.uint8),
        labels=said.labels[rows],
        predicted=predicted[rows],
        probability=said.probabilities[rows].max(axis=1),
        ra_deg=draw.uniform(0, 360, len(rows)) if places else unknown,
        dec_deg=draw.uniform(-90, 90, len(rows)) if places else unknown,
    )


def make_results(results):
    """Runs of several networks, good and bad, and folders that are no runs."""
    seeds = (8901, 1826, 4915)
    known = {"network_digest": find("convXpress").digest, "settings": {"size": [300, 300]}}
    for network, skill, more in (
        ("convXpress", 3.0, known),
        ("mcrgnet", 0.6, {}),
        ("own", 0.5, {}),
        ("turning", 1.0, {"varied": True, "data": "turned"}),
    ):
        for seed in seeds:
            keep_mistakes(make_run(results, network, seed, skill=skill, **more))
    change = {"multiply_adds": 8_000_000, "parameters": 30_000}
    for folder in (results / "runs").glob("mcrgnet-*"):
        change_run(folder, lambda run: run["network"].update(change))
    for seed in seeds[:2]:
        make_run(results, "convXpress", seed, data="other", classes=HOSTILE_CLASSES)
    folder = make_run(results, HOSTILE, 7, skill=1.0, data="<data>")
    keep_mistakes(folder, places=False)
    (folder / "log.txt").write_text("<script>document.title='taken'</script>\x1b[31m & done\n")
    folder.rename(folder.with_name("odd <name> & 'more' #1?"))
    make_failed(results, "failing", 3, reason="loss is <NaN> in epoch 2")
    spoil(results)
    return results


def spoil(results):
    """Folders that must be named and left out."""
    runs = results / "runs"
    (runs / "foreign").mkdir()
    (runs / "foreign" / "holiday.jpg").write_bytes(b"no run")
    (runs / "half").mkdir()
    (runs / "half" / "run.json").write_text('{"format": 1, "ident')
    broken = make_run(results, "broken", 5)
    (broken / "metrics.json").write_text(json.dumps({"best": {}}))
    edited = make_run(results, "edited", 5)
    table = edited / "predictions.csv"
    table.write_text(table.read_text().replace("0.", "0.0", 1))


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """One results folder for all tests that only read it."""
    return make_results(tmp_path_factory.mktemp("report") / "results")


@pytest.fixture(scope="session")
def site(results, tmp_path_factory):
    """The site of it; tests must leave it as it is."""
    output = tmp_path_factory.mktemp("written") / "my site"
    return build_site(results, output).index.parent


@pytest.fixture
def few(tmp_path):
    """A small results folder of one network for tests that change it."""
    folder = tmp_path / "results"
    for seed in (8901, 1826):
        make_run(folder, "mcrgnet", seed)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def network_page(site, start):
    """Path of the only page of a network whose file name begins so."""
    (found,) = Path(site, "networks").glob(f"{start}*.html")
    return found

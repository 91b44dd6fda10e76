"""Scores apart by facts of the sources, on a network's page."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, recall_score

from benchmarker.core.files import write_csv
from benchmarker.core.records import read_record
from benchmarker.report.site.evidence import Reader
from benchmarker.report.site.fact_part import by_facts
from tests.report.factory import make_run
from tests.report.site.conftest import build_site
from tests.report.site.reading import page, table


def with_facts(folder, seed=1):
    """A run folder whose test sources have a band and a strength."""
    sources = read_record(folder).predictions("best").sources
    rng = np.random.default_rng(seed)
    bands = rng.choice(["072-080", "223-231"], len(sources))
    strength = rng.lognormal(1, 1, len(sources))
    rows = zip(sources, bands, strength, strict=True)
    write_csv(folder / "sources.csv", ["source", "band", "strength"], rows)
    return np.array(bands), strength


def test_shares_are_those_of_scikit_learn(tmp_path):
    folders = [make_run(tmp_path, seed=seed) for seed in (1, 2)]
    (bands, _), _ = (with_facts(folder) for folder in folders)
    reader = Reader()
    tests = reader.tested([read_record(folder) for folder in folders])
    first = tests[0]
    found = by_facts(tests, first.record.classes, reader)
    assert [part["name"] for part in found] == ["band", "strength"]
    labels = np.concatenate([test.labels for test in tests])
    guessed = np.concatenate([test.said.probabilities.argmax(axis=1) for test in tests])
    own = np.tile(bands == "072-080", 2)
    row = found[0]["rows"][0]
    assert row["name"] == "072-080"
    assert row["n"] == str(own.sum())
    assert float(row["cells"][0]) == pytest.approx(
        100 * accuracy_score(labels[own], guessed[own]), abs=0.05
    )
    recall = recall_score(labels[own], guessed[own], average=None, labels=range(4))
    assert [float(cell) for cell in row["cells"][2:]] == pytest.approx(100 * recall, abs=0.05)
    assert found[0]["chart"] is None
    assert found[1]["chart"]["title"] == "Accuracy by strength"


def test_the_page_shows_them_and_one_without_says_nothing(tmp_path):
    with_facts(make_run(tmp_path, "convXpress"))
    make_run(tmp_path, "mcrgnet")
    site = tmp_path / "site"
    build_site(tmp_path, site)
    texts = {path.name.split("-")[0]: path.read_text() for path in (site / "networks").iterdir()}
    assert "Accuracy by strength" in texts["convXpress"]
    assert "By band" in texts["convXpress"]
    assert 'id="facts"' not in texts["mcrgnet"]
    (path,) = (site / "networks").glob("convXpress-*")
    rows = table(page(path), "Test images of all seeds by band")
    assert [cells[0] for cells in rows] == ["072-080", "223-231"]


def test_a_damaged_table_is_named(tmp_path):
    folder = make_run(tmp_path)
    (folder / "sources.csv").write_text("source,band\nnobody,x\n")
    reader = Reader()
    tests = reader.tested([read_record(folder)])
    assert by_facts(tests, tests[0].record.classes, reader) == []
    assert "sources.csv: no row of" in reader.faults[0]

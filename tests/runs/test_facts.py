"""What a set knows of its sources stands beside the predictions of a run."""

import shutil

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError
from benchmarker.core.records import find_records, read_record
from benchmarker.metrics.by_fact import shares_by
from tests.runs.commands import command
from tests.runs.toy import toy_arrays

LIST = "mcrgnet,1e-3,1,batch=32,recipe=none,schedule=constant"


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    folder = tmp_path_factory.mktemp("facts")
    arrays, rng = toy_arrays(60), np.random.default_rng(2)
    bands = np.array(["072-080", "223-231"])[rng.integers(0, 2, 60)]
    strength = rng.lognormal(size=60)
    strength[:30:7] = np.nan
    np.savez(folder / "toy.npz", **arrays, fact_band=bands, fact_strength=strength)
    (folder / "list.txt").write_text(LIST)
    done = command("-a", "list.txt", "-d", "toy.npz", "--threads", "1", cwd=folder)
    assert done.returncode == 0, done.stderr
    (found,) = find_records(folder / "results")
    known = dict(zip(arrays["sources"].tolist(), zip(bands, strength, strict=True), strict=True))
    return found, known


def test_facts_are_those_of_the_test_sources(record):
    found, known = record
    facts = found.source_facts()
    sources = found.predictions("best").sources
    assert facts["band"] == tuple(known[source][0] for source in sources)
    for source, text in zip(sources, facts["strength"], strict=True):
        value = known[source][1]
        assert (text == "") == np.isnan(value)
        assert not text or float(text) == value


def test_they_are_drawn_and_digested(record):
    found, _ = record
    assert {"by_band.png", "by_strength.png"} <= {
        path.name for path in (found.folder / "plots").iterdir()
    }
    assert "sources.csv" in found.run["digests"]["files"]
    predictions = found.predictions("best")
    predicted = predictions.probabilities.argmax(axis=1)
    facts = found.source_facts()
    shares = shares_by(facts["band"], predictions.labels, predicted, found.classes)
    assert sum(share.n for share in shares) == len(predictions.sources)


def test_a_source_that_is_missing_is_named(record, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(record[0].folder, folder)
    lines = (folder / "sources.csv").read_text().splitlines()
    (folder / "sources.csv").write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(InputFileError, match=f"no row of {lines[-1].split(',')[0]}"):
        read_record(folder).source_facts()

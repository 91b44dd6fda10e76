"""The table, the summary and the exit code of a classification."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarker.hosts.radiance.result_cards import Provenance
from benchmarker.hosts.radiance.results import Classified
from benchmarker.hosts.radiance.tables import Verdict, summary_of, write_results


def result(name, probabilities=None, error=""):
    scores = None if probabilities is None else np.log(probabilities)
    return Classified(Path(name), scores, 0.1, "" if error else "header", error)


GOOD = result("good.fits", [0.97, 0.01, 0.01, 0.01])
SPLIT = result("split.fits", [0.40, 0.30, 0.02, 0.28])  # interference either way, never first
SIS = result("sis.fits", [0.10, 0.05, 0.80, 0.05])
BROKEN = result("broken.fits", error="broken.fits: cut off,\n really")


@pytest.mark.parametrize(
    ("fail_on", "threshold", "results", "code"),
    [
        (None, 0.5, [GOOD, SPLIT, SIS], 0),
        ("rfi", 0.5, [GOOD, SIS], 0),
        ("rfi", 0.5, [GOOD, SPLIT], 3),
        ("rfi", 0.6, [GOOD, SPLIT], 0),
        ("sis", 0.5, [GOOD, SPLIT], 0),
        ("sis", 0.5, [SIS], 3),
        ("any", 0.5, [GOOD], 0),
        ("any", 0.5, [GOOD, SPLIT], 3),
        ("any", 0.01, [GOOD], 3),
        (None, 0.5, [GOOD, BROKEN], 2),
        ("any", 0.5, [SIS, BROKEN], 2),
        ("any", 0.5, [], 0),
    ],
)
def test_exit_codes(fail_on, threshold, results, code):
    assert Verdict(fail_on, threshold).exit_code(results) == code


def test_found_images_are_named():
    found = Verdict("rfi").found([GOOD, BROKEN, SPLIT, SIS])
    assert found == [Path("split.fits")]


def test_table_and_summary_keep_the_order_and_say_what_is_missing(tmp_path):
    results, codes = [SIS, BROKEN, GOOD], [2, None, 0]
    verdict, provenance = Verdict("sis"), Provenance("net", "0123abcd", "2026-01-01T00:00:00")
    summary = summary_of(codes, results, verdict, provenance)
    written = write_results(tmp_path / "out", codes, results, summary, statistics=True)
    rows = list(csv.DictReader((tmp_path / "out/probabilities.csv").read_text().splitlines()))
    assert [row["path"] for row in rows] == ["sis.fits", "broken.fits", "good.fits"]
    assert [row["label"] for row in rows] == ["sis", "", "good"]
    assert rows[0]["sis"] == "0.80000000"
    assert rows[0]["rfisum"] == "0.10000000"
    assert rows[1] == dict.fromkeys(rows[1], "") | {
        "path": "broken.fits",
        "error": "broken.fits: cut off, really",
    }
    told = json.loads((tmp_path / "out" / "probabilities.json").read_text())
    assert told == json.loads(json.dumps(summary))
    assert told["counts"] == {"good": 1, "rfi": 0, "sis": 1, "rfisis": 0}
    assert (told["failed"], told["accuracy_percent"], told["exit_code"]) == (1, 100.0, 2)
    assert told["found"] == ["sis.fits"]
    assert told["images"][1]["probabilities"] is None
    assert sum(told["images"][0]["probabilities"].values()) == pytest.approx(1.0)
    assert all(path.is_file() for path in written)
    assert len(written) == 9


def test_without_a_question_nothing_is_found_and_without_labels_nothing_right():
    summary = summary_of([None], [SPLIT], Verdict(), Provenance("net", "0", "d"))
    assert summary["found"] == []
    assert summary["accuracy_percent"] is None

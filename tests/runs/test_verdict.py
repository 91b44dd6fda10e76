"""How far two runs of one identity agree."""

import json

import numpy as np
import pytest

from benchmarker.core.files import write_csv, write_json
from benchmarker.core.records import read_record
from benchmarker.metrics.classification import evaluate
from benchmarker.runs.one_run import NOT_EXACT
from benchmarker.runs.verdict import DIFFERENT, EQUAL, IDENTICAL, Compared, compare
from tests.report.factory import change_run, make_run, read_table


def record_of(place, **options):
    return read_record(make_run(place, **options))


def other_answers(folder, changed, *, right=False):
    """Give `changed` test sources another class, in the tables, the metrics and the digests.

    With `right`, all of them get the class of their label.
    """
    rows = read_table(folder / "predictions.csv")
    columns = [name for name in rows[0] if name.startswith("p_")]
    for row in [row for row in rows if row["model"] == "best"][:changed]:
        values = [row[name] for name in columns]
        others = dict.fromkeys(columns, "0.01") | {f"p_{row['label']}": "0.97"}
        rolled = dict(zip(columns, [*values[1:], values[0]], strict=True))
        row.update(others if right else rolled)
    write_csv(folder / "predictions.csv", list(rows[0]), [list(row.values()) for row in rows])
    table = read_record(folder).predictions("best")
    metrics = json.loads((folder / "metrics.json").read_text())
    classes = metrics["best"]["classes"]
    metrics["best"] = evaluate(table.labels, table.probabilities, classes, resamples=50)
    write_json(folder / "metrics.json", metrics)
    change_run(folder, lambda run: run["digests"].update(predictions="1", best_weights="2"))
    return read_record(folder)


def test_a_copy_is_identical(tmp_path):
    found = compare(record_of(tmp_path / "a"), record_of(tmp_path / "b"))
    assert (found.outcome, found.fine, found.first_epoch) == (IDENTICAL, True, None)
    assert all(found.same.values())
    assert json.dumps(found.as_dict(), allow_nan=False)


def test_one_bit_of_the_weights_is_no_longer_identical(tmp_path):
    other = make_run(tmp_path / "b")
    change_run(other, lambda run: run["digests"].update(final_weights="0"))
    found = compare(record_of(tmp_path / "a"), read_record(other))
    assert (found.outcome, found.fine) == (EQUAL, False)  # nothing explains it
    assert [name for name, same in found.same.items() if not same] == ["final_weights"]


def test_few_other_answers_are_chance_and_many_are_not(tmp_path):
    record = record_of(tmp_path / "a", skill=4.0)
    few = other_answers(make_run(tmp_path / "b", skill=4.0), 1)
    many = other_answers(make_run(tmp_path / "c", skill=4.0), 30)
    equal, different = compare(record, few), compare(record, many)
    assert (equal.outcome, len(equal.changed)) == (EQUAL, 1)
    assert different.outcome == DIFFERENT
    one = different.scores["accuracy"]
    assert one.difference == pytest.approx(one.again - one.recorded)
    assert one.low < one.difference < one.high < 0
    assert different.scores["mpca"].own_low == record.metrics["best"]["mpca"]["low"]


def test_what_differs_in_the_fingerprint_explains_other_bits(tmp_path):
    other = make_run(tmp_path / "b")
    change_run(other, lambda run: run["fingerprint"].update(threads=4))
    change_run(other, lambda run: run["digests"].update(history="0"))
    found = compare(record_of(tmp_path / "a"), read_record(other))
    assert found.unlike == ("threads: 2 recorded, 4 here",)
    assert (found.outcome, found.fine) == (EQUAL, True)


@pytest.mark.parametrize(
    ("mark", "explains"),
    [
        (NOT_EXACT, True),
        ("resumed elsewhere: threads: 1 recorded, 2 here", True),
        ("whether test sources trained init is not known", False),
    ],
)
def test_marks_of_the_record_explain_other_bits(tmp_path, mark, explains):
    marked = make_run(tmp_path / "a")
    change_run(marked, lambda run: run["status"].update(marks=[mark]))
    other = make_run(tmp_path / "b")
    change_run(other, lambda run: run["digests"].update(history="0"))
    assert compare(read_record(marked), read_record(other)).fine is explains


def test_a_record_with_faults_is_never_fine(tmp_path):
    found = compare(record_of(tmp_path / "a"), record_of(tmp_path / "b"), ["a fault"])
    assert (found.outcome, found.fine) == (IDENTICAL, False)


def test_the_first_differing_epoch(tmp_path):
    other = make_run(tmp_path / "b")
    rows = read_table(other / "history.csv")
    rows[1]["accuracy"], rows[0]["seconds"] = "0.5", "1.0"
    write_csv(other / "history.csv", list(rows[0]), [list(row.values()) for row in rows])
    record = record_of(tmp_path / "a")
    assert compare(record, read_record(other)).first_epoch == 2
    write_csv(other / "history.csv", list(rows[0]), [])
    assert compare(record, read_record(other)).first_epoch == 1


def test_seeds_beside_the_record_say_what_is_usual(tmp_path):
    seeds = [make_run(tmp_path / "a", seed=seed, skill=4.0) for seed in (8901, 1826, 4915)]
    make_run(tmp_path / "a", network="simple", skill=0.0)
    other = other_answers(make_run(tmp_path / "b", skill=4.0), 30)
    values = [read_record(folder).metrics["best"]["mpca"]["value"] for folder in seeds]
    found = compare(read_record(seeds[0]), other).scores["mpca"]
    assert (found.seeds, found.sd) == (3, pytest.approx(np.std(values, ddof=1)))


@pytest.mark.parametrize(
    ("changes", "equal"),
    [
        ({}, False),
        ({"difference": 0.0}, True),
        ({"low": -0.01}, True),
        ({"seeds": 3, "sd": 0.05}, True),
        ({"seeds": 2, "sd": 0.05}, False),
        ({"seeds": 3, "sd": 0.01}, False),
        ({"low": None, "high": None}, False),
        ({"difference": None, "recorded": None, "again": None}, True),
    ],
)
def test_when_two_scores_count_as_equal(changes, equal):
    usual = {
        "recorded": 0.8, "again": 0.9, "difference": 0.1, "low": 0.02, "high": 0.18,
        "own_low": 0.7, "own_high": 0.9, "seeds": 1, "sd": None,
    }  # fmt: skip
    assert Compared(**{**usual, **changes}).equal is equal

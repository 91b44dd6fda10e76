"""Predictions of the validation images in a run's folder, and what a check says of them."""

import json

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError
from benchmarker.core.record_check import check_record
from benchmarker.core.records import read_record
from tests.core.test_record_tables import record_again, replace_cell, rewrite
from tests.report.factory import CLASSES, change_run, make_run


@pytest.fixture
def folder(tmp_path):
    return make_run(tmp_path, validated=True)


def edit_metrics(folder, change):
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text())
    change(metrics)
    path.write_text(json.dumps(metrics))
    record_again(folder, "metrics.json")


def test_validation_predictions_are_read_by_model(folder):
    record = read_record(folder)
    best, final = record.validation("best"), record.validation("final")
    assert best.sources == final.sources
    assert best.sources[:2] == ("V00000", "V00001")
    assert best.scores.shape == (40, len(CLASSES))
    assert not np.array_equal(best.scores, final.scores)
    assert record.metrics["best"]["temperature"]["n"] == 40
    assert check_record(folder) == []


def test_older_records_have_none(tmp_path):
    folder = make_run(tmp_path)
    assert read_record(folder).validation("best") is None
    assert check_record(folder) == []


def test_an_edited_file_and_a_missing_one_are_named(folder):
    path = folder / "validation.csv"
    path.write_text(path.read_text().replace("V00001", "V99999"))
    faults = check_record(folder)
    assert "validation.csv was changed after the run: its SHA-256 does not match run.json" in faults
    path.unlink()
    faults = check_record(folder)
    assert "validation.csv is missing" in faults
    assert "no validation.csv, though best has a temperature from it" in faults


@pytest.mark.parametrize(
    ("number", "column", "value", "text"),
    [
        (2, "source", "V00000", "best: a source is there more than once"),
        (1, "source", "100_000.000+001.000_0.1000_0010.00", "best: 1 of its sources are test"),
        (1, "s_FRI", "nan", "best: a probability is negative, or a number is not finite"),
        (1, "p_FRI", "-0.5", "best: a probability is negative, or a number is not finite"),
        (1, "label", "FRII", "best: its rows give the accuracy"),
    ],
)
def test_what_does_not_agree_is_said(folder, number, column, value, text):
    rewrite(folder, "validation.csv", replace_cell(number, column, value))
    assert any(fault.startswith(f"validation.csv, {text}") for fault in check_record(folder))


def test_lost_rows_are_noticed(folder):
    rewrite(folder, "validation.csv", lambda lines: lines[:-1])
    assert check_record(folder) == [
        "validation.csv, final: 39 sources, the split has 40",
        *[fault for fault in check_record(folder) if "its rows give the accuracy" in fault],
        "validation.csv, final: metrics.json has a temperature fitted on 40 sources",
    ]


def test_varied_validation_images_have_an_accuracy_of_their_own(folder):
    edit_metrics(folder, lambda metrics: metrics["validation_best"].update(accuracy=0.123))
    assert any("best: its rows give the accuracy" in fault for fault in check_record(folder))
    change_run(folder, lambda run: run["identity"].update(protocol="legacy"))
    assert not any("accuracy" in fault for fault in check_record(folder))


def test_a_temperature_of_another_form_is_refused(folder):
    def spoil(metrics):
        metrics["best"]["temperature"]["value"] = "warm"
        del metrics["final"]["temperature"]["brier"]

    edit_metrics(folder, spoil)
    with pytest.raises(InputFileError) as caught:
        _ = read_record(folder).metrics
    assert "best.temperature.value is 'warm'" in str(caught.value)
    assert "final.temperature.brier is missing" in str(caught.value)

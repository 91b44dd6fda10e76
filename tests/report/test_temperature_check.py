import json

import pytest

from benchmarker.core.records import read_record
from benchmarker.report.temperature_check import temperature_faults
from tests.report.factory import make_failed, make_run


def stated(folder, change):
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text())
    change(metrics["best"]["temperature"])
    path.write_text(json.dumps(metrics))
    return temperature_faults(read_record(folder))


@pytest.fixture
def folder(tmp_path):
    return make_run(tmp_path, validated=True, skill=1.5)


def test_what_a_run_wrote_is_confirmed(folder):
    assert temperature_faults(read_record(folder)) == []
    assert stated(folder, lambda entry: entry.update(value=entry["value"] * (1 + 1e-7))) == []


def test_another_temperature_is_noticed(folder):
    (fault,) = stated(folder, lambda entry: entry.update(value=entry["value"] * 1.001))
    assert fault.startswith("metrics.json, best: temperature ")
    assert "validation.csv gives " in fault
    (fault,) = stated(folder, lambda entry: entry.update(value=None))
    assert "temperature None, validation.csv gives" in fault


@pytest.mark.parametrize("name", ["cross_entropy", "calibration_error", "brier"])
def test_another_score_after_tempering_is_noticed(folder, name):
    (fault,) = stated(folder, lambda entry: entry[name].update(value=entry[name]["value"] + 0.001))
    assert fault.startswith(f"metrics.json, best: {name} after tempering")


def test_an_undefined_temperature_is_confirmed(tmp_path):
    folder = make_run(tmp_path, validated=True, skill=30)
    entry = read_record(folder).metrics["best"]["temperature"]
    assert entry["value"] is None
    assert "all 40 validation images are right" in entry["reason"]
    assert temperature_faults(read_record(folder)) == []
    (fault,) = stated(folder, lambda entry: entry.update(value=1.0))
    assert fault == "metrics.json, best: temperature 1.0, validation.csv gives undefined"


def test_there_is_nothing_to_compare_in_older_and_failed_runs(tmp_path):
    assert temperature_faults(read_record(make_run(tmp_path))) == []
    assert temperature_faults(read_record(make_failed(tmp_path, seed=1826))) == []

"""Records that somebody edited with care, so that every SHA-256 is right."""

import json

import numpy as np
import pytest

from benchmarker.core.files import write_csv, write_json
from benchmarker.core.hashing import digest_arrays, digest_file
from benchmarker.core.record_check import check_record
from benchmarker.core.records import DIGESTED, OPTIONAL, read_record
from benchmarker.runs.trust import inspect
from benchmarker.runs.weights import read_tensors, write_tensors
from tests.report.factory import change_run, make_failed, make_run, read_table, weights


@pytest.fixture
def folder(tmp_path):
    return make_run(tmp_path, varied=True)


def forge(folder):
    """Write the digests of the files as they are now beside them."""
    names = [name for name in (*DIGESTED, *OPTIONAL) if (folder / name).is_file()]
    digests = {name: digest_file(folder / name) for name in names}
    change_run(folder, lambda run: run["digests"].update(files=digests))


def edit_table(path, change):
    """Let `change` edit the rows of a CSV file, dictionaries of texts."""
    rows = read_table(path)
    change(rows)
    write_csv(path, list(rows[0]), [list(row.values()) for row in rows])


def edit_metrics(folder, change):
    metrics = json.loads((folder / "metrics.json").read_text())
    change(metrics)
    write_json(folder / "metrics.json", metrics)


@pytest.mark.parametrize("varied", [False, True])
def test_a_run_as_it_was_written_is_sound(tmp_path, varied):
    found = inspect(make_run(tmp_path, varied=varied), intervals=True)
    assert found.faults == ()
    assert found.as_dict()["sound"] is True


def test_forged_weights_are_known_by_their_numbers(folder):
    path = folder / "best.safetensors"
    tensors = weights("best", 8901)
    tensors["001|toy/classes/bias"][0] += 1e-6
    write_tensors(path, tensors)
    forge(folder)
    assert check_record(folder) == []  # the digests of the files are right
    (fault,) = inspect(folder).faults
    assert fault == "best.safetensors: the weights are not those whose digest is in run.json"


def test_weights_that_cannot_be_read_or_are_not_finite(folder):
    (folder / "best.safetensors").write_bytes(b"\0" * 200)
    tensors = weights("final", 8901)
    tensors["001|toy/classes/bias"][:] = np.nan
    write_tensors(folder / "final.safetensors", tensors)
    change_run(folder, lambda run: run["digests"].update(final_weights=digest_arrays(tensors)))
    forge(folder)
    faults = inspect(folder).faults
    assert len(faults) == 2
    assert "best.safetensors is damaged" in faults[0]
    assert faults[1] == "final.safetensors: 001|toy/classes/bias not finite"


def test_weights_of_another_network_are_named(folder):
    said = {
        "network": "other", "network_settings": {}, "shape": [150, 150, 1],
        "classes": ["A", "B"], "preparation": {},
    }  # fmt: skip
    notes = {"benchmarker": json.dumps(said)}
    tensors, _ = read_tensors(folder / "best.safetensors")
    write_tensors(folder / "best.safetensors", tensors, notes)
    forge(folder)
    faults = inspect(folder).faults
    assert "best.safetensors: its network is other, run.json has convXpress" in faults
    assert any("its classes is ['A', 'B']" in text for text in faults)


def test_an_edited_history_is_known(folder):
    edit_table(folder / "history.csv", lambda rows: rows[1].update(accuracy="0.99"))
    forge(folder)
    expected = ("history.csv: its epochs are not those whose digest is in run.json",)
    assert inspect(folder).faults == expected


def test_other_times_are_another_file_but_no_other_history(folder):
    edit_table(folder / "history.csv", lambda rows: rows[1].update(seconds="1.0"))
    assert inspect(folder).edited == ("history.csv",)
    forge(folder)
    assert inspect(folder).faults == ()


def test_one_edited_probability_is_named_by_its_source(folder):
    def raise_one(rows):
        row = rows[5]
        row["p_FRI"], row["p_FRII"] = row["p_FRII"], row["p_FRI"]

    edit_table(folder / "predictions.csv", raise_one)
    source = read_record(folder).predictions("best").sources[5]
    forge(folder)
    faults = inspect(folder).faults
    follow = "predictions.csv, best: the probabilities do not follow from the scores for "
    assert follow + source in faults


def test_scores_edited_with_their_probabilities_are_known(folder):
    def swap(rows):
        for letter in "ps":
            row = rows[5]
            row[f"{letter}_FRI"], row[f"{letter}_Bent"] = (
                row[f"{letter}_Bent"], row[f"{letter}_FRI"],
            )  # fmt: skip

    edit_table(folder / "predictions.csv", swap)
    forge(folder)
    faults = inspect(folder).faults
    assert "predictions.csv: its scores are not those whose digest is in run.json" in faults
    assert not any("do not follow" in text for text in faults)


def test_an_edited_label_is_named(folder):
    edit_table(folder / "predictions.csv", lambda rows: rows[2].update(label="FRI"))
    source = read_record(folder).predictions("best").sources[2]
    forge(folder)
    faults = inspect(folder).faults
    assert f"predictions.csv: best and final have other labels for {source}" in faults
    assert any(text.startswith("metrics.json, best: predictions.csv gives") for text in faults)


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (("macro_f1",), "macro_f1 0."),
        (("auc",), "auc 0."),
        (("per_class", "Bent", "recall"), "per_class.Bent.recall 0."),
        (("cross_entropy",), "cross_entropy "),
    ],
)
def test_every_metric_is_worked_out_again(folder, where, text):
    def change(metrics):
        entry = metrics["final"]
        for key in where:
            entry = entry[key]
        entry["value"] = 0.123456

    edit_metrics(folder, change)
    forge(folder)
    (fault,) = inspect(folder).faults
    assert fault.startswith(f"metrics.json, final: predictions.csv gives other numbers: {text}")
    assert "stated 0.123456" in fault


def test_intervals_are_compared_where_asked(folder):
    edit_metrics(folder, lambda metrics: metrics["best"]["mpca"].update(low=0.0))
    forge(folder)
    assert inspect(folder).faults == ()
    (fault,) = inspect(folder, intervals=True).faults
    assert "mpca (low) 0." in fault
    assert "stated 0.0" in fault


def test_a_run_that_is_not_complete_has_its_state(tmp_path):
    found = inspect(make_failed(tmp_path))
    assert (found.state, found.faults) == ("failed", ())
    assert inspect(tmp_path / "nothing").state is None

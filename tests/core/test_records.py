import json

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError, MissingDataError, Problems
from benchmarker.core.record_check import check_record
from benchmarker.core.records import (
    find_records,
    identity_digest,
    read_record,
    run_faults,
    run_folders,
)
from tests.report import factory
from tests.report.factory import (
    CLASSES,
    FILES,
    change_run,
    identity,
    make_failed,
    make_run,
    read_table,
)


@pytest.fixture
def folder(tmp_path):
    return make_run(tmp_path)


def edit(path, old, new, count=1):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, count))


def test_a_record_tells_what_was_run(folder):
    record = read_record(folder)
    assert (record.network, record.seed, record.state) == ("convXpress", 8901, "complete")
    assert record.classes == CLASSES
    assert record.settings["learning_rate"] == 1e-4
    assert record.is_complete
    assert record.reason is None
    assert record.facts["parameters"] == 4_567_944
    assert record.timings["training_seconds"] == 754.2
    assert [row["epoch"] for row in record.history] == [1, 2, 3]


def test_predictions_come_back_to_the_last_bit(folder):
    found = read_record(folder).predictions("best")
    rows = [row for row in read_table(folder / "predictions.csv") if row["model"] == "best"]
    assert found.sources[:2] == ("J000000", "J000001")
    assert found.labels.tolist() == [CLASSES.index(row["label"]) for row in rows]
    assert found.probabilities.shape == (40, 4)
    assert found.probabilities[3, 2] == float(rows[3]["p_Compact"])
    assert np.allclose(found.probabilities.sum(axis=1), 1)


def test_every_missing_or_wrong_key_is_listed(folder):
    def spoil(run):
        del run["identity"]["seed"]
        run["identity"]["settings"]["epochs"] = "3"
        run["status"]["epochs_done"] = True
        run["timings"] = []

    change_run(folder, spoil)
    with pytest.raises(InputFileError) as caught:
        read_record(folder)
    text = str(caught.value)
    assert "run.json has 4 faults" in text
    assert "identity.seed is missing" in text
    assert "identity.settings.epochs is '3', expected int" in text
    assert "status.epochs_done is True, expected int" in text
    assert "timings is [], expected dict" in text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda run: run.update(format=2), "format 2, this version reads format 1"),
        (lambda run: run["status"].update(state="done"), "status.state is 'done'"),
        (lambda run: run["status"].update(state="failed"), "expected the reason of the failure"),
        (lambda run: run["digests"].pop("history"), "digests.history is missing"),
        (lambda run: run["network"].clear(), "network.multiply_adds is missing"),
        (
            lambda run: run["identity"]["data"].update(classes=["FRI", "FRI"]),
            "expected distinct names",
        ),
    ],
)
def test_impossible_records_are_refused(folder, change, text):
    change_run(folder, change)
    with pytest.raises(InputFileError, match=text):
        read_record(folder)


def test_content_that_is_no_object_is_refused():
    assert run_faults([1]) == ["content is [1], expected an object"]
    assert run_faults({})[0] == "format is missing"


def test_no_run_json_is_missing_data(tmp_path):
    with pytest.raises(MissingDataError, match=r"there is no run\.json in it"):
        read_record(tmp_path)


def test_running_and_failed_records_need_no_results(tmp_path):
    failed = make_failed(tmp_path, reason="loss is NaN in epoch 2, batch 7")
    assert read_record(failed).reason == "loss is NaN in epoch 2, batch 7"
    change_run(failed, lambda run: run["status"].update(state="running", reason=None))
    assert read_record(failed).state == "running"
    assert check_record(failed) == []


def test_one_broken_folder_does_not_hide_the_others(tmp_path):
    make_run(tmp_path, seed=1826)
    for name, content in (("half", '{"format": 1,'), ("other", "[]"), ("bytes", "\udcff")):
        broken = tmp_path / "runs" / name
        broken.mkdir()
        (broken / "run.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    (tmp_path / "runs" / "not-begun").mkdir()
    (tmp_path / "runs" / "stray.txt").write_text("")
    lost = make_run(tmp_path, seed=4915)
    (lost / "metrics.json").write_text("{}")
    problems = Problems(tmp_path)
    assert [record.seed for record in find_records(tmp_path, problems=problems)] == [1826]
    assert len(problems.texts) == 4
    assert all("run.json" in text or "metrics.json" in text for text in problems.texts)
    assert [record.seed for record in find_records(tmp_path)] == [1826]


def test_folders_are_found_from_each_level(folder, tmp_path):
    assert run_folders(folder) == [folder]
    assert run_folders(tmp_path) == [folder]
    assert run_folders(tmp_path / "runs") == [folder]
    assert run_folders(tmp_path / "nowhere") == []


def test_an_untouched_run_passes_the_check(folder):
    assert check_record(folder) == []


@pytest.mark.parametrize("name", FILES)
def test_an_edited_or_missing_file_is_named(folder, name):
    data = bytearray((folder / name).read_bytes())
    data[-1] ^= 1
    (folder / name).write_bytes(data)
    assert any(f"{name} was changed after the run" in text for text in check_record(folder))
    (folder / name).unlink()
    assert f"{name} is missing" in check_record(folder)


def test_an_edited_identity_is_noticed(folder):
    change_run(folder, lambda run: run["identity"]["settings"].update(learning_rate=1e-3))
    assert check_record(folder) == ["run.json: the identity was edited, its digest does not match"]


def test_a_renamed_folder_is_noticed(folder):
    renamed = folder.rename(folder.with_name("mine"))
    (fault,) = check_record(renamed)
    assert fault.startswith("the folder is named mine, expected a name ending -s8901-")


def test_an_unrecorded_digest_is_a_fault(folder):
    change_run(folder, lambda run: run["digests"]["files"].pop("best.safetensors"))
    assert check_record(folder) == ["run.json records no SHA-256 of best.safetensors"]


def test_a_digest_of_a_file_elsewhere_is_refused_unopened(folder):
    change_run(folder, lambda run: run["digests"]["files"].update({"../../secret": "0"}))
    assert check_record(folder) == ["run.json records a file outside the folder: '../../secret'"]


def matching_digest(folder, name):
    """Record the digest of the file as it is now, as a careful forger would."""
    from benchmarker.core.hashing import digest_file

    digest = digest_file(folder / name)
    change_run(folder, lambda run: run["digests"]["files"].update({name: digest}))


def test_metrics_that_do_not_follow_from_the_predictions_are_noticed(folder):
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["best"]["mpca"]["value"] = 0.99
    metrics["final"]["confusion_matrix"][0][0] += 1
    (folder / "metrics.json").write_text(json.dumps(metrics))
    matching_digest(folder, "metrics.json")
    faults = check_record(folder)
    assert len(faults) == 2
    assert "best: they give mpca 0." in faults[0]
    assert "metrics.json has 0.99" in faults[0]
    assert "final: they give the counts" in faults[1]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("best,J000001", "best,J000000", "a source is there more than once"),
        ("best,J000001", "worst,J000001", "is no prediction"),
        ("J000001,FRII", "J000001,FRIII", "line 3: .* is no prediction"),
        ("p_FRII", "q_FRII", "expected .*p_FRII"),
        ("final,J000001", "final,J999999", "not tested on the same sources"),
    ],
)
def test_spoiled_predictions_are_noticed(folder, old, new, text):
    import re

    edit(folder / "predictions.csv", old, new)
    matching_digest(folder, "predictions.csv")
    assert any(re.search(text, fault) for fault in check_record(folder))


def test_lost_rows_and_epochs_are_noticed(folder):
    for name in ("predictions.csv", "history.csv"):
        lines = (folder / name).read_text().splitlines()
        (folder / name).write_text("\n".join(lines[:-1]) + "\n")
        matching_digest(folder, name)
    faults = check_record(folder)
    assert "history.csv holds 2 epochs, expected 1 to 3 in order" in faults
    assert "predictions.csv, final: 39 sources, the split has 40" in faults


def test_nan_probability_is_noticed(folder):
    value = read_table(folder / "predictions.csv")[0]["p_FRI"]
    edit(folder / "predictions.csv", value, "nan")
    matching_digest(folder, "predictions.csv")
    assert "predictions.csv, best: a probability is negative or not finite" in check_record(folder)


def test_class_names_with_commas_quotes_and_newlines_survive(tmp_path):
    classes = ('FR "one", bright', "two\nlines", "<b>3</b>")
    folder = make_run(tmp_path, classes=classes)
    record = read_record(folder)
    assert record.predictions("final").labels.tolist()[:4] == [0, 1, 2, 0]
    assert check_record(folder) == []


def test_the_factory_writes_what_the_identity_promises():
    assert identity(seed=1)["digest"] != identity(seed=2)["digest"]


def test_names_are_no_part_of_the_identity():
    first = factory.identity()
    renamed = {
        **first,
        "data": {**first["data"], "name": "other"},
        "recipe": {**first["recipe"], "name": "other"},
        "split": {**first["split"], "rule": "in other words"},
    }
    assert identity_digest(renamed) == first["digest"]


@pytest.mark.parametrize("part", ["data", "split", "preparation", "recipe"])
def test_contents_are_part_of_the_identity(part):
    first = factory.identity()
    assert identity_digest({**first, part: {**first[part], "digest": "x"}}) != first["digest"]


@pytest.mark.parametrize("part", ["network", "seed", "precision", "protocol", "settings"])
def test_decisions_are_part_of_the_identity(part):
    first = factory.identity()
    assert identity_digest({**first, part: "x"}) != first["digest"]

"""Scores, augmented passes and turned images of a run, and what a check says of them."""

import json

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError
from benchmarker.core.hashing import digest_file
from benchmarker.core.record_check import check_record
from benchmarker.core.records import read_record
from tests.report.factory import change_run, identity, make_run, source_names, varied_scores

VARIED = ("predictions.csv", "augmented.csv", "rotation.csv", "augmented.npz", "rotation.npz")


@pytest.fixture
def folder(tmp_path):
    return make_run(tmp_path, varied=True)


def expected(model="best"):
    found = {entry[0]: entry[1:] for entry in varied_scores(identity(), 2.5, 12)}
    return found[model]


def rewrite(folder, name, change):
    """Change the lines of a file and record its new digest: only the content is then wrong."""
    path = folder / name
    lines = path.read_text().splitlines()
    path.write_text("\n".join(change(lines)) + "\n")
    record_again(folder, name)


def record_again(folder, *names):
    digests = {name: digest_file(folder / name) for name in names}
    change_run(folder, lambda run: run["digests"]["files"].update(digests))


def replace_cell(number, column, value):
    def change(lines):
        cells = lines[number].split(",")
        cells[lines[0].split(",").index(column)] = str(value)
        return [*lines[:number], ",".join(cells), *lines[number + 1 :]]

    return change


def test_scores_come_back_to_the_last_bit(folder):
    found = read_record(folder).predictions("final")
    labels, plain, _ = expected("final")
    assert np.array_equal(found.scores, plain)
    assert np.array_equal(found.labels, labels)
    assert np.allclose(found.probabilities.sum(axis=1), 1)


def test_records_without_the_new_tables_still_read(tmp_path):
    folder = make_run(tmp_path)
    record = read_record(folder)
    assert record.predictions("best").scores is None
    assert record.augmented("best") is None
    assert record.rotation("best") is None
    assert record.all_scores("augmented", "best") is None
    assert check_record(folder) == []


def test_augmented_and_rotation_tables_are_read(folder):
    record = read_record(folder)
    labels, _, passes = expected()
    wrong = (passes.argmax(axis=-1) != labels).sum(axis=0)
    found = record.augmented("best")
    assert found.sources == tuple(source_names(40))
    assert found.wrong.tolist() == wrong.tolist()
    assert set(found.passes.tolist()) == {12}
    assert np.allclose(found.scores, passes.mean(axis=0))
    assert found.probabilities.shape == (40, 4)
    turned = record.rotation("best")
    votes = (passes.argmax(axis=-1)[..., np.newaxis] == np.arange(4)).mean(axis=0)
    assert np.allclose(turned.agreement, votes.max(axis=1))
    assert turned.turns.tolist() == [12] * 40
    kept = record.all_scores("rotation", "best")
    assert np.array_equal(kept, passes.astype(np.float32))
    assert check_record(folder) == []


def test_scores_for_some_classes_only_are_refused(folder):
    rewrite(folder, "predictions.csv", lambda lines: [line.rsplit(",", 1)[0] for line in lines])
    with pytest.raises(InputFileError, match=r"columns .* expected .*'s_Bent'"):
        read_record(folder).predictions("best")


def test_the_auc_from_scores_needs_the_scores(folder):
    rewrite(folder, "predictions.csv", lambda lines: [line.rsplit(",", 4)[0] for line in lines])
    texts = check_record(folder)
    assert "predictions.csv, best: no scores, though metrics.json has the AUC from them" in texts


@pytest.mark.parametrize("name", VARIED)
def test_an_edited_or_unrecorded_file_is_named(folder, name):
    path = folder / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert any(f"{name} was changed after the run" in text for text in check_record(folder))
    change_run(folder, lambda run: run["digests"]["files"].pop(name))
    assert f"run.json records no SHA-256 of {name}" in check_record(folder)


@pytest.mark.parametrize(
    ("name", "column", "value", "text"),
    [
        ("predictions.csv", "s_FRI", "inf", "best: a score is not finite"),
        ("augmented.csv", "wrong", 13, "best: a source is wrong more often than it was shown"),
        ("augmented.csv", "passes", 11, "best: the sources were not all shown equally often"),
        ("augmented.csv", "p_FRI", -0.5, "best: a probability is negative"),
        ("augmented.csv", "source", "J1", "best: it has a source that predictions.csv has not"),
        ("augmented.csv", "label", "Bent", "best: it has other labels than predictions.csv"),
        ("augmented.csv", "wrong", "many", "line 2: "),
        ("rotation.csv", "agreement", 1.5, "best: an agreement is not above 0 and at most 1"),
        ("rotation.csv", "entropy", "nan", "best: an entropy is negative or not finite"),
        ("rotation.csv", "turns", 0, "best: the sources were not all shown at equally many"),
        ("rotation.csv", "source", "J1", "best: it has a source that predictions.csv has not"),
    ],
)
def test_impossible_rows_are_noticed(folder, name, column, value, text):
    rewrite(folder, name, replace_cell(1, column, value))
    assert any(text in fault for fault in check_record(folder)), check_record(folder)


def drop_line(lines):
    return [*lines[:1], *lines[2:]]


def test_some_of_many_sources_may_be_turned_but_all_are_augmented(folder):
    for what in ("rotation", "augmented"):
        rewrite(folder, f"{what}.csv", drop_line)
    faults = check_record(folder)
    assert "augmented.csv, best: it has not all sources of predictions.csv" in faults
    assert not any(text.startswith("rotation.csv, best: it has") for text in faults)
    rewrite(folder, "rotation.csv", lambda lines: [lines[0], lines[2], lines[1], *lines[3:]])
    text = "rotation.csv, best: its sources are in another order than those of predictions.csv"
    assert text in check_record(folder)


def test_metrics_that_do_not_follow_from_the_tables_are_noticed(folder):
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text())
    metrics["best"]["augmented"]["pooled"]["accuracy"]["value"] = 0.99
    metrics["best"]["augmented"]["wrong_rate"][3] = 0.51
    metrics["final"]["rotation"]["agreement"]["value"] = 0.99
    path.write_text(json.dumps(metrics))
    record_again(folder, "metrics.json")
    faults = check_record(folder)
    assert len(faults) == 3
    assert any("augmented.csv, best: its rows give the accuracy" in text for text in faults)
    assert "augmented.csv, best: metrics.json has other shares of wrong passes" in faults
    assert any("rotation.csv, final: its rows give the agreement" in text for text in faults)


def test_arrays_of_another_shape_or_damaged_are_refused(folder):
    np.savez(folder / "augmented.npz", best=np.zeros((12, 39, 4)))
    record_again(folder, "augmented.npz")
    (fault,) = check_record(folder)
    assert "best has the shape (12, 39, 4), expected (n, 40, 4)" in fault
    (folder / "rotation.npz").write_bytes(b"PK no archive")
    with pytest.raises(InputFileError, match=r"rotation.npz as arrays"):
        read_record(folder).all_scores("rotation", "best")


def test_arrays_of_turned_images_follow_their_table(folder):
    for model in (1, 40):  # the first row of each model
        rewrite(folder, "rotation.csv", lambda lines, row=model: [*lines[:row], *lines[row + 1 :]])
    with np.load(folder / "rotation.npz") as stored:
        fewer = {name: stored[name][:, 1:] for name in stored.files}
    np.savez(folder / "rotation.npz", **fewer)
    record = read_record(folder)
    assert len(record.rotation("final").sources) == 39
    assert np.array_equal(record.all_scores("rotation", "final"), fewer["final"])

import multiprocessing
import os

import numpy as np
import pytest

from benchmarker.core import prediction_cache
from benchmarker.core.errors import InputFileError
from benchmarker.core.hashing import digest_file, digest_json
from benchmarker.core.prediction_cache import answers_of, predictions_of, sources_of
from benchmarker.core.records import read_record
from tests.report.factory import change_run, make_run


@pytest.fixture
def folder(tmp_path):
    return make_run(tmp_path)


def entry(folder):
    return folder.parent.parent / ".cache" / "predictions" / f"{folder.name}.npz"


def forbid_reading(monkeypatch):
    def refuse(*_):
        pytest.fail("the table was read again")

    monkeypatch.setattr(prediction_cache, "read_predictions", refuse)


def assert_same(folder):
    """The cache says what the table says."""
    for model in ("best", "final"):
        expected = read_record(folder).predictions(model)
        found = predictions_of(read_record(folder), model)
        assert found.sources == expected.sources == sources_of(read_record(folder), model)
        np.testing.assert_array_equal(found.labels, expected.labels)
        np.testing.assert_array_equal(found.probabilities, expected.probabilities)
        answers = answers_of(read_record(folder))[model]
        np.testing.assert_array_equal(answers.labels, expected.labels)
        np.testing.assert_array_equal(answers.predicted, expected.probabilities.argmax(axis=1))
        expected_digest = digest_json([expected.sources, expected.labels.tolist()])
        assert answers.test_digest == expected_digest


def test_a_table_is_read_once(folder, monkeypatch):
    assert_same(folder)
    assert entry(folder).is_file()
    forbid_reading(monkeypatch)
    assert_same(folder)


def test_scores_are_kept_where_the_run_has_them(tmp_path):
    plain, varied = make_run(tmp_path), make_run(tmp_path, "simple", varied=True)
    for _ in range(2):
        assert predictions_of(read_record(plain), "best").scores is None
        expected = read_record(varied).predictions("final").scores
        found = predictions_of(read_record(varied), "final").scores
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "foreign", "object"])
def test_a_damaged_entry_is_made_again(folder, damage, monkeypatch):
    assert_same(folder)
    path = entry(folder)
    sound = path.read_bytes()
    if damage == "foreign":
        np.savez(path, x=np.arange(3))
    elif damage == "object":
        np.savez(path, description=np.array([{}], dtype=object))
    else:
        middle = len(sound) // 3
        flipped = bytes([sound[middle] ^ 255])
        changed = {"cut": sound[:middle], "empty": b""}
        changed["flipped"] = sound[:middle] + flipped + sound[middle + 1 :]
        path.write_bytes(changed[damage])
    assert_same(folder)
    assert path.read_bytes() == sound
    forbid_reading(monkeypatch)
    assert_same(folder)


def test_a_table_that_changed_is_read_again_and_refused(folder):
    assert_same(folder)
    table = folder / "predictions.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(lines[:-1]))
    with pytest.raises(InputFileError, match="was changed after the run: its SHA-256"):
        answers_of(read_record(folder))
    table.unlink()
    with pytest.raises(InputFileError, match=r"cannot read .*predictions\.csv"):
        answers_of(read_record(folder))


def test_the_time_of_the_file_counts(folder, monkeypatch):
    assert_same(folder)
    os.utime(folder / "predictions.csv", ns=(1, 1))
    read = []
    real = prediction_cache.read_predictions
    monkeypatch.setattr(
        prediction_cache, "read_predictions", lambda *given: read.append(1) or real(*given)
    )
    assert_same(folder)
    assert read == [1]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("J000001,", "J000000,", "best: a source is there more than once"),
        (None, "nan", "best: a probability is negative or not finite"),
        (None, "-1.0", "best: a probability is negative or not finite"),
    ],
)
def test_what_is_no_prediction_is_refused(folder, old, new, text):
    table = folder / "predictions.csv"
    old = old or table.read_text().splitlines()[1].split(",")[3]
    table.write_text(table.read_text().replace(old, new))
    digest = digest_file(table)
    change_run(folder, lambda run: run["digests"]["files"].update({"predictions.csv": digest}))
    with pytest.raises(InputFileError, match=text):
        answers_of(read_record(folder))
    assert not entry(folder).exists()


def test_without_a_place_to_write_it_works(folder):
    (folder.parent.parent / ".cache").write_text("a file where the cache would be")
    assert_same(folder)


def test_a_run_elsewhere_leaves_nothing_beside_it(folder, tmp_path):
    moved = tmp_path / "elsewhere" / folder.name
    moved.parent.mkdir()
    folder.rename(moved)
    assert_same(moved)
    assert [path.name for path in moved.parent.iterdir()] == [folder.name]


def read_again(results, digests):
    for _ in range(4):
        for folder in sorted((results / "runs").iterdir()):
            entry(folder).unlink(missing_ok=True)
            record = read_record(folder)
            digests.put((folder.name, predictions_of(record, "best").probabilities.sum()))


def test_processes_side_by_side_read_the_same(tmp_path):
    folders = [make_run(tmp_path, seed=seed) for seed in (1, 2)]
    expected = {f.name: read_record(f).predictions("best").probabilities.sum() for f in folders}
    context = multiprocessing.get_context("fork")
    said = context.Queue()
    readers = [context.Process(target=read_again, args=(tmp_path, said)) for _ in range(3)]
    for reader in readers:
        reader.start()
    found = [said.get(timeout=60) for _ in range(3 * 4 * 2)]
    for reader in readers:
        reader.join()
        assert reader.exitcode == 0
    assert all(expected[name] == total for name, total in found)
    assert not list(entry(folders[0]).parent.glob(".part-*"))

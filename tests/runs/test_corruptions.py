"""Trained networks on damaged test images: what joins the record, and what is refused."""

import multiprocessing
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, recall_score

from benchmarker.core.corruption_table import FILE
from benchmarker.core.errors import CheckFailedError, MissingDataError, SettingsError
from benchmarker.core.files import read_json
from benchmarker.core.record_check import check_record
from benchmarker.core.records import read_record
from benchmarker.data.corruptions import KINDS, USUAL, Corruption, damaged
from benchmarker.runs import corruptions, resolve
from benchmarker.runs.corruptions import Wanted, check_all, corrupt, find_runs
from benchmarker.runs.resolve import reopen
from benchmarker.runs.trained import open_trained
from benchmarker.runs.weights import read_tensors, write_tensors
from tests.hosts.evaluation.conftest import place as place  # noqa: PLC0414 (a fixture)
from tests.hosts.evaluation.conftest import run_folder as run_folder  # noqa: PLC0414
from tests.report.factory import make_failed

FEW = Wanted(kinds=("noise", "missing"), strengths=(1, 5))


@pytest.fixture
def record(run_folder, place, tmp_path, monkeypatch):
    """A copy of the toy run; its images lie where they were."""
    monkeypatch.chdir(place)
    resolve._images.cache_clear()  # other tests have a toy.npz in another folder
    folder = tmp_path / "results" / "runs" / run_folder.name
    shutil.copytree(run_folder, folder)
    return read_record(folder)


def by_kind(rows):
    return {(row["corruption"], row["strength"]): row for row in rows}


def test_the_result_joins_the_record_and_begins_with_the_recorded_scores(record):
    rows = corrupt(record, FEW)
    found = by_kind(rows)
    assert sorted(found) == [
        ("missing", 1), ("missing", 5), ("noise", 1), ("noise", 5), ("none", 0)
    ]  # fmt: skip
    for name in ("accuracy", "mpca", "macro_f1", "auc"):
        assert found["none", 0][name] == record.metrics["best"][name]["value"]
    assert found["noise", 5]["amount"] == KINDS["noise"].amounts[4]
    assert found["noise", 5]["unit"] == KINDS["noise"].unit
    again = read_record(record.folder)
    assert again.corruptions() == rows
    assert check_record(record.folder) == []


def test_scores_are_those_of_the_damaged_images(record):
    (row,) = [row for row in corrupt(record, FEW) if row["corruption"] == "noise"][1:]
    trained = open_trained(record.folder)
    _, images = reopen(record)
    prepared = trained.prepare(images, record.predictions("best").sources)
    shown = np.stack([
        damaged(
            image, Corruption("noise", 5), seed=record.seed, source=name,
            preparation=trained.preparation,
        )
        for image, name in zip(prepared.values, prepared.sources, strict=True)
    ])  # fmt: skip
    predicted = trained.model.predict(prepared.finish(shown), verbose=0).argmax(axis=1)
    assert row["accuracy"] == pytest.approx(accuracy_score(prepared.labels, predicted))
    recall = recall_score(prepared.labels, predicted, average="macro")
    assert row["mpca"] == pytest.approx(recall)


def test_the_same_comes_again_and_what_is_there_is_not_tested_again(record, monkeypatch):
    corrupt(record, FEW)
    first = (record.folder / FILE).read_bytes()
    corrupt(record, Wanted(kinds=FEW.kinds, strengths=FEW.strengths, again=True))
    assert (record.folder / FILE).read_bytes() == first
    assert check_all([record], FEW) is False
    monkeypatch.setattr(corruptions, "_tested", lambda *_: pytest.fail("tested again"))
    assert len(corrupt(record, FEW)) == 5


def test_more_kinds_and_the_final_weights_join_what_is_there(record):
    corrupt(record, FEW)
    kept = by_kind(read_record(record.folder).corruptions())
    shift = corrupt(record, Wanted(kinds=("shift",), strengths=(2,)))
    assert [row["corruption"] for row in shift] == ["none", "shift"]
    final = corrupt(record, Wanted(kinds=("shift",), strengths=(2,), model="final"))
    assert [row["model"] for row in final] == ["final", "final"]
    assert final[0]["accuracy"] == record.metrics["final"]["accuracy"]["value"]
    rows = read_record(record.folder).corruptions()
    assert [row["model"] for row in rows] == ["best"] * 6 + ["final"] * 2
    assert by_kind(row for row in rows if row["model"] == "best").items() >= kept.items()
    assert check_record(record.folder) == []


def test_an_edited_table_is_not_trusted(record):
    rows = corrupt(record, FEW)
    path = record.folder / FILE
    path.write_text(path.read_text().replace("noise,1,", "noise,2,"))
    assert check_all([record], FEW) is True
    assert corrupt(record, FEW) == rows
    assert check_record(record.folder) == []


def test_a_file_whose_digest_was_not_written_is_made_again(record):
    # as a kill between the two writes leaves it
    (record.folder / FILE).write_text("model,corruption\n")
    assert len(corrupt(record, FEW)) == 5
    assert check_record(record.folder) == []


def test_other_weights_than_those_recorded_are_refused(record):
    path = record.folder / "best.safetensors"
    tensors, notes = read_tensors(path)
    changed = {name: -values for name, values in tensors.items()}
    write_tensors(path, changed, notes)
    before = read_json(record.folder / "run.json")
    with pytest.raises(CheckFailedError, match="give other probabilities for its test images"):
        corrupt(record, FEW)
    assert not (record.folder / FILE).exists()
    assert read_json(record.folder / "run.json") == before


def test_images_that_cannot_be_opened_again_are_named_before_anything_is_computed(
    record, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    resolve._images.cache_clear()  # a new command has opened nothing yet
    with pytest.raises(MissingDataError, match="cannot be opened again"):
        check_all([record], FEW)
    with pytest.raises(MissingDataError):
        corrupt(record, FEW)
    assert not (record.folder / FILE).exists()


def test_their_new_place_can_be_given(record, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    moved = Wanted(FEW.kinds, FEW.strengths, place=str(place / "toy.npz"))
    assert check_all([record], moved)
    assert len(corrupt(record, moved)) == 5
    other = Wanted(("beam",), (1,), place=str(place / "other.npz"))
    with pytest.raises(MissingDataError, match="holds other images"):
        check_all([record], other)


def test_kinds_without_meaning_are_refused(record):
    with pytest.raises(SettingsError, match="channels cannot be dropped: mcrgnet"):
        check_all([record], Wanted(kinds=("channels",)))
    with pytest.raises(SettingsError, match="did you mean noise"):
        check_all([record], Wanted(kinds=("nois",)))
    assert corruptions.settle_kinds(record, Wanted()) == USUAL


def test_runs_are_found_by_folder_by_results_and_by_network(record, tmp_path):
    make_failed(tmp_path / "results", "simple")
    results = tmp_path / "results"
    for word in (str(record.folder), str(results), "mcrgnet"):
        (found,) = find_runs([word], results)
        assert found.folder.name == record.folder.name
    assert len(find_runs(["mcrgnet", str(record.folder)], results)) == 1
    with pytest.raises(MissingDataError) as caught:
        find_runs(["mcrgnets", "simple"], results)
    assert "'mcrgnets' is no complete run" in str(caught.value)
    assert "did you mean mcrgnet?" in str(caught.value)
    assert "'simple' is no complete run" in str(caught.value)
    failed = next(results.glob("runs/simple-*"))
    with pytest.raises(MissingDataError, match="is not complete"):
        find_runs([str(failed)], results)


def _write(folder, kind):
    record = read_record(folder)
    row = corruptions._row("best", record.metrics["best"])
    told = corruptions._damage(Corruption(kind, 1), 0.5)
    corruptions._write(record, [row, {**row, **told}])


def test_two_commands_at_once_lose_nothing(record):
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_write, args=(record.folder, kind))
        for kind in KINDS
        if kind != "channels"
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * len(processes)
    rows = read_record(record.folder).corruptions()
    assert [row["corruption"] for row in rows] == ["none", *USUAL]
    assert check_record(record.folder) == []
    assert not list(Path(record.folder).glob(".part-*"))

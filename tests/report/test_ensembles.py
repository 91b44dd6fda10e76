"""Ensembles of records: numbers against scikit-learn, and what makes no ensemble."""

import io
import json

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import accuracy_score, brier_score_loss, roc_auc_score

from benchmarker.core.errors import (
    CheckFailedError,
    InputFileError,
    MissingDataError,
    SettingsError,
)
from benchmarker.core.record_tables import read_predictions
from benchmarker.core.records import read_record
from benchmarker.metrics.temperature import fit_temperature
from benchmarker.report.ensemble_tables import ensemble_tables
from benchmarker.report.ensembles import ensemble_of, find_runs, report, write_predictions
from benchmarker.report.text import show
from tests.core.test_record_tables import record_again, rewrite
from tests.report.factory import CLASSES, change_run, make_failed, make_run

SEEDS = (8901, 1826, 4915)


@pytest.fixture
def results(tmp_path):
    for seed in SEEDS:
        make_run(tmp_path, seed=seed, validated=True, skill=1.2)
    return tmp_path


def runs_of(results, *words, **options):
    return find_runs(words or ("convXpress",), results, **options)


def refused(runs):
    with pytest.raises(CheckFailedError) as caught:
        ensemble_of(runs)
    return str(caught.value)


def printed(found):
    stream = io.StringIO()
    show(ensemble_tables(found), stream, width=80)
    return stream.getvalue()


def test_scores_are_those_of_scikit_learn(results):
    runs = runs_of(results)
    found = report(ensemble_of(runs), "best", resamples=100)
    tables = [run.predictions("best") for run in runs]
    labels = tables[0].labels
    mean = np.mean([softmax(table.scores, axis=1) for table in tables], axis=0)
    metrics = found["metrics"]
    expected = accuracy_score(labels, mean.argmax(axis=1))
    assert metrics["accuracy"]["value"] == pytest.approx(expected)
    assert found["gains"]["accuracy"]["ensemble"]["value"] == pytest.approx(expected)
    brier = brier_score_loss(labels, mean, scale_by_half=False)
    assert metrics["brier"]["value"] == pytest.approx(brier)
    areas = [roc_auc_score(labels == k, mean[:, k]) for k in range(len(CLASSES))]
    # ranked by log-odds: the same order, so the same area
    assert metrics["auc"]["value"] == pytest.approx(np.mean(areas), abs=1e-9)
    single = [run.metrics["best"]["accuracy"]["value"] for run in runs]
    gain = found["gains"]["accuracy"]
    assert gain["over_mean"]["value"] == pytest.approx(expected - np.mean(single))
    assert gain["over_best"]["value"] == pytest.approx(expected - max(single))
    assert [entry["seed"] for entry in found["members"]] == sorted(SEEDS)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_temperature_is_fitted_on_the_members_validation_predictions(results):
    runs = runs_of(results)
    fitted = report(ensemble_of(runs), "final", resamples=50)["metrics"]["temperature"]
    seen = [run.validation("final") for run in runs]
    mean = np.mean([softmax(table.scores, axis=1) for table in seen], axis=0)
    assert fitted["value"] == pytest.approx(fit_temperature(seen[0].labels, np.log(mean)), rel=1e-6)
    assert fitted["n"] == 40


def test_members_without_scores_or_validation_have_no_temperature(results):
    plain = [make_run(results, "simple", seed=seed) for seed in SEEDS[:2]]
    found = report(ensemble_of([read_record(folder) for folder in plain]), "best", resamples=20)
    assert found["metrics"]["temperature"]["reason"] == "the ensemble has no scores"
    assert "auc_from" not in found["metrics"]
    folder = runs_of(results)[0].folder
    (folder / "validation.csv").unlink()
    found = report(ensemble_of(runs_of(results)), "best", resamples=20)
    fitted = found["metrics"]["temperature"]
    assert (fitted["value"], fitted["reason"]) == (None, "a member has no validation predictions")


def test_a_vote_can_be_taken(results):
    runs = runs_of(results)
    found = report(ensemble_of(runs, "vote"), "best", resamples=20)
    tables = [run.predictions("best") for run in runs]
    votes = np.stack([table.probabilities.argmax(axis=1) for table in tables])
    clear = [row for row in range(40) if np.bincount(votes[:, row]).max() > 1]
    assert len(clear) < 40  # some rows are ties of three classes
    predicted = ensemble_of(runs, "vote").predictions("best").probabilities.argmax(axis=1)
    for row in clear:
        assert predicted[row] == np.bincount(votes[:, row]).argmax()
    assert found["how"] == "vote"
    assert "shares of the votes" in printed(found).replace("\n", " ")


def test_rows_in_another_order_are_the_same_predictions(results):
    runs = runs_of(results)
    before = report(ensemble_of(runs), "best", resamples=0)
    rewrite(runs[1].folder, "predictions.csv", lambda lines: [lines[0], *lines[:0:-1]])
    again = report(ensemble_of(runs_of(results)), "best", resamples=0)
    for name in ("accuracy", "cross_entropy", "brier"):
        first, second = before["gains"][name], again["gains"][name]
        for key in ("ensemble", "over_mean"):
            assert second[key]["value"] == pytest.approx(first[key]["value"], abs=1e-12)
        members = [[one["value"] for one in entry["members"]] for entry in (first, second)]
        assert members[1] == pytest.approx(members[0], abs=1e-12)


def test_everything_that_differs_is_named(results):
    runs = runs_of(results)
    other = {"rule": "published", "digest": "other", "train": 300, "validation": 40, "test": 40}
    split = read_record(make_run(results, "simple", split=other))
    data = read_record(make_run(results, data="radio"))
    classes = read_record(make_run(results, "atlas", classes=("A", "B", "C", "D")))
    text = refused([*runs, split])
    assert "the ensemble has 1 fault" in text
    assert "split digest differs" in text
    assert f"other (published): {split.folder.name}" in text
    assert "data digest differs" in refused([*runs, data])
    assert f"A, B, C, D: {classes.folder.name}" in refused([*runs, classes])


def test_splits_drawn_by_the_seed_are_explained(results):
    for seed, digest in ((1, "one"), (2, "two")):
        rule = f"quotas per class, seed {seed}"
        parts = {"rule": rule, "digest": digest, "train": 300, "validation": 40, "test": 40}
        make_run(results, "simple", seed=seed, split=parts)
    text = refused(runs_of(results, "simple"))
    assert "splits may be drawn by the run seed (quotas per class, seed 1)" in text


def test_too_few_repeated_and_unfinished_runs_are_refused(results):
    runs = runs_of(results)
    assert "1 run given" in refused(runs[:1])
    assert "is there 2 times, expected each run once" in refused([runs[0], runs[1], runs[0]])
    failed = read_record(make_failed(results, "simple"))
    assert f"{failed.folder.name} is failed, expected a complete run" in refused([*runs, failed])


def test_other_sources_or_labels_under_one_split_are_noticed(results):
    first, second, _ = runs_of(results)
    path = second.folder / "predictions.csv"
    text = path.read_text()
    name = second.predictions("best").sources[0]
    path.write_text(text.replace(name, "elsewhere"))
    record_again(second.folder, "predictions.csv")
    with pytest.raises(CheckFailedError, match="predicted other sources than .* e.g. " + name[:3]):
        report(ensemble_of([first, read_record(second.folder)]), "best")
    path.write_text(text.replace(f"{name},FRI,", f"{name},FRII,"))
    record_again(second.folder, "predictions.csv")
    with pytest.raises(CheckFailedError, match="has other labels than"):
        report(ensemble_of([first, read_record(second.folder)]), "best")


def test_edited_predictions_are_refused(results):
    runs = runs_of(results)
    with (runs[0].folder / "predictions.csv").open("a") as stream:
        stream.write("best,more,FRI,1,0,0,0,1,0,0,0\n")
    with pytest.raises(InputFileError, match="changed after the run"):
        report(ensemble_of(runs), "best")


def test_runs_are_found_by_path_name_and_network(results):
    folder = min((results / "runs").iterdir())
    by_path, by_name = find_runs([str(folder), folder.name], results)
    assert by_path.identity == by_name.identity
    assert [run.seed for run in runs_of(results)] == sorted(SEEDS)
    make_run(results, data="radio")
    with pytest.raises(SettingsError, match=r"runs of 2 kinds .*\n.*first.*\n.*radio"):
        runs_of(results)
    assert len(runs_of(results, data="first")) == 3
    with pytest.raises(MissingDataError, match="its runs are on: first, radio"):
        runs_of(results, data="none")
    with pytest.raises(MissingDataError, match=r"did you mean convXpress\?"):
        runs_of(results, "convxpres")


def test_the_file_reads_back_as_predictions(results, tmp_path):
    ensemble = ensemble_of(runs_of(results))
    path = write_predictions(ensemble, tmp_path / "out" / "predictions.csv")
    for model, table in read_predictions(path, CLASSES).items():
        expected = ensemble.predictions(model)
        assert table.sources == expected.sources
        assert np.array_equal(table.probabilities, expected.probabilities)
        assert np.array_equal(table.scores, expected.scores)


def test_no_record_is_written_over(results):
    ensemble = ensemble_of(runs_of(results))
    path = ensemble.runs[0].folder / "predictions.csv"
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="lies in the folder of a run"):
        write_predictions(ensemble, path)
    with pytest.raises(SettingsError, match="is a folder, expected the name of a file"):
        write_predictions(ensemble, results)
    assert path.read_bytes() == before


def test_the_table_shows_what_was_found(results):
    found = report(ensemble_of(runs_of(results)), "best", resamples=100)
    text = printed(found)
    entry = found["gains"]["accuracy"]["over_mean"]
    low, high = 100 * entry["low"], 100 * entry["high"]
    assert f"{100 * entry['value']:+.1f} ({low:.1f} to {high:.1f})" in text
    assert "3 runs on first, best weights: mean of probabilities" in text
    assert "Temperature " in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_class_nobody_predicts_is_said(results):
    def never(lines):
        rows = [line.split(",") for line in lines]
        column = rows[0].index("p_Bent")
        for row in rows[1:]:
            row[column], row[column + len(CLASSES)] = "0.0", "-50.0"
        return [",".join(row) for row in rows]

    folders = [run.folder for run in runs_of(results)]
    for folder in folders:
        rewrite(folder, "predictions.csv", never)
    found = report(ensemble_of([read_record(folder) for folder in folders]), "best", resamples=20)
    assert found["metrics"]["per_class"]["Bent"]["precision"]["value"] is None
    assert "Bent is never predicted: its precision is undefined" in printed(found)


def test_incomplete_metrics_do_not_pass_as_an_ensemble(results):
    runs = runs_of(results)
    change_run(runs[0].folder, lambda run: run["status"].update(state="running"))
    assert "is running, expected a complete run" in refused(
        [read_record(run.folder) for run in runs]
    )

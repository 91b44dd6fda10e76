import json
import shutil

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from benchmarker.core.errors import Problems
from benchmarker.core.hashing import digest_file, digest_text
from benchmarker.core.records import find_records, read_record
from benchmarker.report.contenders import contenders
from tests.report.factory import change_run, make_run, read_table

SEEDS = (1826, 4915, 8901)


def found_in(results, **options):
    return contenders(find_records(results), **options)


def test_a_contender_holds_what_its_runs_said(tmp_path):
    folders = {seed: make_run(tmp_path, seed=seed) for seed in reversed(SEEDS)}
    (one,) = found_in(tmp_path)
    assert one.label == "convXpress"
    assert one.seeds == SEEDS
    assert one.classes == ("FRI", "FRII", "Compact", "Bent")
    for row, seed in enumerate(SEEDS):
        expected = read_record(folders[seed]).predictions("best")
        assert one.sources == expected.sources
        np.testing.assert_array_equal(one.labels, expected.labels)
        np.testing.assert_array_equal(one.predicted[row], expected.probabilities.argmax(axis=1))
        np.testing.assert_array_equal(one.probabilities[row], expected.probabilities)
    (final,) = found_in(tmp_path, model="final")
    assert final.row["mpca_mean"] != one.row["mpca_mean"]
    assert (final.predicted != one.predicted).any()


def test_scores_and_interval_are_those_of_an_independent_computation(tmp_path):
    """From the files alone: scikit-learn for the scores, a plain loop for the bootstrap."""
    size = {"rule": "published", "digest": "d", "train": 1, "validation": 1, "test": 120}
    for seed in SEEDS:
        make_run(tmp_path, seed=seed, split=size, skill=1.5)
    labels, predicted = None, []
    for folder in sorted((tmp_path / "runs").iterdir()):
        lines = [r for r in read_table(folder / "predictions.csv") if r["model"] == "best"]
        names = [key for key in lines[0] if key.startswith("p_")]
        labels = np.array([line["label"] for line in lines])
        shares = [[float(line[name]) for name in names] for line in lines]
        predicted.append(np.array([names[place][2:] for place in np.argmax(shares, axis=1)]))
    (one,) = found_in(tmp_path)
    scores = [balanced_accuracy_score(labels, said) for said in predicted]
    assert one.row["mpca_mean"] == pytest.approx(np.mean(scores))
    assert one.row["mpca_sd"] == pytest.approx(np.std(scores, ddof=1))
    draw, brute = np.random.default_rng(5), []
    right = np.stack(predicted) == labels
    members = [np.flatnonzero(labels == name) for name in np.unique(labels)]
    for _ in range(1500):
        rows = right[draw.integers(0, 3, 3)]
        brute.append(np.mean([rows[:, draw.choice(m, len(m))].mean() for m in members]))
    low, high = np.quantile(brute, [0.025, 0.975])
    width = one.row["mpca_high"] - one.row["mpca_low"]
    # widened for three seeds, at most as if they alone made the spread (t of two degrees)
    assert 0.97 * (high - low) < width < 4.303 / 1.96 * 1.03 * (high - low)
    assert one.row["mpca_low"] < low + 0.01


def test_filters_leave_the_ranks_alone(tmp_path):
    make_run(tmp_path, "convXpress", skill=6.0)
    make_run(tmp_path, "simple", skill=0.1)
    make_run(tmp_path, "simple", data="mirabest", skill=0.1)
    make_run(tmp_path, "simple", protocol="legacy", skill=0.1)
    (one,) = found_in(tmp_path, network="simple", data="first", protocol="standard")
    assert one.row["rank"] == 2
    assert one.row["network"] == "simple"
    assert len(found_in(tmp_path, network="simple")) == 3
    assert len(found_in(tmp_path, protocol="legacy")) == 1
    assert found_in(tmp_path, protocol="other") == []


def test_labels_are_unique(tmp_path):
    make_run(tmp_path, "agcnn", settings={"network_settings": {"gates": 2}})
    make_run(tmp_path, "agcnn", settings={"network_settings": {"gates": 3}})
    make_run(tmp_path, "agcnn", settings={"network_settings": {"gates": 3}, "epochs": 9})
    make_run(tmp_path, "simple")
    make_run(tmp_path, "simple", data="mirabest")
    assert {one.label for one in found_in(tmp_path)} == {
        "agcnn (gates=2)",
        "agcnn (gates=3) epochs=3",
        "agcnn (gates=3) epochs=9",
        "simple on first",
        "simple on mirabest",
    }


def damage(folder, how):
    table = folder / "predictions.csv"
    if how == "cut":
        table.write_bytes(table.read_bytes()[:2000])
    elif how == "missing":
        table.unlink()
    elif how == "edited":
        table.write_text(table.read_text().replace("FRII", "FRI", 1))
    elif how == "binary":
        table.write_bytes(bytes(range(256)))
        digest = digest_file(table)
        change_run(folder, lambda run: run["digests"]["files"].update({table.name: digest}))
    elif how == "metrics":
        path = folder / "metrics.json"
        metrics = json.loads(path.read_text())
        counts = metrics["final"]["confusion_matrix"]
        counts[0][0], counts[0][1] = counts[0][1], counts[0][0] + 1
        path.write_text(json.dumps(metrics))


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("cut", "was changed after the run"),
        ("missing", "cannot read"),
        ("edited", "was changed after the run"),
        ("binary", "cannot read"),
        ("metrics", "contradicts the predictions: it counts"),
    ],
)
def test_damaged_runs_are_named_and_left_out(tmp_path, how, text):
    sound, bad = make_run(tmp_path, seed=1826), make_run(tmp_path, seed=8901)
    damage(bad, how)
    problems = Problems("results")
    (one,) = found_in(tmp_path, problems=problems)
    assert [run.folder for run in one.runs] == [sound]
    (found,) = problems.texts
    assert text in found
    assert bad.name in found
    assert [run.folder for run in found_in(tmp_path)[0].runs] == [sound]


def test_a_copied_run_counts_once(tmp_path):
    folder = make_run(tmp_path, finished="2026-01-01T00:00:00Z")
    copy = shutil.copytree(folder, folder.with_name("copy"))
    change_run(copy, lambda run: run.update(finished="2026-02-01T00:00:00Z"))
    (one,) = found_in(tmp_path)
    assert [run.folder.name for run in one.runs] == ["copy"]
    assert "not ranked: seed 8901 is there more than once" in one.row["note"]


def rename_sources(folder, rename):
    """Give the test sources other names, as a split drawn by the seed would."""
    table = folder / "predictions.csv"
    lines = table.read_text().splitlines()
    changed = [lines[0]]
    for line in lines[1:]:
        model, source, rest = line.split(",", 2)
        changed.append(f"{model},{rename(source)},{rest}")
    table.write_text("\n".join(changed) + "\n")
    digest = digest_file(table)
    change_run(folder, lambda run: run["digests"]["files"].update({table.name: digest}))


def test_seeds_with_test_sets_of_their_own_are_laid_side_by_side(tmp_path):
    for seed in SEEDS[:2]:
        rule = f"quotas per class: train 20; seed {seed}"
        parts = {"rule": rule, "digest": digest_text(rule), "train": 80, "validation": 8}
        folder = make_run(tmp_path, seed=seed, split={**parts, "test": 40})
        if seed == SEEDS[0]:
            # eight sources of this test set are not in that of the other seed
            rename_sources(folder, lambda name: name if int(name[1:]) >= 8 else f"other-{name}")
    (one,) = found_in(tmp_path)
    assert len(one.sources) == 48
    assert (one.predicted == -1).sum(axis=1).tolist() == [8, 8]
    assert np.isnan(one.probabilities).all(axis=2).sum(axis=1).tolist() == [8, 8]
    for row, run in enumerate(one.runs):
        expected = run.predictions("best")
        places = [one.sources.index(name) for name in expected.sources]
        np.testing.assert_array_equal(one.labels[places], expected.labels)
        np.testing.assert_array_equal(one.probabilities[row][places], expected.probabilities)
    assert one.row["rank"] == 1
    assert one.row["mpca_low"] < one.row["mpca_mean"] < one.row["mpca_high"]

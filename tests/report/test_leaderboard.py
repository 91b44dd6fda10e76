import io
import json
import multiprocessing
import shutil
import statistics

import pytest
from scipy.stats import trim_mean

from benchmarker.core.hashing import digest_text
from benchmarker.core.records import read_record
from benchmarker.report import leaderboard
from benchmarker.report import rows as rows_module
from benchmarker.report.names import names_with_settings
from benchmarker.report.published import Published
from benchmarker.report.rows import HEAD, TAIL
from benchmarker.report.tables import table
from benchmarker.report.text import show
from tests.report.factory import change_run, make_failed, make_run, read_table, value

SEEDS = (8901, 1826, 4915)


def board(results, **options):
    return leaderboard.rows(leaderboard.collect(results), published=(), **options)


def printed(rows, width):
    stream = io.StringIO()
    show(table(rows, width=width), stream, width=width)
    return stream.getvalue()


def test_a_row_is_the_mean_over_its_seeds(tmp_path):
    folders = [make_run(tmp_path, seed=seed) for seed in SEEDS]
    best, final = board(tmp_path)
    assert (best["model"], final["model"]) == ("best", "final")
    for row, model in ((best, "best"), (final, "final")):
        values = [value(folder, model) for folder in folders]
        assert row["mpca_mean"] == pytest.approx(statistics.fmean(values))
        assert row["mpca_sd"] == pytest.approx(statistics.stdev(values))
    assert best["seeds"] == [1826, 4915, 8901]
    assert best["n_seeds"] == 3
    values = [value(folder) for folder in folders]
    assert best["mpca_iqm"] == pytest.approx(trim_mean(values, 0.25))
    assert best["mpca_low"] < best["mpca_iqm_low"] + 1e-9 < min(best["mpca_mean"], max(values))
    assert best["mpca_mean"] < best["mpca_high"] <= 1
    assert best["state"] == "complete"
    assert best["size"] == "150"
    assert best["parameters"] == 4_567_944
    speeds = [250.0 + seed % 7 for seed in SEEDS]
    assert best["inference_images_per_second"] == pytest.approx(statistics.fmean(speeds))


def test_one_seed_has_no_deviation_and_the_interval_of_its_images(tmp_path):
    folder = make_run(tmp_path)
    (row,) = board(tmp_path, model="best")
    assert row["mpca_sd"] is None
    # that of the run's own bootstrap, but for the other draws
    own = read_record(folder).metrics["best"]["mpca"]
    assert row["mpca_low"] == pytest.approx(own["low"], abs=0.03)
    assert row["mpca_high"] == pytest.approx(own["high"], abs=0.03)


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"learning_rate": 1e-3}},
        {"settings": {"epochs": 4}},
        {"settings": {"optimizer": "sgd"}},
        {"precision": "float16"},
        {"protocol": "legacy"},
        {"recipe": {"name": "none", "digest": "0"}},
        {"preparation": {"clip": "legacy", "digest": "1"}},
        {"data": "simulated"},
        {"network_digest": "another definition of the same name"},
    ],
)
def test_runs_that_differ_in_more_than_the_seed_are_not_averaged(tmp_path, change):
    make_run(tmp_path, seed=8901)
    make_run(tmp_path, seed=1826, **change)
    assert [row["n_seeds"] for row in board(tmp_path, model="best")] == [1, 1]


def test_data_of_another_digest_is_another_row_and_ranked_apart(tmp_path):
    for seed, content in ((8901, "old"), (1826, "new")):
        folder = make_run(tmp_path, seed=seed)
        change_run(
            folder, lambda run, c=content: run["identity"]["data"].update(digest=digest_text(c))
        )
    rows = board(tmp_path, model="best")
    assert [row["rank"] for row in rows] == [1, 1]
    assert len({row["data_digest"] for row in rows}) == 2


def split(rule, seed, **changes):
    sizes = {"train": 300, "validation": 40, "test": 40} | changes
    return {"rule": rule, "digest": digest_text(f"{rule} {seed}"), **sizes}


def test_quota_splits_of_several_seeds_make_one_row(tmp_path):
    for seed in SEEDS:
        rule = f"quotas per class: train 20, validation 10; seed {seed} (legacy)"
        make_run(tmp_path, seed=seed, split=split(rule, seed))
    (row,) = board(tmp_path, model="best")
    assert row["n_seeds"] == 3
    assert row["split_rule"] == "quotas per class: train 20, validation 10 (legacy)"
    assert row["split_digest"] == "one per seed"


def test_other_quotas_and_other_published_splits_stay_apart(tmp_path):
    for seed, rule in (
        (1, "quotas per class: train 20; seed 1"),
        (2, "quotas per class: train 30"),
    ):
        make_run(tmp_path, seed=seed, split=split(rule, seed))
    for seed in (3, 4):
        make_run(tmp_path, seed=seed, split=split("published", seed))
    rows = board(tmp_path, model="best")
    assert [row["n_seeds"] for row in rows] == [1, 1, 1, 1]
    assert [row["rank"] for row in rows] == [1, 1, 1, 1]


def test_failed_runs_are_shown_and_never_averaged(tmp_path):
    folder = make_run(tmp_path, seed=8901)
    make_failed(tmp_path, seed=1826, reason="loss is NaN in epoch 2, batch 7")
    complete, failed = board(tmp_path, model="best")
    assert complete["mpca_mean"] == value(folder)
    assert complete["seeds"] == [8901]
    assert failed["state"] == "failed"
    assert failed["reason"] == "loss is NaN in epoch 2, batch 7"
    assert failed["mpca_mean"] is None
    assert failed["rank"] is None
    assert "seed 1826: loss is NaN in epoch 2, batch 7" in printed([complete, failed], 100)


def test_running_runs_are_no_rows(tmp_path):
    folder = make_run(tmp_path)
    change_run(folder, lambda run: run["status"].update(state="running"))
    assert board(tmp_path) == []


def test_a_copied_folder_counts_once_and_is_noted(tmp_path):
    folder = make_run(tmp_path, finished="2026-01-01T00:00:00Z")
    copy = shutil.copytree(folder, folder.with_name("copy-of-it"))
    change_run(copy, lambda run: run.update(finished="2026-02-01T00:00:00Z"))
    (row,) = board(tmp_path, model="best")
    assert row["n_seeds"] == 1
    assert "seed 8901 is there more than once" in row["note"]
    assert leaderboard.check_expected_seeds([row], [8901])


def test_equal_networks_share_a_rank_and_worse_ones_follow(tmp_path):
    for seed in SEEDS:
        make_run(tmp_path, "convXpress", seed, skill=3.0)
        make_run(tmp_path, "mcrgnet", seed, skill=2.9)
        make_run(tmp_path, "simple", seed, skill=0.3)
    rows = board(tmp_path, model="best")
    assert [row["rank"] for row in rows] == [1, 1, 3]
    assert rows[2]["network"] == "simple"
    values = [row["mpca_mean"] for row in rows]
    assert values == sorted(values, reverse=True)
    text = printed(rows, 100)
    assert "Rows of equal rank cannot be told apart" in text


def test_other_fingerprints_in_a_ranking_are_flagged(tmp_path):
    make_run(tmp_path, "convXpress", 8901)
    other = make_run(tmp_path, "mcrgnet", 8901)
    change_run(other, lambda run: run["fingerprint"].update(devices=["H200"]))
    for row in board(tmp_path, model="best"):
        assert row["note"] == "ranked with runs of other fingerprints"


def test_seeds_of_one_row_on_unlike_machines_are_flagged(tmp_path):
    make_run(tmp_path, seed=8901)
    change_run(make_run(tmp_path, seed=1826), lambda run: run["fingerprint"].update(threads=1))
    (row,) = board(tmp_path, model="best")
    assert row["fingerprint"] == "mixed"
    assert row["note"] == "its runs differ in threads"


def test_expected_seeds_are_compared(tmp_path):
    for seed in (8901, 7):
        make_run(tmp_path, seed=seed)
    rows = board(tmp_path, model="best")
    assert leaderboard.check_expected_seeds(rows, [7, 8901]) == []
    (text,) = leaderboard.check_expected_seeds(rows, SEEDS)
    assert text == "convXpress on first: missing seeds 1826, 4915; foreign seed 7"


def test_published_value_stands_beside_ours(tmp_path):
    make_run(tmp_path)
    number = Published("convXpress", "first", "mpca", 0.8, None, "A paper 2021", False, "")
    other = Published("convXpress", "unlrg", "mpca", 0.7, None, "Another", True, "")
    (row,) = leaderboard.rows(
        leaderboard.collect(tmp_path), model="best", published=[other, number]
    )
    assert row["published_value"] == 0.8
    assert row["published_source"] == "A paper 2021 (other protocol)"
    assert row["published_metric"] == "mpca"
    assert "published %" in printed([row], 160)


def test_the_file_has_every_column_and_reads_back(tmp_path):
    for seed in SEEDS:
        make_run(tmp_path, seed=seed)
    make_run(tmp_path, data="mnist", classes=("a,b", 'say "x"', "two\nlines"))
    path = leaderboard.write(tmp_path)
    header = path.read_text().splitlines()[0].split(",")
    assert header[: len(HEAD)] == list(HEAD)
    assert path == tmp_path / "leaderboard.csv"
    rows = read_table(path)
    assert set(HEAD) | set(TAIL) <= set(rows[0])
    assert rows[0]["seeds"] == "1826 4915 8901"
    assert float(rows[0]["mpca_mean"]) == board(tmp_path)[0]["mpca_mean"]
    assert float(rows[0]["FRII_recall"]) > 0
    assert rows[0]["a,b_f1"] == ""
    last = next(row for row in rows if row["data"] == "mnist")
    assert float(last["two\nlines_precision"]) > 0


def test_unreadable_folders_have_rows_that_say_why(tmp_path):
    make_run(tmp_path)
    broken = tmp_path / "runs" / "broken"
    broken.mkdir()
    (broken / "run.json").write_text("{")
    leaderboard.write(tmp_path)
    row = read_table(tmp_path / "leaderboard.csv")[-1]
    assert row["state"] == "unreadable"
    assert "broken/run.json" in row["reason"]


def write_again(results):
    for _ in range(3):
        leaderboard.write(results)


def test_writers_side_by_side_leave_a_whole_file(tmp_path):
    make_run(tmp_path)
    leaderboard.write(tmp_path)
    expected = (tmp_path / "leaderboard.csv").read_bytes()
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_again, args=(tmp_path,)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert (tmp_path / "leaderboard.csv").read_bytes() == expected
    assert not list(tmp_path.glob(".part-*"))


def test_rows_of_runs_keep_their_place_among_all(tmp_path):
    make_run(tmp_path, "convXpress", skill=4.0)
    worse = make_run(tmp_path, "simple", skill=0.1)
    records = [r for r in leaderboard.collect(tmp_path) if r.folder == worse]
    (row,) = leaderboard.rows_of_runs(tmp_path, records)
    assert (row["network"], row["rank"]) == ("simple", 2)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
def test_the_table_never_wraps_a_row(tmp_path, width):
    for network in ("convXpress", "alexnet_real_do_seed"):
        for seed in SEEDS:
            make_run(tmp_path, network, seed)
    rows = board(tmp_path, model="best")
    lines = printed(rows, width).splitlines()
    assert max(map(len, lines)) <= width
    for row in rows:
        (line,) = [text for text in lines if row["network"] in text and "Note" not in text]
        assert f"{100 * row['mpca_mean']:.1f} ± {100 * row['mpca_sd']:.1f}" in line


def test_wide_tables_show_more(tmp_path):
    make_run(tmp_path)
    rows = board(tmp_path, model="best")
    narrow, wide = printed(rows, 50), printed(rows, 140)
    assert "train/s" not in narrow
    for heading in ("accuracy %", "F1 %", "AUC %", "params", "MACs", "train/s", "test/s"):
        assert heading in wide
    assert "4.57M" in wide
    assert "779M" in wide


def test_names_with_markup_are_printed_as_they_are(tmp_path):
    make_run(tmp_path, "[bold]net[/bold]", data="a b")
    assert "[bold]net[/bold]" in printed(board(tmp_path, model="best"), 100)


def test_a_row_tells_stretch_and_padding_of_the_preparation():
    plain = {"clip": "none", "normalise": "scale255", "stretch": "linear", "pad": None}
    assert rows_module._preparation(plain) == "none+scale255"
    rich = {**plain, "stretch": "sqrt", "pad": [64, 64], "circular_mask": True}
    assert rows_module._preparation(rich) == "none+scale255+sqrt+pad64+circular_mask"


NUMBERS = [
    Published("agcnn", "first", "accuracy", 0.844, None, "A paper 2021", False, ""),
    Published("agcnn", "first", "macro_f1", 0.8415, None, "A paper 2021", False, ""),
    Published("agcnn", "first", "auc", 0.92, None, "A paper 2021", False, ""),
    Published("agcnn_softmax_ft", "first", "auc", 0.924, None, "A paper 2021", False, ""),
]


def rows_beside(results):
    return leaderboard.rows(leaderboard.collect(results), model="best", published=NUMBERS)


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_accuracy_f1_and_auc_stand_beside_the_published_ones(tmp_path, width):
    for seed in SEEDS:
        make_run(tmp_path, "agcnn", seed, varied=True)
        make_run(tmp_path, "simple", seed)
    rows = rows_beside(tmp_path)
    row = next(row for row in rows if row["network"] == "agcnn")
    assert [row[f"published_{name}"] for name in ("accuracy", "macro_f1", "auc")] == [
        0.844, 0.8415, 0.92,
    ]  # fmt: skip
    text = printed(rows, width)
    assert max(map(len, text.splitlines())) <= width
    below = text.split("first: beside the published numbers")[1]
    plain, passes = (
        next(line for line in below.splitlines() if start in line)
        for start in (" agcnn ", "   12 passes ")
    )
    shown = ("accuracy", "macro_f1", "auc") if width >= 80 else ("accuracy", "auc")
    for name in shown:
        ours = f"{100 * row[f'{name}_mean']:.1f} ± {100 * row[f'{name}_sd']:.1f}"
        assert ours in plain
        assert f"{100 * row[f'published_{name}']:.1f}" in plain.split(ours)[1]
        assert f"{100 * row[f'augmented_{name}']:.1f} ± " in passes
    assert "simple" not in below.split("Published:")[0]
    assert "Published: A paper 2021 (other protocol)." in text


def test_a_setting_of_the_network_finds_the_numbers_of_that_variant(tmp_path):
    make_run(tmp_path, "agcnn", settings={"network_settings": {"normalisation": "softmax"}})
    (row,) = rows_beside(tmp_path)
    assert (row["published_auc"], row["published_accuracy"]) == (0.924, None)


def test_the_accuracy_has_an_interval_over_sources_and_seeds(tmp_path):
    for seed in SEEDS:
        make_run(tmp_path, seed=seed)
    (row,) = board(tmp_path, model="best")
    assert 0 < row["accuracy_low"] < row["accuracy_mean"] < row["accuracy_high"] <= 1
    shown = f"{100 * row['accuracy_low']:.1f}-{100 * row['accuracy_high']:.1f}"
    assert shown in printed([row], 250)


def test_passes_and_turns_are_means_over_seeds_where_runs_have_them(tmp_path):
    folders = [make_run(tmp_path, seed=seed, varied=True) for seed in SEEDS[:2]]
    (row,) = board(tmp_path, model="best")
    found = [read_record(folder).metrics["best"] for folder in folders]
    accuracies = [entry["augmented"]["pooled"]["accuracy"]["value"] for entry in found]
    assert row["augmented_accuracy"] == pytest.approx(statistics.fmean(accuracies))
    assert row["augmented_accuracy_sd"] == pytest.approx(statistics.stdev(accuracies))
    agreements = [entry["rotation"]["agreement"]["value"] for entry in found]
    assert row["rotation_agreement"] == pytest.approx(statistics.fmean(agreements))
    assert (row["augmented_passes"], row["auc_from"], row["note"]) == (12, "scores", "")
    assert "steady %" in printed([row], 220)
    make_run(tmp_path, seed=SEEDS[2])
    (mixed,) = board(tmp_path, model="best")
    assert mixed["rotation_agreement"] == row["rotation_agreement"]
    assert mixed["auc_from"] == "mixed"
    assert "2 of its 3 runs were tested in augmented passes" in mixed["note"]
    assert "2 of its 3 runs were tested while they turn" in mixed["note"]
    assert "the AUC ranks by scores in some of its runs" in mixed["note"]


def test_records_from_before_have_empty_cells(tmp_path):
    make_run(tmp_path)
    row = read_table(leaderboard.write(tmp_path))[0]
    for name in ("augmented_accuracy", "augmented_auc", "rotation_agreement", "published_auc"):
        assert row[name] == ""
    assert row["auc_from"] == "probabilities"
    assert "steady %" not in printed(board(tmp_path, model="best"), 250)


def test_rows_whose_auc_ranks_otherwise_are_flagged(tmp_path):
    make_run(tmp_path, "convXpress", varied=True)
    make_run(tmp_path, "simple")
    for row in board(tmp_path, model="best"):
        assert "the AUC ranks by scores in some rows, by probabilities in others" in row["note"]


def test_namesakes_are_told_apart_by_their_settings():
    def row(network, settings):
        other = f"loss=cross_entropy network_settings={json.dumps(settings, sort_keys=True)} x=1"
        return {"network": network, "other_settings": other}

    rows = [
        row("agcnn", {"gates": 2, "pooling": "sum"}),
        row("agcnn", {"gates": 3, "pooling": "sum"}),
        row("lenet", {"group": "d4"}),
        {"network": "simple", "other_settings": ""},
    ]
    assert names_with_settings(rows) == ["agcnn (gates=2)", "agcnn (gates=3)", "lenet", "simple"]

import csv

import pytest

from benchmarker.report import leaderboard
from tests.report.factory import make_failed, make_run, read_table, value

# rg-benchmarker's header, word for word
HEADER = (
    "Architectures,Seed,LearningRate,Epochs,train_acc,val_acc,train_loss,val_loss,loss_ratio,"
    "acc_ratio,MPCA,Comp-P,FRI-P,FRII-P,Bent-P,Comp-R,FRI-R,FRII-R,Bent-R,Comp-F1,FRI-F1,"
    "FRII-F1,Bent-F1,"
)


def test_header_and_row_of_the_original(tmp_path):
    folder = make_run(tmp_path)
    make_failed(tmp_path, seed=1826)
    leaderboard.write(tmp_path)
    for name, model in (("convXpress.csv", "best"), ("convXpress_final.csv", "final")):
        lines = (tmp_path / name).read_text().splitlines()
        assert lines[0] == HEADER
        assert len(lines) == 2
        row = dict(zip(HEADER.split(","), lines[1].split(","), strict=True))
        assert (row["Architectures"], row["Seed"], row["Epochs"]) == ("convXpress", "8901", "3")
        assert float(row["LearningRate"]) == 1e-4
        assert float(row["MPCA"]) == pytest.approx(100 * value(folder, model))
        assert float(row["loss_ratio"]) == pytest.approx(0.3 / 0.6)
        assert float(row["acc_ratio"]) == pytest.approx(0.9 / 0.75)


def test_classes_stand_in_the_paper_order_with_balanced_scores(tmp_path):
    make_run(tmp_path)
    leaderboard.write(tmp_path)
    (row,) = read_table(tmp_path / "convXpress.csv")
    (record,) = leaderboard.collect(tmp_path)
    per_class = record.metrics["best"]["per_class"]
    for column, name in (("Comp", "Compact"), ("FRI", "FRI"), ("Bent", "Bent")):
        assert float(row[f"{column}-P"]) == per_class[name]["balanced_precision"]["value"]
        assert float(row[f"{column}-R"]) == per_class[name]["recall"]["value"]
        assert float(row[f"{column}-F1"]) == per_class[name]["balanced_f1"]["value"]


def test_every_run_has_one_row_in_a_fixed_order(tmp_path):
    for seed in (8901, 1826):
        make_run(tmp_path, seed=seed)
        make_run(tmp_path, seed=seed, settings={"learning_rate": 1e-5})
    leaderboard.write(tmp_path)
    rows = read_table(tmp_path / "convXpress.csv")
    found = [(row["LearningRate"], row["Seed"]) for row in rows]
    assert found == [("1e-05", "1826"), ("1e-05", "8901"), ("0.0001", "1826"), ("0.0001", "8901")]


def test_two_data_sets_are_told_apart_in_the_last_column(tmp_path):
    make_run(tmp_path)
    make_run(tmp_path, data="simulated")
    leaderboard.write(tmp_path)
    text = (tmp_path / "convXpress.csv").read_text()
    assert text.startswith(f"{HEADER}Data\n")
    assert [row["Data"] for row in read_table(tmp_path / "convXpress.csv")] == [
        "first",
        "simulated",
    ]


def test_other_classes_keep_their_names_and_get_their_own_file(tmp_path):
    make_run(tmp_path)
    make_run(tmp_path, data="toy", classes=('a "b"', "c,d", "e"))
    leaderboard.write(tmp_path)
    assert (tmp_path / "convXpress.csv").read_text().startswith(HEADER)
    with (tmp_path / "convXpress_toy.csv").open(newline="") as stream:
        header = next(csv.reader(stream))
    assert header[11:14] == ['a "b"-P', "c,d-P", "e-P"]


def test_missing_training_scores_stay_empty(tmp_path):
    import json

    folder = make_run(tmp_path)
    metrics = json.loads((folder / "metrics.json").read_text())
    del metrics["train_best"]
    metrics["validation_best"] = {"accuracy": None, "cross_entropy": 0.0}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    leaderboard.write(tmp_path)
    (row,) = read_table(tmp_path / "convXpress.csv")
    assert (row["train_acc"], row["val_acc"], row["loss_ratio"]) == ("", "", "")
    assert row["val_loss"] == "0.0"


@pytest.mark.parametrize("network", ["../escape", "a/b", "leaderboard", ".hidden"])
def test_a_network_name_never_leaves_the_folder_or_hides_a_table(tmp_path, network):
    results = tmp_path / "results"
    folder = make_run(results, "net")
    from tests.report.factory import change_run

    change_run(folder, lambda run: run["identity"].update(network=network))
    before = {path.name for path in tmp_path.iterdir()}
    leaderboard.write(results)
    assert {path.name for path in tmp_path.iterdir()} == before
    assert "mpca_mean" in (results / "leaderboard.csv").read_text().splitlines()[0]
    assert len(list(results.glob("*.csv"))) == 3

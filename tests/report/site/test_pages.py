"""Numbers on the pages, recomputed from the predictions with scikit-learn and SciPy."""

import json
import re

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from benchmarker.core.errors import InputFileError
from benchmarker.core.records import find_records, read_record
from benchmarker.networks.describe import describe
from benchmarker.report.contenders import contenders
from benchmarker.report.site import board, figures
from benchmarker.report.site.charts import Point
from tests.report.factory import CLASSES, change_run, make_run
from tests.report.site.conftest import build_site, network_page
from tests.report.site.reading import page, table


@pytest.fixture(scope="module")
def tests_of(results):
    """(labels, probabilities, ranking) of each seed of a network, by seed."""

    def read(network):
        found = {}
        for folder in (results / "runs").glob(f"{network}-*"):
            record = read_record(folder)
            said = record.predictions("best")
            ranking = said.probabilities
            if said.scores is not None:
                others = [np.delete(said.scores, k, axis=1) for k in range(4)]
                logs = np.stack([np.log(np.exp(one).sum(axis=1)) for one in others], axis=1)
                ranking = said.scores - logs
            found[record.seed] = (said.labels, said.probabilities, ranking)
        return dict(sorted(found.items()))

    return read


def mean_and_sd(values):
    return f"{100 * np.mean(values):.1f} ± {100 * stats.tstd(values):.1f}"


@pytest.mark.parametrize("network", ["turning", "mcrgnet"])
def test_the_leaderboard_holds_what_scikit_learn_finds(site, tests_of, network):
    tests = tests_of(network).values()
    (row,) = [
        cells for cells in table(page(site / "index.html"), "Networks") if cells[1] == network
    ]
    found = [
        cell.split("±")[0].strip() + " ± " + cell.split("±")[1].split()[0] for cell in row[3:7]
    ]
    guessed = [(truth, shares.argmax(axis=1)) for truth, shares, _ in tests]
    expected = [
        [sk.balanced_accuracy_score(*pair) for pair in guessed],
        [sk.accuracy_score(*pair) for pair in guessed],
        [sk.f1_score(*pair, average="macro") for pair in guessed],
        [
            np.mean([sk.roc_auc_score(truth == k, rank[:, k]) for k in range(4)])
            for truth, _, rank in tests
        ],
    ]
    assert found == [mean_and_sd(values) for values in expected]
    low, high = (float(end) for end in row[3].split()[-1].split("–"))
    assert low < 100 * np.mean(expected[0]) < high


def test_scores_by_class_are_those_of_scikit_learn(site, tests_of):
    tests = tests_of("mcrgnet").values()
    guessed = [(truth, shares.argmax(axis=1)) for truth, shares, _ in tests]
    scores = np.array(
        [sk.precision_recall_fscore_support(*pair, zero_division=0)[:3] for pair in guessed]
    )
    rows = table(page(network_page(site, "mcrgnet")), "By class")
    for index, (name, support, *cells) in enumerate(rows):
        assert name == CLASSES[index]
        assert support == "10"
        areas = [sk.roc_auc_score(truth == index, rank[:, index]) for truth, _, rank in tests]
        expected = [mean_and_sd(scores[:, kind, index]) for kind in range(3)]
        assert cells == [*expected, mean_and_sd(areas)]


def test_the_confusion_matrix_has_counts_and_shares(site, tests_of):
    counts = sum(
        sk.confusion_matrix(truth, shares.argmax(axis=1))
        for truth, shares, _ in tests_of("mcrgnet").values()
    )
    rows = table(page(network_page(site, "mcrgnet")), "Test images of 3 seeds")
    for name, line, (heading, *cells) in zip(CLASSES, counts, rows, strict=True):
        assert heading == name
        expected = [f"{n} {100 * n / line.sum():.1f}" for n in line]
        assert cells == [*expected, str(line.sum())]


def test_calibration_of_each_seed(site, tests_of):
    rows = table(page(network_page(site, "mcrgnet")), "Calibration by seed")
    for (seed, (truth, shares, _)), cells in zip(tests_of("mcrgnet").items(), rows, strict=True):
        sure, right = shares.max(axis=1), shares.argmax(axis=1) == truth
        # sums over bins, by SciPy
        edges = np.linspace(0, 1, 16)
        gaps = stats.binned_statistic(sure, right - sure, "sum", edges).statistic
        brier = ((shares - np.eye(4)[truth]) ** 2).sum(axis=1).mean()
        assert cells[:3] == [str(seed), f"{100 * abs(gaps).sum() / 40:.1f}", f"{brier:.3g}"]
        assert cells[3:5] == ["not recorded", "not recorded"]
        order = np.argsort(-sure)
        expected = [100 * right[order[:n]].mean() for n in (20, 32, 40)]
        assert cells[5:] == [f"{value:.1f}" for value in expected]


def test_bins_of_the_calibration_chart(site, tests_of):
    tests = tests_of("mcrgnet").values()
    truth = np.concatenate([labels for labels, _, _ in tests])
    shares = np.concatenate([found for _, found, _ in tests])
    sure, right = shares.max(axis=1), shares.argmax(axis=1) == truth
    edges = np.linspace(0, 1, 16)
    number = stats.binned_statistic(sure, None, "count", edges).statistic
    hits = stats.binned_statistic(sure, right, "mean", edges).statistic
    mean = stats.binned_statistic(sure, sure, "mean", edges).statistic
    expected = [
        [f"{100 * edges[b]:.1f}", f"{100 * edges[b + 1]:.1f}", f"{number[b]:g}",
         f"{100 * mean[b]:.1f}", f"{100 * hits[b]:.1f}"]
        for b in range(15) if number[b]
    ]  # fmt: skip
    assert table(page(network_page(site, "mcrgnet")), "Test images of all seeds") == expected


def test_the_roc_says_the_areas(site, tests_of):
    (chart,) = [
        one
        for one in page(network_page(site, "turning")).all("figure")
        if one.all("figcaption")[0].text.startswith("ROC")
    ]
    for index, name in enumerate(CLASSES):
        areas = [
            sk.roc_auc_score(truth == index, rank[:, index])
            for truth, _, rank in tests_of("turning").values()
        ]
        assert f"{name} {np.mean(areas):.3f}" in chart.all("desc")[0].text


def test_steadiness_while_turning(site, results):
    rows = table(page(network_page(site, "turning")), "Test images turned")
    for cells, folder in zip(
        rows, sorted((results / "runs").glob("turning-*"), key=lambda p: int(
            p.name.split("-s")[1].split("-")[0])), strict=True
    ):  # fmt: skip
        guessed = np.load(folder / "rotation.npz")["best"].argmax(axis=2)
        most = stats.mode(guessed, axis=0).mode
        agreement = (guessed == most).mean(axis=0)
        assert cells[1] == "12"
        assert cells[2].startswith(f"{100 * agreement.mean():.1f} (")
        assert cells[3].startswith(f"{100 * (agreement == 1).mean():.1f} (")
        shares = np.stack([(guessed == k).mean(axis=0) for k in range(4)])
        assert cells[4] == f"{stats.entropy(shares, axis=0).mean():.3g}"


def test_mistakes_are_those_of_the_predictions(site, tests_of):
    found = page(network_page(site, "mcrgnet")).all("ul", **{"class": "mistakes"})[0].all("li")
    assert 0 < len(found) <= 16
    tests = tests_of("mcrgnet")
    for entry in found:
        said = entry.all("figcaption")[0].text
        label, predicted = (one.text for one in entry.all("strong"))
        row = int(entry.all("span", **{"class": "source"})[0].text.removeprefix("J"))
        seeds = [int(word) for word in re.findall(r"\d+", said.split("seed")[-1])]
        surest = 0.0
        for seed in seeds:
            truth, shares, _ = tests[seed]
            assert CLASSES[truth[row]] == label
            assert shares[row].argmax() != truth[row]
            surest = max(surest, shares[row].max())
        assert f"taken for {predicted} at {100 * surest:.1f} %" in said
        (image,) = entry.all("img")
        assert image.attributes["src"].startswith("data:image/png;base64,")
        assert predicted in image.attributes["alt"]
        assert entry.all("a")[0].attributes["href"].startswith("https://")


def test_sources_without_a_position_have_no_link(site):
    found = page(network_page(site, "b-net")).all("ul", **{"class": "mistakes"})[0]
    assert found.all("img")
    assert not found.all("a")


def test_rows_that_cannot_be_told_apart_share_a_rank(site, results):
    rows = table(page(site / "index.html"), "Networks")
    first = [row[0] for row in rows if row[2].startswith("first")]
    assert first == ["1", "=2", "=2"]
    alone = [row[0] for row in rows if row[2].startswith("other")]
    assert alone == ["1"]
    ranks = {
        one.row["network"]: one.row["rank"]
        for one in contenders(find_records(results), data="first")
    }
    assert ranks == {"convXpress": 1, "mcrgnet": 2, "own": 2}


def test_layers_come_from_the_record_or_the_registry(site, results):
    text = page(network_page(site, "convXpress-first"))
    assert table(text, "Parameters")[0][-1] == "4,567,944"
    # the paper counts the same at its own input
    reference = [row for row in table(text, "Parameters") if "Becker" in row[0]]
    assert reference[0][1:] == ["300 × 300 × 1, 4 classes", "4,567,944"]


def test_recorded_layers_are_shown(few):
    folder = min(few.glob("runs/*"))
    described = describe("mcrgnet", (64, 64), 4).as_dict()
    (folder / "network.json").write_text(json.dumps(described))
    built = build_site(few, few.parent / "site")
    rows = table(page(network_page(built.index.parent, "mcrgnet")), "Layers in order")
    assert len(rows) == len(described["layers"])
    assert sum(int(row[5].replace(",", "") or 0) for row in rows) == described["parameters"]
    assert rows[-1][4] == "4"


def test_a_run_page_holds_its_record(site, results):
    folder = min((results / "runs").glob("mcrgnet-*"))
    record = read_record(folder)
    found = page(site / "runs" / f"{folder.name}.html")
    digests = dict(table(found, "Digests"))
    assert digests["identity"] == record.identity["digest"]
    assert digests["files predictions.csv"] == record.run["digests"]["files"]["predictions.csv"]
    assert dict(table(found, "Fingerprint"))["threads"] == "2"
    assert dict(table(found, "Settings"))["learning rate"] == "0.0001"
    assert dict(table(found, "Status"))["state"] == "complete"
    said = record.predictions("final")
    accuracy = 100 * sk.accuracy_score(said.labels, said.probabilities.argmax(axis=1))
    scores = {row[0]: row[2] for row in table(found, "On the test set")}
    assert scores["accuracy"].startswith(f"{accuracy:.1f} (")


def test_a_failed_run_has_a_page_that_says_why(site):
    (path,) = (site / "runs").glob("failing-*")
    found = page(path)
    assert dict(table(found, "Status"))["reason"] == "loss is <NaN> in epoch 2"
    assert not [one for one in found.all("h2") if one.text == "Scores"]


def test_what_is_undefined_says_so(tmp_path):
    folder = make_run(tmp_path, split={**make_split(), "test": 1})
    assert read_record(folder).metrics["best"]["auc"]["value"] is None
    built = build_site(tmp_path, tmp_path / "site")
    (row,) = table(page(built.index), "Networks")
    assert row[6] == "undefined"
    classes = table(page(network_page(built.index.parent, "convXpress")), "By class")
    assert classes[3][1] == "0"
    assert classes[3][-1] == "undefined"
    confusion = table(page(network_page(built.index.parent, "convXpress")), "Test images of 1")
    assert confusion[3][1] == "0 undefined"


def make_split():
    return {"rule": "published", "digest": "d", "train": 3, "validation": 3}


def test_a_run_whose_every_file_is_gone_is_still_listed(few):
    (first, _) = sorted(few.glob("runs/*"))
    for name in ("history.csv", "log.txt", "predictions.csv"):
        (first / name).unlink(missing_ok=True)
    with pytest.raises(InputFileError):
        read_record(first).predictions("best")
    built = build_site(few, few.parent / "site")
    assert built.runs == 2
    assert "There is no log.txt" in (built.index.parent / "runs" / f"{first.name}.html").read_text()


def test_long_logs_are_cut_at_their_beginning(few):
    folder = min(few.glob("runs/*"))
    (folder / "log.txt").write_text("".join(f"line {n}\n" for n in range(5000)))
    built = build_site(few, few.parent / "site")
    text = (built.index.parent / "runs" / f"{folder.name}.html").read_text()
    assert "line 4999" in text
    assert "line 4799" not in text
    assert "The last 200 lines" in text


def test_the_best_at_their_cost():
    points = [Point(3, 0.8), Point(1, 0.5), Point(2, 0.5), Point(2, 0.7), Point(4, 0.8)]
    assert [(p.x, p.y) for p in figures.best_at_cost(points)] == [(1, 0.5), (2, 0.7), (3, 0.8)]


def test_namesakes_on_one_data_set_are_told_apart(tmp_path):
    for rate in (1e-3, 1e-4):
        make_run(tmp_path, "mcrgnet", 1, settings={"learning_rate": rate})
    make_run(tmp_path, "mcrgnet", 1, data="other")
    found = contenders(find_records(tmp_path))
    names = board.short_names([one.row for one in found])
    assert len(set(names[:2])) == 2
    assert names[2] == "mcrgnet"


def test_a_network_of_another_definition_is_not_described(tmp_path):
    folder = make_run(tmp_path, "convXpress", 1)
    change_run(folder, lambda run: run["network"].update(parameters=17))
    built = build_site(tmp_path, tmp_path / "site")
    text = network_page(built.index.parent, "convXpress").read_text()
    assert "The layers were not recorded" in text

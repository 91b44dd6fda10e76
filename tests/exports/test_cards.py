"""Model cards and data cards say what the records say, and what they do not know."""

import re
import statistics

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, recall_score

from benchmarker.core.files import write_json
from benchmarker.core.records import read_record
from benchmarker.data.cards import load_card
from benchmarker.exports.card_failures import failures
from benchmarker.exports.data_card import data_card
from benchmarker.exports.model_card import model_card
from benchmarker.report.contenders import contenders
from tests.report.factory import change_run, make_run

SEEDS = (1826, 4915, 8901)


def card(folders, **wanted):
    records = [read_record(folder) for folder in folders]
    return model_card(records[0].network, contenders(records, **wanted))


def part(text, title):
    """What stands below a heading."""
    found = re.search(
        rf"^#+ {re.escape(title)}\n\n(.*?)(?=\n#+ |\Z)", text, re.MULTILINE | re.DOTALL
    )
    return found[1].strip()


def cells(text):
    """Table lines as lists of cells, without the heading and the rule."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


@pytest.fixture
def folders(tmp_path):
    return [make_run(tmp_path, seed=seed) for seed in SEEDS]


def test_metrics_are_means_over_the_seeds(folders):
    records = [read_record(folder) for folder in folders]
    mpca = [
        100 * recall_score(t.labels, t.probabilities.argmax(axis=1), average="macro")
        for t in (record.predictions("best") for record in records)
    ]
    line = cells(part(card(folders), "Metrics"))[0]
    assert line[:2] == ["MPCA %", f"{statistics.fmean(mpca):.1f} ± {statistics.stdev(mpca):.1f}"]
    assert line[3:] == [f"{value:.1f}" for value in mpca]
    low, high = map(float, line[2].split("-"))
    assert low < statistics.fmean(mpca) < high


def test_known_failures_are_those_of_the_predictions(tmp_path):
    folders = [make_run(tmp_path, seed=seed, skill=1.0) for seed in SEEDS]
    tables = [read_record(folder).predictions("best") for folder in folders]
    truth = np.concatenate([t.labels for t in tables])
    said = np.concatenate([t.probabilities.argmax(axis=1) for t in tables])
    counts = confusion_matrix(truth, said)
    recalls = np.diag(counts) / counts.sum(axis=1)
    classes = read_record(folders[0]).classes
    text = part(card(folders), "Known failures")
    worst = classes[int(recalls.argmin())]
    assert f"Weakest class: {worst}, of which {100 * recalls.min():.1f} % are found." in text
    np.fill_diagonal(counts, 0)
    assert f": {counts.max()} of 30 ({100 * counts.max() / 30:.1f} %) over 3 seeds." in text
    wrong = np.all([t.probabilities.argmax(axis=1) != t.labels for t in tables], axis=0)
    names = [name for name, is_wrong in zip(tables[0].sources, wrong, strict=True) if is_wrong]
    assert names
    assert f"all 3 seeds: {len(names)} of 40 test sources: {names[0]}" in text
    assert "was not tested" in text


def test_a_perfect_run_has_no_confusion(tmp_path):
    (one,) = contenders([read_record(make_run(tmp_path, skill=50.0))])
    texts = list(failures(one))
    assert "No test image was classified wrongly." in texts
    assert not any("taken for" in text for text in texts)


def test_turned_varied_and_damaged_images_are_told(tmp_path):
    folder = make_run(tmp_path, varied=True)
    columns = "model,corruption,strength,amount,unit,n,accuracy,mpca,macro_f1,auc,cross_entropy"
    rows = [
        f"{columns},calibration_error",
        "best,none,0,0,,40,0.9,0.9,0.9,0.9,0.5,0.1",
        "best,noise,1,0.1,sigma,40,0.8,0.8,0.8,0.8,0.6,0.1",
        "best,noise,2,0.2,sigma,40,0.55,0.5,0.5,0.5,0.7,0.1",
        "best,shift,1,4,px,40,0.85,0.8,0.8,0.8,0.6,0.1",
    ]
    (folder / "corruptions.csv").write_text("\n".join(rows) + "\n")
    record = read_record(folder)
    text = part(card([folder]), "Known failures")
    turned = record.metrics["best"]["rotation"]
    assert f"class at {100 * turned['agreement']['value']:.1f} % of them" in text
    assert f"{100 * (1 - turned['steady_share']['value']):.1f} % of the sources change" in text
    assert "Varied at random 12 times" in text
    assert "noise (0.2 sigma) costs most: 35.0 points of accuracy" in text
    assert "Sources that are uncertain: accuracy" in text


def test_calibration_before_and_after(tmp_path):
    folder = make_run(tmp_path, varied=True)
    entry = read_record(folder).metrics["best"]
    lines = dict((line[0], line[1:]) for line in cells(part(card([folder]), "Calibration")))  # noqa: C402
    plain = f"{entry['calibration_error']['value']:.3f}"
    assert lines["expected calibration error"][0] == plain
    if entry.get("temperature"):
        milder = f"{entry['temperature']['calibration_error']['value']:.3f}"
        assert lines["expected calibration error"][1] == milder


def test_licence_and_counts_come_from_the_data_set_card(folders):
    text = part(card(folders), "Data and licence")
    assert "**licence**: MIT for the labels" in text
    assert "<https://doi.org/10.5281/zenodo.7689127>" in text
    assert ["FRII", "824", "50", "50"] in cells(text)


def test_what_nobody_recorded_is_said_to_be_unknown(tmp_path):
    folder = make_run(tmp_path, network="gone", data="mine")

    def forget(run):
        run["identity"]["data"]["card"] = None
        run["fingerprint"] = {}

    change_run(folder, forget)
    text = card([folder])
    assert "- **licence**: not known" in part(text, "Data and licence")
    assert "- **paper**: not known" in part(text, "Model details")
    assert "- **licence of the weights**: not known" in text
    assert "No temperature is recorded." in part(text, "Calibration")
    assert "The records say nothing" not in part(text, "Metrics")
    assert "One seed only" in part(text, "Caveats")
    assert "with one seed, how much seeds differ is not known" in part(text, "Metrics")


def test_an_undefined_number_is_no_zero(tmp_path):
    folder = make_run(tmp_path)
    metrics = read_record(folder).metrics
    metrics["best"]["per_class"]["Bent"]["precision"]["value"] = None
    metrics["best"]["auc"] = {"value": None, "low": None, "high": None}
    write_json(folder / "metrics.json", metrics)
    text = card([folder])
    assert cells(part(text, "Per class"))[3][2] == "undefined"
    assert cells(part(text, "Metrics"))[3][1:] == ["-", "-", "-"]


def test_names_are_never_markup(tmp_path):
    classes = ("a|b", "<script>x</script>", "`code`\n# heading", "[link](http://x)")
    text = card([make_run(tmp_path, classes=classes)])
    assert "<script>" not in text
    assert "\n# heading" not in text
    assert not re.search(r"(?<!\\)\[link", text)
    lines = cells(part(text, "Per class"))
    assert [len(line) for line in lines] == [5] * 4
    assert lines[0][0] == r"a\|b"


def test_each_data_set_of_a_network_is_a_chapter(tmp_path):
    folders = [
        make_run(tmp_path, data=name, seed=seed) for name in ("first", "mine") for seed in SEEDS
    ]
    text = card(folders)
    assert re.findall(r"^## (?!Model|Ethical)(.*)$", text, re.MULTILINE) == [
        "convXpress on first",
        "convXpress on mine",
    ]
    assert text.count("### Known failures") == 2
    assert text.count("# Model card:") == 1


def test_runs_are_known_by_seed_and_digest(folders):
    lines = cells(part(card(folders), "Fingerprint"))
    records = [read_record(folder) for folder in folders]
    assert [line[:2] for line in lines] == [
        [str(record.seed), record.identity["digest"][:8]] for record in records
    ]


def test_a_data_card_has_terms_composition_and_results(tmp_path):
    skills = {"convXpress": 1.0, "simple": 0.2}
    folders = [make_run(tmp_path, n, s, skill=skill) for n, skill in skills.items() for s in SEEDS]
    found = contenders([read_record(folder) for folder in folders])
    text = data_card(load_card("first"), found)
    assert cells(part(text, "Composition"))[-1] == ["all", "1758", "200", "200", "2158"]
    assert "MIT for the labels" in part(text, "Licence and origin")
    assert "benchmarker data fetch first" in part(text, "How to get it")
    assert [line[0] for line in cells(part(text, "Networks tested on it"))] == [
        "convXpress",
        "simple",
    ]
    tables = [read_record(folder).predictions("best") for folder in folders]
    hard = np.all([t.probabilities.argmax(axis=1) != t.labels for t in tables], axis=0)
    assert hard.any()
    names = [name for name, is_hard in zip(tables[0].sources, hard, strict=True) if is_hard]
    assert f"every one of 6 runs: {len(names)} sources: {names[0]}" in text


def test_a_data_card_without_runs_says_so():
    text = data_card(load_card("lrg"), [])
    assert part(text, "Networks tested on it").startswith("Not known: the records say nothing")
    assert part(text, "Known difficulties").startswith("Not known")
    assert "cut 300 x 300 pixel FITS images" in part(text, "How to get it")
    subsets = part(data_card(load_card("mirabest"), []), "Composition")
    assert "confident (nounc): MiraBest, certain FRI and FRII only" in subsets

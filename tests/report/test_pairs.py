import io
import json

import numpy as np
import pytest
from scipy.stats import binomtest

from benchmarker.core.errors import (
    CheckFailedError,
    InputFileError,
    MissingDataError,
    Problems,
    SettingsError,
)
from benchmarker.report.contestants import Search, named
from benchmarker.report.pair_tables import comparison_text, p_text, points, power_sentence
from benchmarker.report.pairs import compare
from benchmarker.report.ranking import Rules
from benchmarker.report.text import show
from tests.report.factory import change_run, make_failed, make_run
from tests.report.test_contenders import rename_sources
from tests.report.test_ranking import SEEDS, SPLIT, many


def found(results, *names, rules=None, **search):
    contenders = named(names, Search(results, **search), Problems(results))
    return compare(contenders, rules=rules or Rules(), resamples=300)


def printed(comparison, width=100):
    stream = io.StringIO()
    show(comparison_text(comparison), stream, width=width)
    return stream.getvalue()


def test_two_networks_are_compared(tmp_path):
    many(tmp_path, {"good": 4.0, "bad": 0.8})
    result = found(tmp_path, "good", "bad")
    (pair,) = result["pairs"]
    runs = {one["label"]: one["mpca"]["runs"] for one in result["networks"]}
    expected = np.mean(runs["good"]) - np.mean(runs["bad"])
    assert pair["mpca"]["difference"] == pytest.approx(expected)
    assert pair["mpca"]["low"] < expected < pair["mpca"]["high"]
    assert pair["mpca"]["p"] == pair["mpca"]["p_corrected"] < 0.01
    assert pair["verdict"] == "good is better"
    assert pair["chance_a_better"]["outcome"] == "A"
    assert pair["chance_a_better"]["bar"] == 0.75
    assert pair["mcnemar"] is None
    assert list(pair["per_class"]) == ["FRI", "FRII", "Compact", "Bent"]
    recalls = [test["difference"] for test in pair["per_class"].values()]
    assert np.mean(recalls) == pytest.approx(expected)
    assert pair["power"]["images_needed"] < 160
    assert (result["images"], result["unlike"], result["allow_unlike"]) == (160, [], False)
    json.dumps(result, allow_nan=False)
    turned = found(tmp_path, "bad", "good")["pairs"][0]
    assert turned["mpca"]["difference"] == -pair["mpca"]["difference"]
    assert turned["verdict"] == "good is better"


def test_networks_alike_cannot_be_told_apart(tmp_path):
    many(tmp_path, {"a": 2.0, "b": 1.95})
    (pair,) = found(tmp_path, "a", "b")["pairs"]
    assert pair["verdict"] == "cannot be told apart"
    needed = pair["power"]["seeds_needed"] or pair["power"]["images_needed"]
    assert needed is None or needed > 3


def test_single_runs_have_mcnemar(tmp_path):
    runs = [
        make_run(tmp_path, network, 8901, skill=skill, split=SPLIT)
        for network, skill in (("a", 2.6), ("b", 1.2))
    ]
    result = found(tmp_path, *map(str, runs))
    (pair,) = result["pairs"]
    test = pair["mcnemar"]
    counted = test["only_a_right"], test["only_b_right"]
    assert test["p"] == pytest.approx(binomtest(counted[0], sum(counted)).pvalue)
    assert [one["label"] for one in result["networks"]] == [run.name for run in runs]
    assert pair["chance_a_better"]["outcome"] == "undefined"
    assert pair["power"]["seeds_needed"] is None
    text = printed(result)
    assert "McNemar: only" in text
    assert "other seeds are not covered" in text


def test_more_than_two_are_compared_pair_by_pair_with_correction(tmp_path):
    many(tmp_path, {"a": 3.0, "b": 2.0, "c": 1.5}, seeds=SEEDS[:2])
    result = found(tmp_path, "a", "b", "c")
    assert [(pair["a"], pair["b"]) for pair in result["pairs"]] == [
        ("a", "b"), ("a", "c"), ("b", "c"),
    ]  # fmt: skip
    assert result["correction"] == "Holm over 3 comparisons"
    given = sorted(pair["mpca"]["p"] for pair in result["pairs"])
    corrected = sorted(pair["mpca"]["p_corrected"] for pair in result["pairs"])
    assert corrected[0] == pytest.approx(min(3 * given[0], 1))
    alone = found(tmp_path, "a", "b")["pairs"][0]["mpca"]
    assert alone["p"] == result["pairs"][0]["mpca"]["p"]
    assert "recall of" not in printed(result)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"data": "mirabest"}, "mixed data: a: first "),
        ({"split": {**SPLIT, "digest": "other"}}, "mixed split: a: published"),
        ({"protocol": "legacy"}, "mixed protocol: a: standard; b: legacy"),
        ({"seed": 7}, "b: missing seed 8901, foreign seed 7 (expected 8901)"),
    ],
)
def test_what_is_not_alike_is_refused_and_listed(tmp_path, changes, text):
    make_run(tmp_path, "a", 8901, split=SPLIT, skill=3.0)
    make_run(tmp_path, "b", **{"seed": 8901, "split": SPLIT, "skill": 1.0, **changes})
    rules = Rules(seeds=(8901,))
    with pytest.raises(CheckFailedError) as refused:
        found(tmp_path, "a", "b", rules=rules)
    assert text in str(refused.value)
    assert "--allow-unlike" in str(refused.value)
    assert refused.value.exit_code == 3
    allowed = found(tmp_path, "a", "b", rules=Rules((8901,), allow_unlike=True))
    assert any(text in one for one in allowed["unlike"])
    assert allowed["allow_unlike"] is True
    shown = " ".join(printed(allowed).split())
    assert "Compared in spite of what is not alike (--allow-unlike)" in shown
    assert text in shown


def test_all_that_is_not_alike_is_listed_at_once(tmp_path):
    make_run(tmp_path, "a", 1, split=SPLIT)
    make_run(tmp_path, "b", 2, split={**SPLIT, "digest": "other"}, protocol="legacy")
    with pytest.raises(CheckFailedError, match="for 3 reasons") as refused:
        found(tmp_path, "a", "b")
    assert len(str(refused.value).splitlines()) == 4


def test_missing_and_repeated_seeds_are_refused(tmp_path):
    many(tmp_path, {"a": 3.0})
    many(tmp_path, {"b": 3.0}, seeds=SEEDS[:2])
    with pytest.raises(CheckFailedError, match="b: missing seed 8901"):
        found(tmp_path, "a", "b")
    folder = make_run(tmp_path, "b", SEEDS[2], split=SPLIT)
    assert found(tmp_path, "a", "b")["unlike"] == []
    folder.rename(folder.with_name("copied"))
    make_run(tmp_path, "b", SEEDS[2], split=SPLIT)
    with pytest.raises(CheckFailedError, match="b: seed 8901 is there more than once"):
        found(tmp_path, "a", "b")


def test_other_classes_are_always_refused(tmp_path):
    make_run(tmp_path, "a")
    make_run(tmp_path, "b", classes=("FRI", "FRII"))
    with pytest.raises(CheckFailedError, match="the classes differ"):
        found(tmp_path, "a", "b", rules=Rules(allow_unlike=True))


def test_the_same_split_with_other_sources_is_refused(tmp_path):
    make_run(tmp_path, "a", split=SPLIT)
    folder = make_run(tmp_path, "b", split=SPLIT, skill=1.0)
    rename_sources(folder, lambda name: name.replace("J00001", "K00001"))
    with pytest.raises(CheckFailedError, match="the test sources differ, though the split"):
        found(tmp_path, "a", "b")
    assert found(tmp_path, "a", "b", rules=Rules(allow_unlike=True))["images"] == 150


def test_splits_drawn_by_the_seed_are_compared_seed_by_seed(tmp_path):
    for network, skill in (("a", 3.0), ("b", 1.0)):
        for seed in SEEDS[:2]:
            rule = f"quotas per class: train 20; seed {seed}"
            split = {**SPLIT, "rule": rule, "digest": rule}
            folder = make_run(tmp_path, network, seed, split=split, skill=skill)
            rename_sources(folder, lambda name, s=seed: f"{s}-{name}" if name < "J000050" else name)
    result = found(tmp_path, "a", "b")
    assert result["images"] == 160 + 50
    assert result["unlike"] == []
    assert result["pairs"][0]["power"]["images_needed"] is None
    assert "Power: not known" in printed(result)


def test_names_that_are_not_clear_are_explained(tmp_path):
    make_run(tmp_path, "agcnn", settings={"network_settings": {"gates": 2}})
    make_run(tmp_path, "agcnn", settings={"network_settings": {"gates": 3}}, skill=1.0)
    make_run(tmp_path, "simple")
    failed = make_failed(tmp_path, "simple", 1)
    with pytest.raises(SettingsError, match=r"agcnn stands for 2 contenders: agcnn \(gates=") as e:
        found(tmp_path, "agcnn", "simple")
    assert "agcnn (gates=2)" in str(e.value)
    assert len(found(tmp_path, "agcnn (gates=2)", "agcnn (gates=3)")["pairs"]) == 1
    with pytest.raises(MissingDataError, match=r"network 'simpel' .*did you mean simple\?"):
        found(tmp_path, "simpel", "simple")
    with pytest.raises(MissingDataError, match="on data mirabest"):
        found(tmp_path, "simple", "simple", data="mirabest")
    with pytest.raises(SettingsError, match="simple is there twice"):
        found(tmp_path, "simple", "simple")
    with pytest.raises(InputFileError, match="is failed, expected a complete run"):
        found(tmp_path, str(failed), "simple")


def test_a_damaged_run_folder_is_refused(tmp_path):
    good, bad = make_run(tmp_path, "a"), make_run(tmp_path, "b")
    with (bad / "predictions.csv").open("a") as stream:
        stream.write("best,x,FRI,1,0,0,0\n")
    with pytest.raises(InputFileError, match="was changed after the run"):
        found(tmp_path, str(good), str(bad))


def test_notes_on_machines_are_shown(tmp_path):
    many(tmp_path, {"a": 3.0}, seeds=SEEDS[:2])
    many(tmp_path, {"b": 1.0}, seeds=SEEDS[:1])
    folder = make_run(tmp_path, "b", SEEDS[1], split=SPLIT, skill=1.0)
    change_run(folder, lambda run: run["fingerprint"].update(threads=7))
    assert "Note: its runs differ in threads." in printed(found(tmp_path, "a", "b"))


def test_numbers_as_text():
    assert points({"difference": 0.021, "low": -0.003, "high": 0.044}) == "+2.1 (-0.3 to +4.4)"
    assert points({"difference": None, "low": None, "high": None}) == "undefined"
    assert [p_text(p) for p in (None, 0.0004, 0.0312, 1.0)] == [
        "undefined", "<0.001", "0.031", "1.000",
    ]  # fmt: skip
    known = {"power": 0.8, "difference": -0.02, "images": 400, "seeds": 3}
    said = power_sentence({**known, "images_needed": None, "seeds_needed": 9})
    assert said == (
        "Power: a true difference of 2.0 points is seen with 80 % power by no number of test "
        "images with 3 seeds or by 9 seeds each (now 3)."
    )
    said = power_sentence({**known, "images_needed": 900, "seeds_needed": None, "seeds": 1})
    assert "by 900 test images (now 400); how many seeds it takes" in said
    assert "equal" in power_sentence({**known, "difference": 0.0})

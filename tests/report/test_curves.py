"""Series over many runs: what belongs together, the means, and what is left out."""

import json
import statistics

import pytest

from benchmarker.core.errors import Problems
from benchmarker.core.hashing import digest_text
from benchmarker.core.records import find_records, read_record
from benchmarker.metrics.power_law import fit_power_law
from benchmarker.report.curves import asked_only, corruption_curves, learning_curves
from benchmarker.report.rows import base_row
from tests.report.curve_runs import add_damage, damage_rows, set_score, sized_run
from tests.report.factory import make_failed, make_run, value

SIZES = {10: (0.50, 0.56), 20: (0.64, 0.66), 40: (0.74, 0.77), None: (0.80, 0.82)}


@pytest.fixture
def results(tmp_path):
    """Two seeds at three sizes and on all sources."""
    for size, scores in SIZES.items():
        for seed, score in zip((8901, 1826), scores, strict=True):
            set_score(sized_run(tmp_path, size, seed), score)
    return tmp_path


def curves(results, **options):
    return learning_curves(find_records(results), **options)


def test_means_and_spread_of_each_size(results):
    make_failed(results, "simple")
    (curve,) = curves(results)
    assert curve["label"] == curve["network"] == "convXpress"
    assert curve["sizes"] == [10, 20, 40, 75]  # all 300 of four classes
    assert curve["whole"] == [False, False, False, True]
    assert curve["n_seeds"] == [2, 2, 2, 2]
    assert curve["seeds"] == [[1826, 8901]] * 4
    for mean, sd, scores in zip(curve["mean"], curve["sd"], SIZES.values(), strict=True):
        assert mean == pytest.approx(statistics.fmean(scores))
        assert sd == pytest.approx(statistics.stdev(scores))
    assert curve["test"] == 40
    assert curve["notes"] == []
    assert json.loads(json.dumps(curve, allow_nan=False)) == curve


def test_the_law_is_fitted_to_the_runs(results):
    (curve,) = curves(results)
    sizes = [size for size in curve["sizes"] for _ in range(2)]
    errors = [1 - score for values in curve["values"] for score in values]
    assert curve["fit"] == fit_power_law(sizes, errors)
    assert curve["fit"]["defined"]


def test_another_metric_and_the_final_weights(results):
    (curve,) = curves(results, metric="mpca", model="final")
    folders = sorted(results.glob("runs/*-s8901-*"))
    assert {values[1] for values in curve["values"]} == {
        value(folder, "final", "mpca") for folder in folders
    }


def test_networks_and_settings_are_curves_of_their_own_with_names(results):
    for size in (10, 20):
        sized_run(results, size, settings={"epochs": 9})
        sized_run(results, size, network="simple")
    sized_run(results, 10, network="mcrgnet")  # one size is no curve
    found = {curve["label"]: curve["sizes"] for curve in curves(results)}
    assert len(found) == 3
    assert found.pop("simple") == [10, 20]
    assert sorted(found) == ["convXpress epochs=3", "convXpress epochs=9"]


def test_a_seed_tested_on_different_sources_is_left_out(results):
    sized_run(results, 30, 1826, test="another")
    (curve,) = curves(results)
    assert curve["seeds"] == [[8901]] * 4
    assert curve["sd"] == [None] * 4
    assert "seed 1826 is left out" in curve["notes"][0]


def test_a_missing_seed_is_noted(results):
    set_score(sized_run(results, 30, 8901), 0.7)
    (curve,) = curves(results)
    assert curve["n_seeds"] == [2, 2, 1, 2, 2]
    assert curve["notes"] == ["30 per class: no run of seed 1826"]


def test_runs_that_do_not_say_what_tested_them_make_no_curve(tmp_path):
    rule = {"validation": 40, "test": 40}
    for size in (10, 20):
        told = {"rule": f"published, {size} of each class to train; seed 8901", "train": 4 * size}
        make_run(tmp_path, split=rule | told | {"digest": str(size)})
    assert curves(tmp_path) == []


def damaged_run(results, seed, scores, **options):
    folder = make_run(results, seed=seed, **options)
    return add_damage(folder, damage_rows(folder, scores))


def test_damage_is_averaged_over_seeds_from_the_recorded_score_on(tmp_path):
    first = damaged_run(tmp_path, 1, {("noise", 1): 0.6, ("noise", 3): 0.4, ("beam", 1): 0.5})
    second = damaged_run(tmp_path, 2, {("noise", 1): 0.7})
    make_run(tmp_path, seed=3)  # not tested on damage
    found = {curve["corruption"]: curve for curve in corruption_curves(find_records(tmp_path))}
    assert sorted(found) == ["beam", "noise"]
    noise = found["noise"]
    assert noise["label"] == "convXpress"
    assert noise["strengths"] == [0, 1, 3]
    assert noise["amounts"] == [0.0, 0.1, 0.3]
    assert noise["unit"] == "peaks"
    plain = [value(first, metric="accuracy"), value(second, metric="accuracy")]
    assert noise["values"] == [plain, [0.6, 0.7], [0.4]]
    assert noise["mean"] == pytest.approx([statistics.fmean(plain), 0.65, 0.4])
    assert noise["sd"][1] == pytest.approx(statistics.stdev([0.6, 0.7]))
    assert noise["sd"][2] is None
    assert noise["n_seeds"] == [2, 2, 1]
    assert noise["seeds"] == [[1, 2], [1, 2], [1]]
    assert noise["runs"] == [first.name, second.name]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_an_undefined_score_is_none_and_not_zero(tmp_path):
    damaged_run(tmp_path, 1, {("noise", 1): 0.6})
    (curve,) = corruption_curves(find_records(tmp_path), metric="auc")
    assert curve["mean"][1] is None
    assert curve["n_seeds"] == [1, 0]


def test_a_damaged_table_is_named_and_hides_no_other(tmp_path):
    damaged_run(tmp_path, 1, {("noise", 1): 0.6})
    bad = damaged_run(tmp_path, 2, {("noise", 1): 0.7})
    (bad / "corruptions.csv").write_text("half a li")
    problems = Problems("results")
    (curve,) = corruption_curves(find_records(tmp_path), problems=problems)
    assert curve["seeds"] == [[1], [1]]
    assert bad.name in problems.texts[0]


def test_only_what_was_asked_for_is_shown(tmp_path):
    damaged_run(tmp_path, 1, {("noise", 1): 0.6, ("noise", 3): 0.4, ("beam", 1): 0.5})
    every = corruption_curves(find_records(tmp_path))
    assert asked_only(every, None, (1, 3)) == every
    (noise,) = asked_only(every, None, (3,))
    assert (noise["strengths"], noise["values"][1]) == ([0, 3], [0.4])
    assert [curve["corruption"] for curve in asked_only(every, ["beam"], (1, 2))] == ["beam"]


def test_a_row_names_the_weights_that_it_started_from_in_short(tmp_path):
    weights = digest_text("weights")
    folder = make_run(tmp_path, settings={"init": {"weights": weights, "network": "simple"}})
    told = base_row(read_record(folder), ())["other_settings"]
    assert weights not in told
    assert f'"weights": "{weights[:8]}"' in told

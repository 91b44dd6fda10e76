"""The mean corruption error, against the formula of Hendrycks & Dietterich written out."""

import numpy as np
import pytest

from benchmarker.core.records import find_records
from benchmarker.report.corruption_errors import corruption_errors
from benchmarker.report.curves import corruption_curves
from tests.report.curve_runs import add_damage, damage_rows
from tests.report.factory import make_run, value

KINDS, STRENGTHS = ("noise", "beam"), (1, 2, 3)
OURS = np.array([[[0.8, 0.6, 0.3], [0.7, 0.5, 0.4]], [[0.7, 0.5, 0.4], [0.6, 0.5, 0.2]]])
OTHERS = np.array([[[0.7, 0.4, 0.3], [0.5, 0.45, 0.3]], [[0.75, 0.5, 0.3], [0.55, 0.4, 0.3]]])


def damaged_runs(results, network, accuracies, **options):
    """Runs of two seeds with the accuracies (seeds, kinds, strengths)."""
    for seed, of_seed in enumerate(accuracies, start=1):
        folder = make_run(results, network, seed, **options)
        scores = {
            (kind, strength): float(of_seed[row][column])
            for row, kind in enumerate(KINDS)
            for column, strength in enumerate(STRENGTHS)
        }
        add_damage(folder, damage_rows(folder, scores))
    return folder


def errors(results, reference=None):
    curves = corruption_curves(find_records(results))
    return {entry["label"]: entry for entry in corruption_errors(curves, reference=reference)}


def plain(results, network):
    folders = results.glob(f"runs/{network}-*")
    return 1 - np.mean([value(folder, metric="accuracy") for folder in folders])


@pytest.fixture
def results(tmp_path):
    damaged_runs(tmp_path, "convXpress", OURS, skill=3.5)
    damaged_runs(tmp_path, "simple", OTHERS, skill=3.0)
    return tmp_path


def test_without_a_reference_there_are_plain_means(results):
    found = errors(results)["convXpress"]
    ours = 1 - OURS.mean(axis=0)
    assert found["error"] == pytest.approx(plain(results, "convXpress"))
    assert found["kinds"] == pytest.approx(dict(zip(KINDS, ours.mean(axis=1), strict=True)))
    assert found["mean_error"] == pytest.approx(ours.mean())
    assert found["mce"] is found["relative_mce"] is found["reason"] is None


def test_the_mean_corruption_error_is_that_of_the_paper(results):
    found = errors(results, "simple")["convXpress"]
    ours, others = 1 - OURS.mean(axis=0), 1 - OTHERS.mean(axis=0)
    ratios = ours.sum(axis=1) / others.sum(axis=1)
    assert list(found["corruption_error"].values()) == pytest.approx(list(ratios))
    assert found["mce"] == pytest.approx(ratios.mean())
    ours -= plain(results, "convXpress")
    others -= plain(results, "simple")
    relative = ours.sum(axis=1) / others.sum(axis=1)
    assert found["relative_mce"] == pytest.approx(relative.mean())
    assert found["reason"] is None


def test_the_reference_itself_has_one(results):
    found = errors(results, "simple")["simple"]
    assert (found["mce"], found["relative_mce"]) == (pytest.approx(1), pytest.approx(1))


def test_a_run_folder_names_one_of_namesakes(results):
    folder = damaged_runs(results, "simple", OURS, settings={"epochs": 9})
    several = errors(results, "simple")["convXpress"]
    assert several["mce"] is None
    assert "2 networks on first called simple" in several["reason"]
    found = errors(results, folder.name)["convXpress"]
    assert found["mce"] == pytest.approx(1)
    assert "no network on first called none" in errors(results, "none")["convXpress"]["reason"]


def test_other_kinds_cannot_be_compared(results):
    folder = make_run(results, "mcrgnet")
    add_damage(folder, damage_rows(folder, {("noise", 1): 0.5}))
    found = errors(results, "mcrgnet")["convXpress"]
    assert found["mce"] is None
    assert "other kinds or strengths" in found["reason"]


def test_a_reference_without_errors_leaves_it_undefined(results):
    damaged_runs(results, "perfect", np.ones((2, 2, 3)), skill=40)
    found = errors(results, "perfect")["convXpress"]
    assert found["mce"] is found["relative_mce"] is None
    assert found["reason"] == "the reference makes no error under noise, beam"

"""Charts of the report: what they draw and what they say in words."""

import math

import numpy as np
import pytest

from benchmarker.core.records import find_records
from benchmarker.report.curves import corruption_curves, learning_curves
from benchmarker.report.site import figures
from benchmarker.report.site.evidence import RATES, SHARES, ClassCurve
from tests.report.curve_runs import add_damage, damage_rows, sized_run
from tests.report.factory import make_run, value
from tests.report.site.conftest import build_site
from tests.report.site.reading import page

ROWS = [
    {"epoch": 1.0, "cross_entropy": 1.0, "val_cross_entropy": 1.2, "accuracy": 0.4,
     "val_accuracy": 0.3},
    {"epoch": 2.0, "cross_entropy": 0.5, "val_cross_entropy": 0.75, "accuracy": 0.8,
     "val_accuracy": 0.7},
]  # fmt: skip


def named(chart):
    return [curve.name for curve in chart.curves if curve.name]


def test_learning_curves_of_all_seeds():
    loss, accuracy = figures.learning({8901: ROWS, 1826: ROWS[:1]})
    assert named(loss) == ["seed 8901", "seed 1826"]
    assert "seed 8901: 0.75, seed 1826: 1.2" in loss.description
    assert "seed 8901: 70.0 %, seed 1826: 30.0 %" in accuracy.description
    training, validation = loss.curves[:2]
    assert list(training.y) == [1.0, 0.5]
    assert list(validation.y) == [1.2, 0.75]
    assert training.dash != validation.dash
    assert loss.x.high == 2.0
    assert loss.y.low == 0.0


def test_a_loss_of_its_own_is_drawn_in_place_of_the_cross_entropy():
    rows = [{**row, "loss": 5.0, "val_loss": 6.0} for row in ROWS]
    loss, _ = figures.learning({1: rows})
    assert [list(curve.y) for curve in loss.curves] == [[5.0, 5.0], [6.0, 6.0]]
    assert "6" in loss.description


def test_a_loss_that_is_no_number_says_so():
    rows = [{**ROWS[0], "val_cross_entropy": math.nan}]
    loss, _ = figures.learning({1: rows})
    assert "seed 1: undefined" in loss.description
    loss.drawn()


def test_columns_that_are_not_there_give_no_chart():
    assert figures.learning({1: [{"epoch": 1.0, "loss": 1.0}]}) == []
    assert figures.learning({}) == []


def test_roc_and_detection_error_draw_means_over_seeds():
    rates = np.array([RATES, np.sqrt(RATES)])
    curves = [ClassCurve("FRI", (0.5, 2 / 3), rates), ClassCurve("gone", (None,), np.empty((0,)))]
    chart = figures.roc(curves)
    assert named(chart) == ["FRI"]
    mean = next(curve for curve in chart.curves if curve.name)
    np.testing.assert_allclose(mean.y[1:], rates.mean(axis=0))
    assert len([curve for curve in chart.curves if curve.faint]) == 3  # two seeds, the diagonal
    assert "FRI 0.583, gone undefined" in chart.description
    error = figures.detection_error(curves)
    (mean,) = [curve for curve in error.curves if curve.name]
    missed = dict(zip(mean.x, mean.y, strict=True))
    for rate, found in missed.items():
        assert found == pytest.approx(1 - (rate + math.sqrt(rate)) / 2)
    assert (error.x.kind, error.y.kind) == ("probit", "probit")


def test_coverage_says_what_half_of_the_images_give():
    accuracies = np.array([1.0 - 0.4 * SHARES, 1.0 - 0.2 * SHARES])
    chart = figures.covered(accuracies, [1, 2])
    assert "85.0 % at half of the images, 70.0 % at all" in chart.description
    assert len(chart.curves) == 3


def test_a_full_turn_ends_where_it_began():
    chart = figures.turned({1: np.array([0.5, 0.75, 0.5, 0.25])})
    (curve,) = chart.curves
    assert list(curve.x) == [0.0, 90.0, 180.0, 270.0, 360.0]
    assert curve.y[0] == curve.y[-1]
    assert "between 25.0 % and 75.0 %" in chart.description


def test_training_sizes_of_real_records(tmp_path):
    for size in (10, 20, None):
        for seed in (8901, 1826):
            sized_run(tmp_path, size, seed, skill=3.0 if size is None else 1.0 + size / 20)
    (curve,) = learning_curves(find_records(tmp_path), metric="mpca")
    chart = figures.training_size(curve)
    assert [point.x for point in chart.points] == [10, 20, 75]
    whole = [value(run.folder) for run in find_records(tmp_path) if run.split["train"] == 300]
    assert chart.points[-1].y == pytest.approx(np.mean(whole))
    spread = np.std(whole, ddof=1)
    assert chart.points[-1].high == pytest.approx(np.mean(whole) + spread)
    built = build_site(tmp_path, tmp_path / "site")
    for path in (built.index.parent / "networks").iterdir():
        titles = [one.text for one in page(path).all("figcaption")]
        assert "Score against the number of training sources" in titles
    charts = [one.text for one in page(built.index).all("figcaption")]
    assert len(charts) == 3  # scores after other numbers of sources are not compared


def test_damage_of_real_records(tmp_path):
    folder = make_run(tmp_path, "convXpress", 1)
    make_run(tmp_path, "mcrgnet", 1)
    rows = damage_rows(folder, {("noise", 1): 0.5, ("noise", 3): 0.4, ("beam", 1): 0.6})
    for row, mpca in zip(rows[1:], (0.5, 0.25, None), strict=True):
        row["mpca"] = mpca
    add_damage(folder, rows)
    chart = figures.damaged(corruption_curves(find_records(tmp_path), metric="mpca"))
    lines = {curve.name: curve for curve in chart.curves}
    assert list(lines["noise"].x) == [0, 1, 3]
    assert list(lines["noise"].y) == [value(folder), 0.5, 0.25]
    assert math.isnan(lines["beam"].y[-1])
    assert "noise 25.0 % at 0.3 peaks" in chart.description
    assert "beam undefined at 0.1 peaks" in chart.description
    built = build_site(tmp_path, tmp_path / "site")
    shown = {
        path.name.split("-")[0]: "Score on damaged images" in path.read_text()
        for path in (built.index.parent / "networks").iterdir()
    }
    assert shown == {"convXpress": True, "mcrgnet": False}

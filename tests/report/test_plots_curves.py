"""Pictures and tables of curves: what is drawn, and that what is fitted says so."""

import numpy as np
import pytest
from matplotlib.image import imread

from benchmarker.metrics.power_law import fit_power_law
from benchmarker.report import plots_curves
from benchmarker.report.corruption_errors import corruption_errors
from benchmarker.report.curve_tables import corruption_table, learning_table
from benchmarker.report.plots_curves import corruption_plot, learning_curves_plot
from benchmarker.report.text import show

SIZES = [10, 20, 40, 75]


def curve(label="convXpress", accuracies=(0.5, 0.62, 0.71, 0.79), spread=0.01, **changes):
    values = [[mean - spread, mean + spread] for mean in accuracies]
    errors = [1 - value for pair in values for value in pair]
    return {
        "network": label, "label": label, "data": "first", "model": "best", "metric": "accuracy",
        "sizes": SIZES, "whole": [False, False, False, True], "mean": list(accuracies),
        "sd": [spread * np.sqrt(2)] * 4, "n_seeds": [2] * 4, "values": values, "notes": [],
        "fit": fit_power_law(np.repeat(SIZES, 2), errors),
    } | changes  # fmt: skip


def damage(kind="noise", label="convXpress", mean=(0.8, 0.6, None)):
    return {
        "network": label, "label": label, "data": "first", "data_digest": "d", "model": "best",
        "metric": "accuracy", "corruption": kind, "unit": "$peaks$ of the image, in a long text",
        "strengths": [0, 1, 5], "amounts": [0.0, 0.01, 0.2], "mean": list(mean),
        "sd": [0.01, None, None], "n_seeds": [2, 1, 0], "runs": [],
    }  # fmt: skip


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were written, as they were."""
    figures = []
    write = plots_curves.write_figure

    def keep(figure, *arguments):
        figures.append(figure)
        return write(figure, *arguments)

    monkeypatch.setattr(plots_curves, "write_figure", keep)
    return figures


def words(figure):
    found = [text.get_text() for axes in figure.axes for text in axes.texts]
    found += [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return found


def test_means_and_runs_are_drawn_and_what_is_not_measured_says_so(tmp_path, drawn):
    path = learning_curves_plot(
        [curve(), curve("simple$", (0.4, 0.4, 0.4, 0.4), 0.0)], tmp_path / "c.png"
    )
    assert imread(path).std() > 0
    (axes,) = drawn[0].axes
    assert axes.get_xscale() == "log"
    marked = [line.get_xydata().tolist() for line in axes.lines]
    assert [[size, 100 * mean] for size, mean in zip(SIZES, curve()["mean"], strict=True)] in marked
    said = words(drawn[0])
    assert "extrapolated, not measured" in said
    assert any(text.startswith("convXpress (error ~ n^-") for text in said)
    assert r"simple\$" in said
    assert [tick.get_text() for tick in axes.get_xticklabels()][:4] == ["10", "20", "40", "75"]


def test_nothing_is_extrapolated_where_no_law_is_defined(tmp_path, drawn):
    flat = curve(accuracies=(0.4, 0.4, 0.4, 0.4), spread=0.0)
    assert not flat["fit"]["defined"]
    learning_curves_plot([flat], tmp_path / "c.png")
    (axes,) = drawn[0].axes
    assert "extrapolated, not measured" not in words(drawn[0])
    assert max(line.get_xdata().max() for line in axes.lines) == 75


def test_each_kind_of_damage_has_a_panel_and_undefined_scores_no_point(tmp_path, drawn):
    kinds = ("noise", "beam", "shift", "missing")
    path = corruption_plot([damage(kind) for kind in kinds], tmp_path / "d.png")
    assert imread(path).std() > 0
    panels = [axes for axes in drawn[0].axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == list(kinds)
    values = panels[0].lines[0].get_ydata()
    assert values[:2].tolist() == [80, 60]
    assert np.isnan(values[2])
    assert [tick.get_text() for tick in panels[0].get_xticklabels()] == ["none", "0.01", "0.2"]
    assert panels[0].get_xlabel().replace("\n", " ") == r"\$peaks\$ of the image, in a long text"


def text_of(table, capsys):
    import sys

    show(table, sys.stdout)
    return " ".join(capsys.readouterr().out.split())


def test_the_table_of_sizes_marks_what_is_extrapolated(capsys):
    flat = curve("simple", (0.4, 0.4, 0.4, 0.4), 0.0, notes=["10 per class: no run of seed 7"])
    said = text_of(learning_table([curve(), flat]), capsys)
    assert "10 2 50.0 ± 1.4" in said
    assert "75 yes 2 79.0 ± 1.4" in said
    beyond = curve()["fit"]["extrapolation"][0]
    assert f"Extrapolated, not measured: {100 * beyond['accuracy']:.1f}" in said
    assert "at 150" in said
    assert "undefined (the error is the same at every size)" in said
    assert "Note: 10 per class: no run of seed 7." in said


def test_the_table_of_damage_says_how_much_and_what_is_undefined(capsys):
    curves = [damage(), damage(label="simple", mean=(0.7, 0.5, 0.4))]
    said = text_of(corruption_table(curves, corruption_errors(curves, reference="simple")), capsys)
    assert "noise 80.0 ± 1.0 60.0 -" in said
    assert "noise: $peaks$ of the image, in a long text: 0.01, 0.2" in said
    assert "simple 30.0 55.0 100.0 100.0" in said
    assert "convXpress 20.0 - - -" in said

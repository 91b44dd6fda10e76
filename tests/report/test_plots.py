import matplotlib.image
import numpy as np
import pytest

from benchmarker.core.records import read_record
from benchmarker.report import canvas, leaderboard, plots, plots_varied
from tests.report.factory import change_run, make_failed, make_run


def ink(path):
    """Share of pixels that are not white."""
    pixels = matplotlib.image.imread(path)[..., :3]
    return float((pixels.min(axis=-1) < 0.99).mean())


def dark_share(path):
    """Share of pixels of the darkest cell colour of the confusion matrix."""
    pixels = matplotlib.image.imread(path)[..., :3]
    return float((np.abs(pixels - [8 / 255, 48 / 255, 107 / 255]).max(axis=-1) < 0.02).mean())


def test_all_plots_of_a_run_are_written_before_it_is_marked_complete(tmp_path):
    folder = make_run(tmp_path)
    change_run(folder, lambda run: run["status"].update(state="running"))
    written = plots.write_plots(folder)
    kinds = ("confusion", "roc", "reliability", "selection")
    names = ["learning_curve", *(f"{kind}_{m}" for m in ("best", "final") for kind in kinds)]
    assert written == [folder / "plots" / f"{name}.png" for name in names]
    assert all(0.01 < ink(path) < 0.7 for path in written)
    assert {path.name for path in (folder / "plots").iterdir()} == {f"{n}.png" for n in names}


def test_the_same_run_gives_the_same_picture(tmp_path):
    record = read_record(make_run(tmp_path))
    first = plots.learning_curve(record.history, tmp_path / "a.png").read_bytes()
    assert plots.learning_curve(record.history, tmp_path / "b.png").read_bytes() == first


def test_a_failed_write_leaves_the_old_picture(tmp_path, monkeypatch):
    path = plots.confusion([[1, 0], [0, 1]], ("a", "b"), tmp_path / "c.png")
    before = path.read_bytes()

    def fail(*arguments, **options):
        arguments[1].write(b"half")
        raise RuntimeError

    monkeypatch.setattr(canvas.Figure, "savefig", fail)
    with pytest.raises(RuntimeError):
        plots.confusion([[1, 0], [0, 1]], ("a", "b"), path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["c.png"]


def test_confusion_shows_rates_not_counts(tmp_path):
    rare = plots.confusion([[900, 0], [0, 1]], ("a", "b"), tmp_path / "rare.png")
    none = plots.confusion([[900, 0], [1, 0]], ("a", "b"), tmp_path / "none.png")
    # a rare class fully right is as dark as a common one; both cells then have the top colour
    assert dark_share(rare) > 0.1
    assert dark_share(none) == pytest.approx(dark_share(rare), rel=0.1)
    empty = plots.confusion([[0, 0], [0, 0]], ("a", "b"), tmp_path / "empty.png")
    assert dark_share(empty) < dark_share(rare) / 2


def test_odd_class_names_are_drawn(tmp_path):
    names = ("$x_1$ of $y", "very long class name, with comma", "two\nlines 漢字")
    path = plots.confusion(np.eye(3, dtype=int), names, tmp_path / "x.png", title="a $ b_2 $")
    shares = np.full((3, 3), 1 / 3)
    curves = plots.roc(np.array([0, 1, 2]), shares, names, tmp_path / "r.png")
    assert ink(path) > 0.01
    assert ink(curves) > 0.01


def test_roc_of_an_absent_class_is_no_error(tmp_path):
    shares = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0.6, 0.4, 0]])
    path = plots.roc(np.array([0, 1, 0]), shares, ("a", "b", "absent"), tmp_path / "r.png")
    assert ink(path) > 0.01


def test_roc_of_many_classes_has_its_legend_beside_the_curves(tmp_path):
    sizes = []
    for count in (4, 10):
        shares = np.eye(count)[np.arange(40) % count] * 0.5 + 0.5 / count
        names = [f"class {number}" for number in range(count)]
        path = plots.roc(np.arange(40) % count, shares, names, tmp_path / f"{count}.png")
        sizes.append(matplotlib.image.imread(path).shape)
    assert sizes[1][1] > sizes[0][1]
    assert sizes[1][0] == sizes[0][0]


def test_leaderboard_plot_leaves_out_failed_rows_and_takes_many(tmp_path):
    for number in range(6):
        make_run(tmp_path, f"network_{number}", skill=number / 2)
    make_run(tmp_path, "network_5", settings={"learning_rate": 1e-3})
    make_failed(tmp_path, "broken")
    rows = leaderboard.read_rows(tmp_path, model="best")
    path = plots.leaderboard_plot(rows, tmp_path / "board.png")
    assert 0.01 < ink(path) < 0.5
    assert ink(plots.leaderboard_plot([], tmp_path / "none.svg".replace("svg", "png"))) > 0.001


def test_names_beside_points_do_not_cover_each_other(tmp_path):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from benchmarker.report.labels import place_labels

    figure = Figure(figsize=(6, 4))
    renderer = FigureCanvasAgg(figure).get_renderer()
    axes = figure.subplots()
    points = [(1.0, 1.0), (1.02, 1.01), (1.5, 1.0), (1.51, 1.02), (3.0, 2.0)]
    axes.plot(*zip(*points, strict=True), "o")
    place_labels(axes, points, [f"network {number}" for number in range(5)])
    figure.draw_without_rendering()
    boxes = [text.get_window_extent(renderer) for text in axes.texts]
    assert len(boxes) == 5
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[number + 1 :])
        assert box.x1 <= axes.get_window_extent(renderer).x1


@pytest.mark.parametrize(("monitor", "best"), [("cross_entropy", 1), ("total", 2)])
def test_the_best_epoch_is_that_of_the_monitored_loss(monitor, best):
    history = [
        {"epoch": 1, "val_cross_entropy": 0.5, "penalty": 9.0},
        {"epoch": 2, "val_cross_entropy": 0.6, "penalty": 1.0},
    ]
    assert plots._best_epoch(history, monitor) == best


def titles(monkeypatch):
    """Catch the title of every figure that is written."""
    found = {}
    write = plots.write_figure

    def note(figure, path, title):
        found[path.name] = title
        return write(figure, path, title)

    monkeypatch.setattr(plots, "write_figure", note)
    return found


def test_a_run_with_passes_and_turns_gets_their_plots(tmp_path, monkeypatch):
    found = titles(monkeypatch)
    folder = make_run(tmp_path, varied=True)
    written = plots.write_plots(folder)
    names = {path.name for path in written}
    for model in ("best", "final"):
        for what in ("wrong_rates", "outputs", "rotation"):
            assert f"{what}_{model}.png" in names
            assert 0.01 < ink(folder / "plots" / f"{what}_{model}.png") < 0.8
    auc = read_record(folder).metrics["best"]["auc"]["value"]
    assert found["roc_best.png"].endswith(f"best model: AUC {auc:.3f}")


def test_without_all_scores_the_tables_alone_are_drawn(tmp_path):
    folder = make_run(tmp_path, varied=True)
    for name in ("augmented.npz", "rotation.npz"):
        (folder / name).unlink()
    names = {path.name for path in plots.write_plots(folder)}
    assert {"wrong_rates_best.png", "rotation_best.png"} < names
    assert "outputs_best.png" not in names


def test_roc_ranks_by_scores_where_probabilities_are_saturated(tmp_path, monkeypatch):
    found = titles(monkeypatch)
    labels = np.array([0, 0, 1, 1])
    odds = np.array([[-200.0, 200], [-300, 300], [-400, 400], [-500, 500]])
    plots.roc(labels, odds, ("FRI", "FRII"), tmp_path / "a.png", title="x")
    plots.roc(labels, np.full((4, 2), 0.5), ("FRI", "FRII"), tmp_path / "b.png")
    plots.roc(np.zeros(4, int), odds, ("FRI", "FRII"), tmp_path / "c.png")
    assert found == {"a.png": "x: AUC 1.000", "b.png": "AUC 0.500", "c.png": "AUC undefined"}


def drawn(monkeypatch, module):
    """Catch the figures that a module writes."""
    figures = []
    write = module.write_figure

    def note(figure, path, title):
        figures.append(figure)
        return write(figure, path, title)

    monkeypatch.setattr(module, "write_figure", note)
    return figures


def test_the_loss_panel_follows_the_lowest_validation_loss(tmp_path, monkeypatch):
    figures = drawn(monkeypatch, plots)
    row = {"cross_entropy": 0.4, "accuracy": 0.5, "val_accuracy": 0.5, "penalty": 0.0}
    losses = (0.9, 0.5, 0.7, 0.3)
    history = [{**row, "epoch": e, "val_cross_entropy": v} for e, v in enumerate(losses, 1)]
    plots.learning_curve(history, tmp_path / "a.png")
    own = [{**entry, "loss": 0.6, "val_loss": 2 * entry["val_cross_entropy"]} for entry in history]
    plots.learning_curve(own, tmp_path / "b.png")
    for figure, factor in zip(figures, (1, 2), strict=True):
        panel = figure.axes[0]
        line = next(e for e in panel.lines if e.get_label() == "lowest validation so far")
        assert line.get_ydata() == pytest.approx([factor * v for v in (0.9, 0.5, 0.5, 0.3)])
    assert figures[1].axes[0].get_ylabel() == "loss"


def test_wrong_rates_are_sorted_within_class_and_certainty(tmp_path, monkeypatch):
    figures = drawn(monkeypatch, plots_varied)
    labels = np.array([1, 0, 0, 1, 0])
    groups = ["certain", "uncertain", "certain", None, "certain"]
    sources = plots_varied.Sources("abcde", labels, ("FRI", "FRII"), groups)
    rates = np.array([0.1, 0.2, 0.3, 1.0, 0.5])
    plots_varied.wrong_rates(rates, sources, tmp_path / "w.png")
    heights = [[bar.get_height() for bar in panel.patches] for panel in figures[0].axes]
    assert heights[0] == pytest.approx([10, 20, 30, 100, 50])
    assert heights[1] == pytest.approx([100, 50, 30, 20, 10])
    # FRI certain, FRI uncertain, FRII of no group, FRII certain
    assert heights[2] == pytest.approx([50, 30, 20, 100, 10])
    assert all(panel.lines[0].get_ydata()[0] == pytest.approx(95) for panel in figures[0].axes)
    names = [text.get_text() for text in figures[0].legends[0].get_texts()]
    assert names == ["FRI certain (2)", "FRI uncertain (1)", "FRII (1)", "FRII certain (1)"]


def test_outputs_are_counted_in_fifty_bins(tmp_path, monkeypatch):
    figures = drawn(monkeypatch, plots_varied)
    labels = np.array([0, 1])
    sources = plots_varied.Sources("ab", labels, ("FRI", "FRII"))
    shares = np.array([[0.001, 0.999], [0.011, 1.0], [0.5, 0.985]])
    plots_varied.output_histogram(shares, sources, tmp_path / "h.png")
    fri, frii = (patch.get_xy() for patch in figures[0].axes[0].patches)
    assert fri[:, 1].max() == 2
    assert frii[:, 1].max() == 3
    assert np.diff(np.unique(fri[:, 0])) == pytest.approx(0.02)


def test_the_least_steady_sources_are_drawn_round_the_circle(tmp_path, monkeypatch):
    figures = drawn(monkeypatch, plots_varied)
    scores = np.zeros((4, 9, 2))
    scores[:, :, 1] = 3.0
    scores[1, 7] = scores[2, 7] = [3.0, 0.0]
    names = [f"source {number}" for number in range(9)]
    sources = plots_varied.Sources(names, np.ones(9, int), ("FRI", "FRII"))
    agreement = np.where(np.arange(9) == 7, 0.5, 1.0)
    plots_varied.rotation(agreement, 1 - agreement, tmp_path / "r.png", curves=(scores, sources))
    panel = figures[0].axes[2]
    assert panel.lines[0].get_label() == "source 7 (FRII)"
    high = 1 / (1 + np.exp(-3))
    assert panel.lines[0].get_ydata() == pytest.approx([high, 1 - high, 1 - high, high, high])
    assert panel.lines[0].get_xdata().tolist() == [0, 90, 180, 270, 360]
    assert len(panel.lines) == plots_varied.LEAST_STEADY + 1

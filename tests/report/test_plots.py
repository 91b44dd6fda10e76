import matplotlib.image
import numpy as np
import pytest

from benchmarker.core.records import read_record
from benchmarker.report import leaderboard, plots
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
    names = ["learning_curve", "confusion_best", "roc_best", "confusion_final", "roc_final"]
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

    monkeypatch.setattr(plots.Figure, "savefig", fail)
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

"""Pictures of runs: learning curve, confusion matrix, ROC, and the leaderboard.

Figures are drawn without pyplot, so that no global state of Matplotlib is touched, and
are written whole or not at all. Colours are those of Okabe and Ito, which people with
colour blindness tell apart; lines also differ in dash, points in shape.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from benchmarker.core.files import write_with
from benchmarker.core.records import MODELS, Record, read_record
from benchmarker.metrics.roc import roc_curve
from benchmarker.report.labels import place_labels
from benchmarker.report.text import one_line, short_number

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, BLACK = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#F0E442",
    "#000000",
)
COLOURS = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, BLACK)
DASHES = ("-", "--", "-.", ":")
GREY = "#666666"
RESOLUTION = 150  # dots per inch
LEGEND_INSIDE = 5  # classes that a ROC's legend names within the axes
WIDEST_LEVEL_NAME = 9  # letters; longer class names are written at an angle


def learning_curve(
    history: Sequence[Mapping[str, float]],
    path: str | Path,
    *,
    title: str = "",
    monitor: str = "cross_entropy",
) -> Path:
    """Cross-entropy and accuracy per epoch, training and validation, with the best epoch.

    `history` holds the rows of history.csv as numbers; the penalty is not in the
    cross-entropy and is not drawn, but decides the best epoch with it where `monitor` is
    ``total``. Returns the path written.
    """
    figure = _figure(8.4, 3.6)
    loss, accuracy = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    panels = (
        (loss, ("cross_entropy", "val_cross_entropy"), "cross-entropy (nats)", 1.0),
        (accuracy, ("accuracy", "val_accuracy"), "accuracy (%)", 100.0),
    )
    for axes, keys, label, factor in panels:
        for key, name, colour, marker in zip(
            keys, ("training", "validation"), (BLUE, RED), "os", strict=True
        ):
            values = [factor * row[key] for row in history]
            axes.plot(epochs, values, color=colour, marker=marker, markersize=3.5, label=name)
        axes.set_xlabel("epoch")
        axes.set_ylabel(label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25)
    _mark_best(history, (loss, accuracy), monitor)
    loss.set_ylim(bottom=0)
    loss.legend(frameon=False, fontsize="small")
    return _write(figure, path, title)


def _mark_best(history: Sequence[Mapping[str, float]], panels: Iterable[Any], monitor: str) -> None:
    """A line at the epoch whose weights are the best model."""
    if not history:
        return
    best = _best_epoch(history, monitor)
    for axes in panels:
        label = f"lowest validation loss (epoch {best:g})"
        axes.axvline(best, color=GREY, linestyle=":", linewidth=1.2, label=label)


def _best_epoch(history: Sequence[Mapping[str, float]], monitor: str) -> float:
    def loss(row: Mapping[str, float]) -> float:
        return row["val_cross_entropy"] + (row["penalty"] if monitor == "total" else 0.0)

    return min(history, key=loss)["epoch"]


def confusion(
    matrix: Sequence[Sequence[int]],
    classes: Sequence[str],
    path: str | Path,
    *,
    title: str = "",
) -> Path:
    """Confusion matrix: counts, and the share of each row in percent; rows are the truth.

    The colour shows the share, so that a rare class is as visible as a common one; a class
    without images has an empty row.
    """
    counts = np.asarray(matrix, dtype=float)
    support = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, support, out=np.zeros_like(counts), where=support > 0)
    side = 1.6 + 0.8 * len(classes)
    # constrained layout loses the axis label beside an image of fixed shape and a colour bar
    figure = _figure(side + 1.7, side)
    axes = figure.subplots()
    image = axes.imshow(100 * shares, cmap="Blues", vmin=0, vmax=100)
    for (row, column), count in np.ndenumerate(counts):
        share = shares[row, column]
        text = f"{count:.0f}\n{100 * share:.0f} %" if support[row, 0] else "0"
        dark = share > 0.55
        axes.text(column, row, text, ha="center", va="center", color="white" if dark else "black")
    places = range(len(classes))
    axes.set_xticks(places, [_safe(name) for name in classes])
    axes.set_yticks(
        places, [f"{_safe(n)}\n({s:.0f})" for n, s in zip(classes, support[:, 0], strict=True)]
    )
    axes.set_xlabel("predicted")
    axes.set_ylabel("true (images)")
    axes.tick_params(length=0)
    if max(len(name) for name in classes) > WIDEST_LEVEL_NAME:
        for label in axes.get_xticklabels():
            label.set(rotation=30, ha="right", rotation_mode="anchor")
    figure.colorbar(image, ax=axes, label="share of the true class (%)", fraction=0.046)
    return _write(figure, path, title)


def roc(
    labels: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    path: str | Path,
    *,
    title: str = "",
) -> Path:
    """One-vs-rest ROC curve of every class with the area under it.

    labels : int (n,); probabilities : float (n, classes). A class that is absent, or the
    only one present, has no curve and is named as undefined.
    """
    # beside the curves where it would cover them
    outside = len(classes) > LEGEND_INSIDE
    figure = _figure(7.0 if outside else 5.2, 4.8)
    axes = figure.subplots()
    for index, name in enumerate(classes):
        false_rate, true_rate = roc_curve(labels == index, probabilities[:, index])
        style = {
            "color": COLOURS[index % len(COLOURS)],
            "linestyle": DASHES[index % len(DASHES)],
        }
        area = f"{np.trapezoid(true_rate, false_rate):.3f}" if false_rate.size else "undefined"
        axes.plot(false_rate, true_rate, label=f"{_safe(name)}  {area}", linewidth=1.8, **style)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (2, 4)))
    axes.set_xlim(-0.01, 1)
    axes.set_ylim(0, 1.01)
    axes.set_aspect("equal")
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    axes.grid(alpha=0.25)
    place = {"loc": "center left", "bbox_to_anchor": (1.02, 0.5)} if outside else {}
    axes.legend(title="class, area under the curve", frameon=False, fontsize="small", **place)
    return _write(figure, path, title)


def leaderboard_plot(rows: Sequence[Mapping[str, Any]], path: str | Path) -> Path:
    """MPCA with intervals per network, and against the multiply-adds of one image.

    `rows` as `benchmarker.report.leaderboard.rows` gives them; rows without MPCA (failed
    runs) are left out.
    """
    shown = [row for row in rows if row["mpca_mean"] is not None]
    figure = _figure(10.5, max(3.4, 1.4 + 0.32 * len(shown)))
    names, costs = figure.subplots(1, 2, sharex=False, width_ratios=(1, 1.25))
    _by_network(names, shown)
    _by_cost(costs, shown)
    data = {row["data"] for row in shown}
    return _write(figure, path, ", ".join(sorted(data)))


def _by_network(axes: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    for place, row in enumerate(rows):
        axes.errorbar(100 * row["mpca_mean"], place, xerr=_bars(row), **_POINT)
    axes.set_yticks(range(len(rows)), [_row_name(row, rows) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel("mean per class accuracy (%)")
    axes.grid(axis="x", alpha=0.25)


def _by_cost(axes: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    known = [row for row in rows if row["multiply_adds"]]
    for row in known:
        axes.errorbar(row["multiply_adds"], 100 * row["mpca_mean"], yerr=_bars(row), **_POINT)
    axes.set_xscale("log")
    axes.margins(x=0.15, y=0.12)
    axes.set_xlabel("multiply-adds per image")
    axes.set_ylabel("mean per class accuracy (%)")
    axes.grid(alpha=0.25)
    axes.xaxis.set_major_formatter(lambda value, _: short_number(value))
    points = [(row["multiply_adds"], 100 * row["mpca_mean"]) for row in known]
    ends = [(100 * (row["mpca_low"] or 0), 100 * (row["mpca_high"] or 0)) for row in known]
    place_labels(axes, points, [_row_name(row, known) for row in known], bars=ends)


_POINT = {
    "fmt": "o",
    "color": BLUE,
    "ecolor": SKY,
    "elinewidth": 1.6,
    "capsize": 2.5,
    "markersize": 5,
}


def _bars(row: Mapping[str, Any]) -> list[list[float]] | None:
    if row["mpca_low"] is None or row["mpca_high"] is None:
        return None
    below, above = row["mpca_mean"] - row["mpca_low"], row["mpca_high"] - row["mpca_mean"]
    return [[100 * max(below, 0.0)], [100 * max(above, 0.0)]]


def _row_name(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """The network; with rate and size where it stands in more than one row."""
    name = _safe(row["network"])
    if sum(other["network"] == row["network"] for other in rows) == 1:
        return name
    return f"{name} ({row['learning_rate']:g}, {row['size']} px)"


def write_plots(folder: str | Path) -> list[Path]:
    """Draw every plot of one run folder from its files into ``plots/``; returns their paths.

    Works on any run whose history, predictions and metrics are written, also before it is
    marked complete.
    """
    record = read_record(folder)
    target = record.folder / "plots"
    where = f"{record.network} on {record.data['name']}, seed {record.seed}"
    curve = target / "learning_curve.png"
    monitor = record.settings.get("monitor", "cross_entropy")
    written = [learning_curve(record.history, curve, title=where, monitor=monitor)]
    for model in MODELS:
        written += _model_plots(record, model, target, f"{where}, {model} model")
    return written


def _model_plots(record: Record, model: str, target: Path, title: str) -> list[Path]:
    matrix = record.metrics[model]["confusion_matrix"]
    found = record.predictions(model)
    curves = target / f"roc_{model}.png"
    return [
        confusion(matrix, record.classes, target / f"confusion_{model}.png", title=title),
        roc(found.labels, found.probabilities, record.classes, curves, title=title),
    ]


def _figure(width: float, height: float) -> Figure:
    """An empty figure in inches; its canvas needs no window."""
    figure = Figure(figsize=(width, height), dpi=RESOLUTION, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _safe(name: str) -> str:
    """A name as plain text: Matplotlib would read dollar signs as formulae."""
    return one_line(name).replace("$", r"\$")


def _write(figure: Figure, path: str | Path, title: str) -> Path:
    path = Path(path)
    if title:
        figure.suptitle(_safe(title), fontsize="medium")
    kind = path.suffix.removeprefix(".") or "png"
    with warnings.catch_warnings():
        # a name in a script that the font lacks is drawn as boxes, no reason to fail
        warnings.filterwarnings("ignore", message=r"Glyph .* missing", category=UserWarning)
        return write_with(path, lambda stream: figure.savefig(stream, format=kind))

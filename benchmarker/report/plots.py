"""Pictures of runs: learning curve, confusion matrix, ROC, calibration, and the leaderboard."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from benchmarker.core.records import MODELS, Record, read_record
from benchmarker.metrics.by_fact import shares_by
from benchmarker.metrics.groups import certainty_of
from benchmarker.metrics.roc import log_odds, log_sum_exp, roc_curve
from benchmarker.report import plots_calibration, plots_varied
from benchmarker.report.canvas import (
    BLUE,
    COLOURS,
    DASHES,
    GREEN,
    GREY,
    RED,
    SKY,
    new_figure,
    safe,
    write_figure,
)
from benchmarker.report.labels import place_labels
from benchmarker.report.plots_facts import by_fact
from benchmarker.report.text import short_number

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
    ``total``. A step line follows the lowest validation cross-entropy so far. Where training
    had a loss of its own (columns ``loss`` and ``val_loss``), that is drawn instead of the
    cross-entropy. Returns the path written.
    """
    figure = new_figure(8.4, 3.6)
    loss, accuracy = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    own = bool(history) and "val_loss" in history[0]
    losses = ("loss", "val_loss") if own else ("cross_entropy", "val_cross_entropy")
    panels = (
        (loss, losses, "loss" if own else "cross-entropy (nats)", 1.0),
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
    lowest = np.minimum.accumulate([row[losses[1]] for row in history])
    style = {"color": GREEN, "linestyle": "--", "linewidth": 1.2, "drawstyle": "steps-post"}
    loss.plot(epochs, lowest, label="lowest validation so far", **style)
    _mark_best(history, (loss, accuracy), monitor)
    loss.set_ylim(bottom=0)
    loss.legend(frameon=False, fontsize="small")
    return write_figure(figure, path, title)


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
        validation = row.get("val_loss", row["val_cross_entropy"])
        return validation + (row["penalty"] if monitor == "total" else 0.0)

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
    figure = new_figure(side + 1.7, side)
    axes = figure.subplots()
    image = axes.imshow(100 * shares, cmap="Blues", vmin=0, vmax=100)
    for (row, column), count in np.ndenumerate(counts):
        share = shares[row, column]
        text = f"{count:.0f}\n{100 * share:.0f} %" if support[row, 0] else "0"
        dark = share > 0.55
        axes.text(column, row, text, ha="center", va="center", color="white" if dark else "black")
    places = range(len(classes))
    axes.set_xticks(places, [safe(name) for name in classes])
    axes.set_yticks(
        places, [f"{safe(n)}\n({s:.0f})" for n, s in zip(classes, support[:, 0], strict=True)]
    )
    axes.set_xlabel("Predicted label")
    axes.set_ylabel("True label (images)")
    axes.tick_params(length=0)
    if max(len(name) for name in classes) > WIDEST_LEVEL_NAME:
        for label in axes.get_xticklabels():
            label.set(rotation=30, ha="right", rotation_mode="anchor")
    figure.colorbar(image, ax=axes, label="share of the true class (%)", fraction=0.046)
    return write_figure(figure, path, title)


def roc(
    labels: np.ndarray,
    ranking: np.ndarray,
    classes: Sequence[str],
    path: str | Path,
    *,
    title: str = "",
) -> Path:
    """One-vs-rest ROC curve of every class with the area under it; their mean in the title.

    labels : int (n,); ranking : float (n, classes), what orders the images for each class:
    its log-odds from the scores, or where there are none the probabilities. A class that is
    absent, or the only one present, has no curve and is named as undefined.
    """
    # beside the curves where it would cover them
    outside = len(classes) > LEGEND_INSIDE
    figure = new_figure(7.0 if outside else 5.2, 4.8)
    axes = figure.subplots()
    areas = []
    for index, name in enumerate(classes):
        false_rate, true_rate = roc_curve(labels == index, ranking[:, index])
        areas += [np.trapezoid(true_rate, false_rate)] if false_rate.size else []
        style = {
            "color": COLOURS[index % len(COLOURS)],
            "linestyle": DASHES[index % len(DASHES)],
        }
        area = f"{areas[-1]:.3f}" if false_rate.size else "undefined"
        axes.plot(false_rate, true_rate, label=f"{safe(name)}  {area}", linewidth=1.8, **style)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (2, 4)))
    axes.set_xlim(-0.01, 1)
    axes.set_ylim(0, 1.01)
    axes.set_aspect("equal")
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    axes.grid(alpha=0.25)
    place = {"loc": "center left", "bbox_to_anchor": (1.02, 0.5)} if outside else {}
    axes.legend(title="class, area under the curve", frameon=False, fontsize="small", **place)
    mean = f"AUC {np.mean(areas):.3f}" if areas else "AUC undefined"
    return write_figure(figure, path, ": ".join(filter(None, [title, mean])))


def leaderboard_plot(rows: Sequence[Mapping[str, Any]], path: str | Path) -> Path:
    """MPCA with intervals per network, and against the multiply-adds of one image.

    `rows` as `benchmarker.report.leaderboard.rows` gives them; rows without MPCA (failed
    runs) are left out.
    """
    shown = [row for row in rows if row["mpca_mean"] is not None]
    figure = new_figure(10.5, max(3.4, 1.4 + 0.32 * len(shown)))
    names, costs = figure.subplots(1, 2, sharex=False, width_ratios=(1, 1.25))
    _by_network(names, shown)
    _by_cost(costs, shown)
    data = {row["data"] for row in shown}
    return write_figure(figure, path, ", ".join(sorted(data)))


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
    name = safe(row["network"])
    if sum(other["network"] == row["network"] for other in rows) == 1:
        return name
    return f"{name} ({row['learning_rate']:g}, {row['size']} px)"


def write_plots(folder: str | Path) -> list[Path]:
    """Draw every plot of one run folder from its files into ``plots/``; returns their paths.

    Besides learning curve, confusion matrices and ROC those of augmented passes and of turned
    images, where the run has them. Works on any run whose history, predictions and metrics
    are written, also before it is marked complete.
    """
    record = read_record(folder)
    target = record.folder / "plots"
    where = f"{record.network} on {record.data['name']}, seed {record.seed}"
    curve = target / "learning_curve.png"
    monitor = record.settings.get("monitor", "cross_entropy")
    written = [learning_curve(record.history, curve, title=where, monitor=monitor)]
    for model in MODELS:
        written += _model_plots(record, model, target, f"{where}, {model} model")
    return [*written, *_fact_plots(record, target, where)]


def _fact_plots(record: Record, target: Path, title: str) -> list[Path]:
    """Scores of the best model apart by every fact that the data set knows of its sources."""
    found = record.predictions(MODELS[0])
    predicted, written = found.probabilities.argmax(axis=1), []
    for name, values in record.source_facts().items():
        shares = shares_by(values, found.labels, predicted, record.classes)
        if len(shares) > 1:
            path = target / f"by_{re.sub('[^A-Za-z0-9_-]', '_', name)}.png"
            written.append(by_fact(shares, name, path, title=title))
    return written


def _model_plots(record: Record, model: str, target: Path, title: str) -> list[Path]:
    matrix = record.metrics[model]["confusion_matrix"]
    found = record.predictions(model)
    ranking = found.probabilities if found.scores is None else log_odds(found.scores)
    curves = target / f"roc_{model}.png"
    return [
        confusion(matrix, record.classes, target / f"confusion_{model}.png", title=title),
        roc(found.labels, ranking, record.classes, curves, title=title),
        plots_calibration.reliability(
            found,
            target / f"reliability_{model}.png",
            temperature=record.metrics[model].get("temperature"),
            title=title,
        ),
        plots_calibration.selection(
            found, record.classes, target / f"selection_{model}.png", title=title
        ),
        *_augmented_plots(record, model, target, title),
        *_rotation_plots(record, model, target, title),
    ]


def _augmented_plots(record: Record, model: str, target: Path, title: str) -> list[Path]:
    found = record.augmented(model)
    if found is None:
        return []
    groups = [certainty_of(source) for source in found.sources]
    sources = plots_varied.Sources(found.sources, found.labels, record.classes, groups)
    title = f"{title}, {found.passes[0]} passes"
    path = target / f"wrong_rates_{model}.png"
    written = [plots_varied.wrong_rates(found.wrong / found.passes, sources, path, title=title)]
    scores = record.all_scores("augmented", model)
    if scores is not None:
        shares = np.exp(scores[..., -1] - log_sum_exp(scores, axis=-1))
        path = target / f"outputs_{model}.png"
        written.append(plots_varied.output_histogram(shares, sources, path, title=title))
    return written


def _rotation_plots(record: Record, model: str, target: Path, title: str) -> list[Path]:
    found = record.rotation(model)
    if found is None:
        return []
    scores = record.all_scores("rotation", model)
    sources = plots_varied.Sources(found.sources, found.labels, record.classes)
    path = target / f"rotation_{model}.png"
    curves = None if scores is None else (scores, sources)
    title = f"{title}, {found.turns[0]} angles"
    return [plots_varied.rotation(found.agreement, found.entropy, path, title=title, curves=curves)]

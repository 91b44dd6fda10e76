"""The charts of the report: from the numbers of `evidence` to `Chart`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarker.report.site import words
from benchmarker.report.site.charts import Bar, Chart, Curve, Point
from benchmarker.report.site.evidence import RATES, SHARES, ClassCurve
from benchmarker.report.site.scales import (
    PROBIT_ENDS,
    Scale,
    linear,
    logarithmic,
    probit,
    widened,
)
from benchmarker.report.text import percent, short_number

MOST_NAMES = 40  # points of the cost chart that carry their names
SOLID, DASHED, DOTTED = 0, 1, 2
QUARTERS = tuple((float(angle), str(angle)) for angle in range(0, 361, 90))
DIAGONAL = ((0.0, 1.0), (0.0, 1.0))
History = Sequence[Mapping[str, float]]


def learning(histories: Mapping[int, History]) -> list[Chart]:
    """Loss and accuracy per epoch of every seed; validation solid, training dashed.

    A loss of the run's own stands in place of the cross-entropy. A chart whose columns no
    seed has is left out.
    """
    own = any("val_loss" in row for rows in histories.values() for row in rows)
    loss = ("loss", "val_loss", "loss") if own else ("cross_entropy", "val_cross_entropy", "nats")
    panels = (
        (loss[:2], "loss" if own else "cross-entropy (nats)", "Loss while training", False),
        (("accuracy", "val_accuracy"), "accuracy (%)", "Accuracy while training", True),
    )
    found = (_learning(histories, *panel) for panel in panels)
    return [chart for chart in found if chart is not None]


def _learning(
    histories: Mapping[int, History],
    columns: tuple[str, str],
    label: str,
    title: str,
    share: bool,  # noqa: FBT001 (one column of the table of panels above)
) -> Chart | None:
    training, validation = columns
    curves, heights, last = [], [], 1.0
    for style, (seed, rows) in enumerate(histories.items()):
        if not rows or not all(row.keys() >= {"epoch", validation} for row in rows):
            continue
        epochs = [row["epoch"] for row in rows]
        for column, dash, name in ((training, DASHED, ""), (validation, SOLID, f"seed {seed}")):
            values = [row.get(column, math.nan) for row in rows]
            heights += values
            curves.append(Curve(epochs, values, style, name, dash, marked=dash == SOLID))
        last = max(last, *epochs)
    if not curves:
        return None
    low, high = widened(heights)
    ends = (max(low, 0.0), min(high, 1.0)) if share else (min(low, 0.0), high)
    ends_text = ", ".join(
        f"seed {seed}: {_ended(rows, validation, share)}"
        for seed, rows in histories.items()
        if rows
    )
    return Chart(
        title=title,
        description=f"{label[0].upper()}{label[1:]} of each seed, {last:g} epochs at most. "
        f"On validation images after the last epoch: {ends_text}.",
        x=linear("epoch", 1.0, last, whole=True),
        y=linear(label, *ends, percent=share),
        curves=curves,
        keys=(("validation", 0, SOLID), ("training", 0, DASHED)),
    )


def _ended(rows: History, column: str, share: bool) -> str:  # noqa: FBT001 (as above)
    value = rows[-1].get(column)
    if value is None or not math.isfinite(value):
        return "undefined"
    return f"{percent(value)} %" if share else f"{value:.3g}"


def roc(curves: Sequence[ClassCurve]) -> Chart:
    """Mean over the seeds of each class against the others; each seed faint behind it."""
    drawn = [Curve(*DIAGONAL, style=0, dash=DOTTED, faint=True)]
    for style, curve in enumerate(curves):
        rates = curve.true_rates
        drawn += [Curve(RATES, one, style, faint=True) for one in rates if len(rates) > 1]
    for style, curve in enumerate(curves):
        if len(curve.true_rates):
            mean = np.r_[0.0, curve.true_rates.mean(axis=0)]
            drawn.append(Curve(np.r_[0.0, RATES], mean, style, curve.name, marked=True))
    return Chart(
        title="ROC: each class against the others",
        description=f"Share of a class that is found against the share of the others taken for "
        f"it. Area under the curve, mean over seeds: {_areas(curves)}.",
        x=linear("false positives (%)", 0.0, 1.0, percent=True),
        y=linear("true positives (%)", 0.0, 1.0, percent=True),
        curves=drawn,
    )


def detection_error(curves: Sequence[ClassCurve]) -> Chart:
    """The same curves as misses against false positives, both on probit axes."""
    low, high = PROBIT_ENDS
    inside = (low <= RATES) & (high >= RATES)
    drawn = []
    for style, curve in enumerate(curves):
        missed = 1.0 - curve.true_rates
        if len(missed) > 1:
            drawn += [Curve(RATES[inside], one[inside], style, faint=True) for one in missed]
    for style, curve in enumerate(curves):
        if len(curve.true_rates):
            mean = 1.0 - curve.true_rates.mean(axis=0)[inside]
            drawn.append(Curve(RATES[inside], mean, style, curve.name, marked=True))
    return Chart(
        title="Detection error: misses against false alarms",
        description="Share of a class that is missed against the share of the others taken for "
        "it, both on probit axes; lower left is better. Rates beyond an axis are drawn at "
        f"its end. Area under the ROC curve, mean over seeds: {_areas(curves)}.",
        x=probit("false positives (%)"),
        y=probit("missed (%)"),
        curves=drawn,
    )


def _areas(curves: Sequence[ClassCurve]) -> str:
    words = []
    for curve in curves:
        known = [area for area in curve.areas if area is not None]
        words.append(f"{curve.name} {np.mean(known):.3f}" if known else f"{curve.name} undefined")
    return ", ".join(words)


def reliability(found: Mapping[str, Any]) -> Chart:
    """Accuracy against confidence in bins; the columns show how many images each holds."""
    filled = [entry for entry in found["bins"] if entry["n"]]
    most = max((entry["n"] for entry in filled), default=1)
    points = [
        Point(
            entry["confidence"],
            entry["accuracy"],
            text=f"confidence {percent(entry['confidence'])} %, accuracy "
            f"{percent(entry['accuracy'])} %, {entry['n']} images",
        )
        for entry in filled
    ]
    line = Curve([p.x for p in points], [p.y for p in points], 0, "test images, all seeds")
    error = found["expected_calibration_error"]
    return Chart(
        title="Calibration: accuracy against confidence",
        description="How often predictions of one confidence are right. Expected calibration "
        f"error {percent(error)} %. Columns: share of the images in each of the "
        f"{len(found['bins'])} bins, at most {percent(most / max(found['n'], 1))} %.",
        x=linear("confidence (%)", 0.0, 1.0, percent=True),
        y=linear("accuracy (%)", 0.0, 1.0, percent=True),
        curves=[Curve(*DIAGONAL, 1, "perfect", DOTTED), line],
        points=points,
        bars=[Bar(e["low"], e["high"], e["n"] / max(found["n"], 1)) for e in filled],
    )


def covered(accuracies: np.ndarray, seeds: Sequence[int]) -> Chart:
    """Accuracy of the most confident share of the images; `accuracies` is (seeds, shares)."""
    curves = [Curve(SHARES, one, 0, faint=True) for one in accuracies if len(seeds) > 1]
    mean = accuracies.mean(axis=0)
    curves.append(Curve(SHARES, mean, 0, "mean over seeds", marked=True))
    low = max(0.0, widened(accuracies.ravel().tolist())[0])
    half = float(np.interp(0.5, SHARES, mean))
    return Chart(
        title="Accuracy against coverage",
        description="Accuracy when only the most confident share of the images is classified: "
        f"{percent(half)} % at half of the images, {percent(float(mean[-1]))} % at all.",
        x=linear("images kept, most confident first (%)", 0.0, 1.0, percent=True),
        y=linear("accuracy (%)", low, 1.0, percent=True),
        curves=curves,
    )


def turned(accuracies: Mapping[int, np.ndarray]) -> Chart:
    """Accuracy at each angle, seed by seed; `accuracies` holds arrays (angles,) by seed."""
    curves = []
    for style, (seed, values) in enumerate(accuracies.items()):
        angles = 360.0 / len(values) * np.arange(len(values) + 1)
        closed = np.r_[values, values[:1]]
        curves.append(Curve(angles, closed, style, f"seed {seed}", marked=True))
    every = np.concatenate(list(accuracies.values()))
    low, high = widened(every.tolist(), share=0.3)
    return Chart(
        title="Accuracy while the images turn",
        description="The sky has no preferred orientation: a steady network gives a level line. "
        f"Accuracy between {percent(float(every.min()))} % and {percent(float(every.max()))} %.",
        x=Scale("angle (degrees)", "linear", 0.0, 360.0, QUARTERS),
        y=linear("accuracy (%)", max(low, 0.0), min(high, 1.0), percent=True),
        curves=curves,
    )


def cost(rows: Sequence[tuple[Mapping[str, Any], str, str]], where: str) -> Chart | None:
    """MPCA with its interval against multiply-adds; the dashed steps are the best at a cost.

    `rows` holds rows of the leaderboard, their names and what each is called in its table;
    `where` says on what they were tested. None where no row has both numbers.
    """
    known = [one for one in rows if one[0]["mpca_mean"] is not None and one[0]["multiply_adds"]]
    if not known:
        return None
    points = [
        Point(
            row["multiply_adds"],
            row["mpca_mean"],
            low=row["mpca_low"],
            high=row["mpca_high"],
            name=name if len(known) <= MOST_NAMES else "",
            text=f"{name}: MPCA {percent(row['mpca_mean'])} %, "
            f"{short_number(row['multiply_adds'])} multiply-adds",
            row=called,
        )
        for row, name, called in known
    ]
    low, high = widened([e for p in points for e in (p.low, p.high, p.y) if e is not None])
    front = best_at_cost(points)
    name_of = {called: name for _, name, called in known}
    best = ", ".join(name_of[point.row] for point in front)
    return Chart(
        title=f"Accuracy against cost on {where}",
        description=f"Mean per class accuracy of {len(points)} networks against multiply-adds "
        f"per image. The best at their cost, cheapest first: {best}.",
        x=logarithmic("multiply-adds per image", [p.x for p in points]),
        y=linear("mean per class accuracy (%)", max(low, 0.0), min(high, 1.0), percent=True),
        curves=[Curve(*_steps(front), 1, "best at its cost", DASHED)] if len(front) > 1 else [],
        points=points,
        size=(720, 400),
        wide=True,
    )


def best_at_cost(points: Sequence[Point]) -> list[Point]:
    """Points that no other beats at equal or lower cost, cheapest first."""
    front: list[Point] = []
    for point in sorted(points, key=lambda p: (p.x, -p.y)):
        if not front or point.y > front[-1].y:
            front.append(point)
    return front


def _steps(front: Sequence[Point]) -> tuple[list[float], list[float]]:
    x, y = [], []
    for number, point in enumerate(front):
        if number:
            x.append(point.x)
            y.append(front[number - 1].y)
        x.append(point.x)
        y.append(point.y)
    return x, y


def training_size(curve: Mapping[str, Any]) -> Chart:
    """Score against the number of training sources, from `benchmarker.report.curves`."""
    spread = [sd or 0.0 for sd in curve["sd"]]
    known = [
        (size, mean, sd)
        for size, mean, sd in zip(curve["sizes"], curve["mean"], spread, strict=True)
        if mean is not None
    ]
    points = [
        Point(size, mean, low=mean - sd, high=mean + sd, text=f"{size:g}: {percent(mean)} %")
        for size, mean, sd in known
    ]
    curves = [Curve([p.x for p in points], [p.y for p in points], 0, "mean over seeds")]
    fitted = curve["fit"].get("curve") or []
    if fitted:
        x, y = ([entry[key] for entry in fitted] for key in ("size", "accuracy"))
        curves.append(Curve(x, y, 1, "power law", DASHED))
    low, high = widened([end for p in points for end in (p.low, p.high, p.y) if end is not None])
    said = ", ".join(f"{p.x:g}: {percent(p.y)} %" for p in points)
    return Chart(
        title="Score against the number of training sources",
        description=f"Mean per class accuracy by training sources per class: {said}. "
        "Bars: standard deviation over seeds.",
        x=logarithmic("training sources per class", [p.x for p in points] or [1.0]),
        y=linear("mean per class accuracy (%)", max(low, 0.0), min(high, 1.0), percent=True),
        curves=curves,
        points=points,
    )


def damaged(curves: Sequence[Mapping[str, Any]]) -> Chart:
    """Score against the strength of each kind of damage, from `benchmarker.report.curves`."""
    drawn, said = [], []
    for style, curve in enumerate(curves):
        values = [math.nan if mean is None else mean for mean in curve["mean"]]
        drawn.append(Curve(curve["strengths"], values, style, curve["corruption"], marked=True))
        amount = f"{curve['amounts'][-1]:g} {curve['unit']}".strip()
        last = curve["mean"][-1]
        score = words.UNDEFINED if last is None else f"{percent(last)} %"
        said.append(f"{curve['corruption']} {score} at {amount}")
    heights = [value for curve in drawn for value in curve.y]
    low, high = widened(heights)
    return Chart(
        title="Score on damaged images",
        description="Mean per class accuracy by strength of damage, 0 is none. "
        f"At the greatest strength: {'; '.join(said)}.",
        x=linear("strength", 0.0, float(max(max(c["strengths"]) for c in curves)), whole=True),
        y=linear("mean per class accuracy (%)", max(low, 0.0), min(high, 1.0), percent=True),
        curves=drawn,
    )

"""An evaluation as files: whole folder or none, beside the record and never in it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import SettingsError
from benchmarker.core.files import explained, make_folder, write_csv, write_json, write_with
from benchmarker.hosts.evaluation.tested import Tested
from benchmarker.hosts.evaluation.wrong_sources import WrongSource, wrong_sources
from benchmarker.metrics.augmented import per_source
from benchmarker.runs.scores import softmax
from benchmarker.runs.trained import Trained

FORMAT = 1
FOLDER = "evaluations"
UNFINISHED = ".unfinished-"
FILES = (
    "metrics.json", "predictions.csv", "confusion.png", "augmented.csv", "augmented.npz",
    "dropout.csv", "dropout.npz", "wrong.csv", "wrong.png", "wrong_rates.png",
)  # fmt: skip


def folder_of(trained: Trained) -> Path:
    """Where the evaluations of a network lie: in its run's folder, or here by its file's name."""
    if trained.record is not None:
        return trained.record.folder / FOLDER
    return Path(FOLDER) / _word(trained.where.stem)


def name_of(tested: Tested) -> str:
    """Name of an evaluation: set, part, and the model where it is not the best."""
    model = "" if tested.trained.where.stem == "best" else f"-{tested.trained.where.stem}"
    if tested.trained.record is None:
        model = ""
    return _word(f"{tested.chosen.images.name}-{tested.part}{model}")


def summary(tested: Tested) -> dict[str, Any]:
    """Everything that was found, ready for JSON."""
    trained, chosen, shared = tested.trained, tested.chosen, tested.chosen.shared
    wrong = wrong_sources(tested)
    return {
        "format": FORMAT,
        "network": trained.network,
        "network_settings": dict(trained.network_settings),
        "weights": str(trained.where),
        "model": trained.where.stem,
        "trained_on": {"name": tested.training.name, "digest": tested.training.digest},
        "tested_on": {
            "name": chosen.images.name,
            "part": tested.part,
            "sources": len(tested.sources),
            "own_split": chosen.own,
        },
        "left_out": None if shared is None else {
            "sources": len(shared.names) + len(chosen.inherited),
            "by_position": len(shared.by_position),
            "by_pixels": len(shared.by_pixels),
            "arcsec": shared.arcsec,
            "of_earlier_weights": len(chosen.inherited),
            "names": [*shared.names, *chosen.inherited],
            "text": shared.text(),
        },
        "unchecked": chosen.unchecked or None,
        "notes": list(tested.notes),
        **tested.metrics,
        "wrong_sources": None if wrong is None else [asdict(source) for source in wrong],
    }  # fmt: skip


def refuse_foreign(folder: Path) -> None:
    """Raise `SettingsError` for a folder that holds anything but an evaluation.

    Evaluations replace their folder, so it must be theirs.
    """
    if folder.is_dir():
        foreign = sorted(entry.name for entry in folder.iterdir() if entry.name not in FILES)
    else:
        foreign = [folder.name] if folder.exists() else []
    if foreign:
        message = (
            f"{folder} holds {', '.join(foreign[:4])}, which no evaluation wrote: expected a new "
            "folder, or that of an earlier evaluation"
        )
        raise SettingsError(message)


def write_evaluation(tested: Tested, folder: Path) -> Path:
    """Write tables, numbers and pictures into `folder`, which is replaced as a whole."""
    refuse_foreign(folder)
    make_folder(folder.parent)
    part = folder.parent / f"{UNFINISHED}{folder.name}"
    shutil.rmtree(part, ignore_errors=True)
    try:
        _write_files(tested, make_folder(part))
        with explained(folder):
            if folder.exists():
                shutil.rmtree(folder)
            part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return folder


def _write_files(tested: Tested, folder: Path) -> None:
    from benchmarker.hosts.evaluation.figures import draw_rates, draw_wrong
    from benchmarker.report.plots import confusion

    classes = tested.trained.classes
    write_json(folder / "metrics.json", summary(tested))
    header = ["source", "label", "predicted", *_columns(classes)]
    write_csv(folder / "predictions.csv", header, _prediction_rows(tested))
    title = f"{tested.trained.network} on {tested.tested_on}"
    matrix = tested.metrics["plain"]["confusion_matrix"]
    confusion(matrix, classes, folder / "confusion.png", title=title)
    for name, passes in (("augmented", tested.passes), ("dropout", tested.dropout)):
        if passes is not None:
            header = ["source", "label", "passes", "wrong", *_columns(classes)]
            write_csv(folder / f"{name}.csv", header, _pass_rows(tested, passes))
            scores = passes.astype(np.float32)
            write_with(
                folder / f"{name}.npz",
                lambda stream, found=scores: np.savez_compressed(stream, scores=found),
            )
    wrong = wrong_sources(tested)
    if wrong is None:
        return
    draw_rates(tested, folder / "wrong_rates.png")
    _write_wrong(wrong, folder)
    if wrong:
        draw_wrong(tested, wrong, folder / "wrong.png")


def _write_wrong(wrong: Sequence[WrongSource], folder: Path) -> None:
    names = [name for name in WrongSource.__dataclass_fields__ if name != "row"]
    rows = [[_cell(getattr(source, name)) for name in names] for source in wrong]
    write_csv(folder / "wrong.csv", names, rows)


def _prediction_rows(tested: Tested) -> Iterator[list[Any]]:
    classes = tested.trained.classes
    values = np.hstack([softmax(tested.scores), tested.scores])
    found = zip(tested.sources, tested.labels, tested.scores.argmax(axis=1), values, strict=True)
    for source, label, predicted, row in found:
        yield [source, classes[label], classes[predicted], *(repr(float(v)) for v in row)]


def _pass_rows(tested: Tested, passes: np.ndarray) -> Iterator[list[Any]]:
    classes, means = tested.trained.classes, per_source(tested.labels, passes)
    values = np.hstack([means.probabilities, means.scores])
    for source, label, wrong, row in zip(
        tested.sources, tested.labels, means.wrong, values, strict=True
    ):
        numbers = (repr(float(value)) for value in row)
        yield [source, classes[label], len(passes), int(wrong), *numbers]


def _columns(classes: Sequence[str]) -> list[str]:
    return [f"{letter}_{name}" for letter in "ps" for name in classes]


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else value


def _word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.@-]+", "_", text).strip("._-")[:80] or "unnamed"

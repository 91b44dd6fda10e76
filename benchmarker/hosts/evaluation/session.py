"""One command: which networks, which sets, and what is done with each pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarker.core.errors import BenchmarkerError, MissingDataError, Problems
from benchmarker.core.records import MODELS, read_record, run_folders
from benchmarker.data.cards import is_card, load_card
from benchmarker.data.images import ImageSet
from benchmarker.hosts.evaluation.tested import Tested, TrainingSet, Wanted
from benchmarker.hosts.evaluation.testing import evaluate_on
from benchmarker.hosts.evaluation.training_sets import open_set, training_set
from benchmarker.runs.trained import Trained, open_trained


@dataclass(frozen=True)
class Asked:
    """What a command asks for.

    Arguments
    ---------
    networks : run folders, folders of results, or files of weights
    on : data sets to test on; none is each network's own split
    subset : of each of them, or of the network's own data
    trained_on : where the images lie that trained the networks, if not where they were
    model : ``best`` or ``final``
    """

    networks: Sequence[str]
    on: Sequence[str] = ()
    subset: str | None = None
    trained_on: str | None = None
    model: str = "best"


def network_places(words: Sequence[str]) -> list[str]:
    """Run folders and files of weights; a folder of results stands for its complete runs.

    Raises `MissingDataError` listing all that are not there.
    """
    problems = Problems("the list of networks", MissingDataError)
    found: list[str] = []
    for word in words:
        path = Path(word)
        if path.is_file() or (path / "run.json").is_file():
            found.append(word)
        elif not path.is_dir():
            problems.add(f"no run folder and no file of weights {word}")
        else:
            complete = [str(folder) for folder in run_folders(path) if _is_complete(folder)]
            if not complete:
                problems.add(f"{word} holds no complete run")
            found += complete
    problems.raise_if_any()
    return list(dict.fromkeys(found))


def _is_complete(folder: Path) -> bool:
    try:
        return read_record(folder).is_complete
    except BenchmarkerError:
        return False


def pairs(asked: Asked) -> Iterator[tuple[Trained, TrainingSet, ImageSet | None]]:
    """Each network with each set; None stands for its own split.

    The sets are opened first, so that a mistyped one shows before anything is computed.
    Raises for a network without data of its own where no set is given.
    """
    places = network_places(asked.networks)
    sets = [open_set(what, asked.subset) for what in asked.on]
    for place in places:
        trained = _opened(place, asked.model)
        own = training_set(trained, asked.trained_on)
        for images in sets or [_own_or_subset(trained, own, asked.subset)]:
            yield trained, own, images


def _opened(place: str, model: str) -> Trained:
    """A network; the best and final weights within a run's folder stand for that run."""
    path = Path(place)
    if path.is_file() and path.stem in MODELS and (path.parent / "run.json").is_file():
        return open_trained(path.parent, model=path.stem)
    return open_trained(place, model=model)


def _own_or_subset(trained: Trained, own: TrainingSet, subset: str | None) -> ImageSet | None:
    if own.images is None:
        message = (
            f"{trained.where} cannot be tested on its own data: {own.reason}; expected --on DATA, "
            "or --trained-on DATA with the place of its images"
        )
        raise MissingDataError(message)
    if subset is None or own.settings is None:
        return own.images if own.settings is None else None
    data = own.settings.data
    whole = load_card(data).base if is_card(data) else None
    return open_set(whole or data, subset)


def evaluate_all(asked: Asked, wanted: Wanted) -> Iterator[Tested]:
    """Every pair tested, one after the other."""
    for trained, own, images in pairs(asked):
        yield evaluate_on(trained, own, images, wanted)

"""What one ``run`` command does: plan, skip what is complete, execute, lead the board."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarker.core.errors import (
    EXIT_FINE,
    EXIT_INPUT,
    EXIT_RUN_FAILED,
    BenchmarkerError,
    InputFileError,
    Problems,
    SettingsError,
)
from benchmarker.core.files import make_folder
from benchmarker.core.records import DIGESTED
from benchmarker.data.cards import load_card
from benchmarker.runs import executor
from benchmarker.runs.executor import Outcome
from benchmarker.runs.folder import RunFolder
from benchmarker.runs.resolve import Resolved, open_images, resolve
from benchmarker.runs.run_list import Entry
from benchmarker.runs.settings import KEPT, RunSettings
from benchmarker.runs.spec import Spec


@dataclass(frozen=True)
class Request:
    """A run list, seeds and options, as a user gives them.

    Arguments
    ---------
    entries : lines of the run list
    seeds : one run of each line for each seed
    overrides : settings of the command line; they win over the run list
    results : folder of records and leaderboard
    cache : folder of prepared images
    processes, threads : None chooses by the number of cores
    workers : loader threads of each run
    again : repeat what is complete or failed
    accept_differences : resume on another machine or with other versions, marked
    deterministic : refuse operations without a deterministic form; False is marked
    test_only : test the stored weights, train nothing
    copies : classic folder for copies of the weights
    """

    entries: Sequence[Entry]
    seeds: Sequence[int]
    overrides: dict[str, Any] = field(default_factory=dict)
    results: Path = Path("results")
    cache: Path = Path("data/cache")
    processes: int | None = None
    threads: int | None = None
    workers: int = 1
    again: bool = False
    accept_differences: bool = False
    deterministic: bool = True
    test_only: bool = False
    copies: Path | None = None


def plan(request: Request) -> list[Resolved]:
    """Every run of the request, decided; seeds vary fastest. All faults are listed at once."""
    repeated = sorted({seed for seed in request.seeds if list(request.seeds).count(seed) > 1})
    if repeated:
        message = f"seed {repeated[0]} is given twice; expected distinct seeds"
        raise SettingsError(message)
    problems = Problems("the plan", SettingsError)
    runs: list[Resolved] = []
    left_out: dict[str | None, str] = {}
    # a run that is begun anew needs the weights that it starts from; others remember them
    known = None if request.again else request.results / "runs"
    for entry in request.entries:
        for seed in request.seeds:
            settings = RunSettings(**{**entry.settings, **request.overrides, "seed": seed})
            try:
                fitting = _with_fitting_subset(settings, request)
                if fitting.subset != settings.subset:
                    left_out.setdefault(settings.subset, settings.data)
                runs.append(resolve(fitting, known))
            except SettingsError as error:
                if str(error) not in problems.texts:
                    problems.add(str(error))
    problems.raise_if_any()
    for subset, data in left_out.items():
        say(f"the run list's subset {subset} is left out: {data} was asked for")
    names = [run.name for run in runs]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        message = (
            f"two lines of the list come to the same run {doubled[0]} (an option of the command "
            "line overrides what told them apart); leave one out"
        )
        raise SettingsError(message)
    return runs


def _with_fitting_subset(settings: RunSettings, request: Request) -> RunSettings:
    """Without the run list's subset where the command names a data set that has none, or is one.

    So one list serves MiraBest, whose subsets it names, FR-DEEP, and ``-d mirabest-confident``.
    An unknown subset of a set that has some stays, and is refused when the set is opened: left
    out, a misspelt word would train on all classes of the whole set.
    """
    asked = request.overrides
    if settings.subset is None or "subset" in asked or "data" not in asked:
        return settings
    name = open_images(replace(settings, subset=None)).provenance.get("card")
    card = None if name is None else load_card(name)
    if card is None or not (card.subset or card.subsets):
        return replace(settings, subset=None)
    if card.subset is not None and not card.subset.answers_to(settings.subset):
        return replace(settings, subset=None)
    return settings


@dataclass(frozen=True)
class Session:
    """How a request ended: one outcome per run, in the order of the plan."""

    runs: list[Resolved]
    outcomes: list[Outcome]

    @property
    def code(self) -> int:
        """Exit code of the command."""
        return executor.exit_code(self.outcomes)


def perform(request: Request, runs: list[Resolved]) -> Session:
    """Execute a plan; complete runs are skipped, the leaderboard is written after each run."""
    make_folder(request.results / "runs")
    make_folder(request.cache)
    if request.copies is not None:
        make_folder(request.copies)
    outcomes: dict[str, Outcome] = {}
    open_runs: list[Resolved] = []
    for run in runs:
        folder = _folder(run, request)
        done = _settled(folder, request)
        if done is None:
            open_runs.append(run)
        else:
            outcomes[run.name] = done
            say(f"{run.settings.label}: {done.text}")
            if done.complete and (unmade := _unmade(run.settings, folder)):
                say(f"{run.settings.label}: {unmade}")
    processes = executor.side_by_side(len(open_runs), request.processes)
    threads = executor.threads_each(
        executor.side_by_side(len(runs), request.processes), request.threads
    )
    specs = [_spec(run, request, threads, shared=processes > 1) for run in open_runs]
    finished = executor.execute(specs, processes, lambda outcome: _after(request, outcome))
    outcomes |= {run.name: outcome for run, outcome in zip(open_runs, finished, strict=True)}
    write_tables(request.results)
    return Session(runs, [outcomes[run.name] for run in runs])


def _folder(run: Resolved, request: Request) -> RunFolder:
    return RunFolder.find(request.results / "runs", run.name)


def say(text: str) -> None:
    """One line for the user, on stderr."""
    with contextlib.suppress(OSError):  # nobody reads any more: the runs go on all the same
        print(text, file=sys.stderr, flush=True)  # noqa: T201 (the edge of the program)


def _settled(folder: RunFolder, request: Request) -> Outcome | None:
    """The outcome of a run for which no process is needed, or None."""
    if request.again and not request.test_only:
        return None
    try:
        record = folder.read()
    except InputFileError as error:
        return Outcome(folder, EXIT_INPUT, str(error))  # the other runs go on
    status = {"state": "new"} if record is None else record["status"]
    if status["state"] == "complete":
        return _complete(folder, request)
    if request.test_only:
        text = f"{folder.path} holds no complete run to test; leave --only-test out to make it"
        return Outcome(folder, EXIT_INPUT, text)
    if status["state"] == "failed" and status.get("final"):
        text = f"failed before: {status['reason']} (--again repeats it)"
        return Outcome(folder, EXIT_RUN_FAILED, text)
    return None


def _complete(folder: RunFolder, request: Request) -> Outcome | None:
    lost = [name for name in DIGESTED if not (folder.path / name).is_file()]
    if lost:
        text = f"{folder.path} lost {', '.join(lost)}; --again makes this run anew"
        return Outcome(folder, EXIT_INPUT, text)
    # what a kill in the very last moment left
    shutil.rmtree(folder.checkpoint, ignore_errors=True)
    if request.test_only:
        return None
    return Outcome(folder, EXIT_FINE, f"complete already in {folder.path} (--again repeats it)")


def _unmade(settings: RunSettings, folder: RunFolder) -> str:
    """What was asked for and is not in a complete record, since it makes no other run."""
    texts = []
    if settings.test_passes and not (folder.path / "augmented.csv").is_file():
        texts.append(
            f"tested without augmented passes: benchmarker evaluate {folder.path} --passes "
            f"{settings.test_passes} makes them"
        )
    if settings.keep != KEPT[0] and not folder.kept.is_dir():
        texts.append("no weights of epochs were kept: --again trains anew and keeps them")
    return "; ".join(texts)


def _threads(folder: RunFolder, request: Request, threads: int) -> int:
    """As asked; else those the run was begun with, so that it goes on exactly; else `threads`."""
    if request.threads or (request.again and not request.test_only):
        return threads
    record = folder.read()
    recorded = threads if record is None else record["fingerprint"]["threads"]
    return recorded if recorded <= executor.cores() else threads


def _spec(run: Resolved, request: Request, threads: int, *, shared: bool) -> Spec:
    return Spec(
        settings=run.settings.as_dict(),
        identity=run.identity["digest"],
        name=_folder(run, request).path.name,
        results=str(request.results.resolve()),
        cache=str(request.cache.resolve()),
        threads=_threads(_folder(run, request), request, threads),
        workers=request.workers,
        label=f"s{run.settings.seed} {run.settings.network}" if shared else "",
        accept_differences=request.accept_differences,
        deterministic=request.deterministic,
        again=request.again,
        test_only=request.test_only,
        copies=None if request.copies is None else str(request.copies.resolve()),
    )


def _after(request: Request, outcome: Outcome) -> None:
    if outcome.code:
        say(f"{outcome.folder.path.name}: {outcome.text}")
    write_tables(request.results)


def write_tables(results: Path) -> None:
    """Write leaderboard.csv and the classic tables from all records."""
    from benchmarker.report import leaderboard

    try:
        leaderboard.write(results)
    except BenchmarkerError as error:
        # the records are safe; the table can be made again at any time
        say(f"the leaderboard was not written: {error}")


def quick(entries: Sequence[Entry]) -> list[Entry]:
    """The same list shrunk to two epochs a run, for a first look."""
    return [replace(entry, epochs=min(entry.epochs, 2)) for entry in entries]

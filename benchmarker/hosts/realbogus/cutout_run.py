"""Cutouts of whole nights: exposures from the database, stamps by several processes.

Exposures are asked for night by night and detections batch by batch, and only a few jobs wait at
a time, so memory does not grow with the number of exposures. A run that was stopped goes on where
it was when it is started again.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarker.core.errors import (
    BenchmarkerWarning,
    MissingDataError,
    RunFailedError,
    SettingsError,
)
from benchmarker.core.files import (
    LockedError,
    lock,
    make_folder,
    read_json,
    write_if_changed,
    write_json,
)
from benchmarker.hosts.realbogus import queries
from benchmarker.hosts.realbogus.cutouts import DEFAULT_FORM, CutForm
from benchmarker.hosts.realbogus.cutting import (
    BAD,
    GOOD,
    Job,
    Outcome,
    mark_path,
    run_job,
    write_list,
)
from benchmarker.hosts.realbogus.database import Database
from benchmarker.hosts.realbogus.exposures import ExposurePlaces, is_safe_name
from benchmarker.hosts.realbogus.stamp_store import gather, held_digests

SETTINGS = "cutouts.json"
MISSING = "missing.txt"
WAITING_PER_PROCESS = 2  # jobs, so that no process is idle while the database is asked
CHOICES = ("all", "real", "bogus")
Progress = Callable[[Outcome, int, int], None]


@dataclass(frozen=True)
class CutoutPlan:
    """What to cut.

    Arguments
    ---------
    nights : MJD, whole numbers; camera : first letters of the exposures' names
    stamps : ``all``, ``real`` or ``bogus``
    good_as_real : reals are objects of the good list, else known asteroids
    places : of exposures; folder : of output
    store : HDF5 file in place of FITS files
    processes : at least 1
    """

    nights: Sequence[int]
    folder: Path
    camera: str = "02a"
    stamps: str = "all"
    good_as_real: bool = False
    form: CutForm = DEFAULT_FORM
    places: ExposurePlaces = field(default_factory=ExposurePlaces)
    store: Path | None = None
    processes: int = 1

    def __post_init__(self) -> None:
        if not self.nights:
            message = "no night given, expected MJDs such as 58362,58363"
            raise SettingsError(message)
        if self.stamps not in CHOICES:
            message = f"stamps is {self.stamps!r}, expected one of {', '.join(CHOICES)}"
            raise SettingsError(message)
        if not is_safe_name(self.camera):
            message = f"camera is {self.camera!r}, expected letters and digits such as 02a"
            raise SettingsError(message)

    @property
    def kinds(self) -> list[str]:
        """Which of `queries.KINDS` to ask for."""
        real = queries.GOOD_LIST if self.good_as_real else queries.ASTEROIDS
        wanted = {"all": [real, queries.BOGUS], "real": [real], "bogus": [queries.BOGUS]}
        return wanted[self.stamps]


@dataclass
class CutoutSummary:
    """What was done.

    Arguments
    ---------
    exposures : of all nights; stamps : class -> number cut or found whole
    skipped : jobs that were done before; outside : detections beyond the detector
    missing : exposures whose file is not there; unreadable : exposure -> why
    empty_nights : without an exposure of this camera in the database
    listed : ``good.txt`` and ``bad.txt`` -> lines; stored : stamps in the store
    seconds : by all processes for cutting and for writing
    """

    exposures: int = 0
    stamps: dict[str, int] = field(default_factory=lambda: {GOOD: 0, BAD: 0})
    jobs: int = 0
    skipped: int = 0
    outside: int = 0
    missing: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    empty_nights: list[int] = field(default_factory=list)
    listed: dict[str, int] = field(default_factory=dict)
    stored: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: {"cut": 0.0, "write": 0.0})

    def add(self, outcome: Outcome) -> None:
        """Count one job."""
        self.jobs += 1
        self.stamps[outcome.word] += outcome.stamps
        self.outside += outcome.outside
        self.skipped += outcome.skipped
        if outcome.missing and outcome.obs not in self.missing:
            self.missing.append(outcome.obs)
        elif outcome.fault and not outcome.missing:
            self.unreadable[outcome.obs] = outcome.fault
        for name, seconds in outcome.seconds.items():
            self.seconds[name] += seconds


def cut_nights(
    database: Database, plan: CutoutPlan, progress: Progress | None = None
) -> CutoutSummary:
    """Cut the stamps of the nights and write the lists; what is whole already is skipped.

    Exposures that are not there are listed in ``missing.txt``. Raises `MissingDataError` where
    no night has an exposure or no exposure is there, `RunFailedError` where the database or a
    process is lost: what was cut until then is whole.
    """
    database.check(dict.fromkeys(t for kind in plan.kinds for t in queries.TABLES[kind]))
    make_folder(plan.folder)
    with _alone(plan.folder):
        _settle(plan)
        summary = CutoutSummary()
        for outcome, total in _outcomes(_jobs(database, plan, summary), plan, summary):
            summary.add(outcome)
            if progress is not None:
                progress(outcome, summary.jobs, total)
        _finish(plan, summary)
    return summary


def _alone(folder: Path) -> AbstractContextManager[None]:
    """The lock of the folder; says so where another run must be waited for."""
    place = folder / ".lock"
    try:
        with lock(place, wait=False):
            pass
    except LockedError:
        warnings.warn(f"{folder} is in use: waiting", BenchmarkerWarning, stacklevel=2)
    return lock(place)


def _settle(plan: CutoutPlan) -> None:
    """Note how the stamps of this folder are cut; others must go elsewhere."""
    told = {
        "stamp_size": plan.form.side,
        "offset": plan.form.offset,
        "mask": plan.form.mask,
        "reals": "good list" if plan.good_as_real else "asteroids",
    }
    path = plan.folder / SETTINGS
    if path.exists():
        before = read_json(path)
        if before != told:
            message = (
                f"{plan.folder} holds stamps cut with {before}, now asked for {told}: "
                "choose another folder"
            )
            raise SettingsError(message)
    else:
        write_json(path, told)
    # left by a run that was killed while it wrote
    for word in (GOOD, BAD):
        for path in (plan.folder / word).glob(".part-*"):
            path.unlink(missing_ok=True)


def _jobs(database: Database, plan: CutoutPlan, summary: CutoutSummary) -> Iterator[Job]:
    held = {} if plan.store is None else held_digests(plan.store)
    for night in plan.nights:
        exposures = queries.exposures_of_night(database, night, plan.camera)
        if not exposures:
            summary.empty_nights.append(night)
        summary.exposures += len(exposures)
        safe = [row for row in exposures if is_safe_name(row.obs)]
        for row in exposures:
            if not is_safe_name(row.obs):
                summary.unreadable[row.obs] = "its name cannot be that of a file"
        for kind in plan.kinds:
            for row, found in queries.detections(database, safe, kind):
                path = plan.places.find(row.obs)
                job = Job(row, path, kind, found, plan.folder, plan.form, plan.store)
                if not len(found) and (plan.store is not None or not mark_path(job).exists()):
                    continue
                if held.get((job.word, row.obs)) == job.digest:
                    summary.skipped += 1
                    summary.jobs += 1
                    continue
                yield job


def _outcomes(
    jobs: Iterator[Job], plan: CutoutPlan, summary: CutoutSummary
) -> Iterator[tuple[Outcome, int]]:
    """What became of the jobs, and how many there are as far as is known."""
    if plan.processes <= 1:
        for job in jobs:
            yield run_job(job), summary.exposures * len(plan.kinds)
        return
    # a fresh interpreter each: a forked one inherits locks and the connection to the database
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(plan.processes, mp_context=context, initializer=_follow_parent)
    waiting: set[Future[Outcome]] = set()
    try:
        for job in jobs:
            waiting.add(pool.submit(run_job, job))
            if len(waiting) >= plan.processes * (1 + WAITING_PER_PROCESS):
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result(), summary.exposures * len(plan.kinds)
        for future in waiting:
            yield future.result(), summary.exposures * len(plan.kinds)
    except BrokenProcessPool as error:
        message = (
            "a process that cut stamps was ended from outside (out of memory?); what was cut "
            "until now is whole: run the same command again to go on, or with fewer --processes"
        )
        raise RunFailedError(message) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _follow_parent() -> None:
    """In a worker: the parent alone hears Ctrl-C, and nobody works on without it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def end_with_parent() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def _finish(plan: CutoutPlan, summary: CutoutSummary) -> None:
    missing = plan.folder / MISSING
    if summary.missing:
        lines = [f"{obs} {plan.places.usual(obs)}\n" for obs in sorted(summary.missing)]
        write_if_changed(missing, "".join(lines))
    else:
        missing.unlink(missing_ok=True)
    if plan.store is None:
        summary.listed = {f"{word}.txt": write_list(plan.folder, word) for word in (GOOD, BAD)}
    else:
        summary.stored = gather(plan.store, plan.form)
    if len(summary.empty_nights) == len(plan.nights):
        nights = ", ".join(map(str, plan.nights))
        message = f"no exposure of camera {plan.camera} in the database for {nights}"
        raise MissingDataError(message)
    unusable = {*summary.missing, *summary.unreadable}
    if unusable and summary.jobs and not any(summary.stamps.values()) and not summary.skipped:
        name = min(unusable)
        reason = summary.unreadable.get(name, f"expected {plan.places.usual(name)}")
        message = f"none of {len(unusable)} exposures can be used; {name}: {reason}"
        raise MissingDataError(message)

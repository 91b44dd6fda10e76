"""All that a report is made from: contenders, runs and curves, and what had to be left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarker.core.errors import MissingDataError, Problems
from benchmarker.core.hashing import SHORT
from benchmarker.core.records import Record, find_records, run_folders
from benchmarker.report.contender import Contender
from benchmarker.report.contenders import contenders
from benchmarker.report.curves import learning_curves
from benchmarker.report.rows import group_key
from benchmarker.report.site.evidence import MODEL
from benchmarker.report.site.words import file_name

METRIC = "mpca"  # of the curves over training sources and over damage, as on the leaderboard


@dataclass(frozen=True)
class Material:
    """What the pages show.

    contenders : rows of the leaderboard with their runs, by data, best first
    records : every readable run in any state, by folder name
    left_out : texts that name the folders which are no readable run
    network_pages, run_pages : file names without ending, in the order of the two above
    learning : scores over the number of training sources, see `benchmarker.report.curves`
    """

    contenders: Sequence[Contender]
    records: Sequence[Record]
    left_out: Sequence[str]
    network_pages: Sequence[str]
    run_pages: Sequence[str]
    learning: Sequence[dict[str, Any]]

    def run_page(self, record: Record) -> str:
        """File name, without ending, of the page of one of the runs."""
        return self._pages_by_folder[record.folder]

    def network_page(self, record: Record) -> str | None:
        """File name of the page on which a run counts; None where it counts on none."""
        return self._networks_by_folder.get(record.folder)

    def __post_init__(self) -> None:
        runs = {r.folder: page for r, page in zip(self.records, self.run_pages, strict=True)}
        networks = {
            run.folder: page
            for contender, page in zip(self.contenders, self.network_pages, strict=True)
            for run in contender.runs
        }
        object.__setattr__(self, "_pages_by_folder", runs)
        object.__setattr__(self, "_networks_by_folder", networks)


def gather(results: Path) -> Material:
    """Read a results folder; damaged and foreign folders are named in ``left_out``.

    Raises `MissingDataError` where there is no run at all, nor anything like one.
    """
    problems = Problems(results)
    records = find_records(results, problems=problems)
    _note_foreign(results, problems)
    if not records and not problems:
        message = (
            f"no run below {results}/runs; run one first, for instance "
            "`python quickstart.py -a convxpress.txt`, or name another folder with --results"
        )
        raise MissingDataError(message)
    found = contenders(records, model=MODEL, problems=problems)
    taken: set[str] = set()
    pages = [file_name(_page_name(one), taken) for one in found]
    taken = set()
    run_pages = [file_name(record.folder.name, taken) for record in records]
    return Material(
        contenders=found,
        records=records,
        left_out=tuple(problems.texts),
        network_pages=pages,
        run_pages=run_pages,
        learning=learning_curves(records, model=MODEL, metric=METRIC),
    )


def _note_foreign(results: Path, problems: Problems) -> None:
    for folder in run_folders(results):
        if not (folder / "run.json").is_file():
            problems.add(f"{folder} holds no run: there is no run.json in it")


def _page_name(contender: Contender) -> str:
    """A name that stays when other networks come: of what makes the row, not of its place."""
    row = contender.row
    return f"{row['network']}-{row['data']}-{group_key(contender.runs[0])[:SHORT]}"

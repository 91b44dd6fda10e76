"""The contenders that a user names: by network, by label, or by the folder of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarker.core.errors import (
    InputFileError,
    MissingDataError,
    Problems,
    SettingsError,
    suggest,
)
from benchmarker.core.records import find_records, read_record
from benchmarker.report.contenders import Contender, contenders


@dataclass(frozen=True)
class Search:
    """Where to look, and which contenders count.

    results : folder of results
    model : ``best`` or ``final``
    data, protocol : names; None takes any
    """

    results: Path
    model: str = "best"
    data: str | None = None
    protocol: str | None = None


def named(names: Sequence[str], search: Search, problems: Problems) -> list[Contender]:
    """The contenders of these names, in their order; the folder of a run is one of one seed.

    A name is a network's, or the label by which several of one network are told apart.
    `problems` gets the runs that cannot be read and are left out.

    Raises `MissingDataError` for a name that no run has, `SettingsError` for one that stands
    for several contenders or is there twice, `InputFileError` for a damaged run folder.
    """
    known: list[Contender] = []
    if not all(_is_run(name) for name in names):
        records = find_records(search.results, problems=problems)
        known = contenders(
            records,
            model=search.model,
            data=search.data,
            protocol=search.protocol,
            problems=problems,
        )
    found = [
        _of_folder(name, search.model) if _is_run(name) else _of_name(name, known, search)
        for name in names
    ]
    folders = [{run.folder.resolve() for run in one.runs} for one in found]
    for place, name in enumerate(names):
        if folders[place] in folders[:place]:
            message = f"{name} is there twice, expected different networks or runs"
            raise SettingsError(message)
    return found


def _is_run(name: str) -> bool:
    return (Path(name) / "run.json").is_file()


def _of_folder(name: str, model: str) -> Contender:
    record = read_record(name)
    if not record.is_complete:
        message = f"{name} is {record.state}, expected a complete run"
        raise InputFileError(message)
    problems = Problems(name)
    found = contenders([record], model=model, problems=problems)
    problems.raise_if_any()
    return replace(found[0], label=record.folder.resolve().name)


def _of_name(name: str, known: Sequence[Contender], search: Search) -> Contender:
    exact = [one for one in known if one.label == name]
    found = exact or [one for one in known if one.row["network"] == name]
    if len(found) == 1:
        return found[0]
    if found:
        labels = "; ".join(one.label for one in found)
        message = (
            f"{name} stands for {len(found)} contenders: {labels}; choose with --data or "
            "--protocol, or give one of these names or the folder of a run"
        )
        raise SettingsError(message)
    names = sorted({one.row["network"] for one in known})
    where = f" on data {search.data}" if search.data else ""
    there = f"there are: {', '.join(names)}" if names else "there is none"
    message = (
        f"no finished run of a network {name!r}{where} below {search.results}"
        f"{suggest(name, names)}; {there}"
    )
    raise MissingDataError(message)

"""Writes the site: into a folder beside the target, which then takes the target's place."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarker.core.errors import SettingsError
from benchmarker.core.files import explained, read_json
from benchmarker.report.site import words
from benchmarker.report.site.board import index_page
from benchmarker.report.site.material import Material, gather
from benchmarker.report.site.network_page import Known, network_page
from benchmarker.report.site.run_page import run_page, runs_page

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
STATIC = ("style.css", "script.js")
MARK = "site.json"  # tells a folder that we wrote, and which files, from any other
MADE_BY = "benchmarker report"
TRIES = 20  # of taking the target's place, against others who do the same
FORGOTTEN_SECONDS = 86_400  # after which a folder that a killed report left is removed

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Built:
    """What was written: the index page, how many other pages, and what was left out."""

    index: Path
    networks: int
    runs: int
    left_out: tuple[str, ...]


def build(
    results: Path, output: Path, *, known: Known, made: str, progress: Progress | None = None
) -> Built:
    """Write the report on a results folder to the folder `output`, whole or not at all.

    Arguments
    ---------
    results : results folder with ``runs/``
    output : the site; absent, empty, or an earlier report, which is replaced
    known : what is known of a record's network besides the record
    made : when and by what, for the foot of the pages
    progress : called with (pages done, pages in all)

    Raises `SettingsError` where `output` holds anything but an earlier report, and
    `MissingDataError` where there is no run.
    """
    output = Path(output).absolute()
    refuse_foreign(output)
    material = gather(Path(results))
    with _beside(output) as folder:
        _write(folder, material, known, made, progress)
        _take_place(folder, output)
    return Built(
        index=output / "index.html",
        networks=len(material.network_pages),
        runs=len(material.run_pages),
        left_out=tuple(material.left_out),
    )


def refuse_foreign(output: Path) -> None:
    """Raise `SettingsError` unless the folder is absent, empty, or just as a report left it."""
    if not output.exists() and not output.is_symlink():
        return
    if not output.is_dir():
        message = f"{output} is a file; the report needs a folder of its own, e.g. -o site"
        raise SettingsError(message)
    found = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    foreign = sorted(found - _ours(output))
    if foreign:
        message = (
            f"{output} holds {foreign[0]}{' and other files' if len(foreign) > 1 else ''} that "
            "no report wrote; name another folder, which the report may replace whole"
        )
        raise SettingsError(message)


def _ours(output: Path) -> set[str]:
    """Files that an earlier report wrote to the folder; none where it wrote nothing."""
    path = output / MARK
    if not path.is_file():
        return set()
    mark = read_json(path)
    is_ours = isinstance(mark, dict) and mark.get("made_by") == MADE_BY
    return {MARK, *map(str, mark.get("files", []))} if is_ours else set()


def _write(
    folder: Path, material: Material, known: Known, made: str, progress: Progress | None
) -> None:
    pages = list(_pages(material, known))
    environment = _environment()
    files = []
    for done, (name, template, content) in enumerate(pages, start=1):
        text = environment.get_template(template).render(
            root="../" * name.count("/"), made=made, **content()
        )
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        files.append(name)
        if progress is not None:
            progress(done, len(pages))
    for name in STATIC:
        shutil.copyfile(TEMPLATES / name, folder / name)
    mark = {"made_by": MADE_BY, "files": [*files, *STATIC]}
    (folder / MARK).write_text(json.dumps(mark, indent=1) + "\n", encoding="utf-8")


def _pages(
    material: Material, known: Known
) -> Iterator[tuple[str, str, Callable[[], Mapping[str, Any]]]]:
    """File name, template and content of each page; the content is made when it is asked for."""
    yield "index.html", "index.html", lambda: index_page(material)
    yield "runs.html", "runs.html", lambda: runs_page(material)
    for contender, page in zip(material.contenders, material.network_pages, strict=True):
        name = f"networks/{page}.html"
        yield name, "network.html", lambda one=contender: network_page(material, one, known)
    for record, page in zip(material.records, material.run_pages, strict=True):
        yield f"runs/{page}.html", "run.html", lambda one=record: run_page(material, one)


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = ("share", "between", "whole", "short", "decimal", "shown", "printable")
    environment.filters |= {name: getattr(words, name) for name in names}
    return environment


@contextlib.contextmanager
def _beside(output: Path) -> Iterator[Path]:
    """An empty folder beside the target, removed at the end if it is still there."""
    parent = output.resolve().parent
    with explained(output):
        parent.mkdir(parents=True, exist_ok=True)
        _remove_forgotten(parent)
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=".report-"))
    mask = os.umask(0)
    os.umask(mask)
    folder.chmod(0o777 & ~mask)
    try:
        with explained(output):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_forgotten(parent: Path) -> None:
    for path in parent.glob(".report-*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > FORGOTTEN_SECONDS:
                shutil.rmtree(path, ignore_errors=True)


def _take_place(folder: Path, output: Path) -> None:
    """Move the new site to its place; of several at the same time the last one stays."""
    target = output.resolve()
    for _ in range(TRIES):
        try:
            folder.rename(target)  # also onto an empty folder
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            return
        refuse_foreign(target)
        old = Path(tempfile.mkdtemp(dir=target.parent, prefix=".report-"))
        with contextlib.suppress(FileNotFoundError):
            target.rename(old)
        shutil.rmtree(old, ignore_errors=True)
    message = f"{output} was written by others all the time; run the command again"
    raise SettingsError(message)

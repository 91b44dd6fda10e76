"""One exposure: its text file, its stamps, and the mark that says that they are whole.

The mark is written before the first stamp (with all names, so that no stamp of an interrupted
run is forgotten) and again after the last one (with the digest of what was asked for). What
carries the right digest is left alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import InputFileError
from benchmarker.core.files import make_folder, write_if_changed, write_json
from benchmarker.hosts.realbogus.cutouts import DEFAULT_FORM, CutForm, corners, cut, touches
from benchmarker.hosts.realbogus.exposures import Exposure, open_exposure
from benchmarker.hosts.realbogus.queries import BOGUS, SAME, ExposureRow
from benchmarker.hosts.realbogus.stamp_store import Piece, part_digest, part_path, write_part
from benchmarker.hosts.realbogus.stamp_writer import StampWriter

MARKS = ".cutouts"
GOOD, BAD = "good", "bad"
TEXT_COLUMNS = SAME  # x and y come first, as in psat-ml; then the exposure's name


@dataclass(frozen=True)
class Job:
    """Stamps of one class to be cut from one exposure.

    Arguments
    ---------
    exposure : as the database knows it; path : of its file, None where it is not there
    kind : of `queries.KINDS`; rows : detections, of type `queries.DETECTION`
    folder : of all output; store : HDF5 file in place of FITS files
    """

    exposure: ExposureRow
    path: Path | None
    kind: str
    rows: np.ndarray
    folder: Path
    form: CutForm = DEFAULT_FORM
    store: Path | None = None

    @property
    def word(self) -> str:
        """Class of the stamps: ``good`` or ``bad``."""
        return BAD if self.kind == BOGUS else GOOD

    @cached_property
    def names(self) -> list[str]:
        """Names of the stamps: object or detection, exposure, row of the text file from 1."""
        owners = zip(self.rows["object"].tolist(), self.rows["detection"].tolist(), strict=True)
        return [
            # an asteroid belongs to no object: its detection is a group of its own
            f"{owner or f'd{detection}'}_{self.exposure.obs}_{row}.fits"
            for row, (owner, detection) in enumerate(owners, start=1)
        ]

    @cached_property
    def text(self) -> str:
        """The text file: a detection in each line, as psat-ml writes it."""
        columns = [self.rows[name].tolist() for name in TEXT_COLUMNS]
        obs = self.exposure.obs
        return "".join(
            f"{' '.join(map(repr, values))} {obs}\n" for values in zip(*columns, strict=True)
        )

    @cached_property
    def digest(self) -> str:
        """Digest of everything that shapes the stamps but the exposure's pixels."""
        form = json.dumps(asdict(self.form), sort_keys=True)
        told = [self.text, form, self.kind, self.exposure.filter, repr(self.exposure.mjd)]
        told += [*self.names, *self.rows["kind"].tolist()]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()


@dataclass
class Outcome:
    """What became of a job.

    Arguments
    ---------
    stamps : number cut; outside : detections whose stamp touches no pixel of the detector
    fault : why there are none, or an empty text; missing : whether the exposure is not there
    skipped : whether all were there already
    seconds : of ``read`` and ``cut`` together, and of ``write``
    """

    obs: str
    word: str
    stamps: int = 0
    outside: int = 0
    fault: str = ""
    missing: bool = False
    skipped: bool = False
    seconds: dict[str, float] = field(default_factory=lambda: {"cut": 0.0, "write": 0.0})


def text_path(job: Job) -> Path:
    """The text file of a job."""
    return job.folder / f"{job.word}{job.exposure.obs}.txt"


def mark_path(job: Job) -> Path:
    """The mark of a job."""
    return job.folder / MARKS / f"{job.word}-{job.exposure.obs}.json"


def run_job(job: Job) -> Outcome:
    """Cut the stamps of one exposure unless they are there; nothing half-written stays.

    An exposure that is not there or cannot be read is told in the outcome. Raises
    `SettingsError` where nothing can be written.
    """
    outcome = Outcome(job.exposure.obs, job.word)
    if len(job.rows):
        write_if_changed(text_path(job), job.text)
    if is_done(job, outcome):
        return outcome
    if job.path is None and len(job.rows):
        outcome.missing, outcome.fault = True, "not there"
        return outcome
    try:
        if job.store is None:
            _to_folder(job, outcome)
        else:
            _to_part(job, outcome)
    except InputFileError as error:
        outcome.fault = str(error)
    return outcome


def is_done(job: Job, outcome: Outcome) -> bool:
    """Whether the stamps are there, whole and of this very request; tells `outcome` if so."""
    if job.store is not None:
        outcome.skipped = part_digest(part_path(job.store, job.word, job.exposure.obs)) == (
            job.digest
        )
        return outcome.skipped
    mark = read_mark(mark_path(job))
    if mark.get("digest") != job.digest:
        return not len(job.rows) and not mark
    if job.path is not None and mark.get("exposure") != _identity(job.path):
        return False
    folder = job.folder / job.word
    # a stamp is in its place only when it is whole; an empty one is left by a power cut
    outcome.skipped = all(_size(folder / name) for name in mark["names"])
    outcome.stamps, outcome.outside = len(mark["names"]), mark["outside"]
    return outcome.skipped


def read_mark(path: Path) -> dict[str, Any]:
    """A mark; empty where there is none or it is damaged."""
    try:
        mark = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return mark if isinstance(mark, dict) and isinstance(mark.get("names"), list) else {}


def _identity(path: Path) -> list[int]:
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _to_folder(job: Job, outcome: Outcome) -> None:
    folder = make_folder(job.folder / job.word)
    old = set(read_mark(mark_path(job)).get("names", ()))
    names = job.names
    write_json(mark_path(job), {"digest": "", "names": sorted(old | set(names))})
    # another request under the same names must never be taken for this one
    for name in old:
        (folder / Path(name).name).unlink(missing_ok=True)
    if not len(job.rows) or job.path is None:
        text_path(job).unlink(missing_ok=True)
        mark_path(job).unlink(missing_ok=True)
        return
    with open_exposure(job.path, job.form.mask) as exposure:
        first = corners(job.rows["x"], job.rows["y"], job.form)
        cards = _exposure_cards(job.exposure, exposure)
        writer = StampWriter(folder, exposure.dtype, job.form.side, cards)
        for places, stamps in _timed(cut(exposure, first, job.form), outcome):
            started = time.perf_counter()
            own = [_stamp_cards(job, place) for place in places.tolist()]
            writer.write([names[place] for place in places.tolist()], stamps, own)
            outcome.seconds["write"] += time.perf_counter() - started
            outcome.stamps += len(places)
        inside = touches(first, job.form.side, exposure.shape)
    outcome.outside = int((~inside).sum())
    mark = {
        "digest": job.digest,
        "exposure": _identity(job.path),
        "outside": outcome.outside,
        "names": [name for name, is_in in zip(names, inside.tolist(), strict=True) if is_in],
    }
    write_json(mark_path(job), mark)


def _to_part(job: Job, outcome: Outcome) -> None:
    if job.store is None or job.path is None:
        return
    with open_exposure(job.path, job.form.mask) as exposure:
        first = corners(job.rows["x"], job.rows["y"], job.form)
        inside = touches(first, job.form.side, exposure.shape)
        pixels = np.empty((len(first), job.form.side, job.form.side), exposure.dtype)
        for places, stamps in _timed(cut(exposure, first, job.form), outcome):
            pixels[places] = stamps
    started = time.perf_counter()
    outcome.stamps, outcome.outside = int(inside.sum()), int((~inside).sum())
    told = {name: job.rows[name][inside] for name in (*SAME, "detection", "object", "kind")}
    count = outcome.stamps
    told |= {
        "name": np.array(job.names, str)[inside],
        "obs": np.full(count, job.exposure.obs),
        "filter": np.full(count, job.exposure.filter),
        "mjd": np.full(count, job.exposure.mjd, float),
    }
    told["kind"] = np.where(told["kind"] == "", job.kind, told["kind"])
    # most often all are inside: no second copy of them then
    kept = pixels if inside.all() else pixels[inside]
    piece = Piece(job.word, job.exposure.obs, job.digest, kept, told)
    write_part(job.store, piece)
    outcome.seconds["write"] += time.perf_counter() - started


def _timed(pieces: Any, outcome: Outcome) -> Any:
    """The pieces, with the time that each takes to come."""
    started = time.perf_counter()
    for piece in pieces:
        outcome.seconds["cut"] += time.perf_counter() - started
        yield piece
        started = time.perf_counter()
    outcome.seconds["cut"] += time.perf_counter() - started


def _exposure_cards(row: ExposureRow, exposure: Exposure) -> dict[str, Any]:
    known = {key: value for key, value in exposure.header.items() if value != ""}
    told = {"OBS": row.obs, "MJD-OBS": row.mjd}
    if row.filter:
        told["FILTER"] = row.filter
    # the exposure's own header knows its time better than a table that was made of it
    return told | known


def _stamp_cards(job: Job, place: int) -> dict[str, Any]:
    row = job.rows[place]
    return {
        "X": float(row["x"]),
        "Y": float(row["y"]),
        "OBJID": int(row["object"]) or "",
        "DETID": int(row["detection"]),
        "MAG": float(row["mag"]),
        "DMAG": float(row["dmag"]),
        "RA": float(row["ra"]),
        "DEC": float(row["dec"]),
        "KIND": str(row["kind"]) or job.kind,
    }


def write_list(folder: Path, word: str) -> int:
    """Write ``good.txt`` or ``bad.txt``: the stamps in the folder of that name, sorted.

    Nothing is written where the folder is not there or empty. Returns the number of stamps.
    """
    place = folder / word
    if not place.is_dir():
        return 0
    with os.scandir(place) as entries:
        names = sorted(e.name for e in entries if not e.name.startswith(".") and _is_stamp(e.name))
    if names:
        write_if_changed(folder / f"{word}.txt", "\n".join(names) + "\n")
    return len(names)


def _is_stamp(name: str) -> bool:
    # files of psat-ml's cutter with "tiles" in the name show many stamps at once
    return "tiles" not in name and name.endswith(".fits")
